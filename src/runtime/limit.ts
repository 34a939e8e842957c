/** How long one request may go on: until somebody's signal, or until its time is up. */
import type { Clock } from './clock.ts';
import { ApiError, isApiError } from './errors.ts';

export interface Limit {
  signal: AbortSignal;
  /**
   * What the caller is to hear. However the transport words it (the body of an aborted request ends as "connection
   * reset"), a request that its caller gave up is `aborted`, and one without an answer in time is `transient`.
   */
  reason(error: unknown, what: string): unknown;
  /** From here on, only the signals count: a stream has begun. */
  lift(): void;
  readonly free: () => void;
}

/**
 * A signal that follows others and a time limit until it is freed. AbortSignal.timeout and AbortSignal.any would do the
 * same and live on for the whole limit after each request: a quarter of the CPU of a busy operator, measured.
 */
export function limited(clock: Clock, ms: number, sources: readonly (AbortSignal | undefined)[]): Limit {
  const limit = new AbortController();
  let expired = false;
  const abort = (): void => {
    limit.abort();
  };
  const timer = clock.after(ms, () => {
    expired = true;
    abort();
  });
  for (const source of sources) {
    if (source?.aborted === true) abort();
    source?.addEventListener('abort', abort, { once: true });
  }
  return {
    signal: limit.signal,
    reason(error, what) {
      const unanswered = isApiError(error, 'transient', 'aborted') && error.code === 0;
      if (!unanswered || !limit.signal.aborted) return error;
      return expired
        ? new ApiError('transient', `${what}: no answer in time`, { cause: error })
        : new ApiError('aborted', `${what}: cancelled`, { cause: error });
    },
    lift: () => {
      timer.cancel();
    },
    free: () => {
      timer.cancel();
      for (const source of sources) source?.removeEventListener('abort', abort);
    },
  };
}
