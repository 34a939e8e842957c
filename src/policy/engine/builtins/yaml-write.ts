/** YAML as go.yaml.in/yaml/v3 writes it: block style, two spaces deep, keys in the order of people. */
import { type RegoNumber, type RegoValue, isArray } from '../values.ts';
import { fail, isNumber, isObject, isSet } from './builtin.ts';
import { formatFloat } from './go-float.ts';
import { noSpec } from './go-spec.ts';
import { keyText, sortedItems } from './json-text.ts';
import { resolveScalar } from './yaml-scalar.ts';

const OLD_BOOLEAN = /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
/** What the reader that OPA passes the text through does not accept. */

const UNREADABLE = /[\u007f\u0080-\u0084\u0086-\u009f\ufffe\uffff]/;
/** Characters of a key that stands before its colon on one line. */
const LONGEST_KEY = 128;

export function writeYaml(value: RegoValue): string {
  const text = block(value, 0);
  return `${text.replace(/^\n/, '').replace(/^ /, '')}\n`;
}

/** What follows a key's colon or a dash: a space and a scalar, or a line break and a block. */
function block(value: RegoValue, depth: number): string {
  if (isSet(value)) return block(sortedItems(value), depth);
  if (isArray(value)) {
    if (value.length === 0) return ' []';
    return value.map((item) => `\n${indent(depth)}-${inline(block(item, depth + 1))}`).join('');
  }
  if (isObject(value)) {
    const fields = new Map(value.entries.map(([key, item]) => [keyText(key), item]));
    if (fields.size === 0) return ' {}';
    return [...fields]
      .sort(([a], [b]) => compareKeys(a, b))
      .map(([key, item]) => `\n${indent(depth)}${keyed(key, item, depth)}`)
      .join('');
  }
  return ` ${scalar(value, depth, { key: false })}`;
}

function indent(depth: number): string {
  return '  '.repeat(depth);
}

/** A block in a list begins behind the dash, on its line. */
function inline(text: string): string {
  return text.replace(/^\n +/, ' ').replace(/^\n(?=[^ ])/, ' ');
}

function keyed(key: string, item: RegoValue, depth: number): string {
  const simple = !key.includes('\n') && key.length <= LONGEST_KEY;
  const nested = block(item, depth + 1);
  if (simple) return `${scalar(key, depth, { key: true })}:${nested}`;
  return `? ${scalar(key, depth + 1, { key: false })}\n${indent(depth)}:${inline(nested)}`;
}

function scalar(value: RegoValue, depth: number, place: { key: boolean }): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (isNumber(value)) return numberText(value);
  return typeof value === 'string' ? text(value, depth, place) : fail('no scalar');
}

function numberText({ text: digits }: RegoNumber): string {
  const { type, value, text: given } = resolveScalar(digits);
  if (type === 'float') return formatFloat(value, 'g', noSpec) ?? given;
  // Beyond what a float64 holds it is a text.
  return type === 'int' && isNumber(value) ? value.text : given;
}

function text(value: string, depth: number, { key }: { key: boolean }): string {
  if (UNREADABLE.test(value)) fail('control characters are not allowed');
  // The reader takes it for a line break, and folds it.
  const readable = value.replace(/ *\u0085 */g, ' ');
  const traits = traitsOf(readable);
  if (readable.includes('\n')) {
    return traits.special || traits.spaceBeforeBreak || readable.endsWith(' ') || key
      ? doubleQuoted(readable)
      : literal(readable, depth);
  }
  const { type } = resolveScalar(readable);
  // Go writes the key of a merge plain, though it reads it back as one.
  if ((type !== 'str' && type !== 'merge') || OLD_BOOLEAN.test(readable) || BASE_60.test(readable))
    return doubleQuoted(readable);
  if (!traits.special && !traits.indicators && !/^ | $/.test(readable) && !traits.tab) return readable;
  return traits.special || traits.tab ? doubleQuoted(readable) : `'${readable.replaceAll("'", "''")}'`;
}

interface Traits {
  /** what is no printable character to the emitter */
  special: boolean;
  tab: boolean;
  /** what means something at its place */
  indicators: boolean;
  spaceBeforeBreak: boolean;
}

function traitsOf(value: string): Traits {
  return {
    // Characters beyond the first plane are not printable to it.
    special: /[^\t\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(value),
    tab: value.includes('\t'),
    indicators:
      /^(?:---|\.\.\.|[#,[\]{}&*!|>'"%@`]|[?:-](?:[ \t\n\r]|$))/.test(value) ||
      /:(?:[ \t\n\r]|$)|[ \t\n\r]#/.test(value),
    spaceBeforeBreak: value.includes(' \n'),
  };
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u00a0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function doubleQuoted(value: string): string {
  const body = Array.from(value, (char) => {
    const code = char.codePointAt(0) ?? 0;
    const printable = /[\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(char) && code < 0x10000;
    const named = ESCAPES[char];
    if (named !== undefined && (!printable || code < 0x7f)) return named;
    if (printable) return char;
    if (code < 0x100) return `\\x${hex(code, 2)}`;
    return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
  });
  return `"${body.join('')}"`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, '0');
}

/** `|`, with the indentation when the text begins with a space or a break, and what becomes of the breaks at its end. */
function literal(value: string, depth: number): string {
  const hint = /^[ \n]/.test(value) ? '2' : '';
  const chomp = value.endsWith('\n') ? (/^\n$|\n\n$/.test(value) ? '+' : '') : '-';
  const lines = value.replace(/\n$/, '').split('\n');
  const level = indent(Math.max(depth, 1));
  return `|${hint}${chomp}${lines.map((line) => `\n${line === '' ? '' : level + line}`).join('')}`;
}

/** Numbers within keys by their value: a2 before a10; letters behind everything else. */
function compareKeys(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  let digits = false;
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const [x = '', y = ''] = [left[at], right[at]];
    if (x === y) {
      digits = isDigit(x);
      continue;
    }
    const [xLetter, yLetter] = [isLetter(x), isLetter(y)];
    if (xLetter && yLetter) return compareCodes(x, y);
    if (xLetter || yLetter) return (digits ? xLetter : yLetter) ? -1 : 1;
    return compareRuns(left, right, at);
  }
  return left.length - right.length;
}

function compareRuns(left: readonly string[], right: readonly string[], at: number): number {
  // A zero within a number counts, one at its beginning does not.
  let significant = false;
  if (left[at] === '0' || right[at] === '0') {
    for (let before = at - 1; before >= 0 && isDigit(left[before] ?? ''); before -= 1) {
      if (left[before] !== '0') significant = true;
    }
  }
  const run = (list: readonly string[]): { value: bigint; end: number } => {
    let end = at;
    let value = significant ? 1n : 0n;
    for (; end < list.length && isDigit(list[end] ?? ''); end += 1) {
      value = value * 10n + BigInt((list[end] ?? '').codePointAt(0) ?? 0) - 48n;
    }
    return { value: BigInt.asIntN(64, value), end };
  };
  const [a, b] = [run(left), run(right)];
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return a.end - b.end || compareCodes(left[at] ?? '', right[at] ?? '');
}

function compareCodes(a: string, b: string): number {
  return (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0);
}

function isLetter(char: string): boolean {
  return /^\p{L}$/u.test(char);
}

function isDigit(char: string): boolean {
  return /^\p{Nd}$/u.test(char);
}
