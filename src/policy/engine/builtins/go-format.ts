/**
 * Go's fmt.Sprintf for the arguments that OPA hands to it: strings, int64, big integers and float64, with flags, width,
 * precision, argument indexes and the %!verb(...) texts of mistakes. https://pkg.go.dev/fmt
 */
import { formatFloat } from './go-float.ts';
import { formatBig, formatInteger } from './go-integer.ts';
import { type GoArgument, type Spec, noSpec, pad } from './go-spec.ts';
import { canBackquote, quoteGo, truncate } from './go-string.ts';

export type { GoArgument } from './go-spec.ts';
export { quoteGo } from './go-string.ts';

/** Wider than this is a mistake: Go prints BADWIDTH, or takes the number for no number. */
const TOO_LARGE = 1_000_000;

interface Parser {
  format: string;
  at: number;
  args: readonly GoArgument[];
  /** the next argument */
  next: number;
  /** an explicit index was seen anywhere */
  reordered: boolean;
  /** the indexes of this directive are sound */
  sound: boolean;
}

export function formatGo(format: string, args: readonly GoArgument[]): string {
  const parser: Parser = { format, at: 0, args, next: 0, reordered: false, sound: true };
  let out = '';
  while (parser.at < format.length) {
    const percent = format.indexOf('%', parser.at);
    if (percent < 0) {
      out += format.slice(parser.at);
      break;
    }
    out += format.slice(parser.at, percent);
    parser.at = percent + 1;
    out += directive(parser);
  }
  if (parser.reordered || parser.next >= args.length) return out;
  const extra = args.slice(parser.next).map((arg) => `${arg.type}=${print(arg, 'v', noSpec)}`);
  return `${out}%!(EXTRA ${extra.join(', ')})`;
}

function directive(parser: Parser): string {
  parser.sound = true;
  const spec: Spec = { ...noSpec };
  readFlags(parser, spec);
  let indexed = readIndex(parser);
  let complaint = '';
  if (skip(parser, '*')) {
    const width = starred(parser);
    if (width === undefined) complaint += '%!(BADWIDTH)';
    else {
      spec.width = Math.abs(width);
      if (width < 0) Object.assign(spec, { minus: true, zero: false });
    }
    indexed = false;
  } else {
    spec.width = readNumber(parser);
    if (indexed && spec.width !== undefined) parser.sound = false;
  }
  // A point that ends the format is no precision but a bad verb.
  if (parser.at + 1 < parser.format.length && skip(parser, '.')) {
    if (indexed) parser.sound = false;
    indexed = readIndex(parser);
    if (skip(parser, '*')) {
      const precision = starred(parser);
      if (precision === undefined || precision < 0) complaint += '%!(BADPREC)';
      else spec.precision = precision;
      indexed = false;
    } else spec.precision = readNumber(parser) ?? 0;
  }
  if (!indexed) readIndex(parser);
  return complaint + verbText(parser, spec);
}

function verbText(parser: Parser, spec: Spec): string {
  const code = parser.format.codePointAt(parser.at);
  if (code === undefined) return '%!(NOVERB)';
  const verb = String.fromCodePoint(code);
  parser.at += verb.length;
  if (verb === '%') return '%';
  if (!parser.sound) return `%!${verb}(BADINDEX)`;
  const arg = parser.args[parser.next];
  if (arg === undefined) return `%!${verb}(MISSING)`;
  parser.next += 1;
  // %+v and %#v ask for another syntax, not for a sign or a prefix.
  if (verb === 'v') Object.assign(spec, { plusV: spec.plus, sharpV: spec.sharp, plus: false, sharp: false });
  return print(arg, verb, spec);
}

function readFlags(parser: Parser, spec: Spec): void {
  const flags = { '#': 'sharp', '0': 'zero', '+': 'plus', '-': 'minus', ' ': 'space' } as const;
  for (;;) {
    const flag = parser.format[parser.at] ?? '';
    if (!Object.hasOwn(flags, flag)) return;
    spec[flags[flag as keyof typeof flags]] = true;
    parser.at += 1;
  }
}

/** `[3]`: the argument to take next. True when there was one. */
function readIndex(parser: Parser): boolean {
  const { format, at } = parser;
  if (format[at] !== '[') return false;
  parser.reordered = true;
  const end = format.indexOf(']', at);
  if (end < 0 || format.length - at < 3) {
    parser.at += 1;
    parser.sound = false;
    return false;
  }
  parser.at = end + 1;
  const digits = format.slice(at + 1, end);
  const wellFormed = /^[0-9]+$/.test(digits) && Number(digits) <= TOO_LARGE * 10;
  const index = Number(digits) - 1;
  if (wellFormed && index >= 0 && index < parser.args.length) parser.next = index;
  else parser.sound = false;
  return wellFormed;
}

function readNumber(parser: Parser): number | undefined {
  const [digits = ''] = /^[0-9]*/.exec(parser.format.slice(parser.at, parser.at + 32)) ?? [];
  if (digits === '') return undefined;
  // Go gives up within a number that is too long, and with it on the rest of the format.
  if (digits.length > 1 && Number(digits.slice(0, -1)) > TOO_LARGE) {
    parser.at = parser.format.length;
    return undefined;
  }
  parser.at += digits.length;
  return Number(digits);
}

/** The value of `*`; undefined when the argument is no small whole number. */
function starred(parser: Parser): number | undefined {
  const arg = parser.args[parser.next];
  if (arg === undefined) return undefined;
  parser.next += 1;
  const number = arg.type === 'int64' ? Number(arg.value) : Number.NaN;
  return Math.abs(number) <= TOO_LARGE ? number : undefined;
}

function skip(parser: Parser, mark: string): boolean {
  if (parser.format[parser.at] !== mark) return false;
  parser.at += 1;
  return true;
}

function print(arg: GoArgument, verb: string, spec: Spec): string {
  if (verb === 'T') return pad(truncate(arg.type, spec), spec);
  return formatted(arg, verb, spec) ?? `%!${verb}(${arg.type}=${formatted(arg, 'v', spec) ?? ''})`;
}

/** Undefined when the verb does not suit the type. */
function formatted(arg: GoArgument, verb: string, spec: Spec): string | undefined {
  switch (arg.type) {
    case 'string':
      return formatText(arg.value, verb, spec);
    case 'float64':
      return formatFloat(arg.value, verb, spec);
    case '*big.Int':
      return formatBig(arg.value, verb, spec);
    default:
      return formatInteger(arg.value, verb, spec);
  }
}

function formatText(text: string, verb: string, spec: Spec): string | undefined {
  switch (verb) {
    case 'v':
      return spec.sharpV ? quoted(text, spec) : pad(truncate(text, spec), spec);
    case 's':
      return pad(truncate(text, spec), spec);
    case 'q':
      return quoted(text, spec);
    case 'x':
      return hexadecimal(text, '0x', spec);
    case 'X':
      return hexadecimal(text, '0X', spec);
    default:
      return undefined;
  }
}

function quoted(text: string, spec: Spec): string {
  const part = truncate(text, spec);
  if (spec.sharp && canBackquote(part)) return pad(`\`${part}\``, spec);
  return pad(quoteGo(part, { ascii: spec.plus }), spec);
}

/** Of the UTF-8 bytes; precision counts bytes here. */
function hexadecimal(text: string, prefix: '0x' | '0X', spec: Spec): string {
  const bytes = [...Buffer.from(text).subarray(0, spec.precision)].map((byte) =>
    byte.toString(16).padStart(2, '0'),
  );
  if (bytes.length === 0) return pad('', spec);
  const digits = prefix === '0X' ? bytes.map((byte) => byte.toUpperCase()) : bytes;
  const sharp = spec.sharp ? prefix : '';
  return pad(spec.space ? digits.map((byte) => sharp + byte).join(' ') : sharp + digits.join(''), spec);
}
