/**
 * Time and randomness as collaborators: everything in the runtime that waits, measures or draws lots takes them as
 * arguments, so that a fault run can be replayed from its seed and a test can move the hands.
 */

/** Milliseconds since the Unix epoch. */
export type Instant = number;

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock, ms since the epoch: may jump; for what users read. */
  now(): Instant;
  /** Monotonic ms: never jumps; for deadlines and leases. */
  monotonic(): number;
  /** Runs `run` once after `ms` (any length; longer than 2^31-1 ms is cut into pieces, setTimeout would fire at once). */
  after(ms: number, run: () => void): Timer;
}

/** In [0, 1). */
export type Random = () => number;

/** Above this, `setTimeout` wraps around and fires immediately. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    let handle: NodeJS.Timeout;
    const wait = (left: number): void => {
      const piece = Math.min(left, LONGEST_TIMEOUT_MS);
      handle = setTimeout(() => {
        if (left > piece) wait(left - piece);
        else run();
      }, piece);
    };
    wait(Math.max(0, ms));
    return {
      cancel: () => {
        clearTimeout(handle);
      },
    };
  },
};

export const systemRandom: Random = () => Math.random();

/** Resolves after `ms`; resolves early (never rejects) when the signal aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Metav1.Time: RFC 3339, whole seconds, UTC. */
export function timestamp(at: Instant): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
