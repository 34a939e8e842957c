/** numbers.range_step */
import { type RegoValue, numberOf } from '../values.ts';
import { type Family, bigIntOf, fail } from './builtin.ts';

/** More than a module has memory for. */
const LONGEST = 2n ** 21n;

export const numbers: Family = {
  'numbers.range_step': ([from, to, step]) => range(bigIntOf(from), bigIntOf(to), bigIntOf(step)),
};

/** Upwards or downwards, whichever leads to the end. */
function range(from: bigint, to: bigint, step: bigint): RegoValue[] {
  if (step <= 0n) fail('step must be a positive integer');
  const length = (from < to ? to - from : from - to) / step + 1n;
  if (length > LONGEST) throw new RangeError(`no memory for a range of ${String(length)} numbers`);
  const signed = from <= to ? step : -step;
  return Array.from({ length: Number(length) }, (_none, at) => numberOf(from + BigInt(at) * signed));
}
