/** Conditions as kstatus and `kubectl wait` read them: Ready always, Reconciling and Stalled only while true. */
import { timestamp, type Instant } from './clock.ts';
import type { Condition, ConditionStatus } from './resource.ts';

export interface Statement {
  type: string;
  status: ConditionStatus;
  reason: string;
  message: string;
}

/** Kubernetes caps a condition's message at 32 KiB. */
const LONGEST_MESSAGE = 32_768;

/**
 * The conditions after `statements` were made of `generation`. What is stated again unchanged keeps its
 * lastTransitionTime, which moves with `status` alone; types that are not stated are dropped.
 */
export function conditionsOf(
  current: readonly Condition[] | undefined,
  statements: readonly Statement[],
  generation: number,
  now: Instant,
): Condition[] {
  return statements.map((statement) => {
    const before = current?.find((condition) => condition.type === statement.type);
    return {
      type: statement.type,
      status: statement.status,
      reason: statement.reason,
      // Well-formed, as the API server stores it: half a character would differ from what comes back at every look.
      message: statement.message.slice(0, LONGEST_MESSAGE).toWellFormed(),
      observedGeneration: generation,
      lastTransitionTime: before?.status === statement.status ? before.lastTransitionTime : timestamp(now),
    };
  });
}

export function conditionOf(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** `status` with one condition stated anew, the others untouched. */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  statement: Statement,
  generation: number,
  now: Instant,
): Condition[] {
  const stated = conditionsOf(conditions, [statement], generation, now);
  const others = (conditions ?? []).filter((condition) => condition.type !== statement.type);
  return [...others, ...stated].sort((a, b) => (a.type < b.type ? -1 : 1));
}
