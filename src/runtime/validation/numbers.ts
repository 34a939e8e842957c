/**
 * JSON numbers as the API server holds them: what parses as an int64 is one, all else is a float64. A value that comes
 * from `parseJson` may hold numbers as raw text; validators work on a view in which an integer beyond 2^53 is a bigint.
 */
import { isRawJson, isRecord } from '../json.ts';

const MOST = 2n ** 63n;

/** A JSON object; a number that is kept as raw text is none, though JavaScript has it as an object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && !isRawJson(value);
}

/** Whether the number is an integer to the API server: within int64 and not the result of an overflow. */
export function isInt64(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

function numberOf(text: string): number | bigint {
  if (!/^-?[0-9]+$/.test(text)) return Number(text);
  const integer = BigInt(text);
  return integer >= -MOST && integer < MOST ? integer : Number(text);
}

/** The value without raw numbers; the same value where there are none. */
export function viewOf(value: unknown): unknown {
  if (isRawJson(value)) return numberOf(value.rawJSON);
  if (Array.isArray(value)) {
    const items = value.map(viewOf);
    return items.some((item, at) => item !== value[at]) ? items : value;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, field]) => [key, viewOf(field)] as const);
  return entries.some(([key, field]) => field !== value[key]) ? Object.fromEntries(entries) : value;
}

/** A raw number beyond int64 is what the API server makes of it: the nearest float64. Throws where there is none. */
export function storedNumber(value: unknown): unknown {
  const number = isRawJson(value) ? numberOf(value.rawJSON) : value;
  if (typeof number === 'bigint') return value;
  if (typeof number === 'number' && !Number.isFinite(number)) throw new RangeError('number out of range');
  return number;
}

/** swag's IsFloat64AJSONInteger: JSON integers are taken with a relative tolerance of 1e-9, up to 2^53 - 1. */
function isNearlyInteger(value: number): boolean {
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return false;
  if (Number.isInteger(value)) return true;
  const whole = Math.trunc(value);
  return whole > 0 && (value - whole) / (value + whole) < 1e-9;
}

export function isInteger(value: unknown): boolean {
  return isInt64(value) || (typeof value === 'number' && isNearlyInteger(value));
}

export interface Range {
  minimum?: number | undefined;
  maximum?: number | undefined;
  exclusiveMinimum?: boolean | undefined;
  exclusiveMaximum?: boolean | undefined;
  multipleOf?: number | undefined;
}

/**
 * Which bound the number breaks. Integers are compared as integers: kube-openapi cuts the fraction off the bound first,
 * so `minimum: 0.5` lets 0 pass.
 */
export function brokenBound(value: number | bigint, range: Range): keyof Range | undefined {
  const integer = isInt64(value);
  const bound = (limit: number): number | bigint => (integer ? BigInt(Math.trunc(limit)) : limit);
  const number = integer ? BigInt(value) : value;
  const { minimum, maximum, multipleOf } = range;
  if (multipleOf !== undefined && !isMultiple(number, multipleOf)) return 'multipleOf';
  if (maximum !== undefined) {
    if (range.exclusiveMaximum === true ? number >= bound(maximum) : number > bound(maximum))
      return 'maximum';
  }
  if (minimum !== undefined) {
    if (range.exclusiveMinimum === true ? number <= bound(minimum) : number < bound(minimum))
      return 'minimum';
  }
  return undefined;
}

function isMultiple(value: number | bigint, factor: number): boolean {
  if (typeof value === 'bigint') {
    const whole = BigInt(Math.trunc(factor));
    return whole > 0n && value % whole === 0n;
  }
  return isNearlyInteger(factor < 1 ? (1 / factor) * value : value / factor);
}
