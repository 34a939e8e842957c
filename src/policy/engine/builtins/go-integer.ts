/** Whole numbers as Go's fmt and math/big print them. */
import { type Spec, pad } from './go-spec.ts';
import { isPrintable, quoteGo } from './go-string.ts';

const BASES: Readonly<Record<string, number>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };

/** An int64. Undefined when the verb does not suit. */
export function formatInteger(value: bigint, verb: string, spec: Spec): string | undefined {
  const base = BASES[verb];
  if (base !== undefined) return number(value, verb, base, spec);
  switch (verb) {
    case 'c':
      return pad(character(value), spec);
    case 'q':
      return pad(quoteGo(character(value), { ascii: spec.plus, mark: "'" }), spec);
    case 'U':
      return unicode(value, spec);
    default:
      return undefined;
  }
}

function number(value: bigint, verb: string, base: number, spec: Spec): string {
  const { precision, width = 0, zero, minus } = spec;
  if (precision === 0 && value === 0n) return pad('', { ...spec, zero: false });
  const sign = signOf(value, spec);
  let digits = digitsOf(value, verb, base);
  // Zeros up to the width stand between sign and digits; a precision overrules them. The prefix comes on top.
  if (precision !== undefined) digits = digits.padStart(precision, '0');
  else if (zero && !minus) digits = digits.padStart(width - sign.length, '0');
  return pad(sign + prefixOf(verb, digits, spec.sharp) + digits, { ...spec, zero: false });
}

function signOf(value: bigint, { plus, space }: Spec): string {
  if (value < 0n) return '-';
  if (plus) return '+';
  return space ? ' ' : '';
}

function digitsOf(value: bigint, verb: string, base: number): string {
  const digits = (value < 0n ? -value : value).toString(base);
  return verb === 'X' ? digits.toUpperCase() : digits;
}

function prefixOf(verb: string, digits: string, sharp: boolean): string {
  if (verb === 'O') return sharp && !digits.startsWith('0') ? '0o0' : '0o';
  if (!sharp) return '';
  if (verb === 'o') return digits.startsWith('0') ? '' : '0';
  return { b: '0b', x: '0x', X: '0X' }[verb] ?? '';
}

/** math/big's own rules: they differ in signs, prefixes and what is zero-padded. Unknown verbs complain in its words. */
export function formatBig(value: bigint, verb: string, spec: Spec): string {
  const base = verb === 's' ? 10 : BASES[verb];
  if (base === undefined) return `%!${verb}(big.Int=${value.toString()})`;
  const sign = signOf(value, { ...spec, plus: spec.plus || spec.plusV });
  const sharp = spec.sharp || spec.sharpV;
  const prefix = verb === 'O' ? '0o' : sharp ? ({ b: '0b', o: '0', x: '0x', X: '0X' }[verb] ?? '') : '';
  const digits = digitsOf(value, verb, base).padStart(spec.precision ?? 0, '0');
  const zeros = spec.zero && !spec.minus && spec.precision === undefined;
  const room = (spec.width ?? 0) - sign.length - prefix.length;
  return pad(sign + prefix + (zeros ? digits.padStart(room, '0') : digits), { ...spec, zero: false });
}

function character(value: bigint): string {
  const valid = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);
  return valid ? String.fromCodePoint(Number(value)) : '\ufffd';
}

/** U+0041, with # the character too. */
function unicode(value: bigint, spec: Spec): string {
  const digits = BigInt.asUintN(64, value)
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, spec.precision ?? 0), '0');
  const shown = spec.sharp && value >= 0n && value <= 0x10ffffn && isPrintable(character(value));
  return pad(`U+${digits}${shown ? ` '${character(value)}'` : ''}`, { ...spec, zero: false });
}
