import { describe, expect, it } from '@jest/globals';
import { sleep, systemClock, timestamp } from '../../../src/runtime/clock.ts';
import { manualClock } from '../clock.ts';

const turn = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('the system clock', () => {
  it('does not fire a timer of more than 2^31-1 ms at once, and cancels it', async () => {
    let fired = 0;
    const timers = [2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER].map((ms) =>
      systemClock.after(ms, () => (fired += 1)),
    );
    await turn(50);
    expect(fired).toBe(0);
    for (const timer of timers) timer.cancel();
  });

  it('fires a short timer once, a negative one at once, a cancelled one never', async () => {
    const fired: string[] = [];
    systemClock.after(5, () => fired.push('short'));
    systemClock.after(-1, () => fired.push('negative'));
    systemClock.after(5, () => fired.push('cancelled')).cancel();
    await turn(50);
    expect(fired).toEqual(['negative', 'short']);
  });

  it('measures what passes, whatever the wall clock says', async () => {
    const before = systemClock.monotonic();
    await turn(20);
    const passed = systemClock.monotonic() - before;
    expect(passed).toBeGreaterThanOrEqual(19);
    expect(passed).toBeLessThan(5_000);
  });
});

describe('sleep', () => {
  it('ends when its time has come, not before', async () => {
    const clock = manualClock();
    let awake = false;
    void sleep(clock, 1_000).then(() => (awake = true));
    clock.advance(999);
    await turn();
    expect(awake).toBe(false);
    clock.advance(1);
    await turn();
    expect(awake).toBe(true);
  });

  it('ends early, without an error, when the signal says so: during it or before', async () => {
    const end = new AbortController();
    const sleeping = sleep(manualClock(), 1_000, end.signal);
    end.abort();
    await sleeping;
    await sleep(manualClock(), 1_000, end.signal);
  });

  it('leaves neither a timer nor a listener behind', async () => {
    const clock = manualClock();
    let cancelled = 0;
    const counting = {
      ...clock,
      after: (ms: number, run: () => void) => {
        const timer = clock.after(ms, run);
        return {
          cancel: () => {
            cancelled += 1;
            timer.cancel();
          },
        };
      },
    };
    const end = new AbortController();
    const { signal } = end;
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      listeners += 1;
      add(...given);
    };
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...given);
    };
    const first = sleep(counting, 1_000, signal);
    clock.advance(1_000);
    await first;
    expect(listeners).toBe(0);
    const second = sleep(counting, 1_000, signal);
    end.abort();
    await second;
    expect(cancelled).toBe(2);
  });
});

describe('timestamp', () => {
  it('is RFC 3339 in whole seconds, rounded down', () => {
    expect(timestamp(Date.UTC(2026, 1, 3, 4, 5, 6, 999))).toBe('2026-02-03T04:05:06Z');
  });
});
