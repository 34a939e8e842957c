/** Exponential backoff with full jitter: a random wait in (0, cap], the cap doubling with each failure. */
import type { Random } from './clock.ts';

export interface BackoffLimits {
  /** cap of the first wait, ms */
  minMs: number;
  /** cap of every later wait, ms */
  maxMs: number;
}

/**
 * The wait before attempt `failures + 1`, in ms (1 <= failures).
 * Full jitter spreads a herd best for the fewest calls (Brooker, "Exponential Backoff And Jitter", AWS 2015); the floor
 * of half the first cap keeps a lucky draw from turning into a hot loop.
 */
export function backoff(failures: number, { minMs, maxMs }: BackoffLimits, random: Random): number {
  const cap = Math.min(maxMs, minMs * 2 ** Math.min(failures - 1, 30));
  return Math.max(minMs / 2, random() * cap);
}
