/**
 * Leases in memory behind the Client interface, with the API server's optimistic concurrency, and a network that the
 * test can cut: only for what needs hands on the clock. The same code meets a real API server in test/integration.
 */
import { PassThrough } from 'node:stream';
import { ApiError } from '../../../src/runtime/errors.ts';
import type { Client } from '../../../src/runtime/client.ts';
import type { HttpResponse } from '../../../src/runtime/transport.ts';
import type { KubernetesObject } from '../../../src/runtime/resource.ts';

export interface StoredLease extends KubernetesObject {
  spec: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    leaseTransitions?: number;
    renewTime?: string;
  };
}

/** What becomes of a request: `hang` until it is given up, `fail` before the server, `lose` the answer after it. */
export type Network = 'up' | 'hang' | 'fail' | 'lose';

export interface LeaseStore {
  leases: Map<string, StoredLease>;
  /** in order: who tried to write what */
  writes: { by: string; what: string; holder: string | undefined; done: boolean }[];
  /** changes the lease as somebody else would */
  edit(name: string, change: (lease: StoredLease) => void): void;
  clientOf(identity: string, network?: { state: Network }): Client;
}

export function leaseStore(): LeaseStore {
  const leases = new Map<string, StoredLease>();
  const writes: LeaseStore['writes'] = [];
  const watches = new Set<PassThrough>();
  let version = 100;

  const store = (type: string, lease: StoredLease): StoredLease => {
    version += 1;
    const stored = structuredClone(lease);
    stored.metadata.resourceVersion = String(version);
    if (type === 'DELETED') leases.delete(stored.metadata.name);
    else leases.set(stored.metadata.name, stored);
    for (const watch of watches) watch.write(`${JSON.stringify({ type, object: stored })}\n`);
    return structuredClone(stored);
  };

  const shelf: Shelf = { leases, writes, watches, store, version: () => String(version) };
  return {
    leases,
    writes,
    edit(name, change) {
      const lease = structuredClone(leases.get(name));
      if (lease === undefined) throw new Error(`no lease ${name}`);
      change(lease);
      store('MODIFIED', lease);
    },
    clientOf: (identity, network = { state: 'up' }) => clientOf(shelf, identity, network),
  };
}

interface Shelf extends Pick<LeaseStore, 'leases' | 'writes'> {
  watches: Set<PassThrough>;
  store: (type: string, lease: StoredLease) => StoredLease;
  version: () => string;
}

type Pass = <T>(signal: AbortSignal | undefined, serve: () => T) => Promise<T>;

function through(network: { state: Network }): Pass {
  return async (signal, serve) => {
    await Promise.resolve();
    if (network.state === 'fail') throw new ApiError('transient', 'connection refused');
    if (network.state === 'hang') await untilAborted(signal);
    const answer = serve();
    if (network.state === 'lose') throw new ApiError('transient', 'the connection broke inside the answer');
    return answer;
  };
}

function clientOf(shelf: Shelf, identity: string, network: { state: Network }): Client {
  const { leases, writes, watches, store, version } = shelf;
  const pass = through(network);
  const write = <T>(what: string, lease: StoredLease, signal: AbortSignal | undefined, serve: () => T) => {
    const entry = { by: identity, what, holder: lease.spec.holderIdentity, done: false };
    writes.push(entry);
    return pass(signal, () => {
      const answer = serve();
      entry.done = true;
      return answer;
    });
  };
  const client: Partial<Client> = {
    get: (_type, { name }, { signal } = {}) =>
      pass(signal, () => {
        const lease = leases.get(name);
        if (lease === undefined) throw new ApiError('notFound', name);
        return structuredClone(lease) as never;
      }),
    list: () =>
      Promise.resolve({
        metadata: { resourceVersion: version() },
        items: [...leases.values()] as never,
      }),
    watch: (_type, { signal }) => {
      const stream = new PassThrough();
      watches.add(stream);
      signal?.addEventListener('abort', () => stream.destroy(new ApiError('aborted', 'cancelled')));
      return Promise.resolve(stream as unknown as HttpResponse['body']);
    },
    create: (_type, object, { signal } = {}) => {
      const lease = object as unknown as StoredLease;
      return write('create', lease, signal, () => {
        if (leases.has(lease.metadata.name)) throw new ApiError('alreadyExists', lease.metadata.name);
        return store('ADDED', lease) as never;
      });
    },
    update: (_type, object, { signal } = {}) => {
      const lease = object as unknown as StoredLease;
      return write('update', lease, signal, () => {
        const stored = leases.get(lease.metadata.name);
        if (stored === undefined) throw new ApiError('notFound', lease.metadata.name);
        if (stored.metadata.resourceVersion !== lease.metadata.resourceVersion)
          throw new ApiError('conflict', lease.metadata.name);
        return store('MODIFIED', lease) as never;
      });
    },
  };
  return client as Client;
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void => {
      reject(new ApiError('aborted', 'cancelled'));
    };
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) abort();
  });
}
