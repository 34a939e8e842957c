/** PolicyRule: the table of contents. */
import { deepEqual } from '../../runtime/json.ts';
import { erase } from '../../runtime/kind.ts';
import { Presence } from '../../runtime/presence.ts';
import type { KubernetesObject } from '../../runtime/resource.ts';
import type { KindEntry } from '../../runtime/service.ts';
import { conditionProblem } from '../../runtime/validation/cel/condition.ts';
import type { Validator } from '../../runtime/webhook/gate.ts';
import type { AdmissionRequest } from '../../runtime/webhook/review.ts';
import { inspect, NO_FAULTS, type Faults, type Workbench } from '../inspection.ts';
import { sourceOf, type Library } from '../library.ts';
import type { Problem } from '../problems.ts';
import { admit } from './admit.ts';
import { crd, type } from './crd.gen.ts';
import { decide } from './decide.ts';
import { gatherFrom, TOPIC, type Input } from './gather.ts';
import type { PolicyRule } from './types.gen.ts';

/** What PolicyRule takes from its service. */
export interface PolicyRuleParts {
  library: Library;
  /** what a rule is looked at with before it is stored */
  workbench: Workbench;
}

export const policyRule: KindEntry<PolicyRuleParts> = {
  type,
  crd,
  permissions: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch'] }],
  kind: ({ library }, { presence, registration, clock, namespace }) =>
    erase<PolicyRule, Input>({
      type,
      watches: [
        {
          ...Presence.watching(namespace),
          map: (change) => {
            const before = change.type === 'added' ? undefined : change.old;
            const after = change.type === 'deleted' ? undefined : change.object;
            return namesThatDiffer(before, after);
          },
        },
      ],
      gather: gatherFrom({ library, presence, registration, clock }),
      decide,
    }),
  validator: ({ workbench }) => validator(workbench),
};

/** A renewal without news wakes nobody. */
function namesThatDiffer(
  before: KubernetesObject | undefined,
  after: KubernetesObject | undefined,
): string[] {
  const [old, fresh] = [Presence.reportOf(before)[TOPIC] ?? {}, Presence.reportOf(after)[TOPIC] ?? {}];
  const names = new Set([...Object.keys(old), ...Object.keys(fresh)]);
  return [...names].filter((name) => String(old[name]) !== String(fresh[name]));
}

/** Refuses at `kubectl apply` what would never be put in force. */
function validator(workbench: Workbench): Validator<Faults> {
  return {
    type,
    async gather(request, signal) {
      const rule = ruleOf(request.object);
      if (rule === undefined || isMere(rule, ruleOf(request.oldObject))) return NO_FAULTS;
      const { faults } = await inspect(rule, sourceOf(rule), workbench, signal);
      return { ...faults, compile: [...faults.compile, ...conditionProblems(rule)] };
    },
    admit: (request, faults) => admit(request.name ?? '', faults),
  };
}

/** Switching a rule off, or changing nothing of it, needs no compiler: what is broken must be easy to stop. */
function isMere(rule: PolicyRule, before: PolicyRule | undefined): boolean {
  if (before === undefined) return false;
  const { suspend } = rule.spec;
  const isNoNews = suspend || suspend === before.spec.suspend;
  return isNoNews && deepEqual({ ...rule.spec, suspend }, { ...before.spec, suspend });
}

function conditionProblems({ spec: { matchConditions = [] } }: PolicyRule): Problem[] {
  return matchConditions.flatMap(({ name, expression }) => {
    const problem = conditionProblem(expression);
    return problem === undefined ? [] : [{ message: `spec.matchConditions[${name}].expression: ${problem}` }];
  });
}

function ruleOf(object: AdmissionRequest['object']): PolicyRule | undefined {
  return object === undefined || object === null ? undefined : (object as unknown as PolicyRule);
}
