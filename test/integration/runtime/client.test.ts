/** The client's promises, against a real API server. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubeconfigEndpoint, tokenFile, type Endpoint } from '../../../src/runtime/auth.ts';
import type { Client } from '../../../src/runtime/client.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { parseJson, stringifyJson } from '../../../src/runtime/json.ts';
import type { ObjectMeta, Unstructured } from '../../../src/runtime/resource.ts';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { startRelay } from './tcp-relay.ts';
import { CRD } from '../../../src/runtime/core-types.ts';
import {
  absentApiService,
  admin,
  BOX,
  box,
  compact,
  CONFIGMAP,
  configMap,
  connectTo,
  errorOf,
  EVENT,
  guardedPod,
  installBoxes,
  type Box,
  type Connection,
} from './stage.ts';

let cluster: Cluster;
let main: Connection;
let client: Client;
const opened: Connection[] = [];

beforeAll(async () => {
  cluster = await startCluster();
  main = await admin(cluster);
  client = main.client;
  opened.push(main);
  await installBoxes(client);
}, 120_000);

afterAll(async () => {
  for (const { transport } of opened) transport.close();
  await cluster.stop();
});

function open(endpoint: Endpoint): Client {
  const connection = connectTo(endpoint);
  opened.push(connection);
  return connection.client;
}

/** A client that shows this token. */
function bearing(token: string): Client {
  const credentials = {
    authorization: () => Promise.resolve(`Bearer ${token}`),
    invalidate: () => undefined,
  };
  return open({ ...main.endpoint, credentials });
}

async function serviceAccountToken(): Promise<string> {
  const path = '/api/v1/namespaces/default/serviceaccounts/default/token';
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  return (await client.raw<{ status: { token: string } }>('POST', path, { body: request })).status.token;
}

const named = (name: string) => ({ name, namespace: 'default' });

describe('1,000 GETs', () => {
  it('need a handful of connections', async () => {
    const relay = await startRelay(main.endpoint);
    const through = open(relay.endpoint);
    let left = 1_000;
    const asker = async (): Promise<void> => {
      for (; left > 0; left -= 1) await through.raw('GET', '/version');
    };
    await Promise.all(Array.from({ length: 8 }, asker));
    expect(left).toBeLessThanOrEqual(0);
    expect(relay.connections).toBeLessThanOrEqual(8);
    await relay.close();
  });
});

describe('what the API server refuses', () => {
  beforeAll(async () => {
    await client.create(CONFIGMAP, configMap('taken', { a: '1' }));
  });

  it('is notFound', async () => {
    const absent = client.get(CONFIGMAP, named('absent'));
    expect(await errorOf(absent)).toMatchObject({ kind: 'notFound', code: 404, retriable: false });
  });

  it('is alreadyExists, which is no conflict', async () => {
    const again = client.create(CONFIGMAP, configMap('taken', {}));
    expect(await errorOf(again)).toMatchObject({ kind: 'alreadyExists', code: 409 });
  });

  it('is conflict: an update of what somebody else has changed since', async () => {
    const read = await client.get<Unstructured>(CONFIGMAP, named('taken'));
    await client.update(CONFIGMAP, { ...read, data: { a: '2' } });
    const late = client.update(CONFIGMAP, { ...read, data: { a: '3' } });
    expect(await errorOf(late)).toMatchObject({ kind: 'conflict', code: 409, retriable: false });
    expect(await client.get(CONFIGMAP, named('taken'))).toMatchObject({ data: { a: '2' } });
  });

  it('is invalid, with the field that is', async () => {
    const error = await errorOf(client.create(CONFIGMAP, configMap('Not A Name', {})));
    expect(error).toMatchObject({ kind: 'invalid', code: 422, retriable: false });
    expect(error).toHaveProperty('status.details.causes.0.field', 'metadata.name');
    const malformed = client.patch(CONFIGMAP, named('taken'), { type: 'json', body: { no: 'list' } });
    expect(await errorOf(malformed)).toMatchObject({ kind: 'invalid', code: 400 });
  });

  it('is forbidden: a service account without a role', async () => {
    const nobody = bearing(await serviceAccountToken());
    const error = await errorOf(nobody.list(CONFIGMAP, { namespace: 'default' }));
    expect(error).toMatchObject({ kind: 'forbidden', code: 403, retriable: false });
  });

  it('is unauthorized: a token nobody knows', async () => {
    const unknown = bearing('unknown').get(CONFIGMAP, named('taken'));
    expect(await errorOf(unknown)).toMatchObject({ kind: 'unauthorized', code: 401 });
  });

  it('is transient: an API service that is not there', async () => {
    const end = await absentApiService(client, 'absent.example.com');
    const error = await errorOf(client.raw('GET', '/apis/absent.example.com/v1/things'));
    await end();
    expect(error).toMatchObject({ kind: 'transient', code: 503, retriable: true });
  });

  it('is throttled, with the time to wait: a disruption budget that is not yet accounted for', async () => {
    const evict = await guardedPod(client, 'guarded');
    const [, , controllers = 0] = cluster.pids;
    process.kill(controllers, 'SIGSTOP');
    try {
      const error = await errorOf(evict());
      expect(error).toMatchObject({ kind: 'throttled', code: 429, retriable: true, retryAfterMs: 10_000 });
    } finally {
      process.kill(controllers, 'SIGCONT');
    }
  });
});

describe('an integer beyond 2^53', () => {
  it('survives get, update, get, through the API server', async () => {
    const numbers = '{"big":9007199254740993,"least":-9223372036854775808,"half":0.5}';
    await client.create(BOX, box('big', parseJson(numbers) as Record<string, unknown>));
    const read = await client.get<Box>(BOX, named('big'));
    expect(stringifyJson(read.spec['big'])).toBe('9007199254740993');
    const metadata = { ...read.metadata, labels: { touched: 'yes' } };
    await client.update<Box>(BOX, { ...read, metadata });
    const again = await client.get<Box>(BOX, named('big'));
    expect(again.metadata.labels).toEqual({ touched: 'yes' });
    expect(parseJson(stringifyJson(again.spec))).toEqual(parseJson(numbers));
    // A double would have rounded it: the spec would have changed, and the generation with it.
    expect(again.metadata.generation).toBe(1);
  });
});

describe('server-side apply', () => {
  it('creates, owns, and takes away what it no longer says', async () => {
    await client.apply(BOX, box('owned', { a: 1, b: 2 }), { fieldManager: 'first' });
    await client.apply(BOX, box('owned', { c: 3 }), { fieldManager: 'second' });
    const left = await client.apply(BOX, box('owned', { a: 1 }), { fieldManager: 'first' });
    expect(left.spec).toEqual({ a: 1, c: 3 });
  });

  it('conflicts with another owner, who is named, until it is told to take over', async () => {
    await client.apply(BOX, box('contested', { a: 1 }), { fieldManager: 'first' });
    const second = box('contested', { a: 2 });
    const error = await errorOf(client.apply(BOX, second, { fieldManager: 'second' }));
    expect(error).toMatchObject({ kind: 'conflict', code: 409 });
    expect(String(error)).toContain('"first"');
    const taken = await client.apply(BOX, second, { fieldManager: 'second', force: true });
    expect(taken.spec).toEqual({ a: 2 });
    expect(
      await errorOf(client.apply(BOX, box('contested', { a: 1 }), { fieldManager: 'first' })),
    ).toMatchObject({
      kind: 'conflict',
    });
  });

  it('of a status leaves the spec alone, and of a spec the status', async () => {
    const { metadata } = await client.apply(BOX, box('both', { a: 1 }), { fieldManager: 'm' });
    const told = { ...box('both', { a: 9 }), status: { seen: true } };
    const applied = await client.apply<Box>(BOX, told, { fieldManager: 'm', subresource: 'status' });
    expect(applied).toMatchObject({ spec: { a: 1 }, status: { seen: true } });
    expect(applied.metadata.generation).toBe(metadata.generation);
    const ignored = await client.apply<Box>(
      BOX,
      { ...box('both', { a: 2 }), status: { seen: false } },
      { fieldManager: 'm' },
    );
    expect(ignored).toMatchObject({ spec: { a: 2 }, status: { seen: true } });
  });

  it('in a dry run changes nothing', async () => {
    const answer = await client.apply<Box>(BOX, box('dry', { a: 1 }), { fieldManager: 'm', dryRun: true });
    expect(answer.spec).toEqual({ a: 1 });
    expect(await errorOf(client.get(BOX, named('dry')))).toMatchObject({ kind: 'notFound' });
  });
});

describe('a JSON patch with a resourceVersion', () => {
  const patchOf = (version: string | undefined, value: unknown) => ({
    type: 'json' as const,
    body: [
      { op: 'replace', path: '/metadata/resourceVersion', value: version },
      { op: 'add', path: '/status', value },
    ],
  });

  it('refuses a lost update as a conflict, of the status too', async () => {
    const { metadata: read } = await client.create<Box>(BOX, box('patched', { a: 1 }));
    const write = (version: string | undefined, value: unknown): Promise<Box> =>
      client.patch<Box>(BOX, named('patched'), patchOf(version, value), { subresource: 'status' });
    const first = await write(read.resourceVersion, { by: 'first' });
    expect(first.status).toEqual({ by: 'first' });
    const lost = await errorOf(write(read.resourceVersion, { by: 'second' }));
    expect(lost).toMatchObject({ kind: 'conflict', code: 409 });
    expect((await client.get<Box>(BOX, named('patched'))).status).toEqual({ by: 'first' });
    expect((await write(first.metadata.resourceVersion, { by: 'second' })).status).toEqual({ by: 'second' });
  });

  it('loses none of the additions of three writers at once', async () => {
    await client.create<Box>(BOX, box('counter', {}));
    await client.patch(
      BOX,
      named('counter'),
      { type: 'merge', body: { status: { count: 0 } } },
      { subresource: 'status' },
    );
    let conflicts = 0;
    const add = async (): Promise<void> => {
      for (;;) {
        const { metadata, status } = await client.get<Box>(BOX, named('counter'));
        const patch = patchOf(metadata.resourceVersion, { count: Number(status?.['count']) + 1 });
        const error = await errorOf(client.patch(BOX, named('counter'), patch, { subresource: 'status' }));
        if (error === undefined) return;
        expect(error).toMatchObject({ kind: 'conflict' });
        conflicts += 1;
      }
    };
    const writer = async (): Promise<void> => {
      for (let time = 0; time < 10; time += 1) await add();
    };
    await Promise.all([writer(), writer(), writer()]);
    expect((await client.get<Box>(BOX, named('counter'))).status).toEqual({ count: 30 });
    expect(conflicts).toBeGreaterThan(0);
  });
});

describe('a list', () => {
  const NAMES = Array.from({ length: 25 }, (_, at) => `page-${String(at).padStart(2, '0')}`);
  const SELECTED = { namespace: 'default', labelSelector: 'paged=yes' };

  beforeAll(async () => {
    for (const name of NAMES) {
      const metadata = { ...named(name), labels: { paged: 'yes' } };
      await client.create(CONFIGMAP, { ...configMap(name, { some: 'data' }), metadata });
    }
  });

  it('comes in pages of one moment, whatever is written meanwhile', async () => {
    const names: string[] = [];
    const sizes: number[] = [];
    const versions = new Set<string>();
    let token: string | undefined;
    do {
      const page = await client.list(CONFIGMAP, { ...SELECTED, limit: 10, continue: token });
      names.push(...page.items.map(({ metadata }) => metadata.name));
      sizes.push(page.items.length);
      versions.add(page.metadata.resourceVersion);
      token = page.metadata.continue;
      await client.apply(
        CONFIGMAP,
        { ...configMap('page-99', {}), metadata: { ...named('page-99'), labels: { paged: 'yes' } } },
        { fieldManager: 'm' },
      );
    } while (token !== undefined && token !== '');
    await client.delete(CONFIGMAP, named('page-99'));
    expect(names).toEqual(NAMES);
    expect(sizes).toEqual([10, 10, 5]);
    expect(versions.size).toBe(1);
  });

  it('of metadata has no data, and is a list even when it is empty', async () => {
    const { items } = await client.list<Unstructured>(CONFIGMAP, { ...SELECTED, metadataOnly: true });
    expect(items.map(({ metadata }) => metadata.name)).toEqual(NAMES);
    expect(items.some((item) => 'data' in item)).toBe(false);
    const none = await client.list(CONFIGMAP, { namespace: 'nowhere', metadataOnly: true });
    expect(none.items).toEqual([]);
  });

  it('whose token is from before a compaction is gone', async () => {
    // Of Events the server keeps no copy of its own: it has to ask etcd for the rest of the page's moment.
    const event = async (name: string): Promise<string> => {
      const involvedObject = { namespace: 'default', name: 'x' };
      const made = await client.create(EVENT, {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: named(name),
        involvedObject,
      });
      return (made.metadata as ObjectMeta).resourceVersion ?? '';
    };
    await event('first');
    await event('second');
    const { metadata } = await client.list(EVENT, { namespace: 'default', limit: 1 });
    const rest = { namespace: 'default', limit: 1, continue: metadata.continue };
    await client.list(EVENT, rest);
    await compact(cluster, await event('third'));
    const error = await errorOf(client.list(EVENT, rest));
    expect(error).toMatchObject({ kind: 'gone', code: 410, retriable: false });
  });
});

describe('a delete', () => {
  it('with the uid or the version of another object is a conflict and deletes nothing', async () => {
    const { metadata } = await client.create<Box>(BOX, box('precious'));
    const { uid, resourceVersion } = metadata;
    const another = '00000000-0000-0000-0000-000000000000';
    for (const precondition of [{ uid: another }, { uid, resourceVersion: '1' }]) {
      const error = await errorOf(client.delete(BOX, named('precious'), precondition));
      expect(error).toMatchObject({ kind: 'conflict', code: 409 });
    }
    expect((await client.get<Box>(BOX, named('precious'))).metadata.uid).toBe(uid);
    await client.delete(BOX, named('precious'), { uid, resourceVersion, dryRun: true });
    await client.delete(BOX, named('precious'), { uid, resourceVersion });
    expect(await errorOf(client.get(BOX, named('precious')))).toMatchObject({ kind: 'notFound' });
  });
});

describe('a watch', () => {
  it('brings one event a line from the version on, of metadata where told, and ends with the signal', async () => {
    const { metadata } = await client.list(CRD);
    const end = new AbortController();
    const stream = await client.watch(BOX, {
      namespace: 'default',
      resourceVersion: metadata.resourceVersion,
      timeoutSeconds: 60,
      metadataOnly: true,
      signal: end.signal,
    });
    await client.create<Box>(BOX, box('watched', { a: 1 }));
    const text = await new Promise<string>((resolve) =>
      stream.once('data', (chunk: Buffer) => {
        resolve(chunk.toString('utf8'));
      }),
    );
    expect(text.endsWith('\n')).toBe(true);
    const [line = ''] = text.split('\n');
    const { type, object } = JSON.parse(line) as { type: string; object: Unstructured };
    expect([type, object.kind, object.metadata.name]).toEqual(['ADDED', 'PartialObjectMetadata', 'watched']);
    expect(object).not.toHaveProperty('spec');
    const ended = new Promise((resolve) => stream.once('error', resolve));
    end.abort();
    expect(await ended).toHaveProperty('message');
  });
});

describe('a credential', () => {
  it('that was rotated in its file is read again within the very call that was refused', async () => {
    const file = join(cluster.folder, 'rotated-token');
    writeFileSync(file, 'expired');
    const rotated = open({ ...main.endpoint, credentials: tokenFile(file, systemClock) });
    expect(await errorOf(rotated.get(CONFIGMAP, named('taken')))).toMatchObject({ kind: 'unauthorized' });
    writeFileSync(file, await serviceAccountToken());
    // Known now, though without a role; the write was refused by its right name.
    const written = rotated.create(CONFIGMAP, configMap('by-rotated', {}));
    expect(await errorOf(written)).toMatchObject({ kind: 'forbidden' });
    expect(String(await errorOf(written))).toContain('system:serviceaccount:default:default');
  });

  it('of an exec plugin is shown, and asked for again once it is refused', async () => {
    const config = JSON.parse(readFileSync(cluster.kubeconfig, 'utf8')) as {
      users: [{ user: { token?: string } }];
    };
    const token = config.users[0].user.token ?? '';
    const answer = join(cluster.folder, 'credential.json');
    const answers = (status: object): void => {
      const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status };
      writeFileSync(answer, JSON.stringify(credential));
    };
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'cat', args: [answer] };
    const kubeconfig = join(cluster.folder, 'kubeconfig-exec');
    writeFileSync(kubeconfig, JSON.stringify({ ...config, users: [{ name: 'admin', user: { exec } }] }));
    const plugged = open(await kubeconfigEndpoint(kubeconfig, systemClock));
    answers({ token: 'expired' });
    expect(await errorOf(plugged.get(CONFIGMAP, named('taken')))).toMatchObject({ kind: 'unauthorized' });
    answers({ token });
    expect(await plugged.get(CONFIGMAP, named('taken'))).toHaveProperty('metadata.name', 'taken');
  });
});
