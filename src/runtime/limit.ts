/** How long one request may go on: until somebody's signal, or until its time is up. */
import { deadline, type Clock, type Deadline } from './clock.ts';
import { ApiError, isApiError } from './errors.ts';

export interface Limit extends Pick<Deadline, 'signal' | 'lift' | 'free'> {
  /**
   * What the caller is to hear. However the transport words it (the body of an aborted request ends as "connection
   * reset"), a request that its caller gave up is `aborted`, and one without an answer in time is `transient`.
   */
  reason(error: unknown, what: string): unknown;
}

/** Ends after `ms`, or together with one of the sources. */
export function limited(clock: Clock, ms: number, sources: readonly (AbortSignal | undefined)[]): Limit {
  const { signal, expired, lift, free } = deadline(clock, ms, ...sources);
  return {
    signal,
    lift,
    free,
    reason(error, what) {
      const unanswered = isApiError(error, 'transient', 'aborted') && error.code === 0;
      if (!unanswered || !signal.aborted) return error;
      return expired()
        ? new ApiError('transient', `${what}: no answer in time`, { cause: error })
        : new ApiError('aborted', `${what}: cancelled`, { cause: error });
    },
  };
}
