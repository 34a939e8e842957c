/** float64 as Go's fmt prints it: exact decimal arithmetic, ties to even (JavaScript's toFixed rounds them up). */
import { type Spec, pad } from './go-spec.ts';

/** Undefined when the verb does not suit. */
export function formatFloat(value: number, verb: string, spec: Spec): string | undefined {
  const digits = unsigned(Math.abs(value), verb, spec);
  if (digits === undefined) return undefined;
  const negative = value < 0 || Object.is(value, -0);
  const sign = negative ? '-' : spec.plus ? '+' : spec.space ? ' ' : '';
  const { zero, minus, width = 0 } = spec;
  // Zeros go between sign and digits.
  if (zero && !minus) return sign + digits.padStart(width - sign.length, '0');
  return pad(sign + digits, spec);
}

function unsigned(value: number, verb: string, spec: Spec): string | undefined {
  const { precision, sharp } = spec;
  switch (verb) {
    case 'f':
    case 'F':
      return withPoint(fixed(value, precision ?? 6), sharp);
    case 'e':
      return scientific(value, precision ?? 6, sharp);
    case 'E':
      return scientific(value, precision ?? 6, sharp).toUpperCase();
    case 'v':
    case 'g':
      return general(value, precision, sharp);
    case 'G':
      return general(value, precision, sharp).toUpperCase();
    case 'b':
      return binary(value);
    case 'x':
      return hexadecimal(value, precision, sharp ? (precision ?? 6) : 0, sharp);
    case 'X':
      return hexadecimal(value, precision, 0, sharp).toUpperCase();
    default:
      return undefined;
  }
}

/** %g: scientific for exponents below -4 or from the precision on, which is 6 for the shortest form. */
function general(value: number, precision: number | undefined, sharp: boolean): string {
  const significant = precision === undefined ? undefined : Math.max(1, precision);
  const { digits, exponent } = decimal(value, significant);
  const kept = sharp ? digits.padEnd(significant ?? 6, '0') : digits.replace(/0+$/, '') || '0';
  if (exponent < -4 || exponent >= (significant ?? 6)) {
    return withExponent(kept, exponent, sharp);
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${kept}`;
  const whole = kept.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = kept.slice(exponent + 1);
  return fraction === '' ? withPoint(whole, sharp) : `${whole}.${fraction}`;
}

function scientific(value: number, precision: number, sharp: boolean): string {
  const { digits, exponent } = decimal(value, precision + 1);
  return withExponent(digits, exponent, sharp);
}

function withExponent(digits: string, exponent: number, sharp: boolean): string {
  const mantissa = digits.length > 1 ? `${digits[0] ?? ''}.${digits.slice(1)}` : withPoint(digits, sharp);
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function withPoint(text: string, sharp: boolean): string {
  return sharp && !text.includes('.') ? `${text}.` : text;
}

/** Significant digits (the shortest that read back as the same number when not told how many) and the exponent of the first. */
function decimal(value: number, significant: number | undefined): { digits: string; exponent: number } {
  const [mantissa = '0', power = '0'] = value.toExponential().split('e');
  const shortest = { digits: mantissa.replace('.', ''), exponent: Number(power) };
  if (significant === undefined) return shortest;
  if (value === 0) return { digits: '0'.repeat(significant), exponent: 0 };
  return significantDigits(value, significant, shortest.exponent);
}

/** `exponent`: as the shortest form has it; the exact value may begin one power below (1e-7), or round up to one above. */
function significantDigits(
  value: number,
  significant: number,
  exponent: number,
): { digits: string; exponent: number } {
  const rounded = scaled(value, significant - 1 - exponent).toString();
  if (rounded.length < significant) return significantDigits(value, significant, exponent - 1);
  return { digits: rounded.slice(0, significant), exponent: exponent + rounded.length - significant };
}

function fixed(value: number, places: number): string {
  const digits = scaled(value, places)
    .toString()
    .padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** %b: the mantissa as a whole number and a power of two. */
function binary(value: number): string {
  const { mantissa, exponent } = parts(value);
  return `${mantissa.toString()}p${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent))}`;
}

/** %x: one digit, the fraction in base 16, a power of two. `padding`: what Go's # flag fills the digits up to. */
function hexadecimal(value: number, precision: number | undefined, padding: number, sharp: boolean): string {
  let { mantissa, exponent } = parts(value);
  if (mantissa === 0n) exponent = -52;
  while (mantissa !== 0n && mantissa < 1n << 52n) {
    mantissa <<= 1n;
    exponent -= 1;
  }
  let digits = 13;
  if (precision !== undefined && precision < digits) {
    mantissa = halfToEven(mantissa, 1n << BigInt(4 * (digits - precision)));
    digits = precision;
    if (mantissa >> BigInt(4 * digits) === 2n) {
      mantissa >>= 1n;
      exponent += 1;
    }
  }
  const text = mantissa.toString(16).padStart(digits + 1, '0');
  const fraction =
    precision === undefined ? text.slice(1).replace(/0+$/, '') : text.slice(1).padEnd(precision, '0');
  // Go counts the x of the prefix as a digit.
  const filled = fraction.padEnd(padding - 2, '0');
  const point = filled === '' && !sharp ? '' : '.';
  const power = exponent + 52;
  return `0x${text[0] ?? ''}${point}${filled}p${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

const bits = new DataView(new ArrayBuffer(8));

/** value = mantissa * 2^exponent, exactly; value >= 0. */
function parts(value: number): { mantissa: bigint; exponent: number } {
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const biased = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xf_ffff_ffff_ffffn;
  return { mantissa: biased === 0 ? fraction : fraction | (1n << 52n), exponent: Math.max(biased, 1) - 1075 };
}

/** value * 10^power as a whole number, rounded half to even; value >= 0. */
function scaled(value: number, power: number): bigint {
  const { mantissa, exponent } = parts(value);
  const numerator =
    mantissa * (power > 0 ? 10n ** BigInt(power) : 1n) * (exponent > 0 ? 1n << BigInt(exponent) : 1n);
  const denominator =
    (power < 0 ? 10n ** BigInt(-power) : 1n) * (exponent < 0 ? 1n << BigInt(-exponent) : 1n);
  return halfToEven(numerator, denominator);
}

function halfToEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}
