/**
 * JSON Schema (drafts 4, 6, 7, and a mixture of them for a schema that names none), read with the mistakes that OPA finds
 * in one and in its words. References lead into the same document only: a rule does not call the network.
 */
import { RE2JS, RE2JSSyntaxException } from 're2js';
import { Failure, fail, wholeOf } from './builtin.ts';
import { type Fraction, rational } from './rational.ts';
import { type Json, type JsonObject, canonicalText, isList, isMap, isNumeric } from './schema-json.ts';
import { type Pool, documentAt, poolOf, resolve } from './schema-references.ts';

export interface Schema {
  /** of a schema that is true or false */
  pass?: boolean;
  /** what a $ref leads to; it takes the place of all else */
  reference?: Schema;
  types: readonly string[];
  properties: readonly (readonly [string, Schema])[];
  patternProperties: readonly (readonly [RE2JS, Schema])[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  dependencies: ReadonlyMap<string, readonly string[] | Schema>;
  required: readonly string[];
  /** one for all of an array, or one for each place */
  items?: Schema | readonly Schema[];
  additionalItems?: boolean | Schema;
  contains?: Schema;
  uniqueItems: boolean;
  limits: Readonly<Partial<Record<Limit, number>>>;
  bounds: Readonly<Partial<Record<Bound, Fraction & { text: string }>>>;
  pattern?: RE2JS;
  format?: string;
  const?: string;
  enum?: readonly string[];
  oneOf: readonly Schema[];
  anyOf: readonly Schema[];
  allOf: readonly Schema[];
  not?: Schema;
  if?: Schema;
  then?: Schema;
  else?: Schema;
}

export type Limit = 'minLength' | 'maxLength' | 'minProperties' | 'maxProperties' | 'minItems' | 'maxItems';
export type Bound = 'multipleOf' | 'minimum' | 'exclusiveMinimum' | 'maximum' | 'exclusiveMaximum';

const TYPES = ['array', 'boolean', 'integer', 'number', 'null', 'object', 'string'];
const LIMITS: readonly Limit[] = [
  'minLength',
  'maxLength',
  'minProperties',
  'maxProperties',
  'minItems',
  'maxItems',
];
const NUMBERS = /^(?:0|[1-9][0-9]*|-[1-9][0-9]*)$/;
const HYBRID = 99;
const DRAFTS: Readonly<Record<string, number>> = {
  'http://json-schema.org/draft-04/schema': 4,
  'http://json-schema.org/draft-06/schema': 6,
  'http://json-schema.org/draft-07/schema': 7,
};

interface Compiler {
  draft: number;
  pool: Pool;
  /** by absolute reference; a schema that is being compiled is here already */
  references: Map<string, Schema>;
}

/** Throws Failure. */
export function compileSchema(document: Json): Schema {
  const compiler: Compiler = { draft: draftOf(document), pool: poolOf(document), references: new Map() };
  return compileNode(document, '', compiler);
}

function draftOf(document: Json): number {
  if (typeof document === 'boolean') return HYBRID;
  if (!isMap(document)) return fail('schema is invalid');
  const name = document.get('$schema');
  if (name === undefined) return HYBRID;
  if (typeof name !== 'string') return fail('$schema must be of type string');
  return DRAFTS[name.replace(/#$/, '')] ?? HYBRID;
}

function empty(): Schema {
  return {
    types: [],
    properties: [],
    patternProperties: [],
    dependencies: new Map(),
    required: [],
    uniqueItems: false,
    limits: {},
    bounds: {},
    oneOf: [],
    anyOf: [],
    allOf: [],
  };
}

function compileNode(node: Json, base: string, compiler: Compiler, into = empty()): Schema {
  if (compiler.draft >= 6 && typeof node === 'boolean') return Object.assign(into, { pass: node });
  if (!isMap(node)) return fail('Expected: Valid Schema, given: Invalid JSON');
  const key = compiler.draft === 4 || (compiler.draft === HYBRID && node.has('id')) ? 'id' : '$id';
  const id = textField(node, key);
  const here = id === undefined ? base : resolve(base, id);
  const sub = (child: Json): Schema => compileNode(child, here, compiler);
  for (const child of definitionsOf(node)) sub(child);
  textField(node, 'title');
  textField(node, 'description');
  const ref = textField(node, '$ref');
  if (ref !== undefined)
    return Object.assign(into, { reference: compileReference(resolve(here, ref), compiler) });
  Object.assign(into, { types: typesOf(node) });
  Object.assign(into, objectKeywords(node, compiler.draft, sub));
  Object.assign(into, arrayKeywords(node, compiler.draft, sub));
  Object.assign(into, valueKeywords(node, compiler.draft));
  Object.assign(into, combinations(node, compiler.draft, sub));
  return into;
}

type Sub = (child: Json) => Schema;

function compileReference(reference: string, compiler: Compiler): Schema {
  const known = compiler.references.get(reference);
  if (known !== undefined) return known;
  const made = empty();
  compiler.references.set(reference, made);
  const { document, base } = documentAt(reference, compiler.pool);
  if (typeof document !== 'boolean' && !isMap(document)) fail('Valid Schema must be of type object');
  return compileNode(document, base, compiler, made);
}

function invalidType(expected: string, given: string): never {
  return fail(`Invalid type. Expected: ${expected}, given: ${given}`);
}

function textField(node: JsonObject, key: string): string | undefined {
  const value = node.get(key);
  return value === undefined || typeof value === 'string' ? value : invalidType('string', key);
}

function listField(node: JsonObject, key: string): readonly Json[] | undefined {
  const value = node.get(key);
  return value === undefined || isList(value) ? value : fail(`${key} must be of an array`);
}

function isSchema(value: Json | undefined): value is boolean | JsonObject {
  return typeof value === 'boolean' || isMap(value);
}

function definitionsOf(node: JsonObject): Json[] {
  const definitions = node.get('definitions');
  if (definitions === undefined) return [];
  const children = isMap(definitions) ? [...definitions.values()] : [null];
  return children.every(isSchema) ? children : invalidType('Array Of Schemas', 'definitions');
}

function typesOf(node: JsonObject): string[] {
  const type = node.get('type');
  if (type === undefined) return [];
  const names = typeof type === 'string' ? [type] : isList(type) ? type : [null];
  const types: string[] = [];
  for (const name of names) {
    if (typeof name !== 'string') return invalidType('type', 'string/Array Of Strings');
    if (!TYPES.includes(name)) {
      const expected = `[${TYPES.join(' ')}]`;
      fail(
        `has a primitive type that is NOT VALID -- given: /${name}/ Expected valid values are:${expected}`,
      );
    }
    if (types.includes(name)) fail(`${name} type is duplicated`);
    types.push(name);
  }
  return types;
}

function objectKeywords(node: JsonObject, draft: number, sub: Sub): Partial<Schema> {
  const properties = node.get('properties');
  if (properties !== undefined && !isMap(properties)) fail('Properties must be of type object');
  const children = isMap(properties) ? [...properties] : [];
  const patterns = node.get('patternProperties');
  if (patterns !== undefined && !isMap(patterns)) invalidType('Valid Schema', 'patternProperties');
  const names = node.get('propertyNames');
  const withNames = names !== undefined && draft >= 6;
  if (withNames && !isSchema(names)) invalidType('Valid Schema', 'patternProperties');
  return {
    properties: children.map(([name, child]) => [name, sub(child)]),
    ...additional(node, 'additionalProperties', sub),
    patternProperties: (isMap(patterns) ? [...patterns] : []).map(([pattern, child]) => [
      compilePattern(pattern, `Invalid regex pattern '${pattern}'`),
      sub(child),
    ]),
    ...(withNames ? { propertyNames: sub(names) } : {}),
    dependencies: dependenciesOf(node, sub),
    required: requiredOf(node),
  };
}

function additional(
  node: JsonObject,
  key: 'additionalProperties' | 'additionalItems',
  sub: Sub,
): Partial<Schema> {
  const value = node.get(key);
  if (value === undefined) return {};
  if (typeof value === 'boolean') return { [key]: value };
  return isMap(value) ? { [key]: sub(value) } : invalidType('boolean/Valid Schema', key);
}

function dependenciesOf(node: JsonObject, sub: Sub): Map<string, readonly string[] | Schema> {
  const dependencies = node.get('dependencies');
  if (dependencies === undefined) return new Map();
  if (!isMap(dependencies)) return fail('dependencies must be of type object');
  const wrong = 'Dependency must be of type Schema Or Array Of Strings';
  return new Map(
    [...dependencies].map(([name, value]): [string, readonly string[] | Schema] => {
      if (isSchema(value)) return [name, sub(value)];
      if (!isList(value)) return fail(wrong);
      return [name, value.map((item) => (typeof item === 'string' ? item : fail(wrong)))];
    }),
  );
}

function requiredOf(node: JsonObject): string[] {
  const names = (listField(node, 'required') ?? []).map((name) =>
    typeof name === 'string' ? name : invalidType('string', 'required'),
  );
  return new Set(names).size === names.length ? names : fail('required items must be unique');
}

function arrayKeywords(node: JsonObject, draft: number, sub: Sub): Partial<Schema> {
  const items = node.get('items');
  const contains = node.get('contains');
  const unique = node.get('uniqueItems');
  const wrong = (): never => invalidType('Valid Schema/Array Of Schemas', 'items');
  if (unique !== undefined && typeof unique !== 'boolean') fail('uniqueItems must be of a boolean');
  return {
    ...(items === undefined
      ? {}
      : {
          items: isList(items)
            ? items.map((item) => (isSchema(item) ? sub(item) : wrong()))
            : isSchema(items)
              ? sub(items)
              : wrong(),
        }),
    ...additional(node, 'additionalItems', sub),
    ...(contains === undefined || draft < 6 ? {} : { contains: sub(contains) }),
    uniqueItems: unique === true,
  };
}

function valueKeywords(node: JsonObject, draft: number): Partial<Schema> {
  const pattern = textField(node, 'pattern');
  const format = textField(node, 'format');
  const value = node.get('const');
  const members = listField(node, 'enum')?.map(canonicalText);
  if (members !== undefined && new Set(members).size < members.length) fail('enum items must be unique');
  return {
    limits: limitsOf(node),
    bounds: boundsOf(node, draft),
    ...(pattern === undefined ? {} : { pattern: compilePattern(pattern, 'pattern must be a valid regex') }),
    ...(format === undefined ? {} : { format }),
    ...(value === undefined || draft < 6 ? {} : { const: canonicalText(value) }),
    ...(members === undefined ? {} : { enum: members }),
  };
}

function compilePattern(pattern: string, message: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    throw error instanceof RE2JSSyntaxException ? new Failure(message) : error;
  }
}

function limitsOf(node: JsonObject): Partial<Record<Limit, number>> {
  const limits: Partial<Record<Limit, number>> = {};
  for (const key of LIMITS) {
    const value = node.get(key);
    if (value === undefined) continue;
    if (!isNumeric(value) || !NUMBERS.test(value.text)) return fail(`${key} must be of an integer`);
    const limit = Number(value.text);
    if (limit < 0) fail(`${key} must be greater than or equal to 0`);
    limits[key] = limit;
  }
  for (const [least, most] of [
    ['minLength', 'maxLength'],
    ['minProperties', 'maxProperties'],
  ] as const) {
    if ((limits[least] ?? 0) > (limits[most] ?? Infinity)) fail(`${least} cannot be greater than ${most}`);
  }
  return limits;
}

function boundsOf(node: JsonObject, draft: number): Schema['bounds'] {
  const bounds: { -readonly [key in keyof Schema['bounds']]: Schema['bounds'][key] } = {};
  const multiple = node.get('multipleOf');
  if (multiple !== undefined) {
    if (!isNumeric(multiple)) invalidType('Number', 'multipleOf');
    bounds.multipleOf = boundOf(multiple) ?? invalidType('Number', 'multipleOf');
    if (bounds.multipleOf.numerator <= 0n) fail('multipleOf must be strictly greater than 0');
  }
  for (const [plain, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const) {
    const value = node.get(plain);
    const bound = value === undefined ? undefined : (boundOf(value) ?? fail(`${plain} must be of a Number`));
    const strict = node.get(exclusive);
    if (typeof strict === 'boolean' && (draft === 4 || draft === HYBRID)) {
      if (bound === undefined) fail(`${exclusive} cannot be used without ${plain}`);
      bounds[strict ? exclusive : plain] = bound;
      continue;
    }
    if (bound !== undefined) bounds[plain] = bound;
    if (strict === undefined) continue;
    const expected = draft === 4 ? 'boolean' : draft === HYBRID ? 'boolean/number' : 'number';
    bounds[exclusive] = (draft === 4 ? undefined : boundOf(strict)) ?? invalidType(expected, exclusive);
  }
  return bounds;
}

function boundOf(value: Json | undefined): (Fraction & { text: string }) | undefined {
  return isNumeric(value) ? { ...rational(value.text), text: value.text } : undefined;
}

function combinations(node: JsonObject, draft: number, sub: Sub): Partial<Schema> {
  const several = (key: 'oneOf' | 'anyOf' | 'allOf'): Schema[] => (listField(node, key) ?? []).map(sub);
  const one = (key: 'not' | 'if' | 'then' | 'else'): Partial<Schema> => {
    const value = node.get(key);
    if (value === undefined || (key !== 'not' && draft < 7)) return {};
    return isSchema(value) ? { [key]: sub(value) } : fail(`${key} must be of an object`);
  };
  return {
    oneOf: several('oneOf'),
    anyOf: several('anyOf'),
    allOf: several('allOf'),
    ...one('not'),
    ...one('if'),
    ...one('then'),
    ...one('else'),
  };
}

export function isInteger(text: string): boolean {
  return wholeOf(text) !== undefined;
}
