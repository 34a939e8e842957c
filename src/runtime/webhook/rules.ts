/** From kinds, as people name them, to the rules of a webhook, which name resources: pure, by what discovery says. */
import type { ApiResource, Subresource } from '../discovery.ts';
import type { Scope, Target, WebhookRule } from './target.ts';

/** The webhook rules of one target. What the API server does not serve (yet) gives none. */
export function rulesOf(target: Target, resources: readonly ApiResource[]): WebhookRule[] {
  const { scope } = target;
  const operations = [...target.operations].sort();
  const rule = (apiGroups: readonly string[], names: string[]): WebhookRule[] =>
    names.length === 0
      ? []
      : [{ apiGroups: [...apiGroups], apiVersions: ['*'], resources: names, operations, scope }];
  return target.kinds.flatMap((entry) => {
    const { apiGroups, kinds } = entry;
    if (kinds.includes('*')) {
      const names = target.parts.map((part) => (part === '' ? '*' : `*/${part}`));
      return rule(apiGroups.includes('*') ? ['*'] : apiGroups, names);
    }
    return resources
      .filter((resource) => !isExempt(resource))
      .flatMap((resource) => {
        const parts = isNamed(entry, resource) ? partsOf(resource, target.parts) : [];
        const own = partsNamed(entry, resource).map(({ name }) => `${resource.plural}/${name}`);
        return rule([resource.group], [...new Set([...parts, ...own])]);
      });
  });
}

type Kinds = Target['kinds'][number];

function isNamed({ apiGroups, kinds }: Kinds, { group, kind }: { group: string; kind: string }): boolean {
  return kinds.includes(kind) && (apiGroups.includes('*') || apiGroups.includes(group));
}

/** The subresources that are named by the kind of what is sent there: PodExecOptions is pods/exec. */
function partsNamed(entry: Kinds, { kind, subresources }: ApiResource): Subresource[] {
  return subresources.filter((part) => part.kind !== kind && isNamed(entry, part));
}

function partsOf({ plural, subresources }: ApiResource, parts: readonly string[]): string[] {
  return parts.flatMap((part) => {
    if (part === '') return [plural];
    const has = part === '*' ? subresources.length > 0 : subresources.some(({ name }) => name === part);
    return has ? [`${plural}/${part}`] : [];
  });
}

/** What each rule sends of one namespace: what is in it, and the Namespace itself, which is in none. */
export function inNamespace(rules: readonly WebhookRule[]): WebhookRule[] {
  return rules.flatMap((rule) => {
    const inside: WebhookRule[] = rule.scope === 'Cluster' ? [] : [{ ...rule, scope: 'Namespaced' }];
    const itself = rule.scope === 'Namespaced' ? [] : namespacesOf(rule);
    return itself.length === 0
      ? inside
      : [...inside, { ...rule, apiGroups: [''], resources: itself, scope: 'Cluster' }];
  });
}

function namespacesOf({ apiGroups, resources }: WebhookRule): string[] {
  if (!apiGroups.includes('') && !apiGroups.includes('*')) return [];
  return resources.flatMap((name) => {
    const [resource = '', part] = name.split('/');
    if (resource !== '*' && resource !== 'namespaces') return [];
    return [part === undefined ? 'namespaces' : `namespaces/${part}`];
  });
}

/** One rule for each group, scope and set of operations: the API server reads them all for every request. */
export function mergeRules(rules: readonly WebhookRule[]): WebhookRule[] {
  const merged = new Map<string, { rule: WebhookRule; resources: Set<string> }>();
  for (const rule of rules) {
    const id = JSON.stringify([rule.apiGroups, rule.operations, rule.scope]);
    const known = merged.get(id);
    if (known === undefined) merged.set(id, { rule, resources: new Set(rule.resources) });
    else for (const name of rule.resources) known.resources.add(name);
  }
  return [...merged.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { rule, resources }]) => ({ ...rule, resources: withoutDoubles(resources) }));
}

/** The API server refuses a rule in which a wildcard stands beside what it covers. */
function withoutDoubles(names: ReadonlySet<string>): string[] {
  return [...names]
    .filter((name) => ![...names].some((other) => other !== name && covering(other, name)))
    .sort();
}

/** `*` is every resource without its subresources, `x/*` is x with all of them. */
function covering(wide: string, name: string): boolean {
  const [wideResource, widePart = ''] = wide.split('/');
  const [resource, part = ''] = name.split('/');
  return (wideResource === '*' || wideResource === resource) && (widePart === '*' || widePart === part);
}

/** Whether the rules send all that one rule asks for. */
export function sends(rules: readonly WebhookRule[], wanted: WebhookRule): boolean {
  const within = (given: readonly string[], groups: readonly string[]): boolean =>
    given.includes('*') || groups.every((group) => given.includes(group));
  const inScope = (given: Scope): boolean => given === '*' || given === wanted.scope;
  return wanted.operations.every((operation) =>
    wanted.resources.every((name) =>
      rules.some(
        (given) =>
          given.operations.includes(operation) &&
          within(given.apiGroups, wanted.apiGroups) &&
          given.resources.some((other) => covering(other, name)) &&
          inScope(given.scope),
      ),
    ),
  );
}

/** Never judged, also where a target names it: see EXEMPTIONS in configuration.ts. */
function isExempt({ group, plural }: ApiResource): boolean {
  if (plural === 'leases') return group === 'coordination.k8s.io';
  if (plural === 'events') return group === '' || group === 'events.k8s.io';
  return group === 'authentication.k8s.io' || group === 'authorization.k8s.io';
}

/** The kinds that a target names in vain: nothing of them is ever judged. */
export function exemptKinds(target: Target, resources: readonly ApiResource[]): string[] {
  return target.kinds.flatMap(({ apiGroups, kinds }) =>
    kinds.filter((kind) => {
      const named = resources.filter((resource) => isNamed({ apiGroups, kinds: [kind] }, resource));
      return named.length > 0 && named.every(isExempt);
    }),
  );
}

/** The kinds of a target that the API server does not serve; '*' is always served. */
export function unknownKinds(target: Target, resources: readonly ApiResource[]): string[] {
  return target.kinds.flatMap(({ apiGroups, kinds }) =>
    kinds.filter(
      (kind) =>
        kind !== '*' &&
        !resources.some((resource) =>
          [resource, ...resource.subresources].some((one) => isNamed({ apiGroups, kinds: [kind] }, one)),
        ),
    ),
  );
}

/** The subresources of a target that none of its kinds has. */
export function unknownParts(target: Target, resources: readonly ApiResource[]): string[] {
  if (target.kinds.some(({ kinds }) => kinds.includes('*'))) return [];
  const named = resources.filter((resource) => target.kinds.some((entry) => isNamed(entry, resource)));
  return target.parts.filter(
    (part) =>
      part !== '' &&
      part !== '*' &&
      !named.some(({ subresources }) => subresources.some(({ name }) => name === part)),
  );
}
