/** The objects of one informer in memory, with indexes; knows nothing of the network. */
import { keyOf, type Key, type KubernetesObject } from '../resource.ts';
import { isNewer } from './version.ts';

export type Change<T> =
  | { type: 'added'; key: Key; object: T }
  | { type: 'updated'; key: Key; object: T; old: T }
  | { type: 'deleted'; key: Key; old: T };

/** The values under which an object is found. */
export type IndexFunction<T> = (object: T) => readonly string[];

export class Store<T extends KubernetesObject = KubernetesObject> {
  readonly #objects = new Map<Key, T>();
  readonly #indexes = new Map<string, { of: IndexFunction<T>; keys: Map<string, Set<Key>> }>();
  #version: string | undefined;

  /** Everything up to this resourceVersion has been seen; undefined before the first list. */
  get version(): string | undefined {
    return this.#version;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: Key): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  keys(): IterableIterator<Key> {
    return this.#objects.keys();
  }

  addIndex(name: string, of: IndexFunction<T>): void {
    if (this.#indexes.has(name)) throw new Error(`index ${name} is defined twice`);
    const index = { of, keys: new Map<string, Set<Key>>() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) link(index.keys, of(object), key);
  }

  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`no index ${name}`);
    const found: T[] = [];
    for (const key of index.keys.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  /**
   * One watch event. Within a type every write has a version of its own and a watch delivers them in order, so an event
   * at or before what was seen is a duplicate or a stale reply: it must neither move an object back nor resurrect one.
   */
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): Change<T>[] {
    const version = object.metadata.resourceVersion ?? '';
    if (!isNewer(version, this.#version)) return [];
    this.#version = version;
    const key = keyOf(object.metadata);
    return type === 'DELETED' ? this.#remove(key) : this.#put(key, object);
  }

  bookmark(version: string): void {
    if (isNewer(version, this.#version)) this.#version = version;
  }

  /** A whole list: what it does not hold is gone. The caller has made sure that it is not a stale one. */
  replace(objects: readonly T[], version: string): Change<T>[] {
    this.#version = version;
    const changes: Change<T>[] = [];
    const present = new Set<Key>();
    for (const object of objects) {
      const key = keyOf(object.metadata);
      present.add(key);
      const old = this.#objects.get(key);
      if (old?.metadata.resourceVersion === object.metadata.resourceVersion && sameUid(old, object)) continue;
      changes.push(...this.#put(key, object));
    }
    for (const key of [...this.#objects.keys()]) if (!present.has(key)) changes.push(...this.#remove(key));
    return changes;
  }

  #put(key: Key, object: T): Change<T>[] {
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    this.#reindex(key, old, object);
    if (old === undefined) return [{ type: 'added', key, object }];
    // Deleted and created anew between two looks: whoever counts or cleans up must see both.
    if (!sameUid(old, object))
      return [
        { type: 'deleted', key, old },
        { type: 'added', key, object },
      ];
    return [{ type: 'updated', key, object, old }];
  }

  #remove(key: Key): Change<T>[] {
    const old = this.#objects.get(key);
    if (old === undefined) return [];
    this.#objects.delete(key);
    this.#reindex(key, old, undefined);
    return [{ type: 'deleted', key, old }];
  }

  #reindex(key: Key, old: T | undefined, object: T | undefined): void {
    for (const { of, keys } of this.#indexes.values()) {
      if (old !== undefined) unlink(keys, of(old), key);
      if (object !== undefined) link(keys, of(object), key);
    }
  }
}

function sameUid(a: KubernetesObject | undefined, b: KubernetesObject): boolean {
  return a?.metadata.uid === b.metadata.uid;
}

function link(keys: Map<string, Set<Key>>, values: readonly string[], key: Key): void {
  for (const value of values) {
    const set = keys.get(value);
    if (set === undefined) keys.set(value, new Set([key]));
    else set.add(key);
  }
}

function unlink(keys: Map<string, Set<Key>>, values: readonly string[], key: Key): void {
  for (const value of values) {
    const set = keys.get(value);
    set?.delete(key);
    if (set?.size === 0) keys.delete(value);
  }
}
