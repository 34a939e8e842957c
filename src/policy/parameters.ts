/** A rule's parameters against its own schema, as the API server would do it: defaults, structure, list types, CEL. */
import { isRecord } from '../runtime/json.ts';
import type { Schema } from '../runtime/schema.ts';
import { compileRules, type RuleValidator } from '../runtime/validation/cel/rules.ts';
import { withDefaults } from '../runtime/validation/defaults.ts';
import { listTypeProblems } from '../runtime/validation/list-types.ts';
import { isObject, viewOf } from '../runtime/validation/numbers.ts';
import { blocksRules, type Problem as FieldProblem } from '../runtime/validation/problem.ts';
import { schemaOfField } from '../runtime/validation/prune.ts';
import { problemOf } from '../runtime/validation/sentences.ts';
import { compileStructure, type Breach } from '../runtime/validation/structure.ts';
import { schemaProblems, uncompilable } from './parameters-schema.ts';
import type { Problem } from './problems.ts';

export type Parameters = Readonly<Record<string, unknown>>;

export interface Checked {
  /** with the schema's defaults */
  parameters: Parameters;
  problems: readonly Problem[];
}

/** `prefix`: what stands before `parameters` in a problem's path, such as `tests[0].`. */
export type ParameterCheck = (parameters: unknown, prefix?: string) => Checked;

export interface SchemaCheck {
  /** what is wrong with the schema itself; then `check` lets everything pass */
  problems: readonly Problem[];
  check: ParameterCheck;
}

const MAX_PROBLEMS = 20;

/** Compiles `spec.parametersSchema`; without one, all parameters are right. Never throws. */
export function parameterCheck(schema: unknown): SchemaCheck {
  if (schema === undefined) return { problems: [], check: anything };
  const problems = schemaProblems(schema, 'parametersSchema');
  if (problems.length > 0) return { problems: problems.slice(0, MAX_PROBLEMS), check: anything };
  const known = opened(schema as Schema);
  try {
    const check = compiled(known);
    const broken = brokenDefaults(known, 'parametersSchema');
    return { problems: broken.slice(0, MAX_PROBLEMS), check };
  } catch (error) {
    return { problems: [uncompilable('parametersSchema', error)], check: anything };
  }
}

function anything(parameters: unknown): Checked {
  return { parameters: isRecord(parameters) ? parameters : {}, problems: [] };
}

function compiled(schema: Schema): ParameterCheck {
  // The validation starts at an object: a field of it makes the paths begin with the word that the user wrote.
  const whole: Schema = { type: 'object', properties: { parameters: schema } };
  const breaches = compileStructure(whole, 'spec');
  const rules = compileRules(whole, 'spec');
  return (parameters, prefix = '') => {
    const given = parameters ?? schema.default ?? {};
    const value = withDefaults(given, schema);
    const problems = problemsOf({ parameters: value }, whole, breaches, rules);
    return {
      parameters: isRecord(value) ? value : {},
      problems: problems.slice(0, MAX_PROBLEMS).map((problem) => inOurWords(problem, prefix)),
    };
  };
}

function problemsOf(
  value: { parameters: unknown },
  schema: Schema,
  breaches: (view: unknown) => Breach[],
  rules: RuleValidator,
): FieldProblem[] {
  const view = viewOf(value) as Record<string, unknown>;
  const problems = [
    ...breaches(view).map(problemOf),
    ...listTypeProblems(view, schema),
    ...unknownFields(view['parameters'], schema.properties?.['parameters'], 'parameters'),
  ];
  return blocksRules(problems) ? problems : [...problems, ...rules(view, undefined)];
}

function inOurWords({ code, path, message, accepted }: FieldProblem, prefix: string): Problem {
  return {
    file: `${prefix}${path}`,
    code,
    message,
    ...(accepted === undefined ? {} : { remedy: `accepted: ${accepted}` }),
  };
}

/** The API server would drop such a field in silence: a misspelt parameter would be a rule that forbids nothing. */
function unknownFields(value: unknown, schema: Schema | undefined, path: string): FieldProblem[] {
  if (schema === undefined) return [];
  if (Array.isArray(value))
    return value.flatMap((item, at) => unknownFields(item, schema.items, `${path}[${String(at)}]`));
  if (!isObject(value)) return [];
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
  return Object.entries(value).flatMap(([key, field]) => {
    const known = schemaOfField(schema, key);
    if (known !== undefined) return unknownFields(field, known, `${path}.${key}`);
    if (open) return [];
    const names = Object.keys(schema.properties ?? {}).join(', ');
    return [
      {
        code: 'FieldValueForbidden' as const,
        path: `${path}.${key}`,
        message: 'is not known to spec.parametersSchema',
        accepted: names === '' ? 'no field' : names,
      },
    ];
  });
}

/** `additionalProperties: true` in the words that the local validation knows. */
function opened(schema: Schema): Schema {
  const { additionalProperties, properties, items, ...rest } = schema;
  return {
    ...rest,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, field]) => [name, opened(field)]),
          ),
        }),
    ...(items === undefined ? {} : { items: opened(items) }),
    ...(additionalProperties === true ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: opened(additionalProperties) }
      : {}),
  };
}

/** Defaults must be right by the schema that they stand in, as in a CRD. */
function brokenDefaults(schema: Schema, path: string): Problem[] {
  const own: Problem[] =
    schema.default === undefined
      ? []
      : compileStructure(
          { type: 'object', properties: { default: schema } },
          path,
        )({ default: schema.default }).map((breach) => inOurWords(problemOf(breach), `${path}.`));
  return [
    ...own,
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
      brokenDefaults(field, `${path}.properties.${name}`),
    ),
    ...(schema.items === undefined ? [] : brokenDefaults(schema.items, `${path}.items`)),
    ...(typeof schema.additionalProperties === 'object'
      ? brokenDefaults(schema.additionalProperties, `${path}.additionalProperties`)
      : []),
  ];
}
