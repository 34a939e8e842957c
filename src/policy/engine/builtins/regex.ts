/** regex.*: RE2 over the text of users, on re2js, which takes time in proportion to it. */
import { RE2JS, RE2JSSyntaxException } from 're2js';
import type { RegoValue } from '../values.ts';
import { type Family, Failure, fail, intOf, stringOf } from './builtin.ts';
import { globsIntersect } from './globs.ts';

export const regex: Family = {
  'regex.find_n': ([pattern, text, limit]) =>
    matches(compiled(stringOf(pattern)), stringOf(text), Number(intOf(limit))).map(
      ({ groups }) => groups[0] ?? '',
    ),
  'regex.split': ([pattern, text]) => split(stringOf(pattern), stringOf(text)),
  'regex.replace': ([text, pattern, template]) =>
    replace(compiled(stringOf(pattern)), stringOf(text), stringOf(template)),
  'regex.template_match': ([template, text, open, close]) =>
    templateMatch(stringOf(template), stringOf(text), stringOf(open), stringOf(close)),
  'regex.globs_match': ([a, b]) => globsIntersect(stringOf(a), stringOf(b)),
};

/** Patterns are mostly few, and written in the rule. */
const cache = new Map<string, RE2JS>();
const CACHED = 100;

function compiled(pattern: string): RE2JS {
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  const made = compile(pattern);
  if (cache.size >= CACHED) cache.clear();
  cache.set(pattern, made);
  return made;
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return fail(error.message);
    throw error;
  }
}

/** Whether RE2 reads it. */
export function isPattern(text: string): boolean {
  try {
    compiled(text);
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

interface Match {
  start: number;
  end: number;
  /** undefined where a group has no part in the match */
  groups: readonly (string | undefined)[];
}

/** At most `limit` of them, all when it is negative. No empty one right behind another, as in Go. */
function matches(pattern: RE2JS, text: string, limit: number): Match[] {
  const found: Match[] = [];
  const matcher = pattern.matcher(text);
  let before = -1;
  for (let at = 0; at <= text.length && (limit < 0 || found.length < limit);) {
    if (!matcher.find(at)) break;
    const [start, end] = [matcher.start(), matcher.end()];
    if (end !== at || start !== before) {
      const groups = Array.from(
        { length: matcher.groupCount() + 1 },
        (_none, group) => matcher.group(group) ?? undefined,
      );
      found.push({ start, end, groups });
    }
    before = end;
    at = end === at ? at + String.fromCodePoint(text.codePointAt(at) ?? 0).length : end;
  }
  return found;
}

function split(pattern: string, text: string): RegoValue[] {
  const regexp = compiled(pattern);
  if (pattern !== '' && text === '') return [''];
  const pieces: string[] = [];
  let from = 0;
  let end = 0;
  for (const match of matches(regexp, text, -1)) {
    end = match.start;
    if (match.end !== 0) pieces.push(text.slice(from, end));
    from = match.end;
  }
  if (end !== text.length) pieces.push(text.slice(from));
  return pieces;
}

function replace(pattern: RE2JS, text: string, template: string): string {
  const names = pattern.namedGroups();
  let result = '';
  let from = 0;
  for (const match of matches(pattern, text, -1)) {
    result += text.slice(from, match.start) + expand(template, match, names);
    from = match.end;
  }
  return result + text.slice(from);
}

/** `$1`, `${1}`, `$name`, `$$`, with the longest name there can be: `$1x` is the group named 1x. */
function expand(template: string, { groups }: Match, names: Readonly<Record<string, number>>): string {
  return template.replace(
    /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (whole: string, braced?: string, plain?: string) => {
      const name = braced ?? plain;
      if (name === undefined) return '$';
      if (/^(?:0|[1-9][0-9]{0,8})$/.test(name)) return groups[Number(name)] ?? '';
      return Object.hasOwn(names, name) ? (groups[names[name] ?? -1] ?? '') : '';
    },
  );
}

/** Literal text with patterns between delimiters, each pattern a whole of its own. */
function templateMatch(template: string, text: string, open: string, close: string): boolean {
  if (Buffer.byteLength(open) !== 1 || Buffer.byteLength(close) !== 1) {
    fail('a delimiter has to be exactly one character long');
  }
  let pattern = '^';
  let end = 0;
  for (const [from, to] of topLevel(template, open, close)) {
    const inner = template.slice(from + 1, to - 1);
    compiled(`^${inner}$`);
    pattern += `${RE2JS.quote(template.slice(end, from))}(${inner})`;
    end = to;
  }
  return compiled(`${pattern}${RE2JS.quote(template.slice(end))}$`)
    .matcher(text)
    .find();
}

/** Where the outermost pairs of delimiters begin and end. */
function topLevel(template: string, open: string, close: string): [from: number, to: number][] {
  const pairs: [number, number][] = [];
  let level = 0;
  let from = 0;
  for (let at = 0; at < template.length; at += 1) {
    if (template[at] === open) {
      level += 1;
      if (level === 1) from = at;
    } else if (template[at] === close) {
      level -= 1;
      if (level === 0) pairs.push([from, at + 1]);
      else if (level < 0) fail('unbalanced braces');
    }
  }
  return level === 0 ? pairs : fail('unbalanced braces');
}
