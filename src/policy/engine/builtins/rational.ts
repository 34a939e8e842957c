/** Fractions of whole numbers, for arithmetic that is exact where Go's is. */
import { fail } from './builtin.ts';

export interface Fraction {
  numerator: bigint;
  denominator: bigint;
}

/** A decimal number, exactly. */
export function rational(text: string): Fraction {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?$/.exec(text) ?? [];
  if (whole + fraction === '') fail('could not parse amount to a number');
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  const power = Number(exponent) - fraction.length;
  return power < 0
    ? { numerator: digits, denominator: 10n ** BigInt(-power) }
    : { numerator: digits * 10n ** BigInt(power), denominator: 1n };
}

export function product(a: Fraction, b: Fraction): Fraction {
  return { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator };
}

/** To a mantissa of 64 bits, ties to even. */
export function rounded({ numerator, denominator }: Fraction): Fraction {
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

export function compareFractions(a: Fraction, b: Fraction): number {
  const [left, right] = [a.numerator * b.denominator, b.numerator * a.denominator];
  return left < right ? -1 : Number(left > right);
}

/** Whether a is a whole number of times b. */
export function isMultiple(a: Fraction, b: Fraction): boolean {
  return (a.numerator * b.denominator) % (a.denominator * b.numerator) === 0n;
}
