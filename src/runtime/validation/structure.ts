/**
 * Values against their schemas: ajv does the work, fed with what the API server makes of a structural schema. Where the
 * two differ the API server is right: types, bounds, formats and patterns have rules of their own.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { RE2JS } from 're2js';
import type { Schema } from '../schema.ts';
import { formatOf } from './formats.ts';
import { brokenBound, isInt64, isInteger, type Range } from './numbers.ts';
import { requireKnownWords } from './schema-words.ts';
import type { Segments } from './problem.ts';

/** One broken word of a schema. */
export interface Breach {
  /** the value whose schema is broken; for `required` the object that lacks the field */
  segments: Segments;
  keyword: string;
  /** what ajv tells of it: the limit, the missing field */
  params: Readonly<Record<string, unknown>>;
  schema: Schema;
  value: unknown;
}

interface TypeWord {
  types: readonly string[];
  nullable: boolean;
  /** kube-openapi lets a list pass where a string of a format is expected */
  formatted: boolean;
}

export function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number' || typeof value === 'bigint') return isInt64(value) ? 'integer' : 'number';
  return typeof value;
}

function hasType(word: TypeWord, value: unknown): boolean {
  if (value === null) return word.nullable;
  return word.types.some((type) => {
    if (type === 'integer') return isInteger(value);
    if (type === 'number') return typeof value === 'number' || typeof value === 'bigint';
    return jsonType(value) === type || (word.formatted && Array.isArray(value));
  });
}

interface Engine {
  test: (text: string) => boolean;
  toString: () => string;
}

/** RE2 in the place of RegExp: the patterns of a schema mean what Go means by them. */
function re2(pattern: string): Engine {
  const compiled = RE2JS.compile(pattern);
  // ajv keeps one engine for each text of it.
  return { test: (text) => compiled.matcher(text).find(), toString: () => pattern };
}
re2.code = 're2';

function engine(): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    strict: false,
    verbose: true,
    ownProperties: true,
    code: { regExp: re2 },
  });
  ajv.addKeyword({
    keyword: 'kubernetesType',
    validate: (word: TypeWord, value: unknown) => hasType(word, value),
    errors: false,
  });
  ajv.addKeyword({
    keyword: 'kubernetesRange',
    validate: (range: Range, value: unknown) =>
      (typeof value !== 'number' && typeof value !== 'bigint') || brokenBound(value, range) === undefined,
    errors: false,
  });
  ajv.addKeyword({
    keyword: 'kubernetesFormat',
    validate: (name: string, value: unknown) =>
      typeof value !== 'string' || formatOf(name)?.test(value) !== false,
    errors: false,
  });
  return ajv;
}

const COPIED = [
  'enum',
  'required',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
] as const;

/** The schema in ajv's words. Throws for what cannot be checked locally, with the path of the schema. */
function translate(schema: Schema, path: string): Record<string, unknown> {
  requireKnownWords(schema, path);
  const words: Record<string, unknown> = { kubernetesSchema: schema };
  const formatted = schema.format !== undefined && known(schema.format, path);
  const types = schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : [schema.type ?? ''];
  if (types[0] !== '') words['kubernetesType'] = { types, nullable: schema.nullable === true, formatted };
  if (formatted) words['kubernetesFormat'] = schema.format;
  for (const word of COPIED) if (schema[word] !== undefined) words[word] = schema[word];
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (minimum !== undefined || maximum !== undefined || multipleOf !== undefined) {
    words['kubernetesRange'] = { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf };
  }
  if (schema.items !== undefined) words['items'] = translate(schema.items, `${path}[]`);
  if (typeof schema.additionalProperties === 'object') {
    words['additionalProperties'] = translate(schema.additionalProperties, `${path}[*]`);
  }
  if (schema.properties !== undefined) {
    words['properties'] = Object.fromEntries(
      Object.entries(schema.properties).map(([name, field]) => [name, translate(field, `${path}.${name}`)]),
    );
  }
  return words;
}

function known(format: string, path: string): boolean {
  try {
    return formatOf(format) !== undefined;
  } catch (error) {
    throw new Error(`${path}: the schema cannot be checked locally`, { cause: error });
  }
}

/** A validator that finds every breach. Throws for a schema that cannot be checked locally. */
export function compileStructure(schema: Schema, name: string): (view: unknown) => Breach[] {
  const validate: ValidateFunction = engine().compile(translate(schema, name));
  return (view) => {
    if (validate(view)) return [];
    const errors = validate.errors ?? [];
    // kube-openapi matches no text of a wrong length against a pattern.
    const mislong = new Set(
      errors.filter(({ keyword }) => isLength(keyword)).map(({ instancePath }) => instancePath),
    );
    return errors
      .filter(({ keyword, instancePath }) => keyword !== 'pattern' || !mislong.has(instancePath))
      .map((error) => breachOf(error, view));
  };
}

function isLength(keyword: string): boolean {
  return keyword === 'maxLength' || keyword === 'minLength';
}

function breachOf(error: ErrorObject, view: unknown): Breach {
  const { kubernetesSchema } = error.parentSchema as { kubernetesSchema: Schema };
  return {
    segments: segmentsOf(error.instancePath, view),
    keyword: error.keyword,
    params: error.params,
    schema: kubernetesSchema,
    value: error.data,
  };
}

/** A JSON pointer into the value; a number where the value has a list. */
function segmentsOf(pointer: string, view: unknown): Segments {
  let current = view;
  return pointer
    .split('/')
    .slice(1)
    .map((token) => {
      const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
      const inList = Array.isArray(current);
      current = (current as Record<string, unknown>)[key];
      return inList ? Number(key) : key;
    });
}
