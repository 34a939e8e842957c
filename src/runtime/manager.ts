/**
 * Runs kinds: caches on every replica, controllers on the leader, one after the other in each term.
 */
import type { Cache } from './cache/cache.ts';
import type { Informer } from './cache/informer.ts';
import type { Change } from './cache/store.ts';
import type { Client } from './client.ts';
import { sleep, type Clock, type Random } from './clock.ts';
import { Controller, type ControllerObserver } from './controller.ts';
import type { EventTeller } from './events.ts';
import type { AnyKind, Reader } from './kind.ts';
import { elect, type LeaderSettings, type Term } from './leader.ts';
import type { Log } from './log.ts';
import { defaultQueueBackoff, WorkQueue, type Priority, type QueueObserver } from './queue.ts';
import { Memory, Pipeline, specOf } from './reconcile.ts';
import { typeName, type KubernetesObject } from './resource.ts';
import { backoff, type BackoffLimits } from './backoff.ts';

/** Ends soon after the term's signal; started again, after a while, when it throws before. */
export type Duty = (term: Term, client: Client) => Promise<void>;

export interface ManagerOptions {
  client: Client;
  cache: Cache;
  kinds: readonly AnyKind[];
  /** what else only the leader does */
  duties?: readonly Duty[];
  /** the Events of a term, written by its guarded client */
  events: (client: Client) => EventTeller;
  leader: { name: string; namespace: string; identity: string; settings: LeaderSettings };
  fieldManager: string;
  reconcileTimeoutMs: number;
  queueBackoff?: BackoffLimits;
  clock: Clock;
  random: Random;
  log: Log;
  observe?: (
    controller: string,
    concurrency: number,
  ) => { queue: QueueObserver; controller: ControllerObserver };
  /** told when this replica begins and ends to lead */
  onLeading?: (leading: boolean) => void;
}

const DEFAULT_CONCURRENCY = 4;
const DUTY_BACKOFF: BackoffLimits = { minMs: 1_000, maxMs: 60_000 };
/** What has not ended by then is left behind: its writes are refused, and the lease must not wait for it. */
const DRAIN_PATIENCE_MS = 10_000;

export class Manager {
  readonly #options: ManagerOptions;
  readonly #memories = new Map<AnyKind, Memory>();
  #controllers: Controller[] = [];

  constructor(options: ManagerOptions) {
    this.#options = options;
    // Asked for before the caches start, so that "synced" means all of them.
    for (const kind of options.kinds) {
      this.#informersOf(kind);
      this.#memories.set(kind, new Memory(options.cache.informer(kind.type), options.clock));
    }
  }

  /** Whether there is nothing left to do, on the leader. */
  get idle(): boolean {
    return this.#controllers.length > 0 && this.#controllers.every((controller) => controller.idle);
  }

  /** Contends for the lease and leads whenever it holds it; resolves when the signal aborted and the lease is released. */
  async run(signal: AbortSignal): Promise<void> {
    const { cache, leader, client, clock, random, log, onLeading } = this.#options;
    onLeading?.(false);
    cache.start();
    if (!(await cache.whenSynced(signal))) return;
    await elect({ client, cache, ...leader, clock, random, log, lead: (term) => this.#lead(term) }, signal);
  }

  async #lead(term: Term): Promise<void> {
    const { client, events, kinds, duties, onLeading } = this.#options;
    const guarded = client.guarded(term.mayWrite, term.signal);
    const teller = events(guarded);
    onLeading?.(true);
    if (term.inherited) await this.#catchUp(term.signal);
    const ends = term.signal.aborted ? [] : kinds.map((kind) => this.#control(kind, guarded, teller, term));
    const others = (duties ?? []).map((duty) => this.#perform(duty, term, guarded));
    await new Promise<void>((resolve) => {
      if (term.signal.aborted) resolve();
      term.signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
    });
    this.#controllers = [];
    onLeading?.(false);
    await this.#drain(Promise.all([...ends.map((end) => end()), ...others, teller.flush()]));
  }

  async #drain(work: Promise<unknown>): Promise<void> {
    const { clock, log } = this.#options;
    const drained = await new Promise<boolean>((resolve, reject) => {
      const timer = clock.after(DRAIN_PATIENCE_MS, () => {
        resolve(false);
      });
      work
        .then(() => {
          resolve(true);
        }, reject)
        .finally(() => {
          timer.cancel();
        });
    });
    if (!drained) log.error('some work of the term goes on after its end; it can write nothing any more');
  }

  /** One duty's fault is not the others', nor the process's. */
  async #perform(duty: Duty, term: Term, client: Client): Promise<void> {
    const { clock, random, log } = this.#options;
    const over = (): boolean => term.signal.aborted;
    for (let failures = 1; !over(); failures += 1) {
      try {
        await duty(term, client);
        return;
      } catch (error) {
        if (over()) return;
        log.error('a duty of the leader failed', { error });
        await sleep(clock, backoff(failures, DUTY_BACKOFF, random), term.signal);
      }
    }
  }

  /**
   * A term that follows another begins with caches that hold all that was written in it. A watch may lag behind, and a
   * decision without what the last leader had just made would take a resource for one that nothing was made for.
   */
  async #catchUp(signal: AbortSignal): Promise<void> {
    const informers = new Set(this.#options.kinds.flatMap((kind) => [...this.#informersOf(kind).values()]));
    await Promise.all([...informers].map((informer) => informer.refresh(signal)));
  }

  /** Starts the controller of one kind; returns the way to end it. */
  #control(kind: AnyKind, client: Client, teller: EventTeller, term: Term): () => Promise<void> {
    const { cache, clock, random, log, fieldManager, reconcileTimeoutMs, observe, queueBackoff } =
      this.#options;
    const name = kind.type.kind.toLowerCase();
    const concurrency = kind.concurrency ?? DEFAULT_CONCURRENCY;
    const observers = observe?.(name, concurrency);
    const informer = cache.informer(kind.type);
    const declared = this.#informersOf(kind);
    const pipeline = new Pipeline({
      kind,
      informer,
      memory: this.#memories.get(kind) ?? new Memory(informer, clock),
      reader: this.#readerOf(kind),
      watched: (type) => declared.get(typeName(type)),
      client,
      clock,
      fieldManager,
      tell: (resource, note) => {
        teller.tell(resource, note);
      },
    });
    const queue = new WorkQueue({
      clock,
      random,
      backoff: queueBackoff ?? defaultQueueBackoff,
      onReady: () => {
        controller.pump();
      },
      ...(observers === undefined ? {} : { observer: observers.queue }),
    });
    const controller = new Controller({
      name,
      queue,
      reconcile: (key, signal) => pipeline.reconcile(key, signal),
      specOf: (key) => {
        const resource = informer.get(key);
        return resource === undefined ? undefined : specOf(resource);
      },
      concurrency,
      timeoutMs: reconcileTimeoutMs,
      clock,
      log,
      ...(observers === undefined ? {} : { observer: observers.controller }),
    });
    const unlisten = this.#listen(kind, informer, pipeline, queue);
    // One that went between two terms, in spite of its finalizer, is in no cache: nobody else would tell of it.
    for (const key of pipeline.heldKeys()) queue.add(key, 'resync');
    this.#controllers.push(controller);
    controller.start(term.signal);
    return async () => {
      unlisten();
      queue.stop();
      await controller.drained();
    };
  }

  #listen(kind: AnyKind, informer: Informer, pipeline: Pipeline, queue: WorkQueue): () => void {
    // What is there already is looked at again without delaying what changes meanwhile.
    let priority: Priority = 'resync';
    const unlisten = [
      informer.listen((change) => {
        if (change.type === 'updated' && pipeline.isEcho(change.object)) return;
        queue.add(change.key, priority);
      }),
      ...kind.watches.map((watch) =>
        this.#options.cache
          .informer(watch.type, watch.selection)
          .listen((change: Change<KubernetesObject>) => {
            // At the start every resource of the kind is in the queue already.
            if (priority === 'live') for (const key of watch.map(change)) queue.add(key);
          }),
      ),
    ];
    priority = 'live';
    return () => {
      for (const stop of unlisten) stop();
    };
  }

  #informersOf(kind: AnyKind): Map<string, Informer> {
    const { cache } = this.#options;
    const watched = kind.watches.map((watch) => cache.informer(watch.type, watch.selection));
    return new Map(
      [cache.informer(kind.type), ...watched].map((informer) => [typeName(informer.type), informer]),
    );
  }

  /** Reads only what the kind declared: an undeclared type would not be synced when it is read. */
  #readerOf(kind: AnyKind): (signal: AbortSignal) => Reader {
    const { cache } = this.#options;
    const declared = this.#informersOf(kind);
    return (signal) => ({
      signal,
      of: (type, selection) => {
        if (!declared.has(typeName(type))) {
          throw new Error(
            `${kind.type.kind} reads ${typeName(type)} but does not watch it: add it to its watches`,
          );
        }
        return cache.informer(type, selection);
      },
    });
  }
}
