/** PolicyRule end to end: the real operator as a process, a real API server, the real kubectl. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { startCluster, type Cluster } from '../cluster/controlplane.ts';
import { startOperator, type Operator } from '../cluster/operator.ts';
import { toolPath } from '../cluster/tools.ts';

const EXAMPLES = 'deploy/examples/quickstart';
let cluster: Cluster;
let operator: Operator;

interface Output {
  ok: boolean;
  text: string;
}

function kubectl(args: string, input?: object): Output {
  const { status, stdout, stderr } = spawnSync(
    cluster.kubectl,
    ['--kubeconfig', cluster.kubeconfig, ...args.split(' ')],
    {
      encoding: 'utf8',
      ...(input === undefined ? {} : { input: JSON.stringify(input) }),
    },
  );
  return { ok: status === 0, text: stdout + stderr };
}

function must(output: Output): string {
  if (!output.ok) throw new Error(output.text);
  return output.text;
}

async function eventually(what: string, holds: () => boolean, seconds = 30): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !holds();) {
    if (Date.now() > deadline) throw new Error(`not within ${String(seconds)} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function rule(name: string, spec: object): object {
  return { apiVersion: 'cogniforge.dev/v1alpha1', kind: 'PolicyRule', metadata: { name }, spec };
}

function configMap(name: string, data: Record<string, string>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data };
}

const CONFIG_MAPS = { kinds: [{ apiGroups: [''], kinds: ['ConfigMap'] }] };

/** A rule that is violated by data.KEY. */
function noKey(key: string): string {
  return `package example\n\nviolation contains {"msg": "no ${key} here"} if input.review.object.data.${key}`;
}

async function inForce(name: string, spec: object): Promise<void> {
  must(kubectl('apply -f -', rule(name, spec)));
  must(kubectl(`wait --for=condition=Ready policyrule/${name} --timeout=30s`));
  await Promise.resolve();
}

beforeAll(async () => {
  cluster = await startCluster();
  must(kubectl('apply --server-side -f crds'));
  must(kubectl('wait --for=condition=Established -f crds --timeout=30s'));
  must(kubectl('create namespace cogniforge-system'));
  operator = await startOperator({
    kubeconfig: cluster.kubeconfig,
    opa: await toolPath('opa'),
    logFile: join(cluster.folder, 'operator.log'),
  });
});

afterAll(async () => {
  await operator.stop();
  await cluster.stop();
});

describe('the query that the mission names', () => {
  beforeAll(() => {
    must(kubectl(`apply -f ${EXAMPLES}/rule.yaml`));
    must(kubectl('wait --for=condition=Ready policyrule/require-health-checks --timeout=30s'));
  });

  it('refuses a Deployment in which one of two containers has no probe, and says which', () => {
    const { ok, text } = kubectl(`apply -f ${EXAMPLES}/bad-deployment.yaml`);
    expect(ok).toBe(false);
    expect(text).toContain('[require-health-checks] Deployments must have health checks configured');
    expect(text).toContain('spec.template.spec.containers[1]');
    expect(text).toContain('severity High');
    expect(kubectl('get deployment shop').ok).toBe(false);
  });

  it('accepts a Deployment in which every container has one', () => {
    must(kubectl(`apply -f ${EXAMPLES}/good-deployment.yaml`));
  });

  it('shows the module that was compiled', () => {
    const text = must(kubectl('get policyrule require-health-checks -o jsonpath={.status.compiledRego}'));
    expect(text).toContain('package ');
    expect(text).toContain('livenessProbe');
  });
});

describe('what may be stored', () => {
  it('refuses a rule that does not parse, with file and line', () => {
    const { ok, text } = kubectl(
      'apply -f -',
      rule('broken', { match: CONFIG_MAPS, rego: 'package example\n\nviolation contains {' }),
    );
    expect(ok).toBe(false);
    expect(text).toMatch(/spec\.rego:3: /);
  });

  it.each([
    'http.send({"method": "get", "url": "http://example.com"})',
    'opa.runtime()',
    'rand.intn("x", 2)',
  ])('refuses %s', (call) => {
    const rego = `package example\n\nviolation contains {"msg": "x"} if ${call}`;
    const { ok, text } = kubectl('apply -f -', rule('forbidden', { match: CONFIG_MAPS, rego }));
    expect(ok).toBe(false);
    expect(text).toContain(call.split('(')[0] ?? '');
  });

  it('refuses a rule with both rego and regoQuery', () => {
    const { ok, text } = kubectl(
      'apply -f -',
      rule('both', { match: CONFIG_MAPS, rego: 'package x', regoQuery: 'true' }),
    );
    expect(ok).toBe(false);
    expect(text).toContain('exactly one of rego');
  });
});

describe('enforcement', () => {
  it('warns and lets pass in Warn mode', async () => {
    await inForce('warn-secret', { match: CONFIG_MAPS, enforcementMode: 'Warn', rego: noKey('secret') });
    const { ok, text } = kubectl('apply -f -', configMap('warned', { secret: 'x' }));
    expect(ok).toBe(true);
    expect(text).toContain('Warning: [warn-secret] no secret here');
  });

  it('counts evaluations and denials in status, but no dry run', async () => {
    await inForce('deny-token', { match: CONFIG_MAPS, rego: noKey('token') });
    expect(kubectl('apply --dry-run=server -f -', configMap('denied', { token: 'x' })).ok).toBe(false);
    expect(kubectl('apply -f -', configMap('denied', { token: 'x' })).ok).toBe(false);
    const denials = (): string =>
      kubectl('get policyrule deny-token -o jsonpath={.status.statistics.denials}').text;
    await eventually('one denial is counted', () => denials() === '1', 40);
  });

  it('stops when the rule is deleted', async () => {
    must(kubectl('delete policyrule deny-token'));
    await eventually(
      'the ConfigMap is accepted',
      () => kubectl('apply -f -', configMap('denied', { token: 'x' })).ok,
    );
  });
});

describe('the webhook configuration', () => {
  const webhooks = (): string => kubectl('get validatingwebhookconfiguration cogniforge -o json').text;

  it('sends nothing that no rule is about', () => {
    expect(webhooks()).toContain('"configmaps"');
    expect(webhooks()).not.toContain('"pods"');
    expect(webhooks()).not.toContain('"*/*"');
  });

  it('comes back by itself after the break-glass, and refuses again', async () => {
    must(kubectl('delete validatingwebhookconfiguration cogniforge'));
    await eventually('the configuration is back', () =>
      webhooks().includes('ignore.admission.cogniforge.dev'),
    );
    await eventually(
      'a bad Deployment is refused',
      () => !kubectl(`apply --dry-run=server -f ${EXAMPLES}/bad-deployment.yaml`).ok,
    );
  });

  it('fails closed for a Fail rule only after the API server has reached us', async () => {
    await inForce('fail-closed', { match: CONFIG_MAPS, failurePolicy: 'Fail', rego: noKey('closed') });
    await eventually('the Fail entry fails closed', () => {
      const { webhooks: entries } = JSON.parse(webhooks()) as {
        webhooks: { name: string; failurePolicy: string }[];
      };
      return entries.find(({ name }) => name === 'fail.admission.cogniforge.dev')?.failurePolicy === 'Fail';
    });
    expect(kubectl('apply -f -', configMap('x', { closed: 'y' })).ok).toBe(false);
    must(kubectl('delete policyrule fail-closed'));
  });
});

describe('a restart', () => {
  it('serves again what was in force', async () => {
    await operator.stop();
    operator = await startOperator({
      kubeconfig: cluster.kubeconfig,
      opa: await toolPath('opa'),
      logFile: join(cluster.folder, 'operator-2.log'),
    });
    await eventually(
      'a bad Deployment is refused',
      () => !kubectl(`apply --dry-run=server -f ${EXAMPLES}/bad-deployment.yaml`).ok,
    );
  });
});
