/** A rule as the API server hands it out: with the defaults of the CRD's schema filled in. */
import { crd } from '../../../src/policy/policyrule/crd.gen.ts';
import type { PolicyRule } from '../../../src/policy/policyrule/types.gen.ts';
import { storedVersion } from '../../../src/runtime/schema.ts';
import { withDefaults } from '../../../src/runtime/validation/defaults.ts';

export function asStored(rule: unknown): PolicyRule {
  return withDefaults(rule, storedVersion(crd).schema.openAPIV3Schema) as PolicyRule;
}
