/** What a violation of a rule does at a point where rules are evaluated. */
import type { PolicyRule } from './policyrule/types.gen.ts';

export type Point = NonNullable<PolicyRule['spec']['enforcement']>[number]['point'];
export type Action = NonNullable<PolicyRule['spec']['enforcement']>[number]['action'];

/** What the rule says of the point, else its enforcementMode; Enforce for a rule in a file that says nothing. */
export function actionAt(
  { enforcement = [], enforcementMode = 'Enforce' }: Partial<PolicyRule['spec']>,
  point: Point,
): Action {
  return enforcement.find((entry) => entry.point === point)?.action ?? enforcementMode;
}
