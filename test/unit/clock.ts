/** A clock whose hands the test moves. */
import type { Clock } from '../../src/runtime/clock.ts';

export interface ManualClock extends Clock {
  /** Moves on and fires what is due, in order. */
  advance(ms: number): void;
}

export function manualClock(start = 1_800_000_000_000): ManualClock {
  let passed = 0;
  const due: { at: number; run: () => void; cancelled: boolean }[] = [];
  return {
    now: () => start + passed,
    monotonic: () => passed,
    after(ms, run) {
      const entry = { at: passed + Math.max(0, ms), run, cancelled: false };
      due.push(entry);
      return {
        cancel: () => {
          entry.cancelled = true;
        },
      };
    },
    advance(ms) {
      const end = passed + ms;
      for (;;) {
        const next = due
          .filter(({ at, cancelled }) => !cancelled && at <= end)
          .sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        due.splice(due.indexOf(next), 1);
        passed = Math.max(passed, next.at);
        next.run();
      }
      passed = end;
    },
  };
}
