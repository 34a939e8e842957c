/** Workers that take keys from a queue and reconcile them, one worker to a key. Knows no kind and no API. */
import type { Clock } from './clock.ts';
import { ApiError, isApiError, messageOf } from './errors.ts';
import type { Log } from './log.ts';
import type { WorkQueue } from './queue.ts';

/** What a reconcile came to. */
export type Result =
  | { type: 'done' }
  /** not an error: look again in `ms` */
  | { type: 'wait'; ms: number; reason: string }
  /** transient: look again after the key's backoff */
  | { type: 'retry'; error: unknown }
  /** nothing will change until somebody edits the resource: look again at its next generation */
  | { type: 'stall'; reason: string; generation: number };

export type Reconcile = (key: string, signal: AbortSignal) => Promise<Result>;

/** Told what happens; for metrics. Times in ms. */
export interface ControllerObserver {
  started(): void;
  finished(result: Result['type'], tookMs: number): void;
}

export interface ControllerOptions {
  name: string;
  queue: WorkQueue;
  reconcile: Reconcile;
  /** the generation of a resource, undefined when it is gone: lifts a stall */
  generationOf: (key: string) => number | undefined;
  concurrency: number;
  /** a reconcile is aborted after this */
  timeoutMs: number;
  clock: Clock;
  log: Log;
  observer?: ControllerObserver;
}

export class Controller {
  readonly #options: ControllerOptions;
  readonly #stalled = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #active = 0;
  #signal: AbortSignal | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  get idle(): boolean {
    return this.#active === 0 && this.#options.queue.idle;
  }

  start(signal: AbortSignal): void {
    this.#signal = signal;
    this.pump();
  }

  /** To be called whenever the queue has something to take. */
  pump(): void {
    const { queue, concurrency } = this.#options;
    while (this.#signal?.aborted === false && this.#active < concurrency) {
      const key = queue.take();
      if (key === undefined) return;
      const run = this.#work(key, this.#signal).finally(() => this.#running.delete(run));
      this.#running.add(run);
    }
  }

  /** Resolves when every worker has put down what it had. */
  async drained(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #work(key: string, signal: AbortSignal): Promise<void> {
    const { queue, clock, observer } = this.#options;
    this.#active += 1;
    observer?.started();
    const started = clock.monotonic();
    const result = await this.#reconcile(key, signal);
    observer?.finished(result.type, clock.monotonic() - started);
    this.#active -= 1;
    queue.done(key);
    if (!signal.aborted) this.#follow(key, result);
    this.pump();
  }

  async #reconcile(key: string, term: AbortSignal): Promise<Result> {
    const { reconcile, generationOf, clock, timeoutMs } = this.#options;
    const stalledAt = this.#stalled.get(key);
    if (stalledAt !== undefined) {
      if (generationOf(key) === stalledAt) return { type: 'done' };
      this.#stalled.delete(key);
    }
    const timeout = new AbortController();
    const abort = (): void => {
      timeout.abort();
    };
    term.addEventListener('abort', abort, { once: true });
    const timer = clock.after(timeoutMs, abort);
    try {
      return await reconcile(key, timeout.signal);
    } catch (error) {
      return { type: 'retry', error };
    } finally {
      timer.cancel();
      term.removeEventListener('abort', abort);
    }
  }

  #follow(key: string, result: Result): void {
    const { queue, log, name } = this.#options;
    if (result.type !== 'retry') queue.forget(key);
    switch (result.type) {
      case 'done':
        return;
      case 'wait':
        queue.addAfter(key, result.ms);
        return;
      case 'stall': {
        // The generation that was decided on, not the newest: an edit in between must be looked at.
        this.#stalled.set(key, result.generation);
        log.warn('stalled until it is edited', { controller: name, key, reason: result.reason });
        return;
      }
      case 'retry': {
        const retryAfter = result.error instanceof ApiError ? result.error.retryAfterMs : undefined;
        const inMs = Math.round(queue.retry(key, retryAfter));
        // Somebody else wrote first: the ordinary course of things, not a fault.
        const level = isApiError(result.error, 'conflict', 'aborted') ? 'debug' : 'error';
        log[level]('reconcile failed, retrying', {
          controller: name,
          key,
          inMs,
          error: messageOf(result.error),
        });
      }
    }
  }
}
