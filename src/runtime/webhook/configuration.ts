/**
 * The ValidatingWebhookConfiguration that the kinds and policies in force call for: pure, from data to object.
 *
 * For other people's objects there is an entry for each failure mode, one for each target with conditions of its own, and
 * each of these once more for a namespace of the system that a target names; and there is one for each kind of our own.
 * What no target names is not sent to us at all.
 */
import type { ApiResource } from '../discovery.ts';
import { deepEqual } from '../json.ts';
import type { KubernetesObject, ResourceType } from '../resource.ts';
import { PROBE_CONDITION, PROBE_PATH, PROBE_RULE } from './probe.ts';
import { inNamespace, mergeRules, rulesOf, sends } from './rules.ts';
import type { EntryId, FailureMode, MatchCondition, Target, WebhookRule } from './target.ts';

export const CONFIGURATION: ResourceType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  namespaced: false,
};

export const CONFIGURATION_NAME = 'cogniforge';

/** Hash of the client configuration through which the API server has reached us: only then may an entry fail closed. */
export const PROVEN = 'cogniforge.dev/proven';

/** Whose word counts while we cannot be reached: each rule's own, or Ignore whatever they say. */
export type FailMode = 'Rule' | 'Ignore';

export type ClientConfig = { caBundle: string } & (
  { url: string } | { service: { namespace: string; name: string; port: number } }
);

export interface Derivation {
  targets: readonly Target[];
  /** kinds of our own, validated at /validate/KIND */
  own: readonly ResourceType[];
  resources: readonly ApiResource[];
  client: ClientConfig;
  /** whether the API server has reached us through this client configuration */
  proven: string | undefined;
  failMode: FailMode;
  /** our own namespace: nothing in it is sent to us but the probe */
  namespace: string;
}

export interface WebhookEntry {
  name: string;
  rules: WebhookRule[];
  failurePolicy: FailureMode;
  matchConditions?: MatchCondition[];
  [field: string]: unknown;
}

export interface WebhookConfiguration extends KubernetesObject {
  webhooks?: WebhookEntry[];
}

/** A label that the API server itself sets and nobody can take away. */
const NAMESPACE_NAME = 'kubernetes.io/metadata.name';
/** What the cluster cannot start without. */
const KUBE_SYSTEM = 'kube-system';

/** Nothing in them is sent to us unless a target names them. */
export function systemNamespaces(own: string): string[] {
  return [...new Set([own, KUBE_SYSTEM])].sort();
}

/** Room for the network and the merging of verdicts on top of the slowest evaluation; the API server allows 1 to 30 s. */
const OVERHEAD_MS = 1_000;

/**
 * Never judged, whatever a rule says: they keep the cluster and ourselves alive, or are questions about a decision
 * that is already under way. Only a rule about "*" needs to be told: none is derived from a kind named here. CEL, evaluated by the API server.
 */
const EXEMPTIONS = [
  ['leases', "request.resource.group == 'coordination.k8s.io' && request.resource.resource == 'leases'"],
  ['events', "request.resource.resource == 'events' && request.resource.group in ['', 'events.k8s.io']"],
  ['reviews', "request.resource.group in ['authentication.k8s.io', 'authorization.k8s.io']"],
  ['status', "has(request.subResource) && request.subResource == 'status'"],
] as const;

export function deriveConfiguration(derivation: Derivation): WebhookConfiguration {
  const entries = [
    ...derivation.own.map((type) => ownEntry(type, derivation)),
    ...slotsOf(derivation).flatMap((slot) => targetEntry(slot, derivation) ?? []),
    probeEntry(derivation),
  ];
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: {
      name: CONFIGURATION_NAME,
      // Who manages the object is for the installer to say: Helm deletes only what carries its own labels.
      labels: { 'app.kubernetes.io/name': 'cogniforge' },
      ...(derivation.proven === undefined ? {} : { annotations: { [PROVEN]: derivation.proven } }),
    },
    webhooks: entries,
  };
}

function ownEntry(type: ResourceType, { client }: Derivation): WebhookEntry {
  return {
    name: `${type.plural}.validate.cogniforge.dev`,
    clientConfig: clientConfigOf(client, `/validate/${type.kind.toLowerCase()}`),
    rules: [
      {
        apiGroups: [type.group],
        apiVersions: ['*'],
        resources: [type.plural],
        operations: ['CREATE', 'UPDATE'],
        scope: '*',
      },
    ],
    // A bad resource that slips in while we are away is told so in its conditions; being away must not stop a rollout.
    failurePolicy: 'Ignore',
    timeoutSeconds: 10,
    ...common(),
  };
}

/** What is one entry: its targets fail alike, and it is sent what is in one namespace of the system, or in all others. */
interface Slot {
  mode: FailureMode;
  /** the name of the target whose own entry it is */
  own: string | undefined;
  /** a namespace of the system */
  namespace: string | undefined;
}

function slotsOf({ targets, namespace }: Pick<Derivation, 'targets' | 'namespace'>): Slot[] {
  const owners = [...new Set(targets.flatMap(({ own }) => own?.name ?? []))].sort();
  return (['Fail', 'Ignore'] as const).flatMap((mode) =>
    [undefined, ...owners].flatMap((own) =>
      [undefined, ...systemNamespaces(namespace)].map((place) => ({ mode, own, namespace: place })),
    ),
  );
}

function isIn({ mode, own, namespace }: Slot, target: Target): boolean {
  return (
    target.failureMode === mode &&
    target.own?.name === own &&
    (namespace === undefined || target.namespaces.includes(namespace))
  );
}

/** `fail.admission.cogniforge.dev`, `no-latest.rule.fail...`, `kube-system.namespace.fail...` */
function entryName({ mode, own, namespace }: Slot): string {
  const words = [
    ...(own === undefined ? [] : [own, 'rule']),
    ...(namespace === undefined ? [] : [namespace, 'namespace']),
    mode.toLowerCase(),
  ];
  return `${words.join('.')}.admission.cogniforge.dev`;
}

export function pathOf({ mode, own }: EntryId): string {
  return `/admit/${mode.toLowerCase()}${own === undefined ? '' : `/${own}`}`;
}

function slotRules(slot: Slot, targets: readonly Target[], resources: readonly ApiResource[]): WebhookRule[] {
  const rules = targets.flatMap((target) => rulesOf(target, resources));
  return slot.namespace === undefined ? rules : inNamespace(rules);
}

function targetEntry(slot: Slot, derivation: Derivation): WebhookEntry | undefined {
  const targets = derivation.targets.filter((target) => isIn(slot, target));
  const rules = mergeRules(slotRules(slot, targets, derivation.resources));
  if (rules.length === 0) return undefined;
  const slowest = Math.max(...targets.map((target) => target.timeoutMs));
  const conditions = [...(targets[0]?.own?.conditions ?? []), ...exemptions(rules, targets)];
  return {
    name: entryName(slot),
    clientConfig: clientConfigOf(derivation.client, pathOf(slot)),
    rules,
    failurePolicy: failsClosed(slot, derivation) ? 'Fail' : 'Ignore',
    timeoutSeconds: Math.min(30, Math.max(2, Math.ceil((slowest + OVERHEAD_MS) / 1000))),
    namespaceSelector: selectorOf(slot, derivation),
    ...(conditions.length === 0 ? {} : { matchConditions: conditions }),
    ...common(),
  };
}

/** By the one label that nobody can change: no label of a namespace is a way out. */
function selectorOf(slot: Slot, { namespace }: Derivation): object {
  const requirement =
    slot.namespace === undefined
      ? { operator: 'NotIn', values: systemNamespaces(namespace) }
      : { operator: 'In', values: [slot.namespace] };
  return { matchExpressions: [{ key: NAMESPACE_NAME, ...requirement }] };
}

/** Their names have a prefix, which those of a rule's own conditions cannot have. */
function exemptions(rules: readonly WebhookRule[], targets: readonly Target[]): MatchCondition[] {
  if (!rules.some(({ resources }) => resources.some((name) => name.includes('*')))) return [];
  const never = new Map(
    targets.flatMap((target) => target.never ?? []).map((one) => [one.plural, one.group]),
  );
  return [
    ...EXEMPTIONS,
    ...[...never].map(([plural, group]) => [plural, isResource(group, plural)] as const),
  ].map(([name, cel]) => ({ name: `cogniforge.dev/not-${name}`, expression: `!(${cel})` }));
}

function isResource(group: string, plural: string): string {
  return `request.resource.group == '${group}' && request.resource.resource == '${plural}'`;
}

/** Never in our own namespace: it would keep our own Pods from coming back. */
function failsClosed({ mode, namespace }: Slot, { proven, failMode, namespace: ours }: Derivation): boolean {
  return mode === 'Fail' && failMode === 'Rule' && proven !== undefined && namespace !== ours;
}

function probeEntry({ client, namespace }: Derivation): WebhookEntry {
  return {
    name: 'probe.cogniforge.dev',
    clientConfig: clientConfigOf(client, PROBE_PATH),
    rules: [PROBE_RULE],
    failurePolicy: 'Ignore',
    timeoutSeconds: 10,
    namespaceSelector: {
      matchExpressions: [{ key: NAMESPACE_NAME, operator: 'In', values: [namespace] }],
    },
    matchConditions: [PROBE_CONDITION],
    ...common(),
  };
}

function common() {
  return { admissionReviewVersions: ['v1'], sideEffects: 'None', matchPolicy: 'Equivalent' };
}

function clientConfigOf(client: ClientConfig, path: string): Record<string, unknown> {
  return 'url' in client
    ? { caBundle: client.caBundle, url: `${client.url.replace(/\/+$/, '')}${path}` }
    : { caBundle: client.caBundle, service: { ...client.service, path } };
}

/** Whether the configuration in the cluster sends everything this target asks for, on its conditions. */
export function covers(
  configuration: WebhookConfiguration | undefined,
  target: Target,
  resources: readonly ApiResource[],
  namespace: string,
): boolean {
  return slotsOf({ targets: [target], namespace })
    .filter((slot) => isIn(slot, target))
    .every((slot) => {
      const entry = configuration?.webhooks?.find(({ name }) => name === entryName(slot));
      const rules = slotRules(slot, [target], resources);
      if (!rules.every((rule) => sends(entry?.rules ?? [], rule))) return false;
      const { conditions = [] } = target.own ?? {};
      const given = entry?.matchConditions ?? [];
      return rules.length === 0 || deepEqual(given.slice(0, conditions.length), [...conditions]);
    });
}

/** The name of the target whose own entry this is, dots and all. */
export function ownerOf({ name }: WebhookEntry): string | undefined {
  return /^(.+)\.rule\.(?:[^.]+\.namespace\.)?(?:fail|ignore)\.admission\.cogniforge\.dev$/.exec(name)?.[1];
}
