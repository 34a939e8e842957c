/** Two replicas in a namespace of their own, and the order of all their writes as the API server saw it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '../../../src/runtime/client.ts';
import { lines } from '../../../src/runtime/cache/lines.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { LEASE } from '../../../src/runtime/leader.ts';
import type { KubernetesObject, ResourceType } from '../../../src/runtime/resource.ts';
import { CONFIG_MAP } from '../../../src/runtime/core-types.ts';

const REPLICA = join(dirname(fileURLToPath(import.meta.url)), 'replica.ts');

/** One write, in the order of etcd's revisions, which all types share. */
export interface Entry {
  revision: bigint;
  what: 'lease' | 'beat';
  /** the holder, or the writer */
  who: string;
  /** monotonic ms of when the watch told us */
  at: number;
}

export interface Stage {
  namespace: string;
  journal: Entry[];
  start(identity: string): ChildProcess;
  /** Resolves with the first entry, from now on, that fits. */
  next(fits: (entry: Entry) => boolean, patienceMs?: number): Promise<Entry>;
  stop(): void;
}

export async function openStage(admin: Client, kubeconfig: string, namespace: string): Promise<Stage> {
  await admin.raw('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
  const journal: Entry[] = [];
  const end = new AbortController();
  const children: ChildProcess[] = [];
  await Promise.all([
    follow(admin, CONFIG_MAP, namespace, end.signal, ({ metadata, data }) => {
      if (metadata.name === 'beat') record(journal, 'beat', metadata.resourceVersion, data?.by);
    }),
    follow(admin, LEASE, namespace, end.signal, ({ metadata, spec }) => {
      record(journal, 'lease', metadata.resourceVersion, spec?.holderIdentity);
    }),
  ]);
  return {
    namespace,
    journal,
    start(identity) {
      const args = ['--disable-warning=ExperimentalWarning', REPLICA, kubeconfig, namespace, identity];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore'] });
      children.push(child);
      return child;
    },
    async next(fits, patienceMs = 40_000) {
      const from = journal.length;
      const deadline = performance.now() + patienceMs;
      for (;;) {
        const found = journal.slice(from).find(fits);
        if (found !== undefined) return found;
        if (performance.now() > deadline)
          throw new Error(`not within ${String(patienceMs)} ms in ${namespace}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    stop() {
      end.abort();
      for (const child of children) child.kill('SIGKILL');
    },
  };
}

/** Beats that came when, by the server's own order, somebody else held the lease. */
export function trespasses(journal: readonly Entry[]): Entry[] {
  const ordered = journal.toSorted((a, b) => (a.revision < b.revision ? -1 : 1));
  let holder = '';
  return ordered.filter((entry) => {
    if (entry.what === 'lease') holder = entry.who;
    return entry.what === 'beat' && entry.who !== holder;
  });
}

interface Followed extends KubernetesObject {
  data?: { by?: string };
  spec?: { holderIdentity?: string };
}

async function follow(
  admin: Client,
  type: ResourceType,
  namespace: string,
  signal: AbortSignal,
  tell: (object: Followed) => void,
): Promise<void> {
  const { metadata } = await admin.list(type, { namespace });
  const { resourceVersion } = metadata;
  const body = await admin.watch(type, { namespace, resourceVersion, timeoutSeconds: 600, signal });
  const limits = { maxLineBytes: 1024 * 1024, idleMs: 600_000 };
  void (async () => {
    for await (const line of lines(body, limits, systemClock)) {
      const event = JSON.parse(line) as { type: string; object: Followed };
      if (event.type === 'ADDED' || event.type === 'MODIFIED') tell(event.object);
    }
  })().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

function record(journal: Entry[], what: Entry['what'], version = '0', who = ''): void {
  journal.push({ revision: BigInt(version), what, who, at: performance.now() });
}
