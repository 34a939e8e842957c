/**
 * The shape of a kind: gather, decide, act, settle. What a kind is made of and nothing of how it is run.
 *
 * `decide` and `settle` are pure: the same input and time give the same decision, so it can be tabled, replayed and
 * explained. Effects are data with an idempotency key; the runtime carries them out in order, then writes status once.
 */
import type { Change } from './cache/store.ts';
import type { Lister } from './cache/informer.ts';
import type { Selection } from './cache/reflector.ts';
import type { Client } from './client.ts';
import type { Instant } from './clock.ts';
import type { Condition, Key, KubernetesObject, ObjectRef, Resource, ResourceType } from './resource.ts';

/** Wakes resources of a kind when something else changes. */
export interface Watch<Watched extends KubernetesObject = KubernetesObject> {
  type: ResourceType;
  selection?: Selection;
  /** the keys of the kind's resources that this change concerns */
  map: (change: Change<Watched>) => readonly Key[];
}

/** What gather may read: caches that have been synced before the first reconcile. */
export interface Reader {
  of<T extends KubernetesObject>(type: ResourceType, selection?: Selection): Lister<T>;
  signal: AbortSignal;
}

export interface ApplyEffect {
  kind: 'apply';
  key: string;
  object: KubernetesObject;
  type: ResourceType;
  /** take fields over from other managers */
  force?: boolean;
}

export interface RemoveEffect {
  kind: 'remove';
  key: string;
  type: ResourceType;
  ref: ObjectRef & { uid: string };
}

/** Handled by the kind's own act.ts. */
export interface OwnEffect {
  kind: `own/${string}`;
  key: string;
  [detail: string]: unknown;
}

export type Effect = ApplyEffect | RemoveEffect | OwnEffect;

export type Outcome =
  { effect: Effect; ok: true; value?: unknown } | { effect: Effect; ok: false; error: unknown };

export interface EffectContext {
  /** mutating calls throw once the leader's term is over */
  client: Client;
  signal: AbortSignal;
}

export type EffectHandler = (effect: OwnEffect, context: EffectContext) => Promise<unknown>;

/** A Kubernetes Event, to be told on a transition only. */
export interface Note {
  type: 'Normal' | 'Warning';
  /** UpperCamelCase, stable: people filter by it */
  reason: string;
  message: string;
}

export type Next =
  | { type: 'done' }
  /** look again at this time */
  | { type: 'wait'; until: Instant; reason: string }
  /** only an edit of the resource can help */
  | { type: 'stall'; reason: string };

/** One rule that had a say: what `cogniforge explain` prints. */
export interface Reason {
  rule: string;
  result: string;
}

export interface Decision<Status> {
  /** Status to be written *before* the effects, where an effect must never be repeated blindly. */
  intent?: Status;
  /** in order; the first failure ends the row */
  effects: Effect[];
  /** the whole desired status; written once, only when it differs */
  status: Status;
  events: Note[];
  next: Next;
  because: Reason[];
}

/** The status every kind has at least. */
export interface BaseStatus {
  observedGeneration?: number;
  conditions?: Condition[];
}

export type StatusOf<R extends Resource> = NonNullable<R['status']>;

/** The table of contents of a kind's folder. */
export interface Kind<
  R extends Resource<unknown, BaseStatus> = Resource<unknown, BaseStatus>,
  Input = unknown,
> {
  type: ResourceType;
  watches: readonly Watch[];
  /** Set when effects must be undone before the resource may go. */
  finalizer?: string;
  /** Reconciles under way at once. */
  concurrency?: number;
  gather(resource: R, read: Reader): Promise<Input>;
  decide(input: Input, now: Instant): Decision<StatusOf<R>>;
  act?: Readonly<Record<`own/${string}`, EffectHandler>>;
  /** Default: a failed effect makes Ready False with reason EffectFailed. */
  settle?(decision: Decision<StatusOf<R>>, outcomes: readonly Outcome[], now: Instant): StatusOf<R>;
}

/** A kind whose type parameters no longer matter to whoever runs it. */
export type AnyKind = Kind;

/** Forgets the type parameters: each kind reads only resources of its own type, which its CRD has validated. */
export function erase<R extends Resource<unknown, BaseStatus>, Input>(kind: Kind<R, Input>): AnyKind {
  return kind;
}
