/** The informers of a process: one per type and selection, shared by everybody who asks. */
import type { Client } from '../client.ts';
import { typeName, type KubernetesObject, type ResourceType } from '../resource.ts';
import { Informer, type InformerEnvironment } from './informer.ts';
import type { Selection } from './reflector.ts';

export class Cache {
  readonly #informers = new Map<string, Informer>();
  readonly #environment: InformerEnvironment;
  #started = false;

  constructor(environment: InformerEnvironment) {
    this.#environment = environment;
  }

  get client(): Client {
    return this.#environment.client;
  }

  /** The informer of a type; after `start`, a new one starts at once. */
  informer<T extends KubernetesObject>(type: ResourceType, selected: Selection = {}): Informer<T> {
    const { namespace } = this.#environment;
    const selection = type.namespaced && namespace !== undefined ? { namespace, ...selected } : selected;
    const id = [
      typeName(type),
      selection.namespace,
      selection.labelSelector,
      selection.fieldSelector,
      selection.metadataOnly === true,
      selection.managedFields === true,
    ].join('|');
    let informer = this.#informers.get(id);
    if (informer === undefined) {
      informer = new Informer(type, selection, this.#environment);
      this.#informers.set(id, informer);
      if (this.#started) informer.start();
    }
    // One map for all types; the caller names the type it knows the resource to have.
    return informer as unknown as Informer<T>;
  }

  start(): void {
    this.#started = true;
    for (const informer of this.#informers.values()) informer.start();
  }

  get synced(): boolean {
    return [...this.#informers.values()].every((informer) => informer.synced);
  }

  /** The types that have not been listed yet: what a readiness check shows. */
  waitingFor(): string[] {
    return [...this.#informers.values()]
      .filter((informer) => !informer.synced)
      .map((informer) => typeName(informer.type));
  }

  /** Resolves when every informer has been listed once, or the signal aborts. */
  async whenSynced(signal: AbortSignal): Promise<boolean> {
    for (const informer of this.#informers.values()) {
      if (!(await informer.until(() => informer.synced, signal))) return false;
    }
    return true;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.stop()));
  }
}
