/** x-kubernetes-list-type: a set has no value twice, a map no key twice. */
import { isObject } from './numbers.ts';
import { isRawJson } from '../json.ts';
import type { Schema } from '../schema.ts';
import type { Problem } from './problem.ts';

/** Of all lists in the value. The keys of maps stand in brackets: `spec.limits[cpu]`, as the API server writes them. */
export function listTypeProblems(value: unknown, schema: Schema | undefined, path = ''): Problem[] {
  if (schema === undefined) return [];
  if (Array.isArray(value)) {
    const { items } = schema;
    return [
      ...ownProblems(value, schema, path),
      ...value.flatMap((item, at) => listTypeProblems(item, items, `${path}[${String(at)}]`)),
    ];
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, field]) => {
    if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) {
      return listTypeProblems(field, schema.properties[key], path === '' ? key : `${path}.${key}`);
    }
    const { additionalProperties: known } = schema;
    return typeof known === 'object' ? listTypeProblems(field, known, `${path}[${key}]`) : [];
  });
}

function ownProblems(list: readonly unknown[], schema: Schema, path: string): Problem[] {
  if (schema['x-kubernetes-list-type'] === 'set') {
    return repeated(list.map(canonical)).map((at) =>
      duplicate(path, at, 'a list without it: the list is a set'),
    );
  }
  if (schema['x-kubernetes-list-type'] !== 'map') return [];
  const stranger = list.findIndex((item) => item !== null && !isObject(item));
  if (stranger >= 0) {
    const message = 'must be an object: the list is a map';
    return [
      { code: 'FieldValueInvalid', path: `${path}[${String(stranger)}]`, message, accepted: 'an object' },
    ];
  }
  const names = schema['x-kubernetes-list-map-keys'] ?? [];
  const keys = list.map((item) => canonical(names.map((name) => keyOf(item, name))));
  return repeated(keys).map((at) => duplicate(path, at, `another value of ${names.join(', ')}`));
}

function keyOf(item: unknown, name: string): unknown {
  return isObject(item) && Object.hasOwn(item, name) ? { value: item[name] } : {};
}

function duplicate(path: string, at: number, accepted: string): Problem {
  return { code: 'FieldValueDuplicate', path: `${path}[${String(at)}]`, message: 'is there twice', accepted };
}

/** Indexes of the second of each value; a third is not reported again. */
function repeated(values: readonly string[]): number[] {
  const times = new Map<string, number>();
  return values.flatMap((value, at) => {
    const seen = times.get(value) ?? 0;
    times.set(value, seen + 1);
    return seen === 1 ? [at] : [];
  });
}

/** A text that two JSON values share only when they are equal. */
export function canonical(value: unknown): string {
  if (isRawJson(value)) return value.rawJSON;
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const fields = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${fields.join(',')}}`;
}
