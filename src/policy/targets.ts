/** What the API server is to send us for a rule: nothing that the rule would not judge. */
import type { Target } from '../runtime/webhook/target.ts';
import { actionAt } from './enforcement.ts';
import { expandedKinds } from './expand.ts';
import { createsOrChanges, POD_PARTS } from './match/parts.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';

/** None for a rule that is off at admission. The first is what the rule says of itself, the others follow from it. */
export function targetsOf({ metadata, spec }: PolicyRule): Target[] {
  if (actionAt(spec, 'Admission') === 'Off') return [];
  const { match, matchConditions: conditions = [] } = spec;
  const { kinds, operations, scope, subresources } = match;
  const shared = {
    failureMode: spec.failurePolicy,
    scope,
    // Its own repair must not wait for us.
    never: [{ group: 'cogniforge.dev', plural: 'policyrules' }],
    namespaces: (match.namespaces ?? []).filter((name) => !name.includes('*')),
    // The old object is looked at only when the new one violates the rule.
    timeoutMs: spec.timeoutMilliseconds * (spec.existingViolations === 'Block' ? 1 : 2),
    ...(conditions.length === 0 ? {} : { own: { name: metadata.name, conditions } }),
  };
  const targets: Target[] = [];
  const changes = operations.filter((operation) => operation !== 'CONNECT');
  if (changes.length > 0)
    targets.push({ ...shared, kinds, operations: changes, parts: ['', ...(subresources ?? [])] });
  if (operations.includes('CONNECT'))
    targets.push({ ...shared, kinds, operations: ['CONNECT'], parts: subresources ?? ['*'] });
  if (createsOrChanges(operations) && aboutPods(kinds)) {
    const pods = [{ apiGroups: [''], kinds: ['Pod'] }];
    targets.push({ ...shared, kinds: pods, operations: ['UPDATE'], parts: POD_PARTS });
  }
  const parents = expandedKinds(spec).map(({ group, kind }) => ({ apiGroups: [group], kinds: [kind] }));
  if (parents.length > 0)
    targets.push({ ...shared, kinds: parents, operations: ['CREATE', 'UPDATE'], parts: [''] });
  return targets;
}

function aboutPods(kinds: Target['kinds']): boolean {
  return kinds.some(
    ({ apiGroups, kinds: named }) =>
      (apiGroups.includes('*') || apiGroups.includes('')) && (named.includes('*') || named.includes('Pod')),
  );
}
