/** A link of the admission chain: what a service says of other people's objects, or of its own kind. */
import type { ResourceType } from '../resource.ts';
import type { EntryId, Target } from './target.ts';
import type { AdmissionRequest, Verdict } from './review.ts';

/**
 * A service's say over other people's objects. `gather` may use memory and workers of this process, never the network;
 * `admit` is pure. What either throws is answered by the failure mode of the entry that the request came in by.
 */
export interface Gate<Facts = unknown> {
  name: string;
  /** what the API server is to send us, now */
  targets(): readonly Target[];
  matches(request: AdmissionRequest, entry: EntryId): boolean;
  gather(request: AdmissionRequest, entry: EntryId, signal: AbortSignal): Promise<Facts>;
  admit(request: AdmissionRequest, facts: Facts): Verdict;
}

/** Admission of a kind of our own at /validate/KIND. What it throws lets the object pass with a warning. */
export interface Validator<Facts = unknown> {
  type: ResourceType;
  gather(request: AdmissionRequest, signal: AbortSignal): Promise<Facts>;
  admit(request: AdmissionRequest, facts: Facts): Verdict;
}

export const allowed: Verdict = { allowed: true };

/** One verdict of several: refused by the first that refuses, with every warning and note. */
export function merge(verdicts: readonly Verdict[]): Verdict {
  const refusal = verdicts.find((verdict) => !verdict.allowed);
  const warnings = verdicts.flatMap((verdict) => verdict.warnings ?? []);
  const auditAnnotations = Object.assign(
    {},
    ...verdicts.map((verdict) => verdict.auditAnnotations),
  ) as Record<string, string>;
  return {
    ...(refusal ?? allowed),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(Object.keys(auditAnnotations).length === 0 ? {} : { auditAnnotations }),
  };
}
