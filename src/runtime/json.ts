/**
 * JSON without loss. JavaScript's numbers end at 2^53, Kubernetes' integers at 2^63: a number whose digits would not
 * survive is kept as its source text in a `JSON.rawJSON` object, which `JSON.stringify` writes back as it stood.
 */
import { messageOf } from './errors.ts';

/** Fewer than 16 digits always survive a double. The scan is a hundred times cheaper than parsing with a reviver. */
const LONG_NUMBER = /[0-9][0-9.]{15}/;

interface RawJson {
  readonly rawJSON: string;
}

/** Not in TypeScript's library yet (V8 >= 11.4, Node >= 21). */
interface LosslessJson {
  rawJSON(text: string): RawJson;
  isRawJSON(value: unknown): value is RawJson;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
}

const lossless = JSON as unknown as LosslessJson;

/** Throws SyntaxError, whose message never quotes the text. A `__proto__` key becomes an ordinary own property. */
export function parseJson(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    // eslint-disable-next-line preserve-caught-error -- the cause quotes the text
    throw new SyntaxError(withoutText(messageOf(error)));
  }
}

/**
 * V8 quotes the neighbourhood of an unexpected token, all of a short text: half a Secret would stand in a log. Its other
 * messages name a position.
 */
function withoutText(message: string): string {
  return message.endsWith('is not valid JSON') ? 'unexpected character' : message;
}

function parse(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  return lossless.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !survives(value, source)
      ? lossless.rawJSON(source)
      : value,
  );
}

export function stringifyJson(value: unknown): string {
  return JSON.stringify(value);
}

/** Integers must be exact; of a fraction, Kubernetes itself keeps no more than a double. */
function survives(value: number, source: string): boolean {
  if (Number.isSafeInteger(value)) return true;
  return /[.eE]/.test(source) && Number.isFinite(value);
}

export function isRawJson(value: unknown): value is RawJson {
  return lossless.isRawJSON(value);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Equality of JSON values: keys in any order, a key that is undefined is absent, a raw number is its text. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, at) => deepEqual(item, b[at]));
  }
  if (Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  let present = 0;
  for (const key of Object.keys(left)) {
    if (left[key] === undefined) continue;
    present += 1;
    if (!Object.hasOwn(right, key) || !deepEqual(left[key], right[key])) return false;
  }
  for (const key of Object.keys(right)) if (right[key] !== undefined) present -= 1;
  return present === 0;
}
