/** Finding a Rego value among others without comparing it with each. */
import { type RegoValue, isArray, setOf, sortedEntries } from '../values.ts';
import { wholeOf } from './builtin.ts';

/** A text that two values share exactly when Rego calls them equal: 1 and 1.0, sets in any order. */
export function identity(value: RegoValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(identity).join()}]`;
  switch (value.type) {
    case 'number':
      return (wholeOf(value.text) ?? Number(value.text)).toString();
    case 'set':
      return `<${setOf(value.items).items.map(identity).join()}>`;
    case 'object':
      return `{${sortedEntries(value)
        .map(([key, item]) => `${identity(key)}:${identity(item)}`)
        .join()}}`;
  }
}

export interface ValueSet {
  has(value: RegoValue): boolean;
}

export function valueSet(values: readonly RegoValue[]): ValueSet {
  const known = new Set(values.map(identity));
  return { has: (value) => known.has(identity(value)) };
}

export interface ValueIndex {
  get(key: RegoValue): RegoValue | undefined;
}

export function valueIndex(entries: readonly (readonly [RegoValue, RegoValue])[]): ValueIndex {
  const known = new Map(entries.map(([key, value]) => [identity(key), value]));
  return { get: (key) => known.get(identity(key)) };
}

/** The value of a string key. */
export function field(
  entries: readonly (readonly [RegoValue, RegoValue])[],
  name: string,
): RegoValue | undefined {
  return entries.find(([key]) => key === name)?.[1];
}
