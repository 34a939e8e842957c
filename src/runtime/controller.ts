/** Workers that take keys from a queue and reconcile them, one worker to a key. Knows no kind and no API. */
import { deadline, type Clock } from './clock.ts';
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
  /** nothing will change until somebody edits the resource: look again when `specOf` says something else than `spec` */
  | { type: 'stall'; reason: string; spec: string };

export type Reconcile = (key: string, signal: AbortSignal) => Promise<Result>;

/** Told what happens; for metrics. Times in ms. */
export interface ControllerObserver {
  started(): void;
  finished(result: Result['type'], tookMs: number, mishap?: Mishap): void;
}

/** `timeout`: it was aborted for taking too long. `exception`: it threw what no API call throws, a fault of ours. */
export type Mishap = 'timeout' | 'exception';

export interface ControllerOptions {
  name: string;
  queue: WorkQueue;
  reconcile: Reconcile;
  /** names the spec that is stored now (a uid and a generation), undefined when it is gone: a new one lifts a stall */
  specOf: (key: string) => string | undefined;
  concurrency: number;
  /** a reconcile is aborted after this */
  timeoutMs: number;
  clock: Clock;
  log: Log;
  observer?: ControllerObserver;
}

export class Controller {
  readonly #options: ControllerOptions;
  readonly #stalled = new Map<string, string>();
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
      const run = this.#work(key, this.#signal)
        .catch((error: unknown) => {
          this.#options.log.error('a worker failed', { controller: this.#options.name, key, error });
        })
        .finally(() => this.#running.delete(run));
      this.#running.add(run);
    }
  }

  /** Resolves when every worker has put down what it had. */
  async drained(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #work(key: string, term: AbortSignal): Promise<void> {
    const { queue, clock, observer } = this.#options;
    this.#active += 1;
    observer?.started();
    const started = clock.monotonic();
    const { result, mishap } = await this.#reconcile(key, term);
    observer?.finished(result.type, clock.monotonic() - started, mishap);
    this.#active -= 1;
    // Before the key is given back: the next worker to take it voids the wake-up that is set here.
    if (!term.aborted) this.#follow(key, result);
    queue.done(key);
    this.pump();
  }

  async #reconcile(key: string, term: AbortSignal): Promise<{ result: Result; mishap?: Mishap | undefined }> {
    const { reconcile, specOf, clock, timeoutMs } = this.#options;
    const stalledAt = this.#stalled.get(key);
    if (stalledAt !== undefined) {
      if (specOf(key) === stalledAt) return { result: { type: 'done' } };
      this.#stalled.delete(key);
    }
    const limit = deadline(clock, timeoutMs, term);
    try {
      return { result: await reconcile(key, limit.signal) };
    } catch (error) {
      if (limit.expired()) {
        const late = new Error(`no result within ${String(timeoutMs)} ms: ${messageOf(error)}`);
        return { result: { type: 'retry', error: late }, mishap: 'timeout' };
      }
      const mishap = error instanceof ApiError ? undefined : 'exception';
      return { result: { type: 'retry', error }, mishap };
    } finally {
      limit.free();
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
        // What was decided on, not what is newest: an edit in between must be looked at.
        this.#stalled.set(key, result.spec);
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
