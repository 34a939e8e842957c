/** strconv.Quote and its relatives. */
import type { Spec } from './go-spec.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/** unicode.IsPrint: letters, marks, numbers, punctuation, symbols, and of the spaces only U+0020. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

export function quoteGo(
  text: string,
  { ascii = false, mark = '"' }: { ascii?: boolean; mark?: '"' | "'" } = {},
): string {
  let out = mark as string;
  for (const char of text.toWellFormed())
    out += char === mark ? `\\${mark}` : (ESCAPES[char] ?? escaped(char, ascii));
  return out + mark;
}

function escaped(char: string, ascii: boolean): string {
  const code = char.codePointAt(0) ?? 0;
  if (ascii ? code >= 0x20 && code < 0x7f : PRINTABLE.test(char)) return char;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

export function isPrintable(char: string): boolean {
  return PRINTABLE.test(char);
}

/** Whether a raw string can hold the text. */
export function canBackquote(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return !/[\u0000-\u0008\u000a-\u001f\u007f`\ufeff]/.test(text) && text.isWellFormed();
}

/** To as many code points as the precision says. */
export function truncate(text: string, { precision }: Spec): string {
  return precision === undefined || text.length <= precision
    ? text
    : Array.from(text).slice(0, precision).join('');
}
