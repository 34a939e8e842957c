/** What a plain scalar of YAML means to go.yaml.in/yaml/v3: YAML 1.2, with the octals of 1.1. */
import type { RegoValue } from '../values.ts';
import { fail } from './builtin.ts';

export type Scalar =
  | { type: 'null' | 'bool' | 'int' | 'str' | 'timestamp' | 'merge'; value: RegoValue; text: string }
  | { type: 'float'; value: number; text: string };

const WORDS: ReadonlyMap<string, RegoValue> = new Map<string, RegoValue>([
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
]);
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const STAMP =
  /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:(?:[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2}))|(?: +([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?))?$/;

export function resolveScalar(text: string): Scalar {
  const word = WORDS.get(text);
  if (word !== undefined) return { type: word === null ? 'null' : 'bool', value: word, text };
  if (text === '<<') return { type: 'merge', value: text, text };
  const special = /^([-+]?)\.(?:inf|Inf|INF)$/.exec(text);
  if (special !== null) return { type: 'float', value: special[1] === '-' ? -Infinity : Infinity, text };
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return { type: 'float', value: Number.NaN, text };
  if (text.startsWith('.')) return /^\.[0-9_]/.test(text) ? pointed(text) : string(text);
  if (!/^[-+0-9]/.test(text)) return string(text);
  if (isStamp(text)) return { type: 'timestamp', value: text, text };
  // Behind a prefix Go reads a sign too.
  return (
    numeric(
      text,
      text
        .replaceAll('_', '')
        .replace(/^(0[ob])\+/, '$1')
        .replace(/^(0[ob])-/, '-$1'),
    ) ?? string(text)
  );
}

function string(text: string): Scalar {
  return { type: 'str', value: text, text };
}

function pointed(text: string): Scalar {
  return FLOAT.test(text) && Number.isFinite(Number(text))
    ? { type: 'float', value: Number(text), text }
    : string(text);
}

function numeric(text: string, plain: string): Scalar | undefined {
  const whole = wholeNumber(plain);
  if (whole !== undefined && whole >= -(1n << 63n) && whole < 1n << 64n) {
    return { type: 'int', value: { type: 'number', text: whole.toString() }, text };
  }
  const value = Number(plain);
  return FLOAT.test(plain) && Number.isFinite(value) ? { type: 'float', value, text } : undefined;
}

/** With Go's prefixes; a leading zero is octal, as in 0644. */
function wholeNumber(plain: string): bigint | undefined {
  const [, sign = '', digits = ''] =
    /^([-+]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]+|0|[1-9][0-9]*)$/.exec(plain) ?? [];
  if (digits === '') return undefined;
  const size = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits.toLowerCase());
  return sign === '-' ? -size : size;
}

function isStamp(text: string): boolean {
  const [, year, month, day, ...clock] = STAMP.exec(text) ?? [];
  if (year === undefined) return false;
  const [hour = 0, minute = 0, second = 0] = clock.filter((part?: string) => part !== undefined).map(Number);
  if (hour > 23 || minute > 59 || second > 59) return false;
  const date = new Date(Date.UTC(2000, Number(month) - 1, Number(day)));
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  return date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day);
}

/** A float64 as Go's JSON encoder writes it, which is as JavaScript does. */
export function floatNumber(value: number): RegoValue {
  if (!Number.isFinite(value)) return fail('unsupported value');
  return { type: 'number', text: Object.is(value, -0) ? '-0' : String(value) };
}
