/** A cluster made ready for the operator: its kinds and its namespace. */
import { execFileSync } from 'node:child_process';
import type { Client } from '../../../src/runtime/client.ts';
import type { KubernetesObject } from '../../../src/runtime/resource.ts';
import { type as POLICY_RULE } from '../../../src/policy/policyrule/crd.gen.ts';
import { createNamespace } from '../../bench/objects.ts';
import type { Cluster } from '../../cluster/controlplane.ts';
import { until } from './process.ts';

export async function prepare(client: Client, { kubectl, kubeconfig }: Cluster): Promise<void> {
  for (const verb of [
    ['apply', '--server-side'],
    ['wait', '--for=condition=Established', '--timeout=30s'],
  ])
    execFileSync(kubectl, ['--kubeconfig', kubeconfig, ...verb, '-f', 'crds'], { stdio: 'pipe' });
  await until('PolicyRule is served', () =>
    client.list(POLICY_RULE, { limit: 1 }).then(
      () => true,
      () => false,
    ),
  );
  await createNamespace(client, 'cogniforge-system');
}

export function rule(name: string, rego: string): KubernetesObject & { spec: object } {
  return {
    apiVersion: 'cogniforge.dev/v1alpha1',
    kind: 'PolicyRule',
    metadata: { name },
    spec: { match: { kinds: [{ apiGroups: [''], kinds: ['ConfigMap'] }] }, rego },
  };
}

/** A rule that a ConfigMap with data.KEY violates. */
export function forbids(key: string): string {
  return `package example\n\nviolation contains {"msg": "no ${key}"} if input.review.object.data.${key}`;
}
