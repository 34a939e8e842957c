/**
 * The chart's life on a real API server, in order: install, operate with exactly the chart's rights, upgrade, roll back,
 * uninstall, install again. There is no node: the operator runs beside the cluster with its service account's token.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { startOperator, type Operator } from '../../cluster/operator.ts';
import { toolPath } from '../../cluster/tools.ts';
import {
  CHART,
  eventually,
  gone,
  load,
  manifests,
  must,
  NAMESPACE,
  stageOf,
  template,
  type Stage,
} from './stage.ts';

const QUICKSTART = 'deploy/examples/quickstart';
const PACK = ['--set=policies.podSecurity.enabled=true', '--show-only=templates/policies.yaml'];

let cluster: Cluster;
let stage: Stage;
let operator: Operator;
let logs = 0;

async function start(): Promise<Operator> {
  logs += 1;
  return startOperator({
    kubeconfig: stage.kubeconfigOf('cogniforge'),
    opa: await toolPath('opa'),
    logFile: logFile(logs),
  });
}

function logFile(number: number): string {
  return join(cluster.folder, `operator-${String(number)}.log`);
}

/** A rule about every ConfigMap that refuses none but those named `blocked`, and fails closed. */
const CLOSED = {
  apiVersion: 'cogniforge.dev/v1alpha1',
  kind: 'PolicyRule',
  metadata: { name: 'fail-closed' },
  spec: {
    match: { kinds: [{ apiGroups: [''], kinds: ['ConfigMap'] }] },
    failurePolicy: 'Fail',
    rego: 'package closed\n\nviolation contains {"msg": "blocked"} if input.review.object.metadata.name == "blocked"',
  },
};

function failsClosed(): boolean {
  return stage.configuration()?.webhooks?.some(({ failurePolicy }) => failurePolicy === 'Fail') ?? false;
}

function blocked(): boolean {
  return stage
    .kubectl('create configmap blocked -n default --dry-run=server')
    .text.includes('denied the request');
}

beforeAll(async () => {
  cluster = await startCluster();
  stage = await stageOf(cluster);
});

afterAll(async () => {
  await operator.stop();
  await cluster.stop();
});

describe('helm install', () => {
  it('needs nothing but an empty cluster', () => {
    const text = must(stage.helm('install', 'cogniforge', CHART, '--create-namespace'));
    expect(text).toContain('helm test cogniforge');
    must(stage.kubectl('wait --for=condition=Established crd/policyrules.cogniforge.dev --timeout=30s'));
  });

  it('makes a webhook configuration that asks for nothing yet', () => {
    expect(stage.configuration()?.metadata.labels?.['app.kubernetes.io/managed-by']).toBe('Helm');
    expect(stage.configuration()?.webhooks ?? []).toEqual([]);
  });

  it('refuses a value that the chart does not know', () => {
    const { ok, text } = stage.helm('upgrade', 'cogniforge', CHART, '--set=replicas=3');
    expect(ok).toBe(false);
    expect(text).toContain('replicas');
  });

  it('refuses a second operator in the cluster', () => {
    const { ok, text } = stage.helm('install', 'other', CHART);
    expect(ok).toBe(false);
    expect(text).toMatch(/exists and cannot be imported/);
  });
});

describe("the operator, with the chart's rights and no others", () => {
  beforeAll(async () => {
    operator = await start();
  });

  it('refuses a bad Deployment and accepts a good one', async () => {
    must(stage.kubectl(`apply -f ${QUICKSTART}/rule.yaml`));
    must(stage.kubectl('wait --for=condition=Ready policyrule/require-health-checks --timeout=60s'));
    await eventually(
      'a bad Deployment is refused',
      () => !stage.kubectl(`apply --dry-run=server -f ${QUICKSTART}/bad-deployment.yaml`).ok,
    );
    must(stage.kubectl(`apply -f ${QUICKSTART}/good-deployment.yaml`));
  });

  it('reaches itself through the API server, so that a rule can fail closed', async () => {
    must(stage.kubectl('apply -f -', CLOSED));
    await eventually('the Fail entry fails closed', failsClosed);
    await eventually('it refuses', blocked);
  });

  it("leaves Helm's marks on the webhook configuration, and makes it the ClusterRole's", () => {
    const { labels, annotations, ownerReferences } = stage.configuration()?.metadata ?? {};
    expect(labels?.['app.kubernetes.io/managed-by']).toBe('Helm');
    expect(annotations?.['meta.helm.sh/release-name']).toBe('cogniforge');
    expect(ownerReferences?.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['ClusterRole cogniforge']);
  });

  it('makes it anew with the same marks after the break-glass', async () => {
    must(stage.kubectl('delete validatingwebhookconfiguration cogniforge'));
    await eventually('it is back', () => stage.configuration() !== undefined);
    expect(stage.configuration()?.metadata.labels?.['app.kubernetes.io/managed-by']).toBe('Helm');
    expect(failsClosed()).toBe(false);
    await eventually('the Fail entry fails closed again', failsClosed);
  });

  it('was never forbidden anything', () => {
    expect(readFileSync(logFile(logs), 'utf8')).not.toMatch(/forbidden/i);
  });
});

describe('helm test', () => {
  const rights = (): Promise<object[]> =>
    template('--show-only=templates/tests/refusal.yaml').then((objects) =>
      objects.filter(({ kind }) => kind !== 'Pod'),
    );

  it('has an object refused, with the rights of its own service account', async () => {
    must(stage.kubectl('apply -f -', await rights()));
    const text = must(stage.cogniforge('cogniforge-test', 'policy', 'selftest', '--namespace=default'));
    expect(text).toMatch(/refused, as it should be: .*\[cogniforge-selftest\] selftest/);
    expect(stage.kubectl('get policyrule cogniforge-selftest').ok).toBe(false);
  });

  it('fails where nothing is refused, and says what did not happen', () => {
    // The operator's own namespace is never judged.
    const { ok, text } = stage.cogniforge(
      'cogniforge-test',
      'policy',
      'selftest',
      `--namespace=${NAMESPACE}`,
    );
    expect(ok).toBe(false);
    expect(text).toMatch(/cogniforge: /);
    must(stage.kubectl('delete serviceaccount cogniforge-test -n cogniforge-system'));
  });
});

describe('the policies pack', () => {
  const file = (): string => join(cluster.folder, 'pack.yaml');
  const apply = (...args: string[]): string =>
    must(stage.cogniforge('cogniforge-policies', 'policy', 'apply', '--pack=pod-security', ...args));
  const count = (): number =>
    must(stage.kubectl('get policyrules -l cogniforge.dev/pack=pod-security -o name'))
      .trim()
      .split('\n')
      .filter(Boolean).length;

  it("is applied by the hook's command with the hook's rights, and refuses a privileged Pod", async () => {
    const objects = await template(...PACK);
    const data = objects.find(({ kind }) => kind === 'ConfigMap')?.['data'] as Record<string, string>;
    must(
      stage.kubectl(
        'apply -f -',
        objects.filter(({ kind }) => kind !== 'ConfigMap' && kind !== 'Job'),
      ),
    );
    writeFileSync(file(), data['pod-security.yaml'] ?? '');
    apply(`--file=${file()}`);
    expect(count()).toBe(14);
    must(
      stage.kubectl(
        'wait --for=condition=Ready policyrule -l cogniforge.dev/pack=pod-security --timeout=90s',
      ),
    );
    const run = 'run x --image=x --privileged -n default --dry-run=server';
    await eventually('a privileged Pod is refused', () => !stage.kubectl(run).ok);
    expect(stage.kubectl(run).text).toContain('[pod-security-privileged] container "x" must not set');
  });

  it('removes what it does not hold any more, and everything where it is switched off', () => {
    const rules = manifests(readFileSync(file(), 'utf8'));
    const rest = rules.filter(({ metadata: { name } }) => name !== 'pod-security-apparmor');
    writeFileSync(
      file(),
      rest
        .map((rule) => JSON.stringify(rule))
        .join('\n---\n')
        .replace(/^/, '---\n'),
    );
    expect(apply(`--file=${file()}`)).toContain('removed pod-security-apparmor');
    expect(count()).toBe(13);
    apply();
    expect(count()).toBe(0);
  });

  it('is removed by the upgrade that switches it off', () => {
    const upgrade = (enabled: boolean, flag: string): string =>
      must(
        stage.helm(
          'upgrade',
          'cogniforge',
          CHART,
          `--set=policies.podSecurity.enabled=${String(enabled)}`,
          flag,
        ),
      );
    upgrade(true, '--no-hooks');
    const off = upgrade(false, '--dry-run=server');
    expect(off).toMatch(/args:\n +- policy\n +- apply\n +- --pack=pod-security\n +securityContext:/);
    upgrade(false, '--no-hooks');
    expect(upgrade(false, '--dry-run=server')).not.toContain('--pack=pod-security');
  });
});

describe('helm upgrade and helm rollback', () => {
  it('keep resources and webhooks, and refuse nothing meanwhile', async () => {
    // The revision that is rolled back to: a hook of an earlier one would wait for a node.
    must(stage.helm('upgrade', 'cogniforge', CHART, '--set=logLevel=warn'));
    await eventually('the Fail entry fails closed', failsClosed);
    const before = stage.configuration()?.webhooks;
    const running = await load(cluster.kubeconfig, 'default');
    must(await stage.helmLater('upgrade', 'cogniforge', CHART, '--set=replicaCount=3,logLevel=debug'));
    must(await stage.helmLater('rollback', 'cogniforge'));
    const { accepted, refused } = await running.stop();
    expect(refused).toEqual([]);
    expect(accepted).toBeGreaterThan(10);
    expect(stage.configuration()?.webhooks).toEqual(before);
    must(stage.kubectl('get policyrule fail-closed require-health-checks'));
    expect(blocked()).toBe(true);
  });
});

describe('helm uninstall', () => {
  it('refuses nothing although the operator is gone at once, and leaves no webhook behind', async () => {
    expect(failsClosed()).toBe(true);
    const running = await load(cluster.kubeconfig, 'default');
    const uninstalled = stage.helmLater('uninstall', 'cogniforge');
    // From here on nobody would find the way to a replica, some milliseconds for the news to spread granted.
    await gone(cluster.kubeconfig, 'cogniforge-webhook');
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.kill(operator.pid, 'SIGKILL');
    must(await uninstalled);
    await eventually('the garbage collector has been', () => stage.configuration() === undefined, 20);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(stage.configuration()).toBeUndefined();
    const { accepted, refused } = await running.stop();
    expect(refused).toEqual([]);
    expect(accepted).toBeGreaterThan(50);
  });

  it('keeps the resources of users', () => {
    must(stage.kubectl('get policyrule fail-closed require-health-checks'));
  });

  it('leaves nothing else', () => {
    const kinds = 'deployment,service,networkpolicy,poddisruptionbudget,role,rolebinding,configmap,secret';
    const left = must(stage.kubectl(`get ${kinds} -n ${NAMESPACE} -o name`))
      .trim()
      .split('\n');
    // The operator's own: the certificate, which a re-installation goes on with.
    expect(left.filter((name) => name !== 'configmap/kube-root-ca.crt')).toEqual([
      'secret/cogniforge-webhook-tls',
    ]);
    expect(stage.kubectl('get clusterrole cogniforge').ok).toBe(false);
  });

  it('can be undone: the kept resources are in force again', async () => {
    must(stage.helm('install', 'cogniforge', CHART));
    operator = await start();
    await eventually('it refuses again', blocked);
    await eventually('the Fail entry fails closed', failsClosed);
  });
});

describe('helm uninstall while the operator goes on', () => {
  it('still leaves no webhook behind: what the operator makes anew goes with its ClusterRole', async () => {
    must(stage.helm('uninstall', 'cogniforge'));
    await eventually('the garbage collector has been', () => stage.configuration() === undefined, 20);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(stage.configuration()).toBeUndefined();
  });
});
