/** strings.*, indexof_n: what OPA's Wasm runtime has not. Positions and lengths are code points. */
import { type RegoValue, numberOf } from '../values.ts';
import { type Family, arrayOf, fail, intOf, isSet, stringOf } from './builtin.ts';

export const strings: Family = {
  'strings.any_prefix_match': ([search, base]) =>
    anyMatch(search, base, (text, prefix) => text.startsWith(prefix)),
  'strings.any_suffix_match': ([search, base]) =>
    anyMatch(search, base, (text, suffix) => text.endsWith(suffix)),
  'strings.count': ([text, part]) => numberOf(count(stringOf(text), stringOf(part))),
  'strings.split_n': ([text, delimiter, limit]) =>
    splitN(stringOf(text), stringOf(delimiter), Number(intOf(limit))),
  indexof_n: ([text, part]) => positions(stringOf(text), stringOf(part)).map(numberOf),
};

function anyMatch(
  search: RegoValue | undefined,
  base: RegoValue | undefined,
  matches: (text: string, part: string) => boolean,
): boolean {
  const [texts, parts] = [textsOf(search), textsOf(base)];
  return texts.some((text) => parts.some((part) => matches(text, part)));
}

function textsOf(value: RegoValue | undefined): string[] {
  if (typeof value === 'string') return [value];
  return (isSet(value) ? value.items : arrayOf(value)).map(stringOf);
}

/** The empty text stands before and behind every code point. */
function count(text: string, part: string): number {
  return part === '' ? Array.from(text).length + 1 : text.split(part).length - 1;
}

/** The first `limit` pieces, or from the end the last of them when it is negative; the rest is dropped. */
function splitN(text: string, delimiter: string, limit: number): string[] {
  const pieces = delimiter === '' ? Array.from(text) : text.split(delimiter);
  return limit >= 0 ? pieces.slice(0, limit) : pieces.slice(limit);
}

/** Overlapping ones too. */
function positions(text: string, part: string): number[] {
  if (part === '') fail('empty search character');
  const found: number[] = [];
  let counted = 0;
  let codePoints = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) {
    codePoints += Array.from(text.slice(counted, at)).length;
    counted = at;
    found.push(codePoints);
  }
  return found;
}
