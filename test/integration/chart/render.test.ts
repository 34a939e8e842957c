/** What the chart renders, judged by helm, by a real API server in a dry run, and by our own Pod security rules. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { toolPath } from '../../cluster/tools.ts';
import { podSecurityJudge, type Judge } from '../../unit/chart/pack.ts';
import { foreignCrds } from './modules.ts';
import { CHART, manifests, must, NAMESPACE, run, stageOf, template, type Stage } from './stage.ts';
import type { KubernetesManifest } from './stage.ts';
import { VALUE_SETS } from './value-sets.ts';

const WORKLOADS = ['Deployment', 'Job', 'Pod'];

let cluster: Cluster;
let stage: Stage;
let judge: Judge;

beforeAll(async () => {
  [cluster, judge] = await Promise.all([startCluster(), podSecurityJudge()]);
  stage = await stageOf(cluster);
  for (const file of foreignCrds()) must(stage.kubectl(`apply --server-side -f ${file}`));
  must(stage.kubectl('apply --server-side -f crds'));
  must(stage.kubectl('wait --for=condition=Established crd --all --timeout=60s'));
  must(stage.kubectl(`create namespace ${NAMESPACE}`));
  // A Pod is refused before its service account is there, which a dry run does not make.
  must(stage.kubectl(`create serviceaccount cogniforge-test -n ${NAMESPACE}`));
  // As strict as Kubernetes can be about Pods: it warns, and the warning is an error below.
  must(stage.kubectl(`label namespace ${NAMESPACE} pod-security.kubernetes.io/warn=restricted`));
});

afterAll(async () => {
  await judge.close();
  await cluster.stop();
});

/** The objects, and those that travel in the pack's ConfigMap. */
function unpacked(objects: readonly KubernetesManifest[]): KubernetesManifest[] {
  const texts = objects
    .filter(({ metadata: { name } }) => name === 'cogniforge-policies')
    .flatMap(({ data }) => Object.values((data ?? {}) as Record<string, string>));
  return [...objects, ...texts.flatMap(manifests)];
}

describe.each(Object.entries(VALUE_SETS))('%s', (_name, args) => {
  it('passes helm lint --strict', async () => {
    const { ok, text } = run(await toolPath('helm'), ['lint', '--strict', CHART, ...args]);
    expect(ok ? '' : text).toBe('');
  });

  it('is accepted by the API server, every object, with no unknown field and no warning', async () => {
    const objects = unpacked(await template(...args));
    expect(objects.length).toBeGreaterThan(15);
    const dry =
      'apply --server-side --force-conflicts --dry-run=server --validate=strict --warnings-as-errors -f -';
    const { ok, text } = stage.kubectl(dry, objects);
    expect(ok ? '' : text).toBe('');
  });

  it('passes the restricted profile with every Pod', async () => {
    const workloads = (await template(...args)).filter(({ kind }) => WORKLOADS.includes(kind));
    expect(workloads.length).toBeGreaterThanOrEqual(2);
    for (const workload of workloads)
      expect([workload.metadata.name, ...(await judge.judge(workload))]).toEqual([workload.metadata.name]);
  });
});

describe('the value sets', () => {
  it('are at least twelve', () => {
    expect(Object.keys(VALUE_SETS).length).toBeGreaterThanOrEqual(12);
  });

  it('make every kind of object that the chart can make', async () => {
    const rendered = await Promise.all(Object.values(VALUE_SETS).map((args) => template(...args)));
    const made = new Set(rendered.flatMap(unpacked).map(({ kind }) => kind));
    expect([...made].sort()).toEqual([
      'Certificate',
      'ClusterRole',
      'ClusterRoleBinding',
      'ConfigMap',
      'CustomResourceDefinition',
      'Deployment',
      'Issuer',
      'Job',
      'NetworkPolicy',
      'Pod',
      'PodDisruptionBudget',
      'PolicyRule',
      'PrometheusRule',
      'Role',
      'RoleBinding',
      'Service',
      'ServiceAccount',
      'ServiceMonitor',
      'ValidatingWebhookConfiguration',
    ]);
  });

  it('would be found wanting: a Pod without its security context is refused by the rules', async () => {
    const deployment = (await template()).find(({ kind }) => kind === 'Deployment');
    const text = JSON.stringify(deployment).replaceAll('"allowPrivilegeEscalation":false,', '');
    const found = await judge.judge(JSON.parse(text) as Record<string, unknown>);
    expect([...found.keys()]).toEqual(['privilege-escalation']);
  });
});
