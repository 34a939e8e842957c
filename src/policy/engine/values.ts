/**
 * Rego values outside of the Wasm module. `opa_value_dump` writes them as JSON with two additions, sets (`{1,2}`,
 * `set()`) and object keys of any type; `opa_value_parse` reads the same. Plain JSON would turn sets into arrays and
 * long integers into doubles.
 */

export interface RegoNumber {
  type: 'number';
  /** as it stood in the source or was computed: `1.0` is not `1` in print, though it is in comparison */
  text: string;
}

export interface RegoSet {
  type: 'set';
  items: readonly RegoValue[];
}

export interface RegoObject {
  type: 'object';
  entries: readonly (readonly [RegoValue, RegoValue])[];
}

export type RegoValue = null | boolean | string | readonly RegoValue[] | RegoNumber | RegoSet | RegoObject;

export function numberOf(value: number | bigint): RegoNumber {
  return { type: 'number', text: String(value) };
}

export function setOf(items: readonly RegoValue[]): RegoSet {
  const sorted = [...items].sort(compareValues);
  return {
    type: 'set',
    items: sorted.filter((item, at) => at === 0 || compareValues(item, sorted[at - 1] ?? null) !== 0),
  };
}

export function isArray(value: RegoValue): value is readonly RegoValue[] {
  return Array.isArray(value);
}

/** Throws SyntaxError. */
export function parseValue(text: string): RegoValue {
  const reader = { text, at: 0 };
  const value = readValue(reader);
  skipSpace(reader);
  if (reader.at !== text.length)
    throw new SyntaxError(`unexpected text at ${String(reader.at)} of a Rego value`);
  return value;
}

interface Reader {
  text: string;
  at: number;
}

const NUMBER = /-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const WORDS: readonly (readonly [string, RegoValue])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['set()', { type: 'set', items: [] }],
];

function readValue(reader: Reader): RegoValue {
  skipSpace(reader);
  const { text, at } = reader;
  const start = text[at];
  if (start === '"') return JSON.parse(readPattern(reader, STRING)) as string;
  if (start === '[') return readItems(reader, ']');
  if (start === '{') return readBraces(reader);
  for (const [word, value] of WORDS) {
    if (!text.startsWith(word, at)) continue;
    reader.at += word.length;
    return value;
  }
  return { type: 'number', text: readPattern(reader, NUMBER) };
}

function readItems(reader: Reader, end: string): RegoValue[] {
  const items: RegoValue[] = [];
  reader.at += 1;
  while (!skip(reader, end)) {
    if (items.length > 0) expect(reader, ',');
    items.push(readValue(reader));
  }
  return items;
}

/** An object or a set: the first colon tells. */
function readBraces(reader: Reader): RegoSet | RegoObject {
  reader.at += 1;
  if (skip(reader, '}')) return { type: 'object', entries: [] };
  const first = readValue(reader);
  if (!skip(reader, ':')) {
    const items = [first];
    while (!skip(reader, '}')) {
      expect(reader, ',');
      items.push(readValue(reader));
    }
    return { type: 'set', items };
  }
  const entries: [RegoValue, RegoValue][] = [[first, readValue(reader)]];
  while (!skip(reader, '}')) {
    expect(reader, ',');
    const key = readValue(reader);
    expect(reader, ':');
    entries.push([key, readValue(reader)]);
  }
  return { type: 'object', entries };
}

function readPattern(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.at;
  const [found] = pattern.exec(reader.text) ?? [];
  if (found === undefined) throw new SyntaxError(`unexpected text at ${String(reader.at)} of a Rego value`);
  reader.at += found.length;
  return found;
}

function skip(reader: Reader, mark: string): boolean {
  skipSpace(reader);
  if (reader.text[reader.at] !== mark) return false;
  reader.at += 1;
  return true;
}

function expect(reader: Reader, mark: string): void {
  if (!skip(reader, mark)) throw new SyntaxError(`expected ${mark} at ${String(reader.at)} of a Rego value`);
}

const SPACE = ' \n\r\t';

function skipSpace(reader: Reader): void {
  while (SPACE.includes(reader.text[reader.at] ?? '.')) reader.at += 1;
}

/** What `opa_value_parse` reads. */
export function writeValue(value: RegoValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(writeValue).join(',')}]`;
  switch (value.type) {
    case 'number':
      return value.text;
    case 'set':
      return value.items.length === 0 ? 'set()' : `{${value.items.map(writeValue).join(',')}}`;
    case 'object':
      return `{${value.entries.map(([key, item]) => `${writeValue(key)}:${writeValue(item)}`).join(',')}}`;
  }
}

/** Rego's order of all values: null < false < true < numbers < strings < arrays < objects < sets. */
export function compareValues(a: RegoValue, b: RegoValue): number {
  const rank = rankOf(a) - rankOf(b);
  if (rank !== 0) return rank;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object')
    return Number(a) - Number(b);
  if (isArray(a) && isArray(b)) return compareLists(a, b);
  if (isArray(a) || isArray(b)) return 0;
  if (a.type === 'number' && b.type === 'number') return compareNumbers(a.text, b.text);
  if (a.type === 'set' && b.type === 'set') return compareLists(sorted(a.items), sorted(b.items));
  return a.type === 'object' && b.type === 'object' ? compareObjects(a, b) : 0;
}

function rankOf(value: RegoValue): number {
  if (value === null) return 0;
  if (typeof value === 'boolean') return 1;
  if (typeof value === 'string') return 3;
  if (isArray(value)) return 4;
  return { number: 2, object: 5, set: 6 }[value.type];
}

/** By code points, as Go compares UTF-8. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function compareNumbers(a: string, b: string): number {
  if (/^-?[0-9]+$/.test(a) && /^-?[0-9]+$/.test(b)) {
    const [x, y] = [BigInt(a), BigInt(b)];
    return x < y ? -1 : Number(x > y);
  }
  return Number(a) - Number(b);
}

function compareLists(a: readonly RegoValue[], b: readonly RegoValue[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const order = compareValues(a[at] ?? null, b[at] ?? null);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Key by key in sorted order: at the first difference, keys before values. */
function compareObjects(a: RegoObject, b: RegoObject): number {
  const [left, right] = [sortedEntries(a), sortedEntries(b)];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const [[key, value], [otherKey, otherValue]] = [left[at] ?? [null, null], right[at] ?? [null, null]];
    const order = compareValues(key, otherKey) || compareValues(value, otherValue);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

export function sortedEntries({ entries }: RegoObject): (readonly [RegoValue, RegoValue])[] {
  return [...entries].sort(([a], [b]) => compareValues(a, b));
}

function sorted(items: readonly RegoValue[]): RegoValue[] {
  return [...items].sort(compareValues);
}
