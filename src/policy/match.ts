/**
 * Does a rule's `match` select this request? Gatekeeper's semantics, on the request as the API server sent it:
 * all that is set must hold; a cluster-scoped object is not excluded by namespaces, excludedNamespaces or
 * namespaceSelector; a Namespace counts by its own name and its own labels.
 * https://open-policy-agent.github.io/gatekeeper/website/docs/howto/#the-match-field
 */
import type { KubernetesObject } from '../runtime/resource.ts';
import type { AdmissionRequest, Operation } from '../runtime/webhook/review.ts';
import { matchesGlob } from './match/glob.ts';
import { DEFAULT_OPERATIONS, matchesPart } from './match/parts.ts';
import { matchesSubjects, type Subject } from './match/subjects.ts';

export { matchesGlob };

export interface LabelSelector {
  matchLabels?: Readonly<Record<string, string>>;
  matchExpressions?: readonly LabelRequirement[];
}

export interface LabelRequirement {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  values?: readonly string[];
}

/** `spec.match` of a PolicyRule; what is absent selects everything. */
export interface Match {
  kinds?: readonly { apiGroups?: readonly string[]; kinds?: readonly string[] }[];
  scope?: '*' | 'Namespaced' | 'Cluster';
  namespaces?: readonly string[];
  excludedNamespaces?: readonly string[];
  labelSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  name?: string;
  operations?: readonly Operation[];
  subresources?: readonly string[];
  subjects?: readonly Subject[];
  excludeSubjects?: readonly Subject[];
}

export interface GroupKind {
  group: string;
  kind: string;
}

export type Labels = Readonly<Record<string, string>>;

/**
 * `namespaceLabels`: the labels of the request's namespace, undefined when they are not known (yet). A rule with a
 * namespaceSelector then counts as matching: judging an object too many is refused loudly, one too few is a hole.
 * `owner`: the kind that a subresource belongs to, where the request is about one; not known, it counts as any kind.
 */
export function matches(
  match: Match,
  request: AdmissionRequest,
  namespaceLabels: Labels | undefined,
  owner?: GroupKind,
): boolean {
  const isPart = (request.subResource ?? '') !== '';
  const kind = isPart ? owner : request.kind;
  return (
    ((matchesPart(match, request, kind) && matchesKind(match, kind)) ||
      (isPart && isNamedPart(match, request, owner))) &&
    matchesScope(match, request, kind) &&
    matchesNamespace(match, request, kind) &&
    matchesName(match.name, request) &&
    matchesLabels(match, request, namespaceLabels, kind) &&
    matchesSubjects(match.subjects, match.excludeSubjects, request.userInfo)
  );
}

function matchesKind({ kinds = [] }: Match, kind: GroupKind | undefined): boolean {
  return (
    kinds.length === 0 ||
    kind === undefined ||
    kinds.some((entry) => anyOrListed(entry.apiGroups, kind.group) && anyOrListed(entry.kinds, kind.kind))
  );
}

/** Gatekeeper's way to name a subresource: by the kind of what is sent there, as PodExecOptions. */
function isNamedPart(
  { kinds = [], operations = DEFAULT_OPERATIONS }: Match,
  { kind, operation, subResource }: AdmissionRequest,
  owner: GroupKind | undefined,
): boolean {
  if (kind.kind === owner?.kind || subResource === 'status' || !operations.includes(operation)) return false;
  return kinds.some(
    (entry) => anyOrListed(entry.apiGroups, kind.group) && entry.kinds?.includes(kind.kind) === true,
  );
}

function anyOrListed(list: readonly string[] = [], word: string): boolean {
  return list.length === 0 || list.includes('*') || list.includes(word);
}

function matchesScope(
  { scope = '*' }: Match,
  request: AdmissionRequest,
  kind: GroupKind | undefined,
): boolean {
  if (scope === '*') return true;
  // The API server puts the name of a Namespace into request.namespace as well; it is cluster-scoped nevertheless.
  const namespaced = !isNamespace(kind) && namespaceOf(request) !== undefined;
  return namespaced === (scope === 'Namespaced');
}

function matchesNamespace(
  { namespaces = [], excludedNamespaces = [] }: Match,
  request: AdmissionRequest,
  kind: GroupKind | undefined,
): boolean {
  const namespace = isNamespace(kind) ? nameOf(request) : namespaceOf(request);
  if (namespace === undefined) return true;
  if (namespaces.length > 0 && !namespaces.some((pattern) => matchesGlob(pattern, namespace))) return false;
  return !excludedNamespaces.some((pattern) => matchesGlob(pattern, namespace));
}

function matchesName(pattern: string | undefined, request: AdmissionRequest): boolean {
  if (pattern === undefined || pattern === '') return true;
  const name = nameOf(request);
  if (name !== undefined) return matchesGlob(pattern, name);
  // generateName: what the server will append is not known yet, what it begins with is.
  const start = firstText(...objectsOf(request).map((object) => metadataOf(object)?.generateName));
  return start !== undefined && pattern.endsWith('*') && matchesGlob(pattern, start);
}

/**
 * The new object or the old one has to fit as a whole: an UPDATE that takes a label away must not slip past the rule
 * about it. CONNECT and some subresources carry no object of their own: they count as one without labels.
 */
function matchesLabels(
  { labelSelector, namespaceSelector }: Match,
  request: AdmissionRequest,
  namespaceLabels: Labels | undefined,
  kind: GroupKind | undefined,
): boolean {
  const namespaced = namespaceOf(request) !== undefined;
  const fits = (own: Labels): boolean => {
    if (labelSelector !== undefined && !selects(labelSelector, own)) return false;
    if (namespaceSelector === undefined) return true;
    if (isNamespace(kind)) return selects(namespaceSelector, own);
    return !namespaced || namespaceLabels === undefined || selects(namespaceSelector, namespaceLabels);
  };
  const candidates = objectsOf(request);
  return candidates.length === 0 ? fits({}) : candidates.some((object) => fits(labelsOf(object)));
}

/** metav1.LabelSelector: every label and every expression must hold; an empty selector selects everything. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  const value = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, wanted]) => value(key) === wanted) &&
    (selector.matchExpressions ?? []).every((requirement) => holds(requirement, value(requirement.key)))
  );
}

function holds({ operator, values = [] }: LabelRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

function objectsOf(request: AdmissionRequest): KubernetesObject[] {
  return [request.object, request.oldObject].filter((object) => object !== undefined && object !== null);
}

function labelsOf(object: KubernetesObject): Labels {
  return metadataOf(object)?.labels ?? {};
}

function isNamespace(kind: GroupKind | undefined): boolean {
  return kind?.group === '' && kind.kind === 'Namespace';
}

export function nameOf(request: AdmissionRequest): string | undefined {
  return firstText(request.name, ...objectsOf(request).map((object) => metadataOf(object)?.name));
}

export function namespaceOf(request: AdmissionRequest): string | undefined {
  return firstText(request.namespace, ...objectsOf(request).map((object) => metadataOf(object)?.namespace));
}

/** Whatever calls itself an object may come without metadata (PodExecOptions has none). */
export function metadataOf(object: KubernetesObject): KubernetesObject['metadata'] | undefined {
  return object.metadata;
}

function firstText(...candidates: (string | undefined)[]): string | undefined {
  return candidates.find((text) => text !== undefined && text !== '');
}
