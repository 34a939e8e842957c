import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoff } from '../../../src/runtime/backoff.ts';
import { defaultReflectorSettings } from '../../../src/runtime/cache/reflector.ts';
import { defaultQueueBackoff } from '../../../src/runtime/queue.ts';
import { seeded } from '../random.ts';

describe('backoff', () => {
  const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  it.each([
    ['watches: 0.8 to 30 s', defaultReflectorSettings.backoff, 800, 30_000],
    ['queues: up to 5 min', defaultQueueBackoff, 2.5, 300_000],
  ])('stays in its bounds after any number of failures (%s)', (_whose, limits, least, most) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), draw, (failures, drawn) => {
        const wait = backoff(failures, limits, () => drawn);
        expect(wait).toBeGreaterThanOrEqual(least);
        expect(wait).toBeLessThanOrEqual(most);
      }),
    );
  });

  it('doubles its cap with each failure', () => {
    const caps = [1, 2, 3, 4, 5].map((failures) => backoff(failures, { minMs: 10, maxMs: 100 }, () => 1));
    expect(caps).toEqual([10, 20, 40, 80, 100]);
  });

  it.each([1, 2, 6])('spreads a herd evenly: no moment is crowded (failure %d)', (failures) => {
    const random = seeded(7);
    const limits = { minMs: 1_000, maxMs: 10_000 };
    const [low, high] = [backoff(failures, limits, () => 0), backoff(failures, limits, () => 1)];
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let member = 0; member < 10_000; member += 1) {
      const wait = backoff(failures, limits, random);
      const tenth = Math.min(9, Math.floor(((wait - low) / (high - low)) * 10));
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    expect(Math.max(...tenths)).toBeLessThan(1_200);
    expect(Math.min(...tenths)).toBeGreaterThan(800);
  });
});
