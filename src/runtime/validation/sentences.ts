/** From a broken word of a schema to a sentence: the path, what is wrong, what would be accepted. */
import type { Schema } from '../schema.ts';
import { formatOf } from './formats.ts';
import { brokenBound } from './numbers.ts';
import { fieldPath, type Problem, type ProblemCode } from './problem.ts';
import { jsonType, type Breach } from './structure.ts';

const MOST_SHOWN = 80;

function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? value.toString() : JSON.stringify(value ?? null);
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}...`;
}

function typesOf(schema: Schema): string {
  const types =
    schema['x-kubernetes-int-or-string'] === true ? 'integer or string' : (schema.type ?? 'any value');
  return schema.nullable === true ? `${types} or null` : types;
}

/** What a schema accepts, in a few words. */
function accepts(schema: Schema | undefined): string {
  if (schema === undefined) return 'any value';
  if (schema.enum !== undefined) return schema.enum.map((value) => shown(value)).join(', ');
  const range = rangeOf(schema);
  return range === '' ? typesOf(schema) : `${typesOf(schema)} ${range}`;
}

function rangeOf({ minimum, maximum, multipleOf, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  return [
    ...(minimum === undefined ? [] : [`${exclusiveMinimum === true ? 'above' : 'from'} ${String(minimum)}`]),
    ...(maximum === undefined ? [] : [`${exclusiveMaximum === true ? 'below' : 'up to'} ${String(maximum)}`]),
    ...(multipleOf === undefined ? [] : [`in steps of ${String(multipleOf)}`]),
  ].join(' ');
}

/** In code points, as the API server counts. */
function lengthOf(value: unknown): string {
  return String(Array.from(String(value)).length);
}

type Words = readonly [code: ProblemCode, message: string, accepted: string];

/** kube-openapi's codes; a size is counted in code points, items and fields. */
function wordsOf({ keyword, params, schema, value }: Breach): Words {
  const limit = String(params['limit']);
  switch (keyword) {
    case 'kubernetesType':
      return ['FieldValueTypeInvalid', `is of type ${jsonType(value)}`, accepts(schema)];
    case 'kubernetesFormat': {
      const format = schema.format ?? '';
      return [
        'FieldValueTypeInvalid',
        `${shown(value)} is no ${format}`,
        formatOf(format)?.accepted ?? format,
      ];
    }
    case 'kubernetesRange': {
      const bound =
        typeof value === 'number' || typeof value === 'bigint' ? brokenBound(value, schema) : undefined;
      return ['FieldValueInvalid', `${shown(value)} breaks ${bound ?? 'a bound'}`, accepts(schema)];
    }
    case 'required': {
      const field = String(params['missingProperty']);
      return ['FieldValueRequired', 'is required', accepts(schema.properties?.[field])];
    }
    case 'enum':
      return ['FieldValueNotSupported', `${shown(value)} is not supported`, accepts(schema)];
    case 'pattern':
      return [
        'FieldValueInvalid',
        `${shown(value)} does not match`,
        `a match of ${schema.pattern ?? ''} (RE2)`,
      ];
    case 'maxLength':
      return ['FieldValueTooLong', `is ${lengthOf(value)} characters long`, `at most ${limit}`];
    case 'minLength':
      return ['FieldValueInvalid', `is ${lengthOf(value)} characters long`, `at least ${limit}`];
    case 'maxItems':
      return ['FieldValueTooMany', 'has too many items', `at most ${limit}`];
    case 'minItems':
      return ['FieldValueInvalid', 'has too few items', `at least ${limit}`];
    case 'maxProperties':
      return ['FieldValueTooMany', 'has too many fields', `at most ${limit}`];
    default:
      return ['FieldValueInvalid', 'has too few fields', `at least ${limit}`];
  }
}

export function problemOf(breach: Breach): Problem {
  const [code, message, accepted] = wordsOf(breach);
  const missing = breach.keyword === 'required' ? [String(breach.params['missingProperty'])] : [];
  return { code, path: fieldPath([...breach.segments, ...missing]), message, accepted };
}
