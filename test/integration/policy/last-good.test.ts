/** A version that does not compile slips in: the last good one keeps serving, also through a restart. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Operator } from '../../cluster/operator.ts';
import {
  CONFIG_MAPS,
  configMap,
  eventually,
  inForce,
  noKey,
  openStage,
  ready,
  rule,
  statusOf,
  type Stage,
} from './stage.ts';

const QUERY = 'not input.spec.template.spec.containers[_].livenessProbe';
const DEPLOYMENTS = { kinds: [{ apiGroups: ['apps'], kinds: ['Deployment'] }] };
const BAD = 'apply --dry-run=server -f deploy/examples/quickstart/bad-deployment.yaml';
const GOOD = 'apply --dry-run=server -f deploy/examples/quickstart/good-deployment.yaml';
const BROKEN = 'package example\n\nviolation contains {';

let stage: Stage;
let operator: Operator;

beforeAll(async () => {
  stage = await openStage();
  operator = await stage.startReplica();
  inForce(stage, 'probes', { match: DEPLOYMENTS, regoQuery: QUERY, violationMessage: 'no probe' });
  inForce(stage, 'keys', { match: CONFIG_MAPS, rego: noKey('secret') });
});

afterAll(() => stage.stop());

function refusesBadDeployment(): boolean {
  const { ok, text } = stage.kubectl(BAD);
  return !ok && text.includes('[probes] no probe');
}

function refusesSecret(): boolean {
  const { ok, text } = stage.kubectl('apply --dry-run=server -f -', configMap('x', { secret: 'y' }));
  return !ok && text.includes('[keys] no secret here');
}

/** While nobody is there to refuse it. */
async function slipIn(name: string, spec: object): Promise<void> {
  await operator.stop();
  stage.must('delete validatingwebhookconfiguration cogniforge');
  stage.must('apply -f -', rule(name, spec));
}

/** The same while it serves: it stands still, for less than a lease, so that the webhook cannot come back in time. */
function slipInBetween(name: string, spec: object): void {
  process.kill(operator.pid, 'SIGSTOP');
  try {
    stage.must('delete validatingwebhookconfiguration cogniforge');
    stage.must('apply -f -', rule(name, spec));
  } finally {
    process.kill(operator.pid, 'SIGCONT');
  }
}

describe('a broken version that slips in while the operator is away', () => {
  it('is told in Ready, and the text in force judges on', async () => {
    expect(refusesBadDeployment()).toBe(true);
    await slipIn('keys', { match: CONFIG_MAPS, rego: BROKEN });
    operator = await stage.startReplica();
    await eventually('Ready is False', () => ready(stage, 'keys') === 'False CompileFailed', 40);
    const { conditions = [], compiledRego, compiledGeneration, lastError } = statusOf(stage, 'keys');
    expect(conditions.find(({ type }) => type === 'Compiled')?.message).toMatch(
      /^rego:3: .*last good version/s,
    );
    expect([compiledRego, compiledGeneration]).toEqual([noKey('secret'), 1]);
    expect(JSON.stringify(lastError)).toContain('rego:3');
    await eventually('the last good version refuses', refusesSecret);
    expect(stage.must('get events -A')).toContain('CompileFailed');
  });

  it('judges on after another restart, and says so still', async () => {
    await operator.stop();
    operator = await stage.startReplica();
    expect(refusesSecret()).toBe(true);
    expect(ready(stage, 'keys')).toBe('False CompileFailed');
  });

  it('does not pass for good when something else of it changes', async () => {
    await slipIn('keys', { match: CONFIG_MAPS, rego: BROKEN, severity: 'Low' });
    operator = await stage.startReplica();
    await eventually('the last good version refuses', refusesSecret);
    slipInBetween('keys', { match: CONFIG_MAPS, rego: BROKEN, severity: 'High' });
    await eventually(
      'it is looked at',
      () =>
        statusOf(stage, 'keys')['observedGeneration'] === 4 && !ready(stage, 'keys').startsWith('Unknown'),
    );
    expect(ready(stage, 'keys')).toBe('False CompileFailed');
    expect(statusOf(stage, 'keys')['compiledRego']).toBe(noKey('secret'));
  });

  it('of another sort: a query that became a broken package is still a query', async () => {
    await slipIn('probes', { match: DEPLOYMENTS, rego: BROKEN, violationMessage: 'no probe' });
    operator = await stage.startReplica();
    await eventually('the query refuses a bad Deployment', refusesBadDeployment);
    expect(stage.must(GOOD)).toContain('dry run');
    await eventually('Ready is False', () => ready(stage, 'probes') === 'False CompileFailed', 40);
    expect(statusOf(stage, 'probes')['compiledFrom']).toBe('RegoQuery');
  });

  it('can be switched off as it is', async () => {
    slipInBetween('probes', { match: DEPLOYMENTS, rego: BROKEN, suspend: true });
    await eventually('the configuration is back', refusesSecret);
    expect(stage.must(BAD)).toContain('dry run');
  });

  it('is mended: the new version is in force', () => {
    inForce(stage, 'probes', { match: DEPLOYMENTS, regoQuery: QUERY, violationMessage: 'no probe' });
    expect(refusesBadDeployment()).toBe(true);
    inForce(stage, 'keys', { match: CONFIG_MAPS, rego: noKey('token') });
    expect(refusesSecret()).toBe(false);
    expect(stage.kubectl('apply -f -', configMap('x', { token: 'y' })).text).toContain(
      '[keys] no token here',
    );
  });
});

describe('a broken version that slips in while the operator serves', () => {
  it('changes nothing but the status', async () => {
    slipInBetween('keys', { match: CONFIG_MAPS, rego: BROKEN });
    await eventually('Ready is False', () => ready(stage, 'keys') === 'False CompileFailed', 40);
    await eventually('the last good version refuses', () =>
      stage
        .kubectl('apply --dry-run=server -f -', configMap('x', { token: 'y' }))
        .text.includes('[keys] no token here'),
    );
  });
});
