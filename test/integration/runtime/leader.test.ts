/** The lease and the guard at a real API server. Two processes that fight for it: test/integration/replicas. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '../../../src/runtime/client.ts';
import { ApiError } from '../../../src/runtime/errors.ts';
import { LEASE } from '../../../src/runtime/leader.ts';
import type { KubernetesObject } from '../../../src/runtime/resource.ts';
import { admin, createNamespace } from '../../bench/objects.ts';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { until } from './process.ts';
import { startRelay, type Relay } from './relay.ts';
import { startReplica } from './replica.ts';
import { CONFIG_MAP } from '../../../src/runtime/core-types.ts';

let cluster: Cluster;
let client: Client;
let relay: Relay;

beforeAll(async () => {
  cluster = await startCluster();
  ({ client } = await admin(cluster.kubeconfig));
  relay = await startRelay(cluster, 'leader');
}, 120_000);

afterAll(async () => {
  await relay.close();
  await cluster.stop();
});

interface Lease extends KubernetesObject {
  spec: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    leaseTransitions?: number;
    acquireTime?: string;
    renewTime?: string;
  };
}

describe('the lease', () => {
  it('is renewed while it is held, released at the end, and counts who had it', async () => {
    const namespace = 'lease';
    await createNamespace(client, namespace);
    const read = () => client.get<Lease>(LEASE, { name: 'cogniforge', namespace });
    const options = { kubeconfig: cluster.kubeconfig, namespace, kinds: [] };
    const a = await startReplica({ ...options, identity: 'a' });
    await until('a leads', a.leading);
    const won = await read();
    expect(won.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
    await until('it is renewed', async () => (await read()).spec.renewTime !== won.spec.renewTime, 5);
    expect((await read()).spec.acquireTime).toBe(won.spec.acquireTime);
    await a.stop();
    expect((await read()).spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    const b = await startReplica({ ...options, identity: 'b' });
    await until('b leads', b.leading, 5);
    expect((await read()).spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    await b.stop();
  });

  it('that somebody deletes is made again by who holds it or who comes first', async () => {
    const namespace = 'deleted';
    await createNamespace(client, namespace);
    const a = await startReplica({ kubeconfig: cluster.kubeconfig, namespace, identity: 'a', kinds: [] });
    await until('a leads', a.leading);
    await client.delete(LEASE, { name: 'cogniforge', namespace });
    await until('it is there again', async () => {
      const { items } = await client.list<Lease>(LEASE, { namespace });
      return items.some(({ spec }) => spec.holderIdentity === 'a') && a.leading();
    });
    await a.stop();
  });
});

describe('the client of a term', () => {
  const object = (name: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
  });

  /** A client that has no connection yet: whatever it sends waits for a handshake first. */
  async function guarded() {
    const { client: plain, transport } = await admin(relay.kubeconfig);
    const term = new AbortController();
    let over = false;
    const mayWrite = (): void => {
      if (over) throw new ApiError('aborted', 'the term is over');
    };
    return {
      writer: plain.guarded(mayWrite, term.signal),
      end: () => {
        over = true;
      },
      term,
      close: () => {
        transport.close();
      },
    };
  }

  const sent = (from: number): string[] =>
    relay.passed.slice(from).flatMap(({ method, path }) => (method === 'GET' ? [] : [`${method} ${path}`]));

  it('checks before the first byte leaves, not when it is called', async () => {
    const { writer, end, close } = await guarded();
    const from = relay.passed.length;
    const calls = [
      writer.create(CONFIG_MAP, object('created')),
      writer.apply(CONFIG_MAP, object('applied'), { fieldManager: 'x' }),
      writer.update(CONFIG_MAP, object('updated')),
      writer.patch(CONFIG_MAP, object('patched').metadata, { type: 'merge', body: {} }),
      writer.delete(CONFIG_MAP, object('deleted').metadata),
      writer.raw('POST', '/api/v1/namespaces', { body: {} }),
    ];
    // The term ends while they wait for their connections.
    end();
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'));
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ reason: { kind: 'aborted', message: 'the term is over' } });
    expect(sent(from)).toEqual([]);
    close();
  });

  it('may read on after the term', async () => {
    const { writer, end, term, close } = await guarded();
    end();
    term.abort();
    expect((await writer.list(CONFIG_MAP, { namespace: 'default' })).items).toBeDefined();
    close();
  });

  it('gives up what is under way when the signal of the term comes', async () => {
    const { writer, term, close } = await guarded();
    await writer.list(CONFIG_MAP, { namespace: 'default' });
    const call = writer.create(CONFIG_MAP, object('late'));
    term.abort();
    await expect(call).rejects.toMatchObject({ kind: 'aborted' });
    await expect(writer.create(CONFIG_MAP, object('later'))).rejects.toMatchObject({ kind: 'aborted' });
    close();
  });
});
