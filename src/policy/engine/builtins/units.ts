/** units.*: amounts with SI and binary suffixes, exactly, as fractions of whole numbers. */
import { type RegoValue, numberOf } from '../values.ts';
import { type Family, fail, stringOf } from './builtin.ts';
import { type Fraction, product, rational, rounded } from './rational.ts';

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

/** With ten places, ties away from zero. */
function decimal(numerator: bigint, denominator: bigint): string {
  const negative = numerator < 0n;
  const scaled = (negative ? -numerator : numerator) * 10n ** PLACES;
  const nearest = (2n * scaled + denominator) / (2n * denominator);
  const digits = nearest.toString().padStart(Number(PLACES) + 1, '0');
  const [whole, places] = [digits.slice(0, -Number(PLACES)), digits.slice(-Number(PLACES))];
  return `${negative ? '-' : ''}${whole}.${places}`;
}
