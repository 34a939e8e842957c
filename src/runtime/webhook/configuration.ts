/**
 * The ValidatingWebhookConfiguration that the kinds and policies in force call for: pure, from data to object.
 *
 * Two entries for other people's objects, one for each failure mode, and one for each kind of our own. What no target
 * names is not sent to us at all.
 */
import type { ApiResource } from '../discovery.ts';
import type { KubernetesObject, ResourceType } from '../resource.ts';
import { PROBE_CONDITION, PROBE_PATH, PROBE_RULE } from './probe.ts';
import type { Operation } from './review.ts';

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

export type FailureMode = 'Fail' | 'Ignore';

/** Whose word counts while we cannot be reached: each rule's own, or Ignore whatever they say. */
export type FailMode = 'Rule' | 'Ignore';

export type Scope = '*' | 'Namespaced' | 'Cluster';

/** What a gate wants to see. */
export interface Target {
  failureMode: FailureMode;
  kinds: readonly { apiGroups: readonly string[]; kinds: readonly string[] }[];
  operations: readonly Operation[];
  scope: Scope;
  /** how long its evaluation may take, ms */
  timeoutMs: number;
}

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

export interface WebhookRule {
  apiGroups: string[];
  apiVersions: string[];
  resources: string[];
  operations: Operation[];
  scope: Scope;
}

export interface WebhookEntry {
  name: string;
  rules: WebhookRule[];
  failurePolicy: FailureMode;
  [field: string]: unknown;
}

export interface WebhookConfiguration extends KubernetesObject {
  webhooks?: WebhookEntry[];
}

/** A label that the API server itself sets and nobody can take away. */
const NAMESPACE_NAME = 'kubernetes.io/metadata.name';
/** What the cluster cannot start without. */
const KUBE_SYSTEM = 'kube-system';

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
    ...(['Fail', 'Ignore'] as const).flatMap((mode) => targetEntry(mode, derivation) ?? []),
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

function targetEntry(mode: FailureMode, derivation: Derivation): WebhookEntry | undefined {
  const targets = derivation.targets.filter((target) => target.failureMode === mode);
  const rules = mergeRules(targets.flatMap((target) => rulesOf(target, derivation.resources)));
  if (rules.length === 0) return undefined;
  const slowest = Math.max(...targets.map((target) => target.timeoutMs));
  const broad = rules.some((rule) => rule.resources.includes('*'));
  return {
    name: `${mode.toLowerCase()}.admission.cogniforge.dev`,
    clientConfig: clientConfigOf(derivation.client, `/admit/${mode.toLowerCase()}`),
    rules,
    failurePolicy: failsClosed(mode, derivation) ? 'Fail' : 'Ignore',
    timeoutSeconds: Math.min(30, Math.max(2, Math.ceil((slowest + OVERHEAD_MS) / 1000))),
    namespaceSelector: {
      matchExpressions: [
        { key: NAMESPACE_NAME, operator: 'NotIn', values: [derivation.namespace, KUBE_SYSTEM].sort() },
      ],
    },
    ...(broad
      ? {
          matchConditions: EXEMPTIONS.map(([name, cel]) => ({
            name: `not-${name}`,
            expression: `!(${cel})`,
          })),
        }
      : {}),
    ...common(),
  };
}

function failsClosed(mode: FailureMode, { proven, failMode }: Derivation): boolean {
  return mode === 'Fail' && failMode === 'Rule' && proven !== undefined;
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

/** The webhook rules of one target. Kinds that the API server does not serve (yet) give none. */
export function rulesOf(target: Target, resources: readonly ApiResource[]): WebhookRule[] {
  const rules: WebhookRule[] = [];
  for (const { apiGroups, kinds } of target.kinds) {
    const add = (groups: readonly string[], names: readonly string[]): void => {
      rules.push({
        apiGroups: [...groups],
        apiVersions: ['*'],
        resources: [...names],
        operations: [...target.operations].sort(),
        scope: target.scope === 'Cluster' ? 'Cluster' : target.scope,
      });
    };
    if (kinds.includes('*')) {
      add(apiGroups.includes('*') ? ['*'] : apiGroups, ['*']);
      continue;
    }
    for (const resource of resources) {
      if (isExempt(resource)) continue;
      if (kinds.includes(resource.kind) && (apiGroups.includes('*') || apiGroups.includes(resource.group))) {
        add([resource.group], [resource.plural]);
      }
    }
  }
  return rules;
}

/** The exemptions again, for a rule that names such a kind. */
function isExempt({ group, plural }: ApiResource): boolean {
  if (plural === 'leases') return group === 'coordination.k8s.io';
  if (plural === 'events') return group === '' || group === 'events.k8s.io';
  return group === 'authentication.k8s.io' || group === 'authorization.k8s.io';
}

/** The kinds that a target names in vain: nothing of them is ever judged. */
export function exemptKinds(target: Target, resources: readonly ApiResource[]): string[] {
  return target.kinds.flatMap(({ apiGroups, kinds }) =>
    kinds.filter((kind) => {
      const named = resources.filter(
        (resource) =>
          resource.kind === kind && (apiGroups.includes('*') || apiGroups.includes(resource.group)),
      );
      return named.length > 0 && named.every(isExempt);
    }),
  );
}

/** One rule for each group, scope and set of operations: the API server reads them all for every request. */
function mergeRules(rules: readonly WebhookRule[]): WebhookRule[] {
  const merged = new Map<string, { rule: WebhookRule; resources: Set<string> }>();
  for (const rule of rules) {
    const id = JSON.stringify([rule.apiGroups, rule.operations, rule.scope]);
    const known = merged.get(id);
    if (known === undefined) merged.set(id, { rule, resources: new Set(rule.resources) });
    else for (const name of rule.resources) known.resources.add(name);
  }
  return [...merged.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { rule, resources }]) => ({
      ...rule,
      resources: resources.has('*') ? ['*'] : [...resources].sort(),
    }));
}

/** The kinds of a target that the API server does not serve; '*' is always served. */
export function unknownKinds(target: Target, resources: readonly ApiResource[]): string[] {
  return target.kinds.flatMap(({ apiGroups, kinds }) =>
    kinds.filter(
      (kind) =>
        kind !== '*' &&
        !resources.some(
          (resource) =>
            resource.kind === kind && (apiGroups.includes('*') || apiGroups.includes(resource.group)),
        ),
    ),
  );
}

/** Whether the configuration in the cluster sends everything this target asks for. */
export function covers(
  configuration: WebhookConfiguration | undefined,
  target: Target,
  resources: readonly ApiResource[],
): boolean {
  const name = `${target.failureMode.toLowerCase()}.admission.cogniforge.dev`;
  const entry = configuration?.webhooks?.find((webhook) => webhook.name === name);
  const within = (wanted: readonly string[], given: readonly string[]): boolean =>
    given.includes('*') || wanted.every((value) => given.includes(value));
  return rulesOf(target, resources).every((rule) =>
    rule.operations.every((operation) =>
      (entry?.rules ?? []).some(
        (given) =>
          within(rule.apiGroups, given.apiGroups) &&
          within(rule.resources, given.resources) &&
          given.operations.includes(operation) &&
          (given.scope === '*' || given.scope === rule.scope),
      ),
    ),
  );
}
