import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startCluster, type Cluster } from '../cluster/controlplane.ts';
import { BENCH, converged, type Bench } from '../bench/bench-kind.ts';
import { openArena } from './arena.ts';
import { calm, sequence, type Fault, type RequestSort } from './plan.ts';
import { dice } from './random.ts';
import { startSubject, untilSettled, type Arena } from './schedule.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];

let cluster: Cluster;
let arena: Arena;

beforeAll(async () => {
  cluster = await startCluster();
  arena = await openArena(cluster);
}, 120_000);

afterAll(() => cluster.stop());

async function setX(namespace: string, name: string, x: number): Promise<void> {
  const object = {
    apiVersion: 'bench.cogniforge.dev/v1',
    kind: 'Bench',
    metadata: { name, namespace },
    spec: { x },
  };
  await arena.admin.apply(BENCH, object, { fieldManager: 'user', force: true });
}

// A relist brings a list's own faults to bear: it is what follows a 410.
const RELIST = { sort: 'watch', fault: 'goneInStream' } as const;

const CASES: readonly { sort: RequestSort; fault: Fault; first?: typeof RELIST }[] = [
  { sort: 'list', fault: 'serverError' },
  { sort: 'list', fault: 'tooManyRequests' },
  { sort: 'list', fault: 'tokenRotated' },
  { sort: 'list', fault: 'connectionDropped' },
  { sort: 'list', fault: 'bodyCut' },
  { sort: 'list', fault: 'continueExpired', first: RELIST },
  { sort: 'list', fault: 'staleReply', first: RELIST },
  { sort: 'watch', fault: 'serverError' },
  { sort: 'watch', fault: 'tooManyRequests' },
  { sort: 'watch', fault: 'tokenRotated' },
  { sort: 'watch', fault: 'connectionDropped' },
  { sort: 'watch', fault: 'goneAtConnect' },
  { sort: 'watch', fault: 'goneInStream' },
  { sort: 'watch', fault: 'droppedMidLine' },
  { sort: 'watch', fault: 'halfOpen' },
  { sort: 'watch', fault: 'garbageLine' },
  { sort: 'watch', fault: 'hugeLine' },
  { sort: 'watch', fault: 'duplicates' },
  { sort: 'watch', fault: 'endedAtOnce' },
  { sort: 'write', fault: 'serverError' },
  { sort: 'write', fault: 'tooManyRequests' },
  { sort: 'write', fault: 'tokenRotated' },
  { sort: 'write', fault: 'connectionDropped' },
  { sort: 'write', fault: 'responseLost' },
];

it.each(CASES)(
  'after $fault on a $sort, changes made before, during and after it are carried out',
  async ({ sort, fault, first }) => {
    const namespace = `single-${sort}-${fault}`.toLowerCase();
    await arena.admin.raw('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
    for (const name of NAMES) await setX(namespace, name, 1);
    const before = first === undefined ? [] : [first];
    // On every watch of the runtime (its resources, their copies, the lease): the one that matters is among them.
    const times = sort === 'write' ? 2 : 3;
    const faults = Array.from({ length: times }, () => ({ sort, fault }));
    const plan = sequence(...before, ...before, ...before, ...faults);
    const operator = await startSubject(arena, namespace, first === undefined ? plan : calm, dice(1));
    // What a relist meets must wait for the first list to be over.
    if (first !== undefined) await untilSettled(arena.admin, namespace, operator.cache);
    operator.proxy.plan = plan;
    if (first !== undefined) operator.proxy.hangUp();
    try {
      for (const name of NAMES) await setX(namespace, name, 2);
      await arena.admin.delete(BENCH, { name: 'a', namespace });
      await untilHappened(operator.proxy.happened, fault, async () => {
        await setX(namespace, 'b', Math.floor(performance.now()));
      });
      await setX(namespace, 'c', 3);
      await untilSettled(arena.admin, namespace, operator.cache);
      const benches = operator.cache.informer<Bench>(BENCH).list();
      expect(benches.map(({ metadata }) => metadata.name).toSorted()).toEqual(['b', 'c', 'd', 'e']);
      expect(benches.every(converged)).toBe(true);
    } finally {
      await operator.stop();
    }
  },
  60_000,
);

/** Changes something until the fault has met a request: a quiet watch has nothing to be cut off from. */
async function untilHappened(
  happened: ReadonlyMap<Fault, number>,
  fault: Fault,
  nudge: () => Promise<void>,
): Promise<void> {
  const deadline = performance.now() + 20_000;
  while ((happened.get(fault) ?? 0) === 0) {
    if (performance.now() > deadline) throw new Error(`${fault} never happened`);
    await nudge();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
