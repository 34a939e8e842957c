import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { LEASE } from '../../../src/runtime/leader.ts';
import type { Client } from '../../../src/runtime/client.ts';
import { admin } from '../../bench/objects.ts';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { openStage, trespasses, type Entry, type Stage } from './stage.ts';

/** After a kill, the rest of the lease; its takers look to the millisecond. */
const FAILOVER_MS = 17_000;
const HANDOVER_MS = 3_000;

let cluster: Cluster;
let client: Client;

beforeAll(async () => {
  cluster = await startCluster();
  ({ client } = await admin(cluster.kubeconfig));
}, 120_000);

afterAll(() => cluster.stop());

const beatBy =
  (who: string) =>
  ({ what, who: by }: Entry): boolean =>
    what === 'beat' && by === who;

/** A leads and writes, B stands by. */
async function pair(namespace: string): Promise<{ stage: Stage; a: ChildProcess; b: ChildProcess }> {
  const stage = await openStage(client, cluster.kubeconfig, namespace);
  const a = stage.start('a');
  await stage.next(beatBy('a'));
  const b = stage.start('b');
  // B has looked at the lease more than once before anything happens.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  return { stage, a, b };
}

async function tookOver(stage: Stage, from: number): Promise<number> {
  const { at } = await stage.next(beatBy('b'));
  const took = at - from;
  process.stderr.write(`${stage.namespace}: the other replica wrote after ${(took / 1000).toFixed(1)} s\n`);
  return took;
}

// Side by side: each waits for a lease most of the time.
describe('two replicas', () => {
  it.concurrent(
    'kill -9 of the leader: the other writes within 17 s',
    async () => {
      const { stage, a } = await pair('killed');
      const from = performance.now();
      a.kill('SIGKILL');
      expect(await tookOver(stage, from)).toBeLessThanOrEqual(FAILOVER_MS);
      expect(trespasses(stage.journal)).toEqual([]);
      stage.stop();
    },
    90_000,
  );

  it.concurrent(
    'a clean exit: the other writes within 3 s',
    async () => {
      const { stage, a } = await pair('released');
      const from = performance.now();
      a.kill('SIGTERM');
      expect(await tookOver(stage, from)).toBeLessThanOrEqual(HANDOVER_MS);
      expect(trespasses(stage.journal)).toEqual([]);
      stage.stop();
    },
    90_000,
  );

  it.concurrent(
    'a leader stopped past its lease and woken up writes nothing more',
    async () => {
      const { stage, a } = await pair('stopped');
      const from = performance.now();
      a.kill('SIGSTOP');
      await tookOver(stage, from);
      a.kill('SIGCONT');
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      expect(trespasses(stage.journal)).toEqual([]);
      stage.stop();
    },
    90_000,
  );

  it.concurrent(
    'a leader whose event loop stood still past its lease writes nothing more',
    async () => {
      const { stage, a } = await pair('stalled');
      const from = performance.now();
      a.kill('SIGUSR2');
      await tookOver(stage, from);
      // The loop goes on 20 s after it stopped.
      await new Promise((resolve) => setTimeout(resolve, 25_000 - (performance.now() - from)));
      expect(trespasses(stage.journal)).toEqual([]);
      stage.stop();
    },
    90_000,
  );

  it.concurrent(
    'a stolen lease is obeyed as soon as it is seen, and contended for when it expires',
    async () => {
      const { stage } = await pair('stolen');
      await stealFrom('a', stage.namespace);
      const theft = await stage.next(({ what, who }) => what === 'lease' && who === 'thief');
      // What the leader had sent before the watch told it may still arrive; it has a second for that.
      await new Promise((resolve) => setTimeout(resolve, 8_000));
      const late = stage.journal.filter(({ what, at }) => what === 'beat' && at > theft.at + 1_000);
      expect(late).toEqual([]);
      await stage.next(({ what }) => what === 'beat');
      const outOfTurn = trespasses(stage.journal);
      process.stderr.write(`stolen: ${String(outOfTurn.length)} writes were under way when it happened\n`);
      stage.stop();
    },
    90_000,
  );
});

async function stealFrom(holder: string, namespace: string): Promise<void> {
  const spec = { holderIdentity: 'thief', leaseDurationSeconds: 10 };
  const patch = { type: 'merge' as const, body: { spec } };
  const lease = await client.get<{ spec: { holderIdentity: string } }>(LEASE, {
    name: 'replicas',
    namespace,
  });
  expect(lease.spec.holderIdentity).toBe(holder);
  await client.patch(LEASE, { name: 'replicas', namespace }, patch);
}
