/** What a builtin of the host is, and how it takes its operands. */
import { type RegoNumber, type RegoObject, type RegoSet, type RegoValue, isArray } from '../values.ts';

/** What is computed outside of Rego: hashing, and the public-key arithmetic of certificates. */
export interface Crypto {
  digest(algorithm: HashName, data: Uint8Array): Uint8Array;
  hmac(algorithm: HashName, key: Uint8Array, data: Uint8Array): Uint8Array;
  /** `algorithm`: Go's number of an x509.SignatureAlgorithm; `key`: DER of a SubjectPublicKeyInfo. False for one it has not. */
  verify(algorithm: number, key: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean;
}

export type HashName = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

export interface BuiltinContext {
  /** the time of the review, ms since the epoch; stands still during an evaluation */
  nowMs: number;
  crypto: Crypto;
}

/**
 * Undefined is what Rego makes of an error in a builtin; a Failure is such an error. Whatever else is thrown is a fault of
 * our own.
 */
export type Builtin = (args: readonly RegoValue[], context: BuiltinContext) => RegoValue | undefined;

/** The builtins of one family, by the names that rules call. */
export type Family = Readonly<Record<string, Builtin>>;

/** An error of a builtin as OPA has it: a wrong operand, a text that does not parse. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

export function fail(message: string): never {
  throw new Failure(message);
}

/** The same builtin with its Failures as undefined. */
export function forgiving(builtin: Builtin): Builtin {
  return (args, context) => {
    try {
      return builtin(args, context);
    } catch (error) {
      if (error instanceof Failure) return undefined;
      throw error;
    }
  };
}

export function stringOf(value: RegoValue | undefined): string {
  return typeof value === 'string' ? value : fail('must be string');
}

export function isObject(value: RegoValue | undefined): value is RegoObject {
  return isTyped(value) && value.type === 'object';
}

export function isSet(value: RegoValue | undefined): value is RegoSet {
  return isTyped(value) && value.type === 'set';
}

export function isNumber(value: RegoValue | undefined): value is RegoNumber {
  return isTyped(value) && value.type === 'number';
}

function isTyped(value: RegoValue | undefined): value is RegoNumber | RegoObject | RegoSet {
  return value !== undefined && value !== null && typeof value === 'object' && !isArray(value);
}

export function objectOf(value: RegoValue | undefined): RegoObject {
  return isObject(value) ? value : fail('must be object');
}

export function arrayOf(value: RegoValue | undefined): readonly RegoValue[] {
  return value !== undefined && isArray(value) ? value : fail('must be array');
}

/** The members of an array or a set. */
export function membersOf(value: RegoValue | undefined): readonly RegoValue[] {
  if (value !== undefined && isArray(value)) return value;
  return isSet(value) ? value.items : fail('must be array or set');
}

export function numberTextOf(value: RegoValue | undefined): string {
  return isNumber(value) ? value.text : fail('must be number');
}

/** An int64 as OPA takes one: digits, after which there may be a point and zeros. An exponent makes it none. */
export function intOf(value: RegoValue | undefined): bigint {
  const text = numberTextOf(value);
  const [, digits] = /^([+-]?[0-9]+)(?:\.0*)?$/.exec(text) ?? [];
  // Sign apart, OPA reads at most 19 characters.
  if (digits === undefined || text.replace(/^[+-]/, '').length > 19) return fail('must be integer number');
  const whole = BigInt(digits);
  return BigInt.asIntN(64, whole) === whole ? whole : fail('must be integer number');
}

/** A whole number of any size; 1e30 and 2.0 are. */
export function bigIntOf(value: RegoValue | undefined): bigint {
  return wholeOf(numberTextOf(value)) ?? fail('must be integer number');
}

/** How long a number that is written with an exponent may get in digits. */
const LONGEST = 100_000;

/** The whole number that a JSON number is, undefined when it has a fraction or is longer than any sane number. */
export function wholeOf(text: string): bigint | undefined {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^([+-]?)([0-9]+)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/.exec(text) ?? [];
  if (whole === '') return undefined;
  const digits = (whole + fraction).replace(/^0+(?=.)/, '');
  const shift = Number(exponent) - fraction.length;
  if (/^0+$/.test(digits)) return 0n;
  if (Math.abs(shift) > LONGEST) return undefined;
  if (shift >= 0) return BigInt(`${sign.replace('+', '')}${digits}${'0'.repeat(shift)}`);
  if (!/^0*$/.test(digits.slice(shift))) return undefined;
  return BigInt(`${sign.replace('+', '')}${digits.slice(0, shift) || '0'}`);
}
