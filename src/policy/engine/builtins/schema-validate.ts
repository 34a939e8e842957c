/**
 * Validation by a JSON Schema with the findings of OPA: their kinds, words and places. Of several alternatives that all
 * fail, the one that came furthest tells why. Where Go takes the members of an object as they come, they are in order here.
 */
import type { RE2JS } from 're2js';
import type { RegoNumber } from '../values.ts';
import { formatFloat } from './go-float.ts';
import { noSpec } from './go-spec.ts';
import { compareFractions, isMultiple, rational } from './rational.ts';
import { type Bound, type Limit, type Schema, isInteger } from './schema-compile.ts';
import { hasFormat } from './schema-formats.ts';
import { type Json, type JsonObject, canonicalText, isList, isMap, isNumeric } from './schema-json.ts';

export interface Finding {
  type: string;
  /** `(Root)` or the keys that lead to it */
  field: string;
  description: string;
}

class Result {
  readonly findings: Finding[] = [];
  score = 0;

  add(type: string, path: string, description: string): void {
    this.findings.push({ type, field: path === '' ? '(Root)' : path, description });
    this.score -= 2;
  }

  merge({ findings, score }: Result): void {
    this.findings.push(...findings);
    this.score += score;
  }
}

export function validate(schema: Schema, document: Json): Finding[] {
  return check(schema, document, '').findings;
}

/** `path`: keys that lead to the value, with points between. */
function check(schema: Schema, value: Json, path: string): Result {
  const result = new Result();
  walk(schema, value, path, result);
  return result;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function walk(schema: Schema, value: Json, path: string, result: Result): void {
  if (schema.pass !== undefined) {
    if (!schema.pass) result.add('false', path, 'False always fails validation');
    return;
  }
  if (schema.reference !== undefined) {
    walk(schema.reference, value, path, result);
    return;
  }
  if (!suits(schema.types, value)) {
    const expected = schema.types.length > 1 ? `[${schema.types.join()}]` : schema.types.join();
    result.add('invalid_type', path, `Invalid type. Expected: ${expected}, given: ${typeOf(value)}`);
    return;
  }
  combine(schema, value, path, result);
  if (isList(value)) checkArray(schema, value, path, result);
  else if (isMap(value)) checkObject(schema, value, path, result);
  else if (isNumeric(value)) checkNumber(schema, value, path, result);
  checkCommon(schema, value, path, result);
  if (typeof value === 'string') checkString(schema, value, path, result);
  if (isMap(value)) {
    for (const [name, child] of schema.properties) {
      const member = value.get(name);
      if (member !== undefined) walk(child, member, join(path, name), result);
    }
  }
  result.score += 1;
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (isNumeric(value)) return isInteger(value.text) ? 'integer' : 'number';
  if (isList(value)) return 'array';
  return isMap(value) ? 'object' : typeof value;
}

function suits(types: readonly string[], value: Json): boolean {
  if (types.length === 0) return true;
  const type = typeOf(value);
  return types.includes(type) || (type === 'integer' && types.includes('number'));
}

function combine(schema: Schema, value: Json, path: string, result: Result): void {
  checkAnyOf(schema.anyOf, value, path, result);
  checkOneOf(schema.oneOf, value, path, result);
  const all = schema.allOf.map((child) => check(child, value, path));
  for (const one of all) result.merge(one);
  if (all.some(({ findings }) => findings.length > 0)) {
    result.add('number_all_of', path, 'Must validate all the schemas (allOf)');
  }
  if (schema.not !== undefined && check(schema.not, value, path).findings.length === 0) {
    result.add('number_not', path, 'Must not validate the schema (not)');
  }
  checkDependencies(schema, value, path, result);
  checkCondition(schema, value, path, result);
  result.score += 1;
}

function checkAnyOf(schemas: readonly Schema[], value: Json, path: string, result: Result): void {
  if (schemas.length === 0) return;
  let best: Result | undefined;
  for (const schema of schemas) {
    const one = check(schema, value, path);
    if (one.findings.length === 0) return;
    if (best === undefined || one.score > best.score) best = one;
  }
  result.add('number_any_of', path, 'Must validate at least one schema (anyOf)');
  if (best !== undefined) result.merge(best);
}

function checkOneOf(schemas: readonly Schema[], value: Json, path: string, result: Result): void {
  if (schemas.length === 0) return;
  const results = schemas.map((schema) => check(schema, value, path));
  const valid = results.filter(({ findings }) => findings.length === 0).length;
  if (valid === 1) return;
  result.add('number_one_of', path, 'Must validate one and only one schema (oneOf)');
  if (valid > 0) return;
  result.merge(results.reduce((best, one) => (one.score > best.score ? one : best)));
}

function checkDependencies({ dependencies }: Schema, value: Json, path: string, result: Result): void {
  if (!isMap(value)) return;
  for (const key of value.keys()) {
    const dependency = dependencies.get(key);
    if (dependency === undefined) continue;
    if ('types' in dependency) {
      walk(dependency, value, path, result);
      continue;
    }
    for (const name of dependency) {
      if (!value.has(name)) result.add('missing_dependency', path, `Has a dependency on ${name}`);
    }
  }
}

function checkCondition(schema: Schema, value: Json, path: string, result: Result): void {
  if (schema.if === undefined) return;
  const holds = check(schema.if, value, path).findings.length === 0;
  const branch = holds ? schema.then : schema.else;
  if (branch === undefined) return;
  const one = check(branch, value, path);
  if (one.findings.length === 0) return;
  if (holds) result.add('condition_then', path, 'Must validate "then" as "if" was valid');
  else result.add('condition_else', path, 'Must validate "else" as "if" was not valid');
  result.merge(one);
}

function checkCommon(schema: Schema, value: Json, path: string, result: Result): void {
  const field = path === '' ? '(Root)' : path;
  if (schema.const !== undefined && canonicalText(value) !== schema.const) {
    result.add('const', path, `${field} does not match: ${schema.const}`);
  }
  if (schema.enum !== undefined && !schema.enum.includes(canonicalText(value))) {
    result.add('enum', path, `${field} must be one of the following: ${schema.enum.join(', ')}`);
  }
  const { format } = schema;
  if (format !== undefined && typeof value === 'string' && !hasFormat(format, value)) {
    result.add('format', path, `Does not match format '${format}'`);
  }
  result.score += 1;
}

function limit(
  result: Result,
  path: string,
  size: number,
  { limits }: Schema,
  [least, most]: readonly [Limit, Limit],
  words: (bound: 'least' | 'most', value: number) => readonly [type: string, description: string],
): void {
  const [min, max] = [limits[least], limits[most]];
  if (min !== undefined && size < min) result.add(...located(words('least', min), path));
  if (max !== undefined && size > max) result.add(...located(words('most', max), path));
}

function located([type, description]: readonly [string, string], path: string): [string, string, string] {
  return [type, path, description];
}

function checkArray(schema: Schema, value: readonly Json[], path: string, result: Result): void {
  const { items, additionalItems, contains, uniqueItems } = schema;
  const at = (index: number): string => join(path, String(index));
  const places = items === undefined || 'types' in items ? [] : items;
  for (const [index, item] of value.entries()) {
    const child = items !== undefined && 'types' in items ? items : places[index];
    if (child !== undefined) result.merge(check(child, item, at(index)));
  }
  if (places.length > 0 && places.length < value.length) {
    if (additionalItems === false) {
      result.add('array_no_additional_items', path, 'No additional items allowed on array');
    } else if (typeof additionalItems === 'object') {
      for (const [index, item] of value.entries()) {
        if (index >= places.length) result.merge(check(additionalItems, item, at(index)));
      }
    }
  }
  limit(result, path, value.length, schema, ['minItems', 'maxItems'], (bound, most) =>
    bound === 'least'
      ? ['array_min_items', `Array must have at least ${String(most)} items`]
      : ['array_max_items', `Array must have at most ${String(most)} items`],
  );
  if (uniqueItems) checkUnique(value, path, result);
  if (contains !== undefined) checkContains(contains, value, path, result);
  result.score += 1;
}

function checkUnique(value: readonly Json[], path: string, result: Result): void {
  const seen = new Map<string, number>();
  for (const [index, item] of value.entries()) {
    const text = canonicalText(item);
    const before = seen.get(text);
    if (before !== undefined) {
      result.add('unique', path, `array items[${String(before)},${String(index)}] must be unique`);
    }
    seen.set(text, index);
  }
}

function checkContains(schema: Schema, value: readonly Json[], path: string, result: Result): void {
  let best: Result | undefined;
  for (const [index, item] of value.entries()) {
    const one = check(schema, item, join(path, String(index)));
    if (one.findings.length === 0) return;
    if (best === undefined || one.score > best.score) best = one;
  }
  result.add('contains', path, 'At least one of the items must match');
  if (best !== undefined) result.merge(best);
}

function checkObject(schema: Schema, value: JsonObject, path: string, result: Result): void {
  limit(result, path, value.size, schema, ['minProperties', 'maxProperties'], (bound, most) =>
    bound === 'least'
      ? ['array_min_properties', `Must have at least ${String(most)} properties`]
      : ['array_max_properties', `Must have at most ${String(most)} properties`],
  );
  for (const name of schema.required) {
    if (value.has(name)) result.score += 1;
    else result.add('required', path, `${name} is required`);
  }
  for (const [name, member] of value) checkMember(schema, [name, member], path, result);
  for (const name of schema.propertyNames === undefined ? [] : value.keys()) {
    const one = check(schema.propertyNames ?? schema, name, path);
    if (one.findings.length === 0) continue;
    result.add('invalid_property_name', path, `Property name of "${name}" does not match`);
    result.merge(one);
  }
  result.score += 1;
}

/** By the patterns that its name matches, and by additionalProperties when nothing else is about it. */
function checkMember(
  { properties, patternProperties, additionalProperties }: Schema,
  [name, member]: readonly [string, Json],
  path: string,
  result: Result,
): void {
  const matching = patternProperties.filter(([pattern]) => found(pattern, name));
  for (const [, child] of matching) result.merge(check(child, member, join(path, name)));
  if (matching.length > 0) result.score += 1;
  if (matching.length > 0 || properties.some(([property]) => property === name)) return;
  if (additionalProperties === false) {
    result.add('additional_property_not_allowed', path, `Additional property ${name} is not allowed`);
  } else if (typeof additionalProperties === 'object') {
    result.merge(check(additionalProperties, member, join(path, name)));
  }
}

function found(pattern: RE2JS, text: string): boolean {
  return pattern.matcher(text).find();
}

function checkString(schema: Schema, value: string, path: string, result: Result): void {
  limit(result, path, Array.from(value).length, schema, ['minLength', 'maxLength'], (bound, most) =>
    bound === 'least'
      ? ['string_gte', `String length must be greater than or equal to ${String(most)}`]
      : ['string_lte', `String length must be less than or equal to ${String(most)}`],
  );
  const { pattern } = schema;
  if (pattern !== undefined && !found(pattern, value)) {
    result.add('pattern', path, `Does not match pattern '${pattern.pattern()}'`);
  }
  result.score += 1;
}

/** Which comparisons with a bound break it, and what is said then. */
const BOUNDS: readonly (readonly [Bound, string, string, (order: number) => boolean])[] = [
  ['maximum', 'number_lte', 'Must be less than or equal to', (order) => order > 0],
  ['exclusiveMaximum', 'number_lt', 'Must be less than', (order) => order >= 0],
  ['minimum', 'number_gte', 'Must be greater than or equal to', (order) => order < 0],
  ['exclusiveMinimum', 'number_gt', 'Must be greater than', (order) => order <= 0],
];

function checkNumber({ bounds }: Schema, { text }: RegoNumber, path: string, result: Result): void {
  const number = rational(text);
  const { multipleOf } = bounds;
  if (multipleOf !== undefined && !isMultiple(number, multipleOf)) {
    result.add('multiple_of', path, `Must be a multiple of ${printed(multipleOf.text)}`);
  }
  for (const [name, type, words, broken] of BOUNDS) {
    const bound = bounds[name];
    if (bound === undefined || !broken(compareFractions(number, bound))) continue;
    result.add(type, path, `${words} ${printed(bound.text)}`);
  }
  result.score += 1;
}

function printed(text: string): string {
  return formatFloat(Number(text), 'g', noSpec) ?? text;
}
