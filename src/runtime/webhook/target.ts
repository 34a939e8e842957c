/** What gates ask for, and the words of a webhook's rules. */
import type { Operation } from './review.ts';

export type FailureMode = 'Fail' | 'Ignore';

export type Scope = '*' | 'Namespaced' | 'Cluster';

/** What a gate wants to see. */
export interface Target {
  failureMode: FailureMode;
  kinds: readonly { apiGroups: readonly string[]; kinds: readonly string[] }[];
  operations: readonly Operation[];
  /** '' is the object itself, else a subresource; '*' is every one */
  parts: readonly string[];
  scope: Scope;
  /** namespaces by their full names: only so is it sent what is in a namespace of the system */
  namespaces: readonly string[];
  /** how long its evaluation may take, ms */
  timeoutMs: number;
  /** resources that it never judges, though its kinds are everything */
  never?: readonly { group: string; plural: string }[];
  /** a target with conditions gets an entry of its own: one that fails is nobody else's failure */
  own?: { name: string; conditions: readonly MatchCondition[] };
}

/** CEL that the API server evaluates before it sends anything. */
export interface MatchCondition {
  name: string;
  expression: string;
}

export interface WebhookRule {
  apiGroups: string[];
  apiVersions: string[];
  resources: string[];
  operations: Operation[];
  scope: Scope;
}

/** Where an entry is answered: by failure mode, and by the target whose own it is. */
export interface EntryId {
  mode: FailureMode;
  own?: string | undefined;
}
