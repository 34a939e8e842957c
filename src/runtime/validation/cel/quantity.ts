/** Kubernetes' CEL library of resource quantities: after k8s.io/apimachinery/pkg/api/resource. */
import type { CelFunc, CelInput, CelValue } from '@bufbuild/cel';
import { BOOL, DOUBLE, func, INT, integer, method, STRING, text } from './functions.ts';
import { opaqueType } from './opaque.ts';

export interface Quantity {
  /** in units of 10^-9, the least that a quantity can be */
  nanos: bigint;
  /** the value where it is a whole number that fits Go's fast path */
  integer: bigint | undefined;
}

const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
/** A larger exponent would only serve to burn CPU. */
const MOST_EXPONENT = 400;
const MOST = 2n ** 63n;
const NANO = 10n ** 9n;

/** Undefined for what is no quantity; a value below a nano is rounded up to it. */
export function parseQuantity(source: string): Quantity | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(.*)$/s.exec(source);
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match ?? [];
  if (whole === '' && fraction === '') return undefined;
  const exponent = /^[eE]([+-]?\d+)$/.exec(suffix)?.[1];
  const scale = exponent === undefined ? DECIMAL[suffix] : Number(exponent);
  const shift = BINARY[suffix];
  if ((scale === undefined && shift === undefined) || Math.abs(scale ?? 0) > MOST_EXPONENT) return undefined;
  const digits = BigInt(`${whole}${fraction}`) << BigInt(shift ?? 0);
  const power = 9 + (scale ?? 0) - fraction.length;
  const nanos = power >= 0 ? digits * 10n ** BigInt(power) : ceilDivide(digits, 10n ** BigInt(-power));
  const value = sign === '-' ? -nanos : nanos;
  const isWhole = fraction === '' && (scale ?? 0) >= 0 && isFast(whole.replace(/^0+/, '').length, shift);
  return { nanos: value, integer: isWhole ? fitting(value / NANO) : undefined };
}

/** Go keeps larger values as decimals, which it never takes for integers. */
function isFast(digits: number, shift: number | undefined): boolean {
  return shift === undefined ? digits <= 18 : 15 - digits - Math.trunc((shift * 3) / 10) - 1 >= 0;
}

function fitting(value: bigint): bigint | undefined {
  return value >= -MOST && value < MOST ? value : undefined;
}

function ceilDivide(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

const quantity = opaqueType<Quantity>('kubernetes.Quantity');

function quantityOf(value: CelValue | undefined): Quantity {
  const known = quantity.unwrap(value);
  if (known !== undefined) return known;
  if (typeof value === 'bigint') return { nanos: value * NANO, integer: value };
  const parsed = parseQuantity(text(value));
  if (parsed === undefined) throw new Error(`quantities must match the regular expression: ${text(value)}`);
  return parsed;
}

function wrap(value: Quantity): CelInput {
  return quantity.wrap(value, value.nanos.toString());
}

function combined(left: Quantity, right: Quantity, sign: 1n | -1n): CelInput {
  const nanos = left.nanos + sign * right.nanos;
  const whole = left.integer !== undefined && right.integer !== undefined;
  return wrap({ nanos, integer: whole ? fitting(nanos / NANO) : undefined });
}

function order(left: CelValue | undefined, right: CelValue | undefined): bigint {
  const difference = quantityOf(left).nanos - quantityOf(right).nanos;
  return difference < 0n ? -1n : difference > 0n ? 1n : 0n;
}

const Q = quantity.type;

export const quantityFunctions: readonly CelFunc[] = [
  func('quantity', [STRING], Q, (value) => wrap(quantityOf(value))),
  func('isQuantity', [STRING], BOOL, (value) => parseQuantity(text(value)) !== undefined),
  // Documented as a method; declared, and so usable, only as a function.
  func('sign', [Q], INT, (value) => order(value, 0n)),
  method('isGreaterThan', Q, [Q], BOOL, (self, other) => order(self, other) > 0n),
  method('isLessThan', Q, [Q], BOOL, (self, other) => order(self, other) < 0n),
  method('compareTo', Q, [Q], INT, order),
  method('asApproximateFloat', Q, [], DOUBLE, (self) => Number(quantityOf(self).nanos) / 1e9),
  method('asInteger', Q, [], INT, (self) => {
    const { integer: value } = quantityOf(self);
    if (value === undefined) throw new Error('cannot convert value to integer');
    return value;
  }),
  method('isInteger', Q, [], BOOL, (self) => quantityOf(self).integer !== undefined),
  method('add', Q, [Q], Q, (self, other) => combined(quantityOf(self), quantityOf(other), 1n)),
  method('add', Q, [INT], Q, (self, other) => combined(quantityOf(self), quantityOf(integer(other)), 1n)),
  method('sub', Q, [Q], Q, (self, other) => combined(quantityOf(self), quantityOf(other), -1n)),
  method('sub', Q, [INT], Q, (self, other) => combined(quantityOf(self), quantityOf(integer(other)), -1n)),
];
