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

/** Lets everything run that waits for nothing but its turn. */
export async function turns(count = 5): Promise<void> {
  for (let at = 0; at < count; at += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Moves the hands in steps, giving what wakes up the time to go to sleep again. */
export async function pass(clock: ManualClock, ms: number, stepMs = 100): Promise<void> {
  await turns();
  for (let left = ms; left > 0; left -= stepMs) {
    clock.advance(Math.min(stepMs, left));
    await turns();
  }
}
