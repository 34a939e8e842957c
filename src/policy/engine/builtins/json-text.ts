/** Rego values as JSON text in the form of Go's encoder: keys in order, sets as arrays, and <, > and & escaped. */
import { type RegoSet, type RegoValue, compareValues, isArray } from '../values.ts';
import { utf8 } from './bytes.ts';

export function sortedItems({ items }: RegoSet): RegoValue[] {
  return [...items].sort(compareValues);
}

/** Of an object in JSON: keys that are no strings are their own JSON text. */
export function keyText(key: RegoValue): string {
  return typeof key === 'string' ? key : jsonText(key, undefined);
}

/** `indent`: undefined for one line; `prefix` stands at the beginning of each line but the first. */
export function jsonText(value: RegoValue, layout: { prefix: string; indent: string } | undefined): string {
  const write = (item: RegoValue, depth: number): string => {
    if (typeof item === 'string') return quoteJson(item);
    if (item === null || typeof item === 'boolean') return String(item);
    if (isArray(item))
      return list(
        '[',
        ']',
        item.map((member) => write(member, depth + 1)),
        depth,
      );
    if (item.type === 'number') return item.text;
    if (item.type === 'set') return write(sortedItems(item), depth);
    const entries = new Map(item.entries.map(([key, member]) => [keyText(key), member]));
    const fields = [...entries]
      .sort(([a], [b]) => Buffer.compare(utf8(a), utf8(b)))
      .map(
        ([key, member]) => `${quoteJson(key)}:${layout === undefined ? '' : ' '}${write(member, depth + 1)}`,
      );
    return list('{', '}', fields, depth);
  };
  const list = (open: string, close: string, members: readonly string[], depth: number): string => {
    if (layout === undefined || members.length === 0) return `${open}${members.join()}${close}`;
    const line = (level: number): string => `\n${layout.prefix}${layout.indent.repeat(level)}`;
    return `${open}${members.map((member) => line(depth + 1) + member).join()}${line(depth)}${close}`;
  };
  return write(value, 0);
}

function quoteJson(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
