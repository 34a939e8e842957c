/**
 * One schedule: a writer changes resources at the real API server while the operator's runtime, behind the proxy, has
 * a bad time of its own; then the weather calms down and everything must be as declared.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubeconfigEndpoint } from '../../src/runtime/auth.ts';
import { Cache } from '../../src/runtime/cache/cache.ts';
import { defaultReflectorSettings } from '../../src/runtime/cache/reflector.ts';
import { renew, type Bundle } from '../../src/runtime/certificates.ts';
import { createClient, type Client } from '../../src/runtime/client.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { isApiError, messageOf } from '../../src/runtime/errors.ts';
import { createEvents } from '../../src/runtime/events.ts';
import { erase } from '../../src/runtime/kind.ts';
import { createLog } from '../../src/runtime/log.ts';
import { Manager } from '../../src/runtime/manager.ts';
import type { KubernetesObject } from '../../src/runtime/resource.ts';
import { httpsTransport } from '../../src/runtime/transport.ts';
import { BENCH, converged, type Bench } from '../bench/bench-kind.ts';
import { calm, planOf, type Plan } from './plan.ts';
import { startProxy, type Proxy, type Upstream } from './proxy.ts';
import type { Dice } from './random.ts';
import { subject, type Copy } from './subject.ts';
import { CONFIG_MAP } from '../../src/runtime/core-types.ts';

export interface Arena {
  /** straight to the server, never through a proxy */
  admin: Client;
  upstream: Upstream;
  tls: Bundle;
  /** for token files and kubeconfigs */
  folder: string;
}

export interface Subject {
  proxy: Proxy;
  cache: Cache;
  stop(): Promise<void>;
}

/** Short, so that a schedule takes a second: the order of things is what is tested, not how long they take. */
const SETTINGS = {
  ...defaultReflectorSettings,
  pageSize: 3,
  backoff: { minMs: 5, maxMs: 50 },
  idleMs: 700,
};
const LEADER = { leaseMs: 3_000, renewMs: 2_000, retryMs: 200 };
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
/** How often a request of each sort meets a fault. A watch is one request and many events: it is hit more often. */
const STORM = { list: 0.25, read: 0.15, write: 0.12, watch: 0.7 };
const PATIENCE_MS = 30_000;

export async function certificates(): Promise<Bundle> {
  return renew(undefined, { action: 'renewCa', why: 'first' }, ['127.0.0.1'], systemClock.now());
}

/** The runtime as the operator composes it, with a proxy of its own between it and the server. */
export async function startSubject(
  arena: Arena,
  namespace: string,
  plan: Plan,
  dice: Dice,
): Promise<Subject> {
  const base = join(arena.folder, namespace);
  const tokenFile = `${base}.token`;
  const proxy = await startProxy({ upstream: arena.upstream, tls: arena.tls, tokenFile });
  const kubeconfig = `${base}.kubeconfig`;
  writeFileSync(kubeconfig, kubeconfigOf(proxy.server, arena.tls.caCert, tokenFile));
  const endpoint = await kubeconfigEndpoint(kubeconfig, systemClock);
  const transport = httpsTransport(endpoint);
  const client = createClient({ transport, credentials: endpoint.credentials, timeoutMs: 2_000 });
  const log = createLog('silent');
  const shared = { client, clock: systemClock, random: () => dice.next(), log };
  const cache = new Cache({ ...shared, settings: SETTINGS, namespace, freeze: true });
  const manager = new Manager({
    ...shared,
    cache,
    kinds: [erase(subject(namespace))],
    events: (writer) =>
      createEvents({ client: writer, clock: systemClock, log, controller: 'faults', instance: namespace }),
    leader: { name: 'faults', namespace, identity: 'subject', settings: LEADER },
    fieldManager: 'faults',
    reconcileTimeoutMs: 5_000,
    queueBackoff: { minMs: 5, maxMs: 100 },
  });
  const end = new AbortController();
  proxy.plan = plan;
  const run = manager.run(end.signal);
  return {
    proxy,
    cache,
    async stop() {
      end.abort();
      await run;
      await cache.stop();
      transport.close();
      await proxy.close();
    },
  };
}

function kubeconfigOf(server: string, ca: string, tokenFile: string): string {
  return JSON.stringify({
    'current-context': 'proxy',
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'subject' } }],
    clusters: [
      {
        name: 'proxy',
        cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
      },
    ],
    users: [{ name: 'subject', user: { tokenFile } }],
  });
}

/** Runs one schedule to its end. Throws, with what differs, when the declared state is not reached. */
export async function runSchedule(arena: Arena, seed: number, dice: Dice): Promise<Proxy['happened']> {
  const namespace = `faults-${String(seed)}`;
  await arena.admin.raw('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
  const operator = await startSubject(
    arena,
    namespace,
    planOf(dice.split('plan'), STORM),
    dice.split('runtime'),
  );
  try {
    await disturb(arena.admin, namespace, dice.split('writer'));
    operator.proxy.plan = calm;
    await untilSettled(arena.admin, namespace, operator.cache);
    return operator.proxy.happened;
  } catch (error) {
    const file = join(tmpdir(), `cogniforge-faults-${String(seed)}.log`);
    writeFileSync(file, operator.proxy.story.join('\n'));
    throw new Error(`${messageOf(error)}\nwhat happened: ${file}`, { cause: error });
  } finally {
    await operator.stop();
  }
}

/** What users do: create, edit, delete, create anew under the same name. */
async function disturb(admin: Client, namespace: string, dice: Dice): Promise<void> {
  for (let left = dice.integer(20, 60); left > 0; left -= 1) {
    const name = dice.pick(NAMES);
    const x = dice.integer(0, 1_000_000);
    const object = {
      apiVersion: 'bench.cogniforge.dev/v1',
      kind: 'Bench',
      metadata: { name, namespace },
      spec: { x },
    };
    await tolerate(
      dice.chance(0.25)
        ? admin.delete(BENCH, { name, namespace })
        : admin.apply(BENCH, object, { fieldManager: 'user', force: true }),
    );
    if (dice.chance(0.7)) await new Promise((resolve) => setTimeout(resolve, dice.integer(0, 80)));
  }
}

/** Nothing there to delete, or it was deleted under our hands: an ordinary day. */
async function tolerate(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isApiError(error, 'notFound', 'conflict')) throw error;
  });
}

export async function untilSettled(admin: Client, namespace: string, cache: Cache): Promise<void> {
  const deadline = systemClock.monotonic() + PATIENCE_MS;
  for (;;) {
    const wrong = await differences(admin, namespace, cache);
    if (wrong.length === 0) return;
    if (systemClock.monotonic() > deadline) throw new Error(`not as declared:\n${wrong.join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What is not as it should be at rest, in words. */
async function differences(admin: Client, namespace: string, cache: Cache): Promise<string[]> {
  const benches = (await admin.list<Bench>(BENCH, { namespace })).items;
  const copies = (await admin.list<Copy>(CONFIG_MAP, { namespace, labelSelector: 'copy=true' })).items;
  const copyOf = new Map(copies.map((copy) => [copy.metadata.name, copy]));
  const owners = new Map(benches.map((bench) => [bench.metadata.name, bench]));
  return [
    ...benches
      .filter((bench) => !converged(bench))
      .map(({ metadata }) => `${metadata.name}: status is behind`),
    ...benches
      .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
      .map(({ metadata }) => `${metadata.name}: held by its finalizer`),
    ...benches
      .filter(({ metadata, spec }) => {
        const { x, of } = copyOf.get(metadata.name)?.data ?? {};
        return x !== String(spec.x) || of !== metadata.uid;
      })
      .map(({ metadata }) => `${metadata.name}: its copy is not as declared`),
    ...copies
      .filter(({ metadata }) => !owners.has(metadata.name))
      .map(({ metadata }) => `${metadata.name}: a copy without its resource`),
    ...unequal('benches', benches, cache.informer<Bench>(BENCH).list()),
    ...unequal('copies', copies, cache.informer<Copy>(CONFIG_MAP, { labelSelector: 'copy=true' }).list()),
  ];
}

function unequal(
  what: string,
  server: readonly KubernetesObject[],
  cached: readonly KubernetesObject[],
): string[] {
  const versions = (objects: readonly KubernetesObject[]): string =>
    objects
      .map(({ metadata }) => `${metadata.name}/${String(metadata.uid)}@${String(metadata.resourceVersion)}`)
      .toSorted()
      .join(' ');
  return versions(server) === versions(cached)
    ? []
    : [`the cache of ${what} differs: ${versions(cached)} but the server has ${versions(server)}`];
}
