/** units.*: amounts with SI and binary suffixes, exactly, as fractions of whole numbers. */
import { type RegoValue, numberOf } from '../values.ts';
import { type Family, fail, stringOf } from './builtin.ts';

interface Fraction {
  numerator: bigint;
  denominator: bigint;
}

const LETTERS = 'kmgtpe';
/** OPA refuses exponents with more digits. */
const EXPONENT_DIGITS = 6;
/** Places after the point of an amount that is not whole. */
const PLACES = 10n;

export const units: Family = {
  'units.parse': ([amount]) => parseAmount(stringOf(amount)),
  'units.parse_bytes': ([amount]) => parseBytes(stringOf(amount)),
};

function parseAmount(raw: string): RegoValue {
  const { number, unit } = split(raw.replaceAll('"', ''));
  const factor = unit === 'm' ? MILLI : wholeFactor(unit.toLowerCase(), ['', 'i']);
  const { numerator, denominator } = product(rational(number), factor);
  if (numerator % denominator === 0n) return numberOf(numerator / denominator);
  return { type: 'number', text: decimal(numerator, denominator) };
}

/** What is left of a byte is cut off. Go computes in floats of 64 bits here, and what they round off shows. */
function parseBytes(raw: string): RegoValue {
  const { number, unit } = split(raw.toLowerCase().replaceAll('"', ''));
  const factor = wholeFactor(unit, ['', 'b', 'i', 'ib']);
  const { numerator, denominator } = rounded(product(rounded(rational(number)), factor));
  return numberOf(numerator / denominator);
}

/** Go takes 0.001 as a float64, which is not a thousandth exactly. */
const MILLI: Fraction = { numerator: 1_152_921_504_606_847n, denominator: 1n << 60n };

/** `endings`: what may follow the letter; those with an i are powers of 1024. */
function wholeFactor(unit: string, endings: readonly string[]): Fraction {
  if (unit === '') return { numerator: 1n, denominator: 1n };
  const power = LETTERS.indexOf(unit.slice(0, 1)) + 1;
  const ending = unit.slice(1);
  if (power === 0 || !endings.includes(ending)) fail(`unit ${unit} not recognized`);
  return { numerator: (ending.startsWith('i') ? 1024n : 1000n) ** BigInt(power), denominator: 1n };
}

/** What looks like a number, and the rest. An e belongs to the number when an exponent can follow. */
function split(text: string): { number: string; unit: string } {
  if (text.includes(' ')) fail('spaces not allowed in resource strings');
  const [number = ''] = /^(?:[0-9.+-]|[eE](?:[+-]|(?=[0-9])))*/.exec(text) ?? [];
  if (number === '') fail('no amount provided');
  const [exponent = ''] = /(?<=[eE][+-]?)[0-9]+/.exec(number) ?? [];
  if (exponent.length > EXPONENT_DIGITS) fail('exponent too large');
  return { number, unit: text.slice(number.length) };
}

function rational(text: string): Fraction {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?$/.exec(text) ?? [];
  if (whole + fraction === '') fail('could not parse amount to a number');
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  const power = Number(exponent) - fraction.length;
  return power < 0
    ? { numerator: digits, denominator: 10n ** BigInt(-power) }
    : { numerator: digits * 10n ** BigInt(power), denominator: 1n };
}

function product(a: Fraction, b: Fraction): Fraction {
  return { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator };
}

/** To a mantissa of 64 bits, ties to even. */
function rounded({ numerator, denominator }: Fraction): Fraction {
  if (numerator === 0n) return { numerator, denominator: 1n };
  const negative = numerator < 0n;
  const size = negative ? -numerator : numerator;
  // The quotient of the first try has 64 or 65 bits.
  let shift = bitLength(size) - bitLength(denominator) - 64;
  if (quotient(size, denominator, shift) >> 64n !== 0n) shift += 1;
  const floor = quotient(size, denominator, shift);
  const [up, down] = shift < 0 ? [1n << BigInt(-shift), 1n] : [1n, 1n << BigInt(shift)];
  const rest = 2n * (size * up - floor * denominator * down);
  const limit = denominator * down;
  const mantissa = rest > limit || (rest === limit && floor % 2n === 1n) ? floor + 1n : floor;
  return { numerator: mantissa * down * (negative ? -1n : 1n), denominator: up };
}

/** floor(a / (b * 2^shift)) */
function quotient(a: bigint, b: bigint, shift: number): bigint {
  return shift < 0 ? (a << BigInt(-shift)) / b : a / (b << BigInt(shift));
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return 4 * (hex.length - 1) + (32 - Math.clz32(Number.parseInt(hex.slice(0, 1), 16)));
}

/** With ten places, ties away from zero. */
function decimal(numerator: bigint, denominator: bigint): string {
  const negative = numerator < 0n;
  const scaled = (negative ? -numerator : numerator) * 10n ** PLACES;
  const nearest = (2n * scaled + denominator) / (2n * denominator);
  const digits = nearest.toString().padStart(Number(PLACES) + 1, '0');
  const [whole, places] = [digits.slice(0, -Number(PLACES)), digits.slice(-Number(PLACES))];
  return `${negative ? '-' : ''}${whole}.${places}`;
}
