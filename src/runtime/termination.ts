/** From the signals of the operating system to one end that always comes. */
import type { Clock } from './clock.ts';

/** What Kubernetes gives a pod by default; then it sends SIGKILL. */
export const GRACE_MS = 30_000;

export interface TerminationOptions {
  /** `process` */
  signals: { on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown };
  clock: Clock;
  /** an end that takes longer is cut short, ms */
  graceMs: number;
  /** `process.exit`, and before it whatever is to be said */
  exit: (why: string) => void;
}

/**
 * Aborts at the first SIGINT or SIGTERM. From then on a second one, or the end of the grace, ends the process as it is:
 * who asks twice does not want to wait, and what hangs would be killed anyway, without a word in the log.
 */
export function untilTerminated({ signals, clock, graceMs, exit }: TerminationOptions): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    signals.on(name, () => {
      if (stop.signal.aborted) {
        exit(`${name} while ending`);
        return;
      }
      clock.after(graceMs, () => {
        exit(`still ending after ${String(graceMs / 1000)} s`);
      });
      stop.abort();
    });
  }
  return stop.signal;
}
