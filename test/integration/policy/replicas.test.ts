/** Two replicas of the operator on one API server: who serves, and that no count is lost on the way from one to another. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Operator } from '../../cluster/operator.ts';
import {
  CONFIG_MAPS,
  configMap,
  eventually,
  inForce,
  noKey,
  openStage,
  statusOf,
  type Stage,
} from './stage.ts';

const SPEC = { match: CONFIG_MAPS, rego: noKey('secret') };
/** A report is renewed every 10 s; a Lease that nobody gave back is free after 15 s. */
const PATIENCE_S = 40;

let stage: Stage;
let first: Operator;
let second: Operator;

beforeAll(async () => {
  stage = await openStage();
  first = await stage.startReplica();
  second = await stage.startReplica();
  inForce(stage, 'keys', SPEC);
});

afterAll(() => stage.stop());

function counts(): string {
  const { evaluations = -1, denials = -1, warnings = -1 } = statusOf(stage, 'keys').statistics ?? {};
  return [evaluations, denials, warnings].join(' ');
}

/** Outside a cluster the webhook is that of the leader: its successor has it after a moment. */
async function refuse(times: number): Promise<void> {
  const attempt = (): boolean => {
    const { ok, text } = stage.kubectl('create -f -', configMap('x', { secret: 'y' }));
    if (ok) stage.must('delete configmap x');
    return text.includes('[keys] no secret here');
  };
  await eventually('a ConfigMap is refused', attempt);
  for (let time = 1; time < times; time += 1) expect(attempt()).toBe(true);
}

async function counted(total: string): Promise<void> {
  await eventually(`${total} is counted`, () => counts() === total, PATIENCE_S).catch((error: unknown) => {
    throw new Error(`counted ${counts()}`, { cause: error });
  });
}

describe('two replicas', () => {
  it('each report that they serve the rule', async () => {
    await eventually('both serve', () => statusOf(stage, 'keys').enforcedBy === '2/2', PATIENCE_S);
    const { replicas } = statusOf(stage, 'keys') as {
      replicas: { identity: string; servedGeneration: number }[];
    };
    expect(new Set(replicas.map(({ identity }) => identity)).size).toBe(2);
    expect(replicas.map(({ servedGeneration }) => servedGeneration)).toEqual([1, 1]);
  });

  it('count what they judge, and what a dry run asks is not counted', async () => {
    await refuse(3);
    for (let time = 0; time < 3; time += 1)
      expect(stage.kubectl('create --dry-run=server -f -', configMap('x', { secret: 'y' })).ok).toBe(false);
    stage.must('create -f -', configMap('fine', { a: 'b' }));
    await counted('4 3 0');
  });

  it('the last counts of one that leaves are there for its successor', async () => {
    await refuse(2);
    await first.stop();
    await eventually(
      'the other serves alone',
      () => statusOf(stage, 'keys').enforcedBy === '1/1',
      PATIENCE_S,
    );
    await counted('6 5 0');
    await refuse(1);
    await counted('7 6 0');
  });

  it('a new one starts from nothing and the total goes on', async () => {
    await stage.startReplica();
    await eventually('both serve', () => statusOf(stage, 'keys').enforcedBy === '2/2', PATIENCE_S);
    expect(counts()).toBe('7 6 0');
  });

  it('one that is killed takes nothing along that it had reported', async () => {
    process.kill(second.pid, 'SIGKILL');
    await eventually(
      'another leads',
      () => stage.kubectl('create -f -', configMap('y', { secret: 'y' })).text.includes('[keys]'),
      PATIENCE_S,
    );
    await counted('8 7 0');
  });

  it('a new version is in force when all that live serve it', () => {
    inForce(stage, 'keys', { ...SPEC, rego: noKey('token') });
    expect(statusOf(stage, 'keys').enforcedBy).toMatch(/^(1\/1|2\/2)$/);
    expect(counts()).toBe('8 7 0');
  });
});
