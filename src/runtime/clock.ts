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

/** A signal with a time limit. */
export interface Deadline {
  signal: AbortSignal;
  /** whether it was the time that ended it */
  expired: () => boolean;
  /** From here on, only the signals count. */
  lift: () => void;
  /** Must be called when the limit does not matter any more: the timer and the listeners end with it. */
  free: () => void;
}

/**
 * Aborts after `ms`, or together with one of `signals`. AbortSignal.timeout and AbortSignal.any would do the same by the
 * real clock only, and live on for the whole limit after each request: a quarter of the CPU of a busy operator, measured.
 */
export function deadline(
  clock: Clock,
  ms: number,
  ...signals: readonly (AbortSignal | undefined)[]
): Deadline {
  const limit = new AbortController();
  let expired = false;
  const abort = (): void => {
    limit.abort();
  };
  const timer = clock.after(ms, () => {
    expired = true;
    abort();
  });
  for (const signal of signals) {
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
  }
  return {
    signal: limit.signal,
    expired: () => expired,
    lift: () => {
      timer.cancel();
    },
    free: () => {
      timer.cancel();
      for (const signal of signals) signal?.removeEventListener('abort', abort);
    },
  };
}

/** Metav1.Time: RFC 3339, whole seconds, UTC. */
export function timestamp(at: Instant): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
