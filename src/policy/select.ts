/** Which rules judge a request, and what of it: the object, or the Pods that would be made of it. Pure. */
import type { EntryId } from '../runtime/webhook/target.ts';
import type { AdmissionRequest } from '../runtime/webhook/review.ts';
import { actionAt } from './enforcement.ts';
import {
  expandedKinds,
  expansionBefore,
  expansionOf,
  isSaidOfOwner,
  isSame,
  type Expansion,
} from './expand.ts';
import { matches, metadataOf, nameOf, namespaceOf, type GroupKind, type Labels } from './match.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';

/** What is known of the request beside itself. */
export interface View {
  /** of its namespace; undefined when they are not known */
  namespaceLabels: Labels | undefined;
  /** the kind that the request's resource is of, a subresource or not; undefined when it is not known */
  owner: GroupKind | undefined;
  /** judged only by a rule that names them letter by letter */
  systemNamespaces: readonly string[];
}

export interface Selection {
  /** the Pods that are judged in the object's stead */
  expansion?: Expansion;
  /** the same was said of the controller above, when that one was admitted */
  muted: boolean;
}

/** For each rule of the entry what it judges of the request; undefined where it judges nothing. */
export function selector(
  request: AdmissionRequest,
  entry: EntryId,
  view: View,
): (rule: PolicyRule) => Selection | undefined {
  if (isRule(request) || isGoing(request)) return () => undefined;
  const expansion = expansionOf(request);
  const reserved = reservedNamespace(request, view);
  return ({ metadata, spec }) => {
    const { match, matchConditions = [] } = spec;
    // Whoever asks by a rule's own entry has evaluated its conditions; nobody else has.
    const asked = entry.own === undefined ? matchConditions.length === 0 : entry.own === metadata.name;
    if (!asked || spec.failurePolicy !== entry.mode || actionAt(spec, 'Admission') === 'Off')
      return undefined;
    if (reserved !== undefined && match.namespaces?.includes(reserved) !== true) return undefined;
    const expanded = expandedKinds(spec);
    const muted = isSaidOfOwner(request, expanded);
    if (matches(match, request, view.namespaceLabels, view.owner)) return { muted };
    if (expansion === undefined || muted || !expanded.some((kind) => isSame(kind, request.kind)))
      return undefined;
    return matches(match, expansion.unnamed, view.namespaceLabels) ? { expansion, muted } : undefined;
  };
}

/** Whether the rule was about the object as it is stored too: what it has nothing to do with has not violated it. */
export function isAboutBefore(
  { spec: { match } }: PolicyRule,
  request: AdmissionRequest,
  view: View,
  expanded: boolean,
): boolean {
  const { oldObject = null } = request;
  if (oldObject === null) return false;
  if (!expanded) return matches(match, { ...request, object: oldObject }, view.namespaceLabels, view.owner);
  const before = expansionBefore(request);
  return before !== undefined && matches(match, before.unnamed, view.namespaceLabels);
}

/** A rule that judged rules could refuse its own repair. */
function isRule({ kind }: AdmissionRequest): boolean {
  return isSame(kind, { group: 'cogniforge.dev', kind: 'PolicyRule' });
}

/** What is being deleted must be able to go: its finalizers are taken away by updates. */
function isGoing({ operation, oldObject }: AdmissionRequest): boolean {
  if (operation !== 'UPDATE' || oldObject === undefined || oldObject === null) return false;
  return typeof metadataOf(oldObject)?.deletionTimestamp === 'string';
}

/** The namespace of the system that the object is in, or is. */
function reservedNamespace(request: AdmissionRequest, view: View): string | undefined {
  const isNamespace = view.owner !== undefined && isSame(view.owner, { group: '', kind: 'Namespace' });
  const place = isNamespace ? nameOf(request) : namespaceOf(request);
  return place !== undefined && view.systemNamespaces.includes(place) ? place : undefined;
}
