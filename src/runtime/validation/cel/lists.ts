/** Lists: Kubernetes' list library, cel-go's lists and sets extensions, and equality by list type. */
import {
  celList,
  celListConcat,
  isCelList,
  isCelMap,
  isCelUint,
  type CelFunc,
  type CelInput,
  type CelList,
  type CelMap,
  type CelValue,
} from '@bufbuild/cel';
import { isReflectMessage } from '@bufbuild/protobuf/reflect';
import { isMessage, equals as equalMessages } from '@bufbuild/protobuf';
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { BOOL, DYN, func, int64, integer, INT, LIST, method } from './functions.ts';
import { isInvalid } from './opaque.ts';
import { none, some, unwrapOptional } from './optional.ts';

/** Of a list whose schema gives it a list type: `==` ignores the order, `+` merges. */
export interface ListNature {
  /** what makes an item the same as another: the item itself, or its keys */
  identity: (item: CelValue) => string;
}

const natures = new WeakMap<CelList, ListNature>();

export function withNature(list: CelList, nature: ListNature): CelList {
  natures.set(list, nature);
  return list;
}

const unsetFields = new WeakMap<CelMap, number>();

/** An object's fields that are null: none can read them, but the API server counts them when it compares objects. */
export function withUnsetFields(map: CelMap, count: number): CelMap {
  unsetFields.set(map, count);
  return map;
}

function fieldCount(map: CelMap): number {
  return map.size + (unsetFields.get(map) ?? 0);
}

export function equal(left: CelValue, right: CelValue): boolean {
  if (isInvalid(left) || isInvalid(right)) throw new TypeError('invalid data: a value is not of its schema');
  if (isCelList(left) && isCelList(right)) return equalLists(left, right);
  if (isCelMap(left) && isCelMap(right)) return equalMaps(left, right);
  const [a, b] = [isCelUint(left) ? left.value : left, isCelUint(right) ? right.value : right];
  if (isNumber(a) && isNumber(b)) return a == b;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (isReflectMessage(a) && isReflectMessage(b)) {
    if (a.desc.typeName !== b.desc.typeName) return false;
    const [one, other] = [unwrapOptional(a), unwrapOptional(b)];
    if (one?.value !== undefined && other?.value !== undefined) return equal(one.value, other.value);
    return equalMessages(a.desc, a.message, b.message);
  }
  return a === b || (isType(a) && isType(b) && a.name === b.name);
}

const isNumber = (value: unknown): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';

function isType(value: unknown): value is { kind: string; name: string } {
  return typeof value === 'object' && value !== null && 'kind' in value && 'name' in value;
}

function equalLists(left: CelList, right: CelList): boolean {
  if (left.size !== right.size) return false;
  const nature = natures.get(left);
  if (nature === undefined) return [...left].every((item, at) => equal(item, right.get(at) ?? null));
  const items = new Map([...left].map((item) => [nature.identity(item), item]));
  return [...right].every((item) => {
    const own = items.get(nature.identity(item));
    return own !== undefined && equal(own, item);
  });
}

function equalMaps(left: CelMap, right: CelMap): boolean {
  if (left.size !== right.size || fieldCount(left) !== fieldCount(right)) return false;
  return [...left].every(([key, value]) => {
    const other = right.get(key);
    return other !== undefined && equal(value, other);
  });
}

/** Items of the right replace those of the left that are the same, in place; others are added at the end. */
function concat(left: CelList, right: CelList): CelList {
  const nature = natures.get(left);
  if (nature === undefined) return celListConcat(left, right);
  const items = new Map([...left].map((item) => [nature.identity(item), item]));
  for (const item of right) items.set(nature.identity(item), item);
  return withNature(celList([...items.values()]), nature);
}

function list(value: CelValue | undefined): CelList {
  if (!isCelList(value)) throw new TypeError('no such overload: a list is expected');
  return value;
}

/** Negative, zero or positive. Throws for values that have no order. */
export function compare(left: CelValue, right: CelValue): number {
  const [a, b] = [isCelUint(left) ? left.value : left, isCelUint(right) ? right.value : right];
  if (isNumber(a) && isNumber(b)) return a < b ? -1 : Number(a > b);
  // Code points, as Go's bytes are ordered; UTF-16 is not.
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  const [x, y] = [nanoseconds(a), nanoseconds(b)];
  if (x === undefined || y === undefined) throw new TypeError('no such overload: the values have no order');
  return x < y ? -1 : Number(x > y);
}

function nanoseconds(value: unknown): bigint | undefined {
  if (!isReflectMessage(value)) return undefined;
  const { message } = value;
  if (!isMessage(message, DurationSchema) && !isMessage(message, TimestampSchema)) return undefined;
  return message.seconds * 1_000_000_000n + BigInt(message.nanos);
}

function sum(items: readonly CelValue[]): CelInput {
  if (items.every((item) => typeof item === 'bigint')) {
    return items.reduce<bigint>((total, item) => int64(total + integer(item)), 0n);
  }
  if (items.every((item) => typeof item === 'number'))
    return items.reduce<number>((total, item) => total + item, 0);
  throw new TypeError('no such overload: sum of other than int and double');
}

function best(name: string, items: readonly CelValue[], sign: 1 | -1): CelInput {
  const [first, ...rest] = items;
  if (first === undefined) throw new Error(`${name} called on empty list`);
  return rest.reduce((found, item) => (compare(item, found) * sign > 0 ? item : found), first);
}

function distinct(items: readonly CelValue[]): CelValue[] {
  return items.filter((item, at) => items.findIndex((other) => equal(other, item)) === at);
}

function flat(items: readonly CelValue[], depth: bigint): CelValue[] {
  if (depth < 0n) throw new RangeError('level must be non-negative');
  return items.flatMap((item) => (isCelList(item) && depth > 0n ? flat([...item], depth - 1n) : [item]));
}

function slice(items: readonly CelValue[], start: bigint, end: bigint): CelInput {
  if (start < 0n || end < 0n) throw new RangeError('negative indexes are not supported');
  if (start > end || end > BigInt(items.length)) throw new RangeError('index out of range');
  return items.slice(Number(start), Number(end));
}

const has = (items: readonly CelValue[], wanted: CelValue): boolean =>
  items.some((item) => equal(item, wanted));
const at = (found: number): bigint => BigInt(found);

const overItems =
  (call: (items: readonly CelValue[], ...rest: CelValue[]) => CelInput) =>
  (self: CelValue | undefined, ...rest: CelValue[]): CelInput =>
    call([...list(self)], ...rest);

export const listFunctions: readonly CelFunc[] = [
  func('_==_', [DYN, DYN], BOOL, (left, right) => equal(left, right)),
  func('_!=_', [DYN, DYN], BOOL, (left, right) => !equal(left, right)),
  func('_+_', [LIST, LIST], LIST, (left, right) => concat(list(left), list(right))),
  func('@in', [DYN, LIST], BOOL, (item, items) => has([...list(items)], item)),
  method(
    'isSorted',
    LIST,
    [],
    BOOL,
    overItems((items) => items.every((item, n) => n === 0 || compare(items[n - 1] ?? null, item) <= 0)),
  ),
  method('sum', LIST, [], DYN, overItems(sum)),
  method(
    'min',
    LIST,
    [],
    DYN,
    overItems((items) => best('min', items, -1)),
  ),
  method(
    'max',
    LIST,
    [],
    DYN,
    overItems((items) => best('max', items, 1)),
  ),
  method(
    'indexOf',
    LIST,
    [DYN],
    INT,
    overItems((items, wanted) => at(items.findIndex((item) => equal(item, wanted)))),
  ),
  method(
    'lastIndexOf',
    LIST,
    [DYN],
    INT,
    overItems((items, wanted) => at(items.findLastIndex((item) => equal(item, wanted)))),
  ),
  method('distinct', LIST, [], LIST, overItems(distinct)),
  method(
    'flatten',
    LIST,
    [],
    LIST,
    overItems((items) => flat(items, 1n)),
  ),
  method(
    'flatten',
    LIST,
    [INT],
    LIST,
    overItems((items, depth) => flat(items, integer(depth))),
  ),
  method(
    'reverse',
    LIST,
    [],
    LIST,
    overItems((items) => items.toReversed()),
  ),
  method(
    'slice',
    LIST,
    [INT, INT],
    LIST,
    overItems((items, start, end) => slice(items, integer(start), integer(end))),
  ),
  method(
    'sort',
    LIST,
    [],
    LIST,
    overItems((items) => items.toSorted(compare)),
  ),
  method(
    'first',
    LIST,
    [],
    DYN,
    overItems(([first]) => (first === undefined ? none() : some(first))),
  ),
  method(
    'last',
    LIST,
    [],
    DYN,
    overItems((items) => {
      const last = items.at(-1);
      return last === undefined ? none() : some(last);
    }),
  ),
  func('lists.range', [INT], LIST, (count) => {
    if (integer(count) > 1_000_000n) throw new RangeError('range too large');
    return Array.from({ length: Math.max(0, Number(integer(count))) }, (_, n) => BigInt(n));
  }),
  func('sets.contains', [LIST, LIST], BOOL, (left, right) =>
    [...list(right)].every((item) => has([...list(left)], item)),
  ),
  func('sets.intersects', [LIST, LIST], BOOL, (left, right) =>
    [...list(right)].some((item) => has([...list(left)], item)),
  ),
  func(
    'sets.equivalent',
    [LIST, LIST],
    BOOL,
    (left, right) =>
      [...list(right)].every((item) => has([...list(left)], item)) &&
      [...list(left)].every((item) => has([...list(right)], item)),
  ),
];
