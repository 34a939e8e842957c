/**
 * What a scalar means to kubectl: YAML 1.1 as go.yaml.in/yaml/v2 understands it (its resolve.go), and the text that
 * sigs.k8s.io/yaml makes of a key.
 */

export type TagName = 'null' | 'bool' | 'int' | 'float' | 'str' | 'timestamp';

/** An `int` is a bigint, because it may lie beyond 2^53; a timestamp stays the text it was. */
export interface Resolved {
  tag: TagName;
  value: null | boolean | bigint | number | string;
}

const NAMED = new Map<string, Resolved>([
  ...named('bool', true, ['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']),
  ...named('bool', false, ['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']),
  ...named('null', null, ['', '~', 'null', 'Null', 'NULL']),
  ...named('float', NaN, ['.nan', '.NaN', '.NAN']),
  ...named('float', Infinity, ['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF']),
  ...named('float', -Infinity, ['-.inf', '-.Inf', '-.INF']),
]);

function named(tag: TagName, value: Resolved['value'], texts: readonly string[]): [string, Resolved][] {
  return texts.map((text) => [text, { tag, value }]);
}

const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;

const DECIMAL_FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** A float that begins with its point goes to Go's ParseFloat as it stands: `_` may stand between two digits. */
const POINT_FIRST = /^\.[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9](?:_?[0-9])*)?$/;
/** Go's ParseInt with base 0, after the underscores are gone. Base 60 is not read. */
const GO_INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|(0[0-7]+)|(0|[1-9][0-9]*))$/;
/** The branch for binary numbers takes a sign after the prefix as well. */
const BINARY_SIGNED = /^0b([-+])([01]+)$/;

/** The meaning of a plain scalar without a tag. */
export function resolvePlain(text: string): Resolved {
  const found = NAMED.get(text);
  if (found !== undefined) return found;
  const first = text.charCodeAt(0);
  const number =
    first === 0x2e ? pointFirst(text) : isDigitOrSign(first) ? numberOf(text.replaceAll('_', '')) : undefined;
  return number ?? { tag: 'str', value: text };
}

function isDigitOrSign(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d;
}

function pointFirst(text: string): Resolved | undefined {
  return POINT_FIRST.test(text) ? floatOf(text.replaceAll('_', '')) : undefined;
}

function numberOf(text: string): Resolved | undefined {
  return integerOf(text) ?? (DECIMAL_FLOAT.test(text) ? floatOf(text) : undefined) ?? signedBinary(text);
}

/** Within int64, or unsigned and without a sign within uint64. */
function integerOf(text: string): Resolved | undefined {
  const match = GO_INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign = '', hex, binary, octal, cOctal, decimal] = match;
  const magnitude = BigInt(
    hex !== undefined
      ? `0x${hex}`
      : binary !== undefined
        ? `0b${binary}`
        : (octal ?? cOctal) !== undefined
          ? `0o${String(octal ?? cOctal)}`
          : String(decimal),
  );
  const value = sign === '-' ? -magnitude : magnitude;
  const largest = sign === '' ? UINT64_MAX : -INT64_MIN - 1n;
  return value >= INT64_MIN && value <= largest ? { tag: 'int', value } : undefined;
}

/** A number beyond the range of a double is a string to go-yaml. */
function floatOf(text: string): Resolved | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? { tag: 'float', value } : undefined;
}

function signedBinary(text: string): Resolved | undefined {
  const match = BINARY_SIGNED.exec(text);
  if (match === null) return undefined;
  const magnitude = BigInt(`0b${String(match[2])}`);
  if (magnitude > -INT64_MIN - (match[1] === '-' ? 0n : 1n)) return undefined;
  return { tag: 'int', value: match[1] === '-' ? -magnitude : magnitude };
}

/** The meaning of a scalar with one of the tags of YAML's own types. undefined: the text is none of that type. */
export function resolveTagged(tag: TagName, text: string): Resolved | undefined {
  if (tag === 'str') return { tag, value: text };
  if (tag === 'timestamp') return isTimestamp(text) ? { tag, value: text } : undefined;
  const resolved = resolvePlain(text);
  if (resolved.tag === tag) return resolved;
  if (tag !== 'float' || typeof resolved.value !== 'bigint' || resolved.value > -INT64_MIN - 1n)
    return undefined;
  return { tag, value: Number(resolved.value) };
}

const TIMESTAMP =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(?:Z|[-+]\d\d:\d\d)| (\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?)?$/;

function isTimestamp(text: string): boolean {
  const match = TIMESTAMP.exec(text);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, ...clock] = match
    .slice(1)
    .map((part: string | undefined) => Number(part ?? 0));
  const hour = Math.max(clock[0] ?? 0, clock[3] ?? 0);
  const minute = Math.max(clock[1] ?? 0, clock[4] ?? 0);
  const second = Math.max(clock[2] ?? 0, clock[5] ?? 0);
  if (hour > 23 || minute > 59 || second > 59 || month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31);
}

/** The text of a key in JSON; undefined where sigs.k8s.io/yaml has none (null, and integers beyond int64). */
export function keyText({ value }: Resolved): string | undefined {
  if (value === null) return undefined;
  if (typeof value === 'bigint') return value >= 2n ** 63n ? undefined : String(value);
  return typeof value === 'number' ? floatText(value) : String(value);
}

/** Go's FormatFloat(value, 'g', -1, 32): the shortest digits that name the same single-precision number. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return single > 0 ? '.inf' : '-.inf';
  if (single === 0) return Object.is(single, -0) ? '-0' : '0';
  let text = single.toExponential();
  for (let digits = 0; digits <= 9; digits += 1) {
    const shorter = single.toExponential(digits);
    if (Math.fround(Number(shorter)) !== single) continue;
    text = shorter;
    break;
  }
  const [mantissa = '', exponentText = ''] = text.split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return plainText(mantissa, exponent);
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function plainText(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`;
}
