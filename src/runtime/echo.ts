/**
 * Read your own writes. A write of ours comes back through the watch; until it has, the cache is older than what we
 * know, and a decision from it would repeat or contradict what was just done: the key waits.
 *
 * A write to an object of a watched type counts too: a resource must not be let go because the cache has not yet seen
 * what was made for it. Should the kind's selection not hold that object, the next bookmark (a minute) ends the wait.
 */
import type { Informer } from './cache/informer.ts';
import { deadline, type Clock } from './clock.ts';
import { isApiError } from './errors.ts';
import { keyOf, type Key, type KubernetesObject } from './resource.ts';

/** How long a key waits before it asks again. The watch normally takes milliseconds. */
const PATIENCE_MS = 1_000;

interface Expected {
  informer: Informer;
  version: string;
}

interface Uncertain {
  informer: Informer;
  /** the object as the server has it; throws notFound when there is none */
  read: (signal: AbortSignal) => Promise<KubernetesObject>;
}

export class Echoes {
  readonly #own: Informer;
  readonly #clock: Clock;
  /** the version of our last write of a key, until it has been seen */
  readonly #written = new Map<Key, string>();
  readonly #effects = new Map<Key, Expected[]>();
  readonly #uncertain = new Map<Key, Uncertain[]>();

  constructor(own: Informer, clock: Clock) {
    this.#own = own;
    this.#clock = clock;
  }

  /** The resource itself was written. */
  wrote({ metadata }: KubernetesObject): void {
    if (metadata.resourceVersion !== undefined) this.#written.set(keyOf(metadata), metadata.resourceVersion);
  }

  /** An object that belongs to the key's resource was written. */
  wroteOther(key: Key, informer: Informer, { metadata }: KubernetesObject): void {
    if (metadata.resourceVersion !== undefined)
      append(this.#effects, key, { informer, version: metadata.resourceVersion });
  }

  /** The answer to a write was lost: whether it was carried out only the server knows. */
  lostAnswer(key: Key, informer: Informer, read: Uncertain['read']): void {
    append(this.#uncertain, key, { informer, read });
  }

  /** Whether this event of the cache is nothing but the echo of our own write: it says nothing new. */
  isEcho({ metadata }: KubernetesObject): boolean {
    return this.#written.get(keyOf(metadata)) === metadata.resourceVersion;
  }

  /** The resource is gone from the cache: so is what we knew of it. */
  forget(key: Key): void {
    this.#written.delete(key);
    this.#effects.delete(key);
    this.#uncertain.delete(key);
  }

  /** Resolves true when the caches hold what we wrote for this key; throws when a lost answer cannot be looked up. */
  async seen(key: Key, signal: AbortSignal): Promise<boolean> {
    await this.#lookUp(key, signal);
    const own = this.#written.get(key);
    if (own !== undefined && !(await this.#within(this.#own, own, signal))) return false;
    this.#written.delete(key);
    for (const { informer, version } of this.#effects.get(key) ?? [])
      if (!(await this.#within(informer, version, signal))) return false;
    this.#effects.delete(key);
    return true;
  }

  async #lookUp(key: Key, signal: AbortSignal): Promise<void> {
    for (const { informer, read } of this.#uncertain.get(key) ?? []) {
      try {
        this.wroteOther(key, informer, await read(signal));
      } catch (error) {
        if (!isApiError(error, 'notFound')) throw error;
      }
    }
    this.#uncertain.delete(key);
  }

  async #within(informer: Informer, version: string, signal: AbortSignal): Promise<boolean> {
    if (informer.hasSeen(version)) return true;
    const patience = deadline(this.#clock, PATIENCE_MS, signal);
    const seen = await informer.until(() => informer.hasSeen(version), patience.signal);
    patience.free();
    return seen;
  }
}

function append<T>(map: Map<Key, T[]>, key: Key, entry: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [entry]);
  else list.push(entry);
}
