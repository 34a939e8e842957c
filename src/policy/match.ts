/**
 * Does a rule's `match` select this request? Gatekeeper's semantics, on the request as the API server sent it:
 * all that is set must hold; a cluster-scoped object is not excluded by namespaces, excludedNamespaces or
 * namespaceSelector; a Namespace counts by its own name and its own labels.
 * https://open-policy-agent.github.io/gatekeeper/website/docs/howto/#the-match-field
 */
import type { KubernetesObject } from '../runtime/resource.ts';
import type { AdmissionRequest, Operation } from '../runtime/webhook/review.ts';

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
}

export type Labels = Readonly<Record<string, string>>;

/** What the API server's default for `operations` is, for rules that never passed through it. */
const DEFAULT_OPERATIONS: readonly Operation[] = ['CREATE', 'UPDATE'];

/**
 * `namespaceLabels`: the labels of the request's namespace, undefined when they are not known (yet). A rule with a
 * namespaceSelector then counts as matching: judging an object too many is refused loudly, one too few is a hole.
 */
export function matches(
  match: Match,
  request: AdmissionRequest,
  namespaceLabels: Labels | undefined,
): boolean {
  if (!(match.operations ?? DEFAULT_OPERATIONS).includes(request.operation)) return false;
  if (!matchesKind(match, request) || !matchesScope(match, request)) return false;
  return (
    matchesNamespace(match, request) &&
    matchesName(match.name, request) &&
    matchesLabels(match.labelSelector, request) &&
    matchesNamespaceLabels(match.namespaceSelector, request, namespaceLabels)
  );
}

function matchesKind({ kinds = [] }: Match, { kind }: AdmissionRequest): boolean {
  return (
    kinds.length === 0 ||
    kinds.some((entry) => anyOrListed(entry.apiGroups, kind.group) && anyOrListed(entry.kinds, kind.kind))
  );
}

function anyOrListed(list: readonly string[] = [], word: string): boolean {
  return list.length === 0 || list.includes('*') || list.includes(word);
}

function matchesScope({ scope = '*' }: Match, request: AdmissionRequest): boolean {
  if (scope === '*') return true;
  // The API server puts the name of a Namespace into request.namespace as well; it is cluster-scoped nevertheless.
  const namespaced = !isNamespace(request) && namespaceOf(request) !== undefined;
  return namespaced === (scope === 'Namespaced');
}

function matchesNamespace(
  { namespaces = [], excludedNamespaces = [] }: Match,
  request: AdmissionRequest,
): boolean {
  const namespace = isNamespace(request) ? nameOf(request) : namespaceOf(request);
  if (namespace === undefined) return true;
  if (namespaces.length > 0 && !namespaces.some((pattern) => matchesGlob(pattern, namespace))) return false;
  return !excludedNamespaces.some((pattern) => matchesGlob(pattern, namespace));
}

/** `*` at the start or the end stands for any text, also for none; anywhere else it is itself. */
export function matchesGlob(pattern: string, text: string): boolean {
  const open = pattern.startsWith('*');
  const closed = pattern.endsWith('*');
  const core = pattern.slice(open ? 1 : 0, closed ? Math.max(pattern.length - 1, open ? 1 : 0) : undefined);
  if (open && closed) return text.includes(core);
  if (open) return text.endsWith(core);
  if (closed) return text.startsWith(core);
  return text === core;
}

function matchesName(pattern: string | undefined, request: AdmissionRequest): boolean {
  if (pattern === undefined || pattern === '') return true;
  const name = nameOf(request);
  if (name !== undefined) return matchesGlob(pattern, name);
  // generateName: what the server will append is not known yet, what it begins with is.
  const start = (request.object ? metadataOf(request.object) : undefined)?.generateName;
  if (start === undefined || !pattern.endsWith('*')) return false;
  return matchesGlob(pattern, start);
}

function matchesLabels(selector: LabelSelector | undefined, request: AdmissionRequest): boolean {
  if (selector === undefined) return true;
  const candidates = objectsOf(request);
  // CONNECT and some subresources carry no object of their own.
  if (candidates.length === 0) return selects(selector, {});
  return candidates.some((object) => selects(selector, labelsOf(object)));
}

function matchesNamespaceLabels(
  selector: LabelSelector | undefined,
  request: AdmissionRequest,
  namespaceLabels: Labels | undefined,
): boolean {
  if (selector === undefined) return true;
  if (isNamespace(request)) return matchesLabels(selector, request);
  if (namespaceOf(request) === undefined || namespaceLabels === undefined) return true;
  return selects(selector, namespaceLabels);
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

/** The new object and the old one: an UPDATE that takes the label away must not slip past the rule about it. */
function objectsOf(request: AdmissionRequest): KubernetesObject[] {
  return [request.object, request.oldObject].filter((object) => object !== undefined && object !== null);
}

function labelsOf(object: KubernetesObject): Labels {
  return metadataOf(object)?.labels ?? {};
}

function isNamespace({ kind }: AdmissionRequest): boolean {
  return kind.group === '' && kind.kind === 'Namespace';
}

function nameOf(request: AdmissionRequest): string | undefined {
  return firstText(request.name, ...objectsOf(request).map((object) => metadataOf(object)?.name));
}

function namespaceOf(request: AdmissionRequest): string | undefined {
  return firstText(request.namespace, ...objectsOf(request).map((object) => metadataOf(object)?.namespace));
}

/** Whatever calls itself an object may come without metadata (PodExecOptions has none). */
function metadataOf(object: KubernetesObject): KubernetesObject['metadata'] | undefined {
  return object.metadata;
}

function firstText(...candidates: (string | undefined)[]): string | undefined {
  return candidates.find((text) => text !== undefined && text !== '');
}
