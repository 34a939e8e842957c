/** The cache's promises, against a real API server behind a relay that can be cut. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Cache } from '../../../src/runtime/cache/cache.ts';
import { defaultReflectorSettings, type ReflectorSettings } from '../../../src/runtime/cache/reflector.ts';
import { systemClock as clock, systemRandom } from '../../../src/runtime/clock.ts';
import { createLog } from '../../../src/runtime/log.ts';
import type {
  Key,
  KubernetesObject,
  ObjectMeta,
  ResourceType,
  Unstructured,
} from '../../../src/runtime/resource.ts';
import { createNamespace, inParallel } from '../../bench/objects.ts';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { seeded } from '../../unit/random.ts';
import { startRelay, type Relay } from './tcp-relay.ts';
import {
  admin,
  BOX,
  box,
  compact,
  CONFIGMAP,
  configMap,
  connectTo,
  errorOf,
  EVENT,
  installBoxes,
  until,
  type Box,
  type Connection,
} from './stage.ts';

let cluster: Cluster;
let main: Connection;
let relay: Relay;
let opened: { connection: Connection; cache: Cache }[] = [];

beforeAll(async () => {
  cluster = await startCluster();
  main = await admin(cluster);
  relay = await startRelay(main.endpoint);
  await installBoxes(main.client);
}, 120_000);

afterAll(async () => {
  await relay.close();
  main.transport.close();
  await cluster.stop();
});

afterEach(async () => {
  relay.refuse = false;
  for (const { cache, connection } of opened) {
    await cache.stop();
    connection.transport.close();
  }
  opened = [];
});

function cached(settings: Partial<ReflectorSettings> = {}, namespace?: string) {
  const connection = connectTo(relay.endpoint);
  const cache = new Cache({
    client: connection.client,
    clock,
    random: systemRandom,
    log: createLog('silent'),
    settings: { ...defaultReflectorSettings, ...settings },
    freeze: true,
    ...(namespace === undefined ? {} : { namespace }),
  });
  opened.push({ connection, cache });
  return { cache, asked: connection.asked };
}

async function synced(cache: Cache): Promise<void> {
  cache.start();
  expect(await cache.whenSynced(AbortSignal.timeout(20_000))).toBe(true);
}

const watches = (asked: readonly string[]): string[] => asked.filter((path) => path.includes('watch=1'));
const lists = (asked: readonly string[]): string[] => asked.filter((path) => !path.includes('watch=1'));

function identities(objects: readonly KubernetesObject[]): string[] {
  return objects
    .map(({ metadata }) => `${metadata.name}/${String(metadata.uid)}@${String(metadata.resourceVersion)}`)
    .toSorted();
}

/** Waits until the cache holds what the server does. */
async function untilEqual(
  type: ResourceType,
  namespace: string,
  local: () => KubernetesObject[],
): Promise<void> {
  await until('the cache equals the server', async () => {
    const { items } = await main.client.list(type, { namespace });
    return String(identities(items)) === String(identities(local()));
  });
}

describe('1,100 objects and three askers', () => {
  it('take one list, in pages of 500, and one watch', async () => {
    await createNamespace(main.client, 'many');
    await inParallel(1_100, 32, async (at) => {
      await main.client.create(CONFIGMAP, configMap(`c-${String(at)}`, {}, 'many'));
    });
    const { cache, asked } = cached({}, 'many');
    const told = [0, 0, 0];
    for (const asker of told.keys()) {
      cache.informer(CONFIGMAP).listen(() => (told[asker] = (told[asker] ?? 0) + 1));
    }
    await synced(cache);
    await untilEqual(CONFIGMAP, 'many', () => cache.informer(CONFIGMAP).list());
    const size = cache.informer(CONFIGMAP).size;
    expect(size).toBeGreaterThanOrEqual(1_100);
    await until('all were told', () => told.every((count) => count === size));
    await until('the watch is open', () => watches(asked).length === 1);
    expect(lists(asked).map((path) => /limit=500(&continue)?/.exec(path)?.[0])).toEqual([
      'limit=500',
      'limit=500&continue',
      'limit=500&continue',
    ]);
    const seconds = Number(/timeoutSeconds=(\d+)/.exec(watches(asked)[0] ?? '')?.[1]);
    expect(seconds).toBeGreaterThanOrEqual(300);
    expect(seconds).toBeLessThanOrEqual(600);
  });
});

describe('a dropped connection', () => {
  it('is resumed from the last version, without a list, and nothing of the gap is missed', async () => {
    await createNamespace(main.client, 'dropped');
    for (const name of ['changed', 'deleted', 'recreated'])
      await main.client.create(CONFIGMAP, configMap(name, { v: '1' }, 'dropped'));
    const { cache, asked } = cached({}, 'dropped');
    const informer = cache.informer<Unstructured>(CONFIGMAP);
    const told: string[] = [];
    await synced(cache);
    await until('the watch is open', () => watches(asked).length === 1);
    await main.client.create(CONFIGMAP, configMap('last-seen', {}, 'dropped'));
    await until('it is seen', () => informer.get('dropped/last-seen') !== undefined);
    const { version } = informer;
    informer.listen(({ type, key }) => told.push(`${type} ${key.replace('dropped/', '')}`));
    told.length = 0;
    relay.refuse = true;
    relay.cut();
    const inGap = { namespace: 'dropped' };
    await main.client.patch(
      CONFIGMAP,
      { name: 'changed', ...inGap },
      { type: 'merge', body: { data: { v: '2' } } },
    );
    await main.client.delete(CONFIGMAP, { name: 'deleted', ...inGap });
    await main.client.delete(CONFIGMAP, { name: 'recreated', ...inGap });
    await main.client.create(CONFIGMAP, configMap('recreated', { v: '2' }, 'dropped'));
    relay.refuse = false;
    await untilEqual(CONFIGMAP, 'dropped', () => informer.list());
    expect(told).toEqual(['updated changed', 'deleted deleted', 'deleted recreated', 'added recreated']);
    expect(lists(asked)).toHaveLength(1);
    expect(watches(asked).slice(1)).not.toEqual([]);
    for (const path of watches(asked).slice(1)) expect(path).toContain(`resourceVersion=${String(version)}&`);
  });
});

describe('a kind whose changes are none of ours', () => {
  it('moves on with the bookmarks it asks for, and its watches follow each other without a list', async () => {
    // The server sends a bookmark about a second before the end of a watch; into a shorter one it puts none.
    const { cache, asked } = cached({ watchSeconds: { min: 5, max: 5 } });
    const informer = cache.informer(BOX, { labelSelector: 'nobody=has-this' });
    await synced(cache);
    await until('the watch is open', () => watches(asked).length === 1);
    const { metadata } = await main.client.create<Box>(BOX, box('noise'));
    await until('a bookmark came', async () => {
      // Only what happens after the server has begun the watch is worth a bookmark to it.
      const body = { spec: { again: clock.monotonic() } };
      await main.client.patch(BOX, { name: 'noise', namespace: 'default' }, { type: 'merge', body });
      await new Promise((resolve) => setTimeout(resolve, 200));
      return informer.hasSeen(metadata.resourceVersion ?? '');
    });
    await until('the next watch began', () => watches(asked).length >= 2);
    expect(informer.size).toBe(0);
    expect(lists(asked)).toHaveLength(1);
    expect(watches(asked)[1]).toContain(`resourceVersion=${String(informer.version)}&`);
    await main.client.delete(BOX, { name: 'noise', namespace: 'default' });
  });
});

describe('a version the server no longer has', () => {
  it('leads to a list, whose gaps are told as deletions and creations; indexes follow', async () => {
    const namespace = 'gone';
    await createNamespace(main.client, namespace);
    // Of Events the server keeps no history of its own: what etcd has compacted is gone.
    const event = (name: string, reason: string) => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject: { namespace, name: 'x' },
      reason,
    });
    for (const name of ['kept', 'deleted', 'recreated'])
      await main.client.create(EVENT, event(name, 'Before'));
    const { cache, asked } = cached({}, namespace);
    const informer = cache.informer<Unstructured>(EVENT);
    informer.addIndex('reason', (object) => [String(object['reason'])]);
    await synced(cache);
    await until('the watch is open', () => watches(asked).length === 1);
    const told: string[] = [];
    informer.listen(({ type, key }) => told.push(`${type} ${key.replace('gone/', '')}`));
    told.length = 0;
    relay.refuse = true;
    relay.cut();
    await main.client.delete(EVENT, { name: 'deleted', namespace });
    await main.client.delete(EVENT, { name: 'recreated', namespace });
    await main.client.create(EVENT, event('recreated', 'After'));
    const last = (await main.client.create(EVENT, event('new', 'After'))) as { metadata: ObjectMeta };
    await compact(cluster, last.metadata.resourceVersion ?? '');
    relay.refuse = false;
    await untilEqual(EVENT, namespace, () => informer.list());
    expect(lists(asked)).toHaveLength(2);
    expect(told.toSorted()).toEqual(['added new', 'added recreated', 'deleted deleted', 'deleted recreated']);
    expect(told.indexOf('deleted recreated')).toBeLessThan(told.indexOf('added recreated'));
    const found = (reason: string): string[] =>
      informer
        .byIndex('reason', reason)
        .map(({ metadata }) => metadata.name)
        .toSorted();
    expect([found('Before'), found('After')]).toEqual([['kept'], ['new', 'recreated']]);
  });
});

describe('what is kept', () => {
  it('of metadata-only objects is metadata, also of a kind that has none yet', async () => {
    await createNamespace(main.client, 'metadata');
    const { cache } = cached({}, 'metadata');
    const informer = cache.informer<Unstructured>(BOX, { metadataOnly: true });
    await synced(cache);
    const inside = (name: string): Box => ({
      ...box(name, { a: 1 }),
      metadata: { name, namespace: 'metadata' },
    });
    await main.client.create<Box>(BOX, inside('watched'));
    await until('it is seen', () => informer.size === 1);
    const later = cached({}, 'metadata');
    const listed = later.cache.informer<Unstructured>(BOX, { metadataOnly: true });
    await synced(later.cache);
    for (const object of [informer.get('metadata/watched'), listed.get('metadata/watched')]) {
      expect(object).toMatchObject({ apiVersion: 'test.cogniforge.dev/v1', kind: 'Box' });
      expect(object).not.toHaveProperty('spec');
    }
  });

  it('has managedFields only for who asks, and cannot be written to', async () => {
    await createNamespace(main.client, 'kept');
    const { cache } = cached({}, 'kept');
    const [plain, owned] = [cache.informer<Box>(BOX), cache.informer<Box>(BOX, { managedFields: true })];
    await synced(cache);
    const object = { ...box('a', { list: [{ deep: 1 }] }), metadata: { name: 'a', namespace: 'kept' } };
    await main.client.apply<Box>(BOX, object, { fieldManager: 'somebody' });
    await until('it is seen', () => plain.size === 1 && owned.size === 1);
    expect(plain.get('kept/a')?.metadata).not.toHaveProperty('managedFields');
    expect(owned.get('kept/a')?.metadata.managedFields).toMatchObject([{ manager: 'somebody' }]);
    const list = plain.get('kept/a')?.spec['list'] as { deep: number }[];
    expect(() => {
      for (const item of list) item.deep = 2;
    }).toThrow(TypeError);
  });
});

describe('in a storm', () => {
  it('of changes and cuts, the store, what was told and the index come out as the server has it', async () => {
    await createNamespace(main.client, 'storm');
    const random = seeded(Number(process.env['SEED'] ?? 11));
    const pick = (below: number): number => Math.floor(random() * below);
    const { cache, asked } = cached({ backoff: { minMs: 10, maxMs: 50 }, pageSize: 3 }, 'storm');
    const informer = cache.informer<Unstructured>(CONFIGMAP);
    informer.addIndex('color', (object) => Object.values((object['data'] ?? {}) as Record<string, string>));
    const model = new Map<Key, string | undefined>();
    const faults: string[] = [];
    informer.listen((change) => {
      const known = model.get(change.key);
      if (change.type === 'added' && known !== undefined) faults.push(`${change.key} added twice`);
      if (change.type !== 'added' && known === undefined) faults.push(`${change.type} ${change.key} unknown`);
      if (change.type === 'updated' && known !== change.object.metadata.uid)
        faults.push(`${change.key} swapped`);
      if (change.type === 'deleted') model.delete(change.key);
      else model.set(change.key, change.object.metadata.uid);
    });
    await synced(cache);
    for (let step = 0; step < 150; step += 1) {
      const name = `c-${String(pick(8))}`;
      const object = configMap(name, { color: ['red', 'blue'][pick(2)] ?? '' }, 'storm');
      if (pick(3) === 0) await errorOf(main.client.delete(CONFIGMAP, { name, namespace: 'storm' }));
      else await main.client.apply(CONFIGMAP, object, { fieldManager: 'storm', force: true });
      if (step % 10 === 9) relay.cut();
    }
    await untilEqual(CONFIGMAP, 'storm', () => informer.list());
    expect(faults).toEqual([]);
    expect([...model.values()].toSorted()).toEqual(
      informer
        .list()
        .map(({ metadata }) => metadata.uid)
        .toSorted(),
    );
    for (const color of ['red', 'blue']) {
      const expected = informer.list().filter(({ data }) => (data as { color?: string }).color === color);
      expect(identities(informer.byIndex('color', color))).toEqual(identities(expected));
    }
    expect(watches(asked).length).toBeGreaterThan(3);
  });
});
