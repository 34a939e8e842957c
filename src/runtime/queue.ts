/**
 * The work queue of one controller: a key is in it once, and is never with two workers at a time.
 *
 * A key added while a worker has it is put back when the worker is done: the change that woke it came after the worker
 * had looked (client-go's workqueue has the same three sets for the same reason).
 */
import { backoff, type BackoffLimits } from './backoff.ts';
import type { Clock, Random } from './clock.ts';
import { Timers } from './timers.ts';

/** `live`: somebody changed something. `resync`: everything is looked at again; it must not delay the living. */
export type Priority = 'live' | 'resync';

/** Told what happens; for metrics. Times in ms. */
export interface QueueObserver {
  /** how many keys wait now */
  depth(priority: Priority, keys: number): void;
  added(): void;
  /** A worker has taken a key; what is returned is called when it has put it down. */
  started(waitedMs: number): () => void;
  retried(): void;
}

export interface QueueOptions {
  clock: Clock;
  random: Random;
  backoff: BackoffLimits;
  /** called when a key can be taken */
  onReady: () => void;
  observer?: QueueObserver;
}

export const defaultQueueBackoff: BackoffLimits = { minMs: 5, maxMs: 300_000 };

export class WorkQueue {
  readonly #options: QueueOptions;
  /** insertion order is the order of service; the value is when it was added */
  readonly #waiting: Record<Priority, Map<string, number>> = { live: new Map(), resync: new Map() };
  /** with a worker; the value tells the observer that it is done */
  readonly #processing = new Map<string, (() => void) | undefined>();
  /** added again while with a worker */
  readonly #again = new Map<string, Priority>();
  readonly #failures = new Map<string, number>();
  readonly #timers: Timers;
  #stopped = false;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#timers = new Timers(options.clock, (key) => {
      this.add(key);
    });
  }

  get depth(): number {
    return this.#waiting.live.size + this.#waiting.resync.size;
  }

  /** Nothing waits, runs, or is due to be retried. Wake-ups further in the future do not count. */
  get idle(): boolean {
    return this.depth === 0 && this.#processing.size === 0 && this.#failures.size === 0;
  }

  add(key: string, priority: Priority = 'live'): void {
    if (this.#stopped) return;
    if (this.#processing.has(key)) {
      if (this.#again.get(key) !== 'live') this.#again.set(key, priority);
      return;
    }
    if (this.#waiting.live.has(key)) return;
    const since = this.#waiting.resync.get(key);
    if (since !== undefined) {
      if (priority === 'resync') return;
      this.#waiting.resync.delete(key);
      this.#tellDepth('resync');
    }
    this.#waiting[priority].set(key, since ?? this.#options.clock.monotonic());
    if (since === undefined) this.#options.observer?.added();
    this.#tellDepth(priority);
    this.#options.onReady();
  }

  /** Adds the key in `ms`, in place of the wake-up it had. */
  addAfter(key: string, ms: number): void {
    if (this.#stopped) return;
    if (ms <= 0) this.add(key);
    else this.#timers.set(key, ms);
  }

  /** Adds the key after its own backoff, at least `atLeastMs`; returns the wait in ms. */
  retry(key: string, atLeastMs = 0): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#options.observer?.retried();
    const wait = Math.max(atLeastMs, backoff(failures, this.#options.backoff, this.#options.random));
    this.addAfter(key, wait);
    return wait;
  }

  /** The key went well: its next failure starts from the shortest backoff. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Takes the next key; the taker must call `done`. A wake-up it had is void: its decision sets the next one. */
  take(): string | undefined {
    for (const priority of ['live', 'resync'] as const) {
      const waiting = this.#waiting[priority];
      for (const [key, since] of waiting) {
        const { clock, observer } = this.#options;
        waiting.delete(key);
        this.#processing.set(key, observer?.started(clock.monotonic() - since));
        this.#timers.cancel(key);
        this.#tellDepth(priority);
        return key;
      }
    }
    return undefined;
  }

  done(key: string): void {
    this.#processing.get(key)?.();
    this.#processing.delete(key);
    const again = this.#again.get(key);
    this.#again.delete(key);
    if (again !== undefined) this.add(key, again);
  }

  /** Forgets everything; nothing can be added any more. */
  stop(): void {
    this.#stopped = true;
    this.#timers.stop();
    this.#waiting.live.clear();
    this.#waiting.resync.clear();
    this.#again.clear();
    this.#failures.clear();
    this.#tellDepth('live');
    this.#tellDepth('resync');
  }

  #tellDepth(priority: Priority): void {
    this.#options.observer?.depth(priority, this.#waiting[priority].size);
  }
}
