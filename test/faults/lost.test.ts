import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startCluster, type Cluster } from '../cluster/controlplane.ts';
import { LEASE } from '../../src/runtime/leader.ts';
import { BENCH } from '../bench/bench-kind.ts';
import { openArena } from './arena.ts';
import { calm } from './plan.ts';
import { dice } from './random.ts';
import { startSubject, untilSettled, type Arena } from './schedule.ts';
import { FINALIZER, type Copy } from './subject.ts';
import { CONFIG_MAP } from '../../src/runtime/core-types.ts';

let cluster: Cluster;
let arena: Arena;

beforeAll(async () => {
  cluster = await startCluster();
  arena = await openArena(cluster);
}, 120_000);

afterAll(() => cluster.stop());

async function apply(namespace: string, x: number): Promise<void> {
  const object = {
    apiVersion: 'bench.cogniforge.dev/v1',
    kind: 'Bench',
    metadata: { name: 'a', namespace },
    spec: { x },
  };
  await arena.admin.apply(BENCH, object, { fieldManager: 'user', force: true });
}

async function copies(namespace: string): Promise<Copy[]> {
  return (await arena.admin.list<Copy>(CONFIG_MAP, { namespace, labelSelector: 'copy=true' })).items;
}

/** What a DELETE does that had looked at the resource before its finalizer was written. */
async function deleteInSpiteOfFinalizer(namespace: string): Promise<void> {
  const body = [{ op: 'replace', path: '/metadata/finalizers', value: [] }];
  const stripped = await arena.admin.patch(BENCH, { name: 'a', namespace }, { type: 'json', body });
  expect(stripped.metadata.finalizers ?? []).not.toContain(FINALIZER);
  await arena.admin.delete(BENCH, { name: 'a', namespace });
}

it('a resource that goes in spite of its finalizer takes along what was made for it', async () => {
  const namespace = 'lost';
  await arena.admin.raw('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
  const operator = await startSubject(arena, namespace, calm, dice(1));
  try {
    await apply(namespace, 1);
    await untilSettled(arena.admin, namespace, operator.cache);
    expect(await copies(namespace)).toHaveLength(1);
    await deleteInSpiteOfFinalizer(namespace);
    await untilSettled(arena.admin, namespace, operator.cache);
    expect(await copies(namespace)).toHaveLength(0);
  } finally {
    await operator.stop();
  }
});

it('and so does one that went while nobody led', async () => {
  const namespace = 'between-terms';
  await arena.admin.raw('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
  const operator = await startSubject(arena, namespace, calm, dice(1));
  const gone = (): boolean => operator.cache.informer(BENCH).list().length === 0;
  try {
    await apply(namespace, 1);
    await untilSettled(arena.admin, namespace, operator.cache);
    // A holder that never renews: the subject's term ends, and the next one begins three seconds later.
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    const body = { spec: { holderIdentity: 'thief', renewTime } };
    await arena.admin.patch(LEASE, { name: 'faults', namespace }, { type: 'merge', body });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await deleteInSpiteOfFinalizer(namespace);
    expect(await operator.cache.informer(BENCH).until(gone, AbortSignal.timeout(1_000))).toBe(true);
    expect(await copies(namespace)).toHaveLength(1);
    await untilSettled(arena.admin, namespace, operator.cache);
    expect(await copies(namespace)).toHaveLength(0);
  } finally {
    await operator.stop();
  }
});
