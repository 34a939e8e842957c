/**
 * Which operations on which parts of an object a rule is about: the object itself, or a subresource of it.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules
 */
import type { AdmissionRequest, Operation } from '../../runtime/webhook/review.ts';

/** What the API server's default for `operations` is, for rules that never passed through it. */
export const DEFAULT_OPERATIONS: readonly Operation[] = ['CREATE', 'UPDATE'];

/** Both change what runs in a Pod: a rule about its containers that missed them would have a back door. */
export const POD_PARTS: readonly string[] = ['ephemeralcontainers', 'resize'];

export interface Parts {
  operations?: readonly Operation[];
  subresources?: readonly string[];
}

/** `kind`: of the resource that the request is about, which of a subresource is not request.kind. */
export function matchesPart(
  { operations = DEFAULT_OPERATIONS, subresources }: Parts,
  { operation, subResource = '' }: AdmissionRequest,
  kind: { group: string; kind: string } | undefined,
): boolean {
  if (subResource === '') return operations.includes(operation);
  // Whoever reports what has become of an object must be able to do so; the webhook is not sent it either.
  if (subResource === 'status') return false;
  const ofPod = kind === undefined || (kind.group === '' && kind.kind === 'Pod');
  if (ofPod && POD_PARTS.includes(subResource) && createsOrChanges(operations)) return true;
  if (!operations.includes(operation)) return false;
  if (subresources === undefined) return operation === 'CONNECT';
  return subresources.includes('*') || subresources.includes(subResource);
}

/** Whether what is stored in an object is the rule's business. */
export function createsOrChanges(operations: readonly Operation[]): boolean {
  return operations.includes('CREATE') || operations.includes('UPDATE');
}
