/** Declares functions of Kubernetes' CEL libraries; an implementation throws for what is an error in CEL. */
import {
  celFunc,
  celMethod,
  CelScalar,
  listType,
  mapType,
  type CelFunc,
  type CelInput,
  type CelType,
  type CelValue,
} from '@bufbuild/cel';

export const { BOOL, BYTES, DOUBLE, DYN, INT, STRING, TYPE } = CelScalar;
export const LIST = listType(DYN);
export const MAP = mapType(DYN, DYN);

type Implementation = (...values: CelValue[]) => CelInput;

export function func(name: string, args: readonly CelType[], result: CelType, call: Implementation): CelFunc {
  return celFunc(name, args, result, call as never);
}

/** The receiver is the first argument of the implementation. */
export function method(
  name: string,
  target: CelType,
  args: readonly CelType[],
  result: CelType,
  call: Implementation,
): CelFunc {
  return celMethod(name, target, args, result, function (this: unknown, ...values: CelValue[]) {
    return call(this as CelValue, ...values);
  } as never);
}

export function text(value: CelValue | undefined): string {
  if (typeof value !== 'string') throw new TypeError('no such overload: a string is expected');
  return value;
}

export function integer(value: CelValue | undefined): bigint {
  if (typeof value !== 'bigint') throw new TypeError('no such overload: an int is expected');
  return value;
}

const MOST = 2n ** 63n;

export function int64(value: bigint): bigint {
  if (value < -MOST || value >= MOST) throw new RangeError('integer overflow');
  return value;
}
