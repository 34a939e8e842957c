/** A store that follows the server, and those who listen to it. */
import type { Client } from '../client.ts';
import type { Clock, Random } from '../clock.ts';
import { isApiError, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { typeName, type Key, type KubernetesObject, type ResourceType } from '../resource.ts';
import { Doubt } from './doubt.ts';
import { reflect, type ReflectorSettings, type Selection } from './reflector.ts';
import { Store, type Change, type IndexFunction } from './store.ts';
import { isNewer } from './version.ts';

export type Listener<T> = (change: Change<T>) => void;

/** What may be read of an informer. Objects are shared and must never be written to. */
export interface Lister<T extends KubernetesObject = KubernetesObject> {
  get(key: Key): T | undefined;
  list(): T[];
  byIndex(name: string, value: string): T[];
}

export interface InformerEnvironment {
  client: Client;
  clock: Clock;
  random: Random;
  log: Log;
  settings: ReflectorSettings;
  /** of namespaced types, only what is in this namespace; absent: all namespaces */
  namespace?: string;
  /** deep-freeze what is cached: a test then catches whoever writes to a shared object */
  freeze: boolean;
}

export class Informer<T extends KubernetesObject = KubernetesObject> implements Lister<T> {
  readonly type: ResourceType;
  readonly #store = new Store<T>();
  readonly #listeners = new Set<Listener<T>>();
  readonly #environment: InformerEnvironment;
  readonly #selection: Selection;
  readonly #waiting = new Set<() => void>();
  readonly #doubt = new Doubt();
  #running: Promise<void> | undefined;
  #stop = new AbortController();

  constructor(type: ResourceType, selection: Selection, environment: InformerEnvironment) {
    this.type = type;
    this.#selection = selection;
    this.#environment = environment;
  }

  get synced(): boolean {
    return this.#store.version !== undefined;
  }

  get version(): string | undefined {
    return this.#store.version;
  }

  get size(): number {
    return this.#store.size;
  }

  get(key: Key): T | undefined {
    return this.#store.get(key);
  }

  list(): T[] {
    return this.#store.list();
  }

  byIndex(name: string, value: string): T[] {
    return this.#store.byIndex(name, value);
  }

  addIndex(name: string, of: IndexFunction<T>): void {
    this.#store.addIndex(name, of);
  }

  /** Tells the listener of all there is, then of every change. Returns the way to stop listening. */
  listen(listener: Listener<T>): () => void {
    for (const key of this.#store.keys()) {
      const object = this.#store.get(key);
      if (object !== undefined) this.#tell(listener, { type: 'added', key, object });
    }
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Whether the cache holds what a write of ours produced, or something later. */
  hasSeen(version: string): boolean {
    return this.#store.version !== undefined && !isNewer(version, this.#store.version);
  }

  /** Idempotent. */
  start(): void {
    this.#running ??= reflect(
      {
        client: this.#environment.client,
        type: this.type,
        selection: this.#selection,
        store: this.#store,
        clock: this.#environment.clock,
        random: this.#environment.random,
        doubt: this.#doubt,
        settings: this.#environment.settings,
        transform: (object) => this.#kept(object),
        onChanges: (changes) => {
          for (const change of changes) for (const listener of this.#listeners) this.#tell(listener, change);
        },
        onProgress: () => {
          for (const look of [...this.#waiting]) look();
        },
        onError: (error) => {
          this.#report(error);
        },
      },
      this.#stop.signal,
    );
  }

  /**
   * Lists anew: resolves true when the store holds all that had been written when this was called, false when the
   * signal aborts first.
   */
  refresh(signal: AbortSignal): Promise<boolean> {
    const ticket = this.#doubt.raise();
    return this.until(() => this.#doubt.isSettled(ticket), signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Resolves true once `holds()` is true, looking after every step of the watch; false when the signal aborts first. */
  until(holds: () => boolean, signal: AbortSignal): Promise<boolean> {
    if (holds()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const finish = (result: boolean): void => {
        this.#waiting.delete(look);
        signal.removeEventListener('abort', abort);
        resolve(result);
      };
      const look = (): void => {
        if (holds()) finish(true);
      };
      const abort = (): void => {
        finish(holds());
      };
      this.#waiting.add(look);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
    });
  }

  #kept(object: T): T {
    const kept = this.#selection.managedFields === true ? object : withoutManagedFields(object);
    return this.#environment.freeze ? deepFreeze(kept) : kept;
  }

  /** One listener's fault is not the others'. */
  #tell(listener: Listener<T>, change: Change<T>): void {
    try {
      listener(change);
    } catch (error) {
      this.#environment.log.error('a listener of the cache failed', {
        type: typeName(this.type),
        key: change.key,
        error,
      });
    }
  }

  #report(error: unknown): void {
    const level = isApiError(error, 'gone') ? 'debug' : 'warn';
    this.#environment.log[level]('watch interrupted, resuming', {
      type: typeName(this.type),
      error: messageOf(error),
    });
  }
}

/** Who wrote which field is half of an object's bytes and no business of ours. */
function withoutManagedFields<T extends KubernetesObject>(object: T): T {
  if (object.metadata.managedFields === undefined) return object;
  // A copy and not `delete`: deleting turns the object into a dictionary, slower and larger for as long as it lives.
  const { managedFields: _dropped, ...metadata } = object.metadata;
  object.metadata = metadata;
  return object;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
