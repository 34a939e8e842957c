/** The way of one resource: gather -> decide -> (intent) -> act -> settle -> one status write. */
import type { Informer } from './cache/informer.ts';
import type { Client } from './client.ts';
import { timestamp, type Clock, type Instant } from './clock.ts';
import { conditionOf, withCondition } from './conditions.ts';
import type { Result } from './controller.ts';
import { Echoes } from './echo.ts';
import { isApiError, messageOf } from './errors.ts';
import type { AnyKind, BaseStatus, Decision, Effect, EffectContext, Note, Outcome, Reader } from './kind.ts';
import { writeFinalizers, writeStatus } from './patch.ts';
import { keyOf, type Key, type KubernetesObject, type Resource, type ResourceType } from './resource.ts';

type AnyResource = Resource<unknown, BaseStatus>;

/** What must be remembered of a kind's resources for as long as the process lives, through every term of it. */
export class Memory {
  readonly echoes: Echoes;
  /** the resources that our finalizer holds because something was made for them, as we last knew them */
  readonly held = new Map<Key, AnyResource>();

  constructor(informer: Informer, clock: Clock) {
    this.echoes = new Echoes(informer, clock);
  }
}

export interface PipelineOptions {
  kind: AnyKind;
  informer: Informer;
  memory: Memory;
  reader: (signal: AbortSignal) => Reader;
  /** the cache that brings writes to objects of this type back, where the kind watches them */
  watched: (type: ResourceType) => Informer | undefined;
  /** guarded by the leader's term */
  client: Client;
  clock: Clock;
  fieldManager: string;
  /** Kubernetes Events; never awaited */
  tell: (resource: AnyResource, note: Note) => void;
}

export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #echoes: Echoes;
  readonly #held: Map<Key, AnyResource>;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#echoes = options.memory.echoes;
    this.#held = options.memory.held;
  }

  /** Whether this event of the cache is nothing but the echo of our own write. */
  isEcho(object: KubernetesObject): boolean {
    return this.#echoes.isEcho(object);
  }

  /** The resources that our finalizer holds, as far as this process knows; some of them may be gone. */
  heldKeys(): Key[] {
    return [...this.#held.keys()];
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Result> {
    const { informer, kind, reader, clock } = this.#options;
    if (!(await this.#echoes.seen(key, signal))) return { type: 'wait', ms: 0, reason: 'EchoPending' };
    const resource = informer.get(key) as AnyResource | undefined;
    const held = this.#held.get(key);
    if (held !== undefined && held.metadata.uid !== resource?.metadata.uid) {
      const unfinished = await this.#finalizeLost(held, signal);
      if (unfinished !== undefined) return unfinished;
    }
    if (resource === undefined) {
      this.#echoes.forget(key);
      return { type: 'done' };
    }
    const input = await kind.gather(resource, reader(signal));
    const now = clock.now();
    const decision = kind.decide(input, now);
    const failed = await this.#carryOut(resource, decision, signal);
    if (failed !== undefined) return failed;
    // What was decided has come to pass: now it may be told.
    for (const note of decision.events) this.#options.tell(resource, note);
    return resultOf(decision, resource, now);
  }

  /**
   * Undoes what was made for a resource that went in spite of its finalizer. The API server lets it happen: a DELETE
   * that looked at the object before our finalizer was written removes it after (registry Store.Delete checks no
   * resourceVersion). Returns a result when there is more to do.
   */
  async #finalizeLost(lost: AnyResource, signal: AbortSignal): Promise<Result | undefined> {
    const { kind, reader, clock } = this.#options;
    const key = keyOf(lost.metadata);
    const now = clock.now();
    const metadata = { ...lost.metadata, deletionTimestamp: timestamp(now) };
    const decision = kind.decide(await kind.gather({ ...lost, metadata }, reader(signal)), now);
    const outcomes = await this.#act(key, decision.effects, signal);
    const failed = outcomes.find((outcome) => !outcome.ok);
    if (failed !== undefined) return { type: 'retry', error: failed.error };
    if (decision.next.type !== 'done') return resultOf(decision, lost, now);
    this.#held.delete(key);
    return undefined;
  }

  /** Returns a result only when something went wrong. */
  async #carryOut(
    resource: AnyResource,
    decision: Decision<BaseStatus>,
    signal: AbortSignal,
  ): Promise<Result | undefined> {
    const { kind, clock } = this.#options;
    let current = await this.#holdFinalizer(resource, decision, signal);
    if (decision.intent !== undefined) current = await this.#writeStatus(current, decision.intent, signal);
    const outcomes = await this.#act(keyOf(resource.metadata), decision.effects, signal);
    const failed = outcomes.find((outcome) => !outcome.ok);
    const status =
      outcomes.length === 0 ? decision.status : settle(kind, resource, decision, outcomes, clock.now());
    current = await this.#writeStatus(current, status, signal);
    if (failed !== undefined) {
      this.#tellFailure(resource, status);
      return { type: 'retry', error: failed.error };
    }
    await this.#releaseFinalizer(current, decision, signal);
    return undefined;
  }

  /** The events of the decision would tell of what did not happen: instead, once, why Ready is not what it was. */
  #tellFailure(resource: AnyResource, status: BaseStatus): void {
    const ready = conditionOf(status.conditions, 'Ready');
    if (ready === undefined || ready.status === 'True') return;
    const before = conditionOf(resource.status?.conditions, 'Ready');
    if (before?.status === ready.status && before.reason === ready.reason) return;
    this.#options.tell(resource, { type: 'Warning', reason: ready.reason, message: ready.message });
  }

  async #writeStatus(resource: AnyResource, status: BaseStatus, signal: AbortSignal): Promise<AnyResource> {
    const { client, kind } = this.#options;
    const written = await writeStatus(client, kind.type, resource, status, signal);
    if (written !== undefined) this.#echoes.wrote(written);
    return written ?? resource;
  }

  async #act(key: Key, effects: readonly Effect[], signal: AbortSignal): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const { client, kind, fieldManager } = this.#options;
    for (const effect of effects) {
      try {
        const value = await carryOut(effect, { client, signal }, kind, fieldManager);
        this.#await(key, effect, value);
        outcomes.push({ effect, ok: true, value });
      } catch (error) {
        this.#awaitLost(key, effect, error);
        // The order is part of the decision: what comes after a failed effect may rest on it.
        outcomes.push({ effect, ok: false, error });
        break;
      }
    }
    return outcomes;
  }

  #await(key: Key, effect: Effect, value: unknown): void {
    const informer = effect.kind === 'apply' ? this.#options.watched(effect.type) : undefined;
    if (informer !== undefined) this.#echoes.wroteOther(key, informer, value as KubernetesObject);
  }

  #awaitLost(key: Key, effect: Effect, error: unknown): void {
    if (effect.kind !== 'apply' || !isApiError(error, 'transient', 'aborted')) return;
    const { type, object } = effect;
    const informer = this.#options.watched(type);
    const { client } = this.#options;
    if (informer === undefined) return;
    this.#echoes.lostAnswer(key, informer, (signal) => client.get(type, object.metadata, { signal }));
  }

  /** The finalizer stands before the first side effect: a crash in between must not leave an orphan. */
  async #holdFinalizer(
    resource: AnyResource,
    decision: Decision<BaseStatus>,
    signal: AbortSignal,
  ): Promise<AnyResource> {
    const { kind, client } = this.#options;
    const held = resource.metadata.finalizers ?? [];
    if (kind.finalizer === undefined || decision.effects.length === 0) return resource;
    if (resource.metadata.deletionTimestamp !== undefined) return resource;
    this.#held.set(keyOf(resource.metadata), resource);
    if (held.includes(kind.finalizer)) return resource;
    const written = await writeFinalizers(client, kind.type, resource, [...held, kind.finalizer], signal);
    this.#echoes.wrote(written);
    return written;
  }

  async #releaseFinalizer(
    resource: AnyResource,
    decision: Decision<BaseStatus>,
    signal: AbortSignal,
  ): Promise<void> {
    const { kind, client } = this.#options;
    const held = resource.metadata.finalizers ?? [];
    if (kind.finalizer === undefined || !held.includes(kind.finalizer)) return;
    if (resource.metadata.deletionTimestamp === undefined || decision.next.type !== 'done') return;
    const left = held.filter((name) => name !== kind.finalizer);
    this.#echoes.wrote(await writeFinalizers(client, kind.type, resource, left, signal));
    this.#held.delete(keyOf(resource.metadata));
  }
}

async function carryOut(
  effect: Effect,
  context: EffectContext,
  kind: AnyKind,
  fieldManager: string,
): Promise<unknown> {
  const { client, signal } = context;
  switch (effect.kind) {
    case 'apply':
      return client.apply(effect.type, effect.object, { fieldManager, force: effect.force, signal });
    case 'remove':
      // Already gone, or another object of the same name: either way ours is not there any more.
      return client
        .delete(effect.type, effect.ref, { uid: effect.ref.uid, signal })
        .catch((error: unknown) =>
          isApiError(error, 'notFound', 'conflict') ? undefined : Promise.reject(error as Error),
        );
    default: {
      const handler = kind.act?.[effect.kind];
      if (handler === undefined)
        throw new Error(`${kind.type.kind} has no handler for the effect ${effect.kind}`);
      return handler(effect, context);
    }
  }
}

function settle(
  kind: AnyKind,
  resource: AnyResource,
  decision: Decision<BaseStatus>,
  outcomes: readonly Outcome[],
  now: Instant,
): BaseStatus {
  if (kind.settle !== undefined) return kind.settle(decision, outcomes, now);
  const failed = outcomes.find((outcome) => !outcome.ok);
  if (failed === undefined) return decision.status;
  const statement = {
    type: 'Ready',
    status: 'False' as const,
    reason: 'EffectFailed',
    message: `${failed.effect.kind} ${failed.effect.key}: ${messageOf(failed.error)}`,
  };
  // Against what is stored: a condition that was False before keeps its time.
  const others = (decision.status.conditions ?? []).filter((condition) => condition.type !== 'Ready');
  const before = (resource.status?.conditions ?? []).filter((condition) => condition.type === 'Ready');
  return {
    ...decision.status,
    conditions: withCondition([...others, ...before], statement, resource.metadata.generation ?? 0, now),
  };
}

/** Names a version of a spec. Not the generation alone: of a resource made anew under its name it is 1 again. */
export function specOf({ metadata }: KubernetesObject): string {
  return `${metadata.uid ?? ''}/${String(metadata.generation ?? 0)}`;
}

function resultOf(decision: Decision<BaseStatus>, resource: AnyResource, now: Instant): Result {
  switch (decision.next.type) {
    case 'done':
      return { type: 'done' };
    case 'wait':
      return { type: 'wait', ms: Math.max(0, decision.next.until - now), reason: decision.next.reason };
    case 'stall':
      return { type: 'stall', reason: decision.next.reason, spec: specOf(resource) };
  }
}
