/** Exponential backoff with jitter: a random wait below a cap that doubles with each failure. */
import type { Random } from './clock.ts';

export interface BackoffLimits {
  /** cap of the first wait, ms; no wait is shorter than half of it */
  minMs: number;
  /** cap of every later wait, ms */
  maxMs: number;
}

/**
 * The wait before attempt `failures + 1`, in ms (1 <= failures).
 * Full jitter spreads a herd best for the fewest calls (Brooker, "Exponential Backoff And Jitter", AWS 2015); the floor
 * of half the first cap keeps a lucky draw from turning into a hot loop. The draw is stretched over what is above the
 * floor, not cut off at it: else half of a herd would take its first wait at the very same moment.
 */
export function backoff(failures: number, { minMs, maxMs }: BackoffLimits, random: Random): number {
  const cap = Math.min(maxMs, minMs * 2 ** Math.min(failures - 1, 30));
  const floor = minMs / 2;
  return floor + random() * (cap - floor);
}
