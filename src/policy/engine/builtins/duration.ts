/** Durations as Go writes them (`1h30m`, `1.5s`), and with the days, weeks and years that OPA adds. */
import { fail } from './builtin.ts';

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);
const HOURS: Readonly<Record<string, number>> = { d: 24, w: 7 * 24, y: 365 * 24 };
const LIMIT = 1n << 63n;

/** ns. */
export function parseDuration(text: string): bigint {
  return /[dwy]/.test(text) ? parsePlain(inHours(text)) : parsePlain(text);
}

/** With hours in place of the longer units. */
function inHours(text: string): string {
  if (!/^[-+]?(?:[0-9.]+(?:ms|us|\u00b5s|ns|[a-z]))+$/.test(text)) fail('invalid duration');
  return text.replace(/([0-9.]+)([dwy])/g, (_whole, digits: string, unit: string) => {
    if (!/^(?:[0-9]+\.?[0-9]*|\.[0-9]+)$/.test(digits)) fail('invalid duration');
    return `${withoutExponent(Number(digits) * (HOURS[unit] ?? 0))}h`;
  });
}

function withoutExponent(value: number): string {
  if (!Number.isFinite(value)) return fail('invalid duration');
  const [, whole = '', fraction = '', exponent = '0'] =
    /^([0-9]+)(?:\.([0-9]+))?(?:e([+-][0-9]+))?$/.exec(String(value)) ?? [];
  const shift = Number(exponent);
  if (shift >= 0) return shift === 0 ? String(value) : (whole + fraction).padEnd(whole.length + shift, '0');
  return `0.${'0'.repeat(-shift - 1)}${whole}${fraction}`;
}

function parsePlain(text: string): bigint {
  const negative = text.startsWith('-');
  const unsigned = text.replace(/^[+-]/, '');
  if (unsigned === '0') return 0n;
  if (unsigned === '') fail('invalid duration');
  let total = 0n;
  const piece = /([0-9]*)(?:\.([0-9]*))?([^0-9.]+)/y;
  while (piece.lastIndex < unsigned.length) {
    const [, whole = '', fraction = '', name = ''] = piece.exec(unsigned) ?? fail('invalid duration');
    if (whole + fraction === '') fail('invalid duration');
    total += amount(whole, fraction, UNITS.get(name) ?? fail('unknown unit'));
    if (total > LIMIT) fail('invalid duration');
  }
  if (negative) return -total;
  return total < LIMIT ? total : fail('invalid duration');
}

/** Go takes the fraction in floating point. */
function amount(whole: string, fraction: string, unit: bigint): bigint {
  const units = BigInt(whole === '' ? '0' : whole);
  if (units > LIMIT / unit) fail('invalid duration');
  const { digits, scale } = leadingFraction(fraction);
  const ns = units * unit + BigInt(Math.trunc(Number(digits) * (Number(unit) / scale)));
  return ns > LIMIT ? fail('invalid duration') : ns;
}

/** As many digits as an int64 holds. */
function leadingFraction(text: string): { digits: bigint; scale: number } {
  let digits = 0n;
  let scale = 1;
  for (const digit of text) {
    const next = digits * 10n + BigInt(digit);
    if (digits > (LIMIT - 1n) / 10n || next > LIMIT) break;
    digits = next;
    scale *= 10;
  }
  return { digits, scale };
}
