/**
 * regex.globs_match: whether some text matches both of two globs of `.`, `[a-z]`, `\`, and `*` and `+` behind these. The
 * answers are those of OPA's library, which gives up early in places: a text may exist where it says there is none.
 */
import { fail } from './builtin.ts';

interface Token {
  /** code points from and to, in order and apart; undefined is any */
  ranges: readonly (readonly [number, number])[] | undefined;
  repeat: '' | '+' | '*';
}

type Glob = readonly Token[];

export function globsIntersect(a: string, b: string): boolean {
  const trimmed = trim(simplify(tokensOf(a)), simplify(tokensOf(b)));
  return trimmed !== undefined && intersect(...trimmed);
}

interface Reader {
  characters: readonly string[];
  at: number;
}

function tokensOf(glob: string): Token[] {
  const reader: Reader = { characters: Array.from(glob), at: 0 };
  const tokens: Token[] = [];
  while (reader.at < reader.characters.length) {
    const ranges = readRanges(reader);
    const next = reader.characters[reader.at];
    const repeat = next === '+' || next === '*' ? next : '';
    if (repeat !== '') reader.at += 1;
    tokens.push({ ranges, repeat });
  }
  return tokens;
}

function readCharacter(reader: Reader): { code: number; mark: string } {
  const character = reader.characters[reader.at] ?? fail('unexpected end');
  reader.at += 1;
  if (character !== '\\') return { code: codeOf(character), mark: character };
  const escaped = reader.characters[reader.at] ?? fail('input ends with an escape character');
  reader.at += 1;
  return { code: codeOf(escaped), mark: '' };
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function readRanges(reader: Reader): Token['ranges'] {
  const { code, mark } = readCharacter(reader);
  if (mark === '.') return undefined;
  if (mark === '[') return readSet(reader);
  if (mark !== '' && ']+*'.includes(mark)) fail(`unexpected ${mark}`);
  return [[code, code]];
}

function readSet(reader: Reader): Token['ranges'] {
  const ranges: [number, number][] = [];
  let previous: number | undefined;
  for (;;) {
    const { code, mark } = readCharacter(reader);
    if (mark === ']') return merged(ranges);
    if (mark !== '-') {
      ranges.push([code, code]);
      previous = code;
      continue;
    }
    // The bracket that closes has to follow too.
    if (previous === undefined || reader.at >= reader.characters.length - 1) fail('a range without an end');
    const end = readCharacter(reader);
    if (end.mark === ']' || end.mark === '-' || end.code < previous) fail('a range without an end');
    ranges.push([previous, end.code]);
    previous = undefined;
  }
}

function merged(ranges: readonly [number, number][]): [number, number][] {
  const result: [number, number][] = [];
  for (const [from, to] of [...ranges].sort(([a], [b]) => a - b)) {
    const last = result.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

/** Neighbours that repeat the same are one. */
function simplify(tokens: Glob): Glob {
  const simple: Token[] = [];
  for (const token of tokens) {
    const last = simple.at(-1);
    const same =
      last !== undefined &&
      last.repeat !== '' &&
      token.repeat !== '' &&
      sameRanges(last.ranges, token.ranges);
    if (!same) simple.push({ ...token });
    else last.repeat = last.repeat === '+' || token.repeat === '+' ? '+' : '*';
  }
  return simple;
}

function sameRanges(a: Token['ranges'], b: Token['ranges']): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Without the ends that they have in common, but for one token; undefined when the ends contradict each other. */
function trim(a: Glob, b: Glob): [Glob, Glob] | undefined {
  let left = 0;
  while (plain(a[left]) && plain(b[left])) {
    if (!overlap(a[left], b[left])) return undefined;
    left += 1;
  }
  left = Math.max(0, left - 1);
  let [endA, endB] = [a.length, b.length];
  while (endA > left && endB > left && plain(a[endA - 1]) && plain(b[endB - 1])) {
    if (!overlap(a[endA - 1], b[endB - 1])) return undefined;
    endA -= 1;
    endB -= 1;
  }
  const spare = endA < a.length ? 1 : 0;
  return [a.slice(left, endA + spare), b.slice(left, endB + spare)];
}

function plain(token: Token | undefined): boolean {
  return token?.repeat === '';
}

function overlap(a: Token | undefined, b: Token | undefined): boolean {
  if (a?.ranges === undefined || b?.ranges === undefined) return a !== undefined && b !== undefined;
  const others = b.ranges;
  return a.ranges.some(([from, to]) => others.some(([first, last]) => from <= last && first <= to));
}

function intersect(a: Glob, b: Glob): boolean {
  const [first, other] = [a[0], b[0]];
  if (first === undefined || other === undefined) return a.length === b.length;
  if (first.repeat === '+') return plus(a, b);
  if (first.repeat === '*') return star(a, b);
  if (other.repeat === '+') return plus(b, a);
  if (other.repeat === '*') return star(b, a);
  return overlap(first, other) && intersect(a.slice(1), b.slice(1));
}

function plus(repeated: Glob, other: Glob): boolean {
  if (!overlap(repeated[0], other[0])) return false;
  return star(repeated, other.slice(1)) || (!plain(other[0]) && intersect(repeated.slice(1), other));
}

/** Takes in what it matches of the other, and tries to go on behind it where that looks possible. */
function star(repeated: Glob, other: Glob): boolean {
  const next = repeated[1];
  for (const [at, token] of other.entries()) {
    const beyond = next !== undefined && overlap(token, next);
    if (beyond && intersect(repeated.slice(1), other.slice(at))) return true;
    if (!overlap(token, repeated[0])) return false;
  }
  return next === undefined;
}
