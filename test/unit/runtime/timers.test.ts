import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Timers } from '../../../src/runtime/timers.ts';
import { manualClock } from '../clock.ts';

describe('Timers', () => {
  it('fires every key once, in the order of their times, whatever was set, replaced and cancelled', () => {
    const command = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      ms: fc.integer({ min: 1, max: 500 }),
      cancel: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const clock = manualClock();
        const fired: { key: string; at: number }[] = [];
        const timers = new Timers(clock, (key) => {
          fired.push({ key, at: clock.monotonic() });
        });
        const expected = new Map<string, number>();
        for (const { key, ms, cancel } of commands) {
          if (cancel) {
            timers.cancel(key);
            expected.delete(key);
          } else {
            timers.set(key, ms);
            expected.set(key, ms);
          }
        }
        clock.advance(1_000);
        expect(new Map(fired.map(({ key, at }) => [key, at]))).toEqual(expected);
        expect(fired).toHaveLength(expected.size);
        expect(fired.map(({ at }) => at)).toEqual([...expected.values()].sort((a, b) => a - b));
      }),
    );
  });
});
