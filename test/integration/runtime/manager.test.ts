/** The life of a resource at a real API server: what is written, in which order, and what is not. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '../../../src/runtime/client.ts';
import { discover } from '../../../src/runtime/discovery.ts';
import { erase } from '../../../src/runtime/kind.ts';
import { ownedBy } from '../../../src/runtime/owner.ts';
import { writeFinalizers, writeStatus } from '../../../src/runtime/patch.ts';
import type { KubernetesObject } from '../../../src/runtime/resource.ts';
import { admin, createNamespace, installKind } from '../../bench/objects.ts';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { FINALIZER, wardKind, type Ward, type WardSpec } from './guarded-kind.ts';
import { GUARD, GUARD_CRD } from './idle-kind.ts';
import { until } from './process.ts';
import { startRelay, type Relay } from './relay.ts';
import { startReplica, type Replica } from './replica.ts';
import { CONFIG_MAP } from '../../../src/runtime/core-types.ts';

let cluster: Cluster;
let client: Client;

beforeAll(async () => {
  cluster = await startCluster();
  ({ client } = await admin(cluster.kubeconfig));
  await installKind(client, GUARD_CRD, GUARD);
}, 120_000);

afterAll(() => cluster.stop());

interface Scene {
  relay: Relay;
  namespace: string;
  replica: Replica;
  /** name -> looks */
  looks: Map<string, number>;
  put(name: string, spec: WardSpec): Promise<void>;
  get(name: string): Promise<Ward>;
  gone(name: string): Promise<boolean>;
  /** mutating requests about a name, oldest first */
  writes(name: string): string[];
}

async function scene(
  namespace: string,
  options: { finalizer?: string; timeoutMs?: number } = {},
): Promise<Scene> {
  await createNamespace(client, namespace);
  const relay = await startRelay(cluster, namespace);
  const looks = new Map<string, number>();
  const kind = wardKind((name) => looks.set(name, (looks.get(name) ?? 0) + 1), options.finalizer);
  const replica = await startReplica({
    kubeconfig: relay.kubeconfig,
    namespace,
    identity: 'a',
    kinds: [erase(kind)],
    ...(options.timeoutMs === undefined ? {} : { reconcileTimeoutMs: options.timeoutMs }),
  });
  await until('it leads', replica.leading);
  return {
    relay,
    namespace,
    replica,
    looks,
    async put(name, spec) {
      const metadata = { name, namespace };
      const ward = { apiVersion: 'idle.cogniforge.dev/v1', kind: 'Guard', metadata, spec };
      await client.apply(GUARD, ward, { fieldManager: 'user', force: true });
    },
    get: (name) => client.get<Ward>(GUARD, { name, namespace }),
    gone: (name) =>
      client.get(GUARD, { name, namespace }).then(
        () => false,
        () => true,
      ),
    writes: (name) =>
      relay.passed
        .filter(({ method, path }) => method !== 'GET' && new RegExp(`/${name}(/|\\?|$)`).test(path))
        .map(({ method, path }) => {
          const [, what = ''] = /\/(guards\/[^/]+\/status|guards|configmaps)/.exec(path) ?? [];
          return `${method} ${what.replace(/\/[^/]+\//, '/')}`;
        }),
  };
}

async function close({ replica, relay }: Scene): Promise<void> {
  await replica.stop();
  await relay.close();
}

function reasons({ status }: Ward): string[] {
  return (status?.conditions ?? []).map(({ type, status: value, reason }) => `${type}=${value} ${reason}`);
}

const quiet = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a resource', () => {
  let stage: Scene;

  beforeAll(async () => {
    stage = await scene('life', { finalizer: FINALIZER, timeoutMs: 1_000 });
  });

  afterAll(() => close(stage));

  it('gets its finalizer, then the effect, then one status; nothing more when nothing changes', async () => {
    await stage.put('one', { x: 1 });
    await until('it is ready', async () => reasons(await stage.get('one')).includes('Ready=True Copied'));
    await until('all is quiet', () => stage.replica.manager.idle);
    const { metadata, status } = await stage.get('one');
    expect(metadata.finalizers).toEqual([FINALIZER]);
    expect(status?.observedGeneration).toBe(metadata.generation);
    // The copy is applied again when the watch tells of it; that changes nothing at the server.
    const [first, second, third, ...rest] = stage.writes('one');
    expect([first, second, third]).toEqual(['PATCH guards', 'PATCH configmaps', 'PATCH guards/status']);
    expect(rest.filter((write) => write !== 'PATCH configmaps')).toEqual([]);
    await quiet(500);
    expect((await stage.get('one')).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });

  it('owns what was made for it', async () => {
    const { metadata } = await stage.get('one');
    const copy = await client.get(CONFIG_MAP, { name: 'one', namespace: stage.namespace });
    expect(copy.metadata.ownerReferences).toMatchObject([
      { kind: 'Guard', name: 'one', uid: metadata.uid, controller: true },
    ]);
  });

  it('is looked at when what it owns is changed by somebody else', async () => {
    const patch = { type: 'merge' as const, body: { data: { x: 'tampered' } } };
    await client.patch(CONFIG_MAP, { name: 'one', namespace: stage.namespace }, patch);
    await until('the copy is right again', async () => {
      const copy = await client.get<KubernetesObject & { data: { x: string } }>(CONFIG_MAP, {
        name: 'one',
        namespace: stage.namespace,
      });
      return copy.data.x === '1';
    });
  });

  it('goes only after its effects are undone', async () => {
    await client.delete(GUARD, { name: 'one', namespace: stage.namespace });
    await until('it is gone', () => stage.gone('one'));
    const writes = stage.writes('one');
    expect(writes.lastIndexOf('DELETE configmaps')).toBeGreaterThan(0);
    expect(writes.lastIndexOf('PATCH guards')).toBeGreaterThan(writes.lastIndexOf('DELETE configmaps'));
    await expect(client.get(CONFIG_MAP, { name: 'one', namespace: stage.namespace })).rejects.toThrow();
  });

  it('that stalls says so, is left alone until its spec changes, and says so no more', async () => {
    await stage.put('bad', { x: -1 });
    await until('it is stalled', async () =>
      reasons(await stage.get('bad')).includes('Stalled=True Negative'),
    );
    await until('all is quiet', () => stage.replica.manager.idle);
    const looks = stage.looks.get('bad');
    const label = { type: 'merge' as const, body: { metadata: { labels: { touched: 'yes' } } } };
    await client.patch(GUARD, { name: 'bad', namespace: stage.namespace }, label);
    await quiet(1_000);
    expect(stage.looks.get('bad')).toBe(looks);
    await stage.put('bad', { x: 1 });
    await until('it is ready', async () => reasons(await stage.get('bad')).includes('Ready=True Copied'));
    expect(reasons(await stage.get('bad'))).toEqual(['Ready=True Copied']);
  });

  it.each(['gather', 'decide', 'hang'] as const)(
    'whose %s fails does not keep the others from their turn, and recovers when it is mended',
    async (fault) => {
      const name = `ill-${fault}`;
      await stage.put(name, { x: 1, fault });
      await until('it is tried again', () => (stage.looks.get(name) ?? 0) >= 2);
      await stage.put(`well-${fault}`, { x: 1 });
      await until('the other is ready', async () =>
        reasons(await stage.get(`well-${fault}`)).includes('Ready=True Copied'),
      );
      await stage.put(name, { x: 2 });
      await until('it is ready', async () => reasons(await stage.get(name)).includes('Ready=True Copied'));
    },
  );

  it('is not lost when a listener throws', async () => {
    await client.create(CONFIG_MAP, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'poison', namespace: stage.namespace, labels: { ward: 'true' } },
    });
    await until('it threw', () =>
      stage.replica.log.lines.some(({ message }) => message === 'a listener of the cache failed'),
    );
    await stage.put('after', { x: 1 });
    await until('it is ready', async () => reasons(await stage.get('after')).includes('Ready=True Copied'));
  });
});

describe('ownerReferences', () => {
  it('are what Kubernetes itself cleans up by', async () => {
    const copy = (name: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default' },
    });
    const gone = (name: string) =>
      client.get(CONFIG_MAP, { name, namespace: 'default' }).then(
        () => false,
        () => true,
      );
    const owner = await client.create<KubernetesObject>(CONFIG_MAP, copy('owner'));
    await client.create(CONFIG_MAP, ownedBy(copy('owned'), owner));
    await client.create(CONFIG_MAP, copy('free'));
    await client.delete(CONFIG_MAP, owner.metadata);
    await until('what was owned is gone', () => gone('owned'));
    expect(await gone('free')).toBe(false);
  });
});

describe('a standby', () => {
  it('has warm caches: it takes over after one list of each type, which proves that they are up to date', async () => {
    const stage = await scene('standby');
    await stage.put('one', { x: 1 });
    await until('it is ready', async () => reasons(await stage.get('one')).includes('Ready=True Copied'));
    const relay = await startRelay(cluster, 'second');
    const standby = await startReplica({
      kubeconfig: relay.kubeconfig,
      namespace: stage.namespace,
      identity: 'b',
      kinds: [erase(wardKind(() => undefined, undefined))],
    });
    await until('its caches hold the resource', () => standby.cache.informer(GUARD).size === 1);
    expect([stage.replica.leading(), standby.leading()]).toEqual([true, false]);
    expect(relay.passed.filter(({ method }) => method !== 'GET')).toEqual([]);
    const from = relay.passed.length;
    await stage.replica.stop();
    await until('the standby leads', standby.leading, 5);
    await stage.put('two', { x: 2 });
    await until('it works', async () => reasons(await stage.get('two')).includes('Ready=True Copied'));
    const lists = relay.passed.slice(from).filter(({ path }) => path.includes('limit='));
    // A type that was listed twice, or one that was not: the catch-up would be more, or less, than it promises.
    expect(lists.map(({ path }) => path.replace(/.*\/(\w+)\?.*/, '$1')).sort()).toEqual([
      'configmaps',
      'guards',
    ]);
    await standby.stop();
    await relay.close();
    await stage.relay.close();
  });
});

describe('a duty of the leader', () => {
  it('that throws is started again, and disturbs nobody', async () => {
    await createNamespace(client, 'duties');
    let runs = 0;
    const replica = await startReplica({
      kubeconfig: cluster.kubeconfig,
      namespace: 'duties',
      identity: 'a',
      kinds: [],
      duties: [
        ({ signal }) => {
          runs += 1;
          if (runs === 1) throw new Error('the duty broke');
          if (runs === 2) return Promise.reject(new Error('the duty broke later'));
          return new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              resolve();
            });
          });
        },
      ],
    });
    await until('it runs for the third time', () => runs === 3);
    expect(replica.leading()).toBe(true);
    await replica.stop();
  });
});

describe('the writes of the runtime itself', () => {
  it('are refused with a conflict when the object has moved on', async () => {
    await createNamespace(client, 'moved');
    const { signal } = new AbortController();
    const metadata = { name: 'one', namespace: 'moved' };
    const old = await client.create<Ward>(GUARD, {
      apiVersion: 'idle.cogniforge.dev/v1',
      kind: 'Guard',
      metadata,
      spec: { x: 1 },
    });
    const fresh = await writeStatus(client, GUARD, old, { x: 1 }, signal);
    expect(fresh?.status).toEqual({ x: 1 });
    await expect(writeStatus(client, GUARD, old, { x: 2 }, signal)).rejects.toMatchObject({
      kind: 'conflict',
    });
    await expect(writeFinalizers(client, GUARD, old, [FINALIZER], signal)).rejects.toMatchObject({
      kind: 'conflict',
    });
    expect(
      fresh === undefined ? 'nothing' : await writeStatus(client, GUARD, fresh, { x: 1 }, signal),
    ).toBeUndefined();
  });
});

describe('discovery', () => {
  it('names every kind once, in the version that the server prefers', async () => {
    const found = await discover(client);
    const kinds = (kind: string) =>
      found.filter((resource) => resource.kind === kind && resource.group !== 'events.k8s.io');
    const scale = { name: 'scale', group: 'autoscaling', kind: 'Scale' };
    const status = { name: 'status', group: '', kind: 'Deployment' };
    expect(kinds('Deployment')).toEqual([
      {
        ...{ group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', namespaced: true },
        subresources: [scale, status],
      },
    ]);
    expect(kinds('Namespace')).toMatchObject([{ group: '', version: 'v1', namespaced: false }]);
    expect(kinds('Guard')).toMatchObject([{ group: 'idle.cogniforge.dev', plural: 'guards' }]);
    const ids = found.map(({ group, plural }) => `${group}/${plural}`);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
