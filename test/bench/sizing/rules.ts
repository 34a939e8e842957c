/**
 * Rules as a cluster has them that gives each team its own: the chart's Pod Security rules and the quickstart's query,
 * 15 texts, each instance about one team's namespace and with parameters of its own.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PolicyRule, PolicyRuleSpec } from '../../../src/policy/policyrule/types.gen.ts';
import { parseYamlDocument } from '../../../src/runtime/yaml.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const PACK = join(ROOT, 'charts', 'cogniforge', 'files', 'policies', 'pod-security');
const KINDS = [
  { apiGroups: [''], kinds: ['Pod'] },
  { apiGroups: ['apps'], kinds: ['Deployment', 'StatefulSet', 'DaemonSet'] },
];

const texts: Pick<PolicyRuleSpec, 'rego' | 'libs' | 'regoQuery'>[] = [
  ...globSync('*.yaml', { cwd: PACK })
    .toSorted()
    .map((file) => {
      const { rego } = parseYamlDocument(readFileSync(join(PACK, file))) as { rego: string };
      return { rego, libs: [readFileSync(join(PACK, 'pods.rego'), 'utf8')] };
    }),
  { regoQuery: 'not input.spec.template.spec.containers[_].livenessProbe' },
];

/** How many teams `count` rules are enough for; each has every text once, the last one perhaps not. */
export function teams(count: number): number {
  return Math.ceil(count / texts.length);
}

export function teamName(team: number): string {
  return `team-${String(team).padStart(4, '0')}`;
}

/** The rule number `at`, from 0. */
export function ruleAt(at: number): Pick<PolicyRule, 'apiVersion' | 'kind'> & {
  metadata: { name: string };
  spec: object;
} {
  const team = teamName(Math.floor(at / texts.length));
  const text = at % texts.length;
  return {
    apiVersion: 'cogniforge.dev/v1alpha1',
    kind: 'PolicyRule',
    metadata: { name: `${team}-rule-${String(text).padStart(2, '0')}` },
    spec: {
      description: `What ${team} has agreed on`,
      severity: 'High',
      match: { kinds: KINDS, namespaces: [team] },
      parameters: { owner: team, contact: `${team}@example.com` },
      ...texts[text],
    },
  };
}
