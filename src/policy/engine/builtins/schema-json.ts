/** JSON as a validator of schemas looks at it: objects as maps, numbers with the digits that they were written with. */
import { type RegoNumber, type RegoValue, isArray, parseValue } from '../values.ts';
import { fail, isNumber, isObject, isSet } from './builtin.ts';
import { jsonText, keyText, sortedItems } from './json-text.ts';

export type Json = null | boolean | string | RegoNumber | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function isMap(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}

export function isNumeric(value: Json | undefined): value is RegoNumber {
  return value !== undefined && value !== null && typeof value === 'object' && 'type' in value;
}

/** A value, or the JSON text of one. */
export function documentOf(value: RegoValue | undefined): Json {
  if (typeof value === 'string') return parseText(value);
  if (value !== undefined && (isObject(value) || isArray(value))) return jsonOf(value);
  return fail('wrong type, expected string or object');
}

function parseText(text: string): Json {
  try {
    // Rego's own notation, which has sets, is no JSON.
    JSON.parse(text);
  } catch {
    return fail('invalid JSON string');
  }
  return jsonOf(parseValue(text));
}

function jsonOf(value: RegoValue): Json {
  if (value === null || typeof value !== 'object') return value;
  if (isArray(value)) return value.map(jsonOf);
  if (isSet(value)) return sortedItems(value).map(jsonOf);
  if (isNumber(value)) return value;
  const entries = [...value.entries].map(([key, item]) => [keyText(key), jsonOf(item)] as const);
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** One text for values that are equal: 1.0 is 1. */
export function canonicalText(value: Json): string {
  return jsonText(regoOf(value), undefined);
}

function regoOf(value: Json): RegoValue {
  if (isNumeric(value)) return { type: 'number', text: String(Number(value.text)) };
  if (isList(value)) return value.map(regoOf);
  return isMap(value)
    ? { type: 'object', entries: [...value].map(([key, item]) => [key, regoOf(item)] as const) }
    : value;
}
