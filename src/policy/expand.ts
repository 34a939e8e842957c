/**
 * A rule about Pods judges the pod template of what makes Pods, when that is admitted: the person who wrote it is told,
 * not a controller that tries in vain for hours. After the ExpansionTemplates of Gatekeeper and the autogen rules of
 * Kyverno.
 */
import { isRecord } from '../runtime/json.ts';
import { splitApiVersion, type ObjectMeta, type Unstructured } from '../runtime/resource.ts';
import type { AdmissionRequest } from '../runtime/webhook/review.ts';
import { DEFAULT_OPERATIONS } from './match/parts.ts';
import { metadataOf, nameOf, namespaceOf, type GroupKind, type Match } from './match.ts';

interface Parent extends GroupKind {
  /** from the object down to the template */
  path: readonly string[];
  /** whose controller makes it in its turn */
  madeBy?: GroupKind;
}

const POD = { group: '', version: 'v1', kind: 'Pod' };
const PODS = { group: '', version: 'v1', resource: 'pods' };

const TEMPLATE = ['spec', 'template'] as const;
const DEPLOYMENT: Parent = { group: 'apps', kind: 'Deployment', path: TEMPLATE };
const CRON_JOB: Parent = { group: 'batch', kind: 'CronJob', path: ['spec', 'jobTemplate', ...TEMPLATE] };

const PARENTS: readonly Parent[] = [
  DEPLOYMENT,
  { group: 'apps', kind: 'StatefulSet', path: TEMPLATE },
  { group: 'apps', kind: 'DaemonSet', path: TEMPLATE },
  { group: 'apps', kind: 'ReplicaSet', path: TEMPLATE, madeBy: DEPLOYMENT },
  { group: 'batch', kind: 'Job', path: TEMPLATE, madeBy: CRON_JOB },
  CRON_JOB,
];

/** A Pod that would be made, as a request of its own. */
export interface Expansion {
  request: AdmissionRequest;
  /** the same as `match` is to see it: its name is not known yet, what it begins with is */
  unnamed: AdmissionRequest;
  /** such as `Deployment shop` */
  parent: string;
  /** such as `spec.template` */
  prefix: string;
}

interface Expanding {
  match: Match;
  expand?: 'Auto' | 'Off';
}

/** The parents whose templates a rule judges: none unless it is about the creation of Pods, none that it names itself. */
export function expandedKinds({ match, expand = 'Auto' }: Expanding): GroupKind[] {
  const { operations = DEFAULT_OPERATIONS, scope = '*' } = match;
  if (expand === 'Off' || scope === 'Cluster' || !operations.includes('CREATE')) return [];
  // A rule about "*" is about the parents too.
  if (!names(match, { group: '', kind: 'Pod' })) return [];
  return PARENTS.filter((parent) => !names(match, parent));
}

function names({ kinds = [] }: Match, { group, kind }: GroupKind): boolean {
  return kinds.some(({ apiGroups = ['*'], kinds: named = [] }) => {
    return named.includes(kind) && (apiGroups.includes('*') || apiGroups.includes(group));
  });
}

/** Undefined where the request is not about a kind with a template, or the template is none. */
export function expansionOf(request: AdmissionRequest): Expansion | undefined {
  const { kind, operation, subResource = '' } = request;
  const parent = PARENTS.find((one) => isSame(one, kind));
  if (parent === undefined || subResource !== '') return undefined;
  if (operation !== 'CREATE' && operation !== 'UPDATE') return undefined;
  const template = templateOf(request.object, parent);
  if (template === undefined) return undefined;
  const { name: _name, object: _object, oldObject: _old, ...asked } = request;
  const name = nameOf(request);
  const pod = podOf(template, namespaceOf(request), name === undefined ? {} : { generateName: `${name}-` });
  const unnamed: AdmissionRequest = {
    ...asked,
    kind: POD,
    resource: PODS,
    requestKind: POD,
    requestResource: PODS,
    // What a changed template makes are new Pods.
    operation: 'CREATE',
    object: pod,
    oldObject: null,
  };
  // A rule whose message shows the name must not fall silent for want of one: the judged Pod bears its parent's.
  const named = name === undefined ? {} : { name, object: { ...pod, metadata: { ...pod.metadata, name } } };
  return {
    request: { ...unnamed, ...named },
    unnamed,
    parent: `${kind.kind} ${shownName(request)}`,
    prefix: parent.path.join('.'),
  };
}

/** The same of the object as it was before the request; undefined where there was no other. */
export function expansionBefore(request: AdmissionRequest): Expansion | undefined {
  const { oldObject } = request;
  return oldObject === undefined || oldObject === null
    ? undefined
    : expansionOf({ ...request, object: oldObject });
}

function templateOf(
  object: Unstructured | null | undefined,
  { path }: Parent,
): Record<string, unknown> | undefined {
  let template: unknown = object;
  for (const step of path) template = isRecord(template) ? template[step] : undefined;
  return isRecord(template) ? template : undefined;
}

function podOf(
  template: Record<string, unknown>,
  namespace: string | undefined,
  names: Pick<ObjectMeta, 'generateName'>,
): Unstructured {
  const { name: _name, ...given } = isRecord(template['metadata']) ? template['metadata'] : {};
  const place = namespace === undefined ? {} : { namespace };
  const metadata = { ...given, ...names, ...place } as unknown as ObjectMeta;
  return { ...template, apiVersion: 'v1', kind: 'Pod', metadata };
}

/** The name, or what a name that is not given yet begins with. */
export function shownName(request: AdmissionRequest): string {
  const { generateName } = (request.object ? metadataOf(request.object) : undefined) ?? {};
  return nameOf(request) ?? (generateName === undefined ? '(no name)' : `${generateName}*`);
}

/**
 * Whether what a rule says of this object was said of the controller above it, when that one was admitted. Judged it is
 * all the same: the controller above may be older than the rule.
 */
export function isSaidOfOwner(request: AdmissionRequest, expanded: readonly GroupKind[]): boolean {
  const { kind } = request;
  const makers = isSame(kind, { group: '', kind: 'Pod' })
    ? PARENTS
    : PARENTS.flatMap((parent) => (isSame(parent, kind) ? (parent.madeBy ?? []) : []));
  const owners: unknown = request.object ? metadataOf(request.object)?.ownerReferences : undefined;
  const owner = (Array.isArray(owners) ? owners.filter(isRecord) : []).find(
    (one) => one['controller'] === true,
  );
  if (owner === undefined) return false;
  const { group } = splitApiVersion(String(owner['apiVersion']));
  const maker = { group, kind: String(owner['kind']) };
  return makers.some((one) => isSame(one, maker)) && expanded.some((one) => isSame(one, maker));
}

export function isSame(a: GroupKind, b: GroupKind): boolean {
  return a.group === b.group && a.kind === b.kind;
}
