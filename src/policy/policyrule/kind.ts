/** PolicyRule: the table of contents. */
import { erase, type AnyKind, type Kind } from '../../runtime/kind.ts';
import { Presence } from '../../runtime/presence.ts';
import type { KubernetesObject, ResourceType } from '../../runtime/resource.ts';
import type { Validator } from '../../runtime/webhook/gate.ts';
import type { AdmissionRequest } from '../../runtime/webhook/review.ts';
import type { CompiledPolicy, PolicySource } from '../compiler.ts';
import { sourceOf } from '../library.ts';
import { CompileError, type Problem } from '../problems.ts';
import { admit } from './admit.ts';
import { decide } from './decide.ts';
import { gatherFrom, TOPIC, type Input, type Services } from './gather.ts';
import type { PolicyRule } from './types.gen.ts';

export const POLICY_RULE: ResourceType = {
  group: 'cogniforge.dev',
  version: 'v1alpha1',
  kind: 'PolicyRule',
  plural: 'policyrules',
  namespaced: false,
};

/** An annotation that asks the webhook to say that it was reached; only ever in a dry run of our own. */
export const PROBE = 'cogniforge.dev/probe';

export function policyRuleKind(services: Services, namespace: string): AnyKind {
  const kind: Kind<PolicyRule, Input> = {
    type: POLICY_RULE,
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
    gather: gatherFrom(services),
    decide,
  };
  return erase(kind);
}

/** A renewal without news wakes nobody. */
function namesThatDiffer(
  before: KubernetesObject | undefined,
  after: KubernetesObject | undefined,
): string[] {
  const [old, fresh] = [Presence.reportOf(before)[TOPIC] ?? {}, Presence.reportOf(after)[TOPIC] ?? {}];
  const names = new Set([...Object.keys(old), ...Object.keys(fresh)]);
  return [...names].filter((name) => String(old[name]) !== String(fresh[name]));
}

/** Refuses at `kubectl apply` what would not compile. */
export function policyRuleValidator(
  compile: (source: PolicySource, signal: AbortSignal) => Promise<CompiledPolicy>,
): Validator<readonly Problem[]> {
  return {
    type: POLICY_RULE,
    async gather(request, signal) {
      const rule = ruleOf(request);
      if (rule === undefined) return [];
      const probe = request.dryRun === true ? rule.metadata.annotations?.[PROBE] : undefined;
      if (probe !== undefined) return [{ message: `probe ${probe}` }];
      try {
        await compile(sourceOf(rule), signal);
        return [];
      } catch (error) {
        if (error instanceof CompileError) return error.problems;
        throw error;
      }
    },
    admit: (request, problems) => admit(request.name ?? '', problems),
  };
}

function ruleOf(request: AdmissionRequest): PolicyRule | undefined {
  return request.object === undefined || request.object === null
    ? undefined
    : (request.object as unknown as PolicyRule);
}
