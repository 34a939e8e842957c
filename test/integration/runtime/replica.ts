/** The runtime as the operator composes it, in this process, with one kind in one namespace. */
import { Cache } from '../../../src/runtime/cache/cache.ts';
import { defaultReflectorSettings } from '../../../src/runtime/cache/reflector.ts';
import type { Client } from '../../../src/runtime/client.ts';
import { systemClock, systemRandom } from '../../../src/runtime/clock.ts';
import { createEvents } from '../../../src/runtime/events.ts';
import type { AnyKind } from '../../../src/runtime/kind.ts';
import { defaultLeaderSettings } from '../../../src/runtime/leader.ts';
import { Manager, type Duty } from '../../../src/runtime/manager.ts';
import { admin } from '../../bench/objects.ts';
import { keptLog } from '../../unit/logs.ts';

export interface Replica {
  client: Client;
  cache: Cache;
  manager: Manager;
  log: ReturnType<typeof keptLog>;
  leading: () => boolean;
  stop(): Promise<void>;
}

export interface ReplicaOptions {
  kubeconfig: string;
  namespace: string;
  identity: string;
  kinds: readonly AnyKind[];
  duties?: readonly Duty[];
  reconcileTimeoutMs?: number;
}

export async function startReplica(options: ReplicaOptions): Promise<Replica> {
  const { kubeconfig, namespace, identity, kinds, duties = [], reconcileTimeoutMs = 60_000 } = options;
  const { client, transport } = await admin(kubeconfig);
  const log = keptLog();
  const shared = { client, clock: systemClock, random: systemRandom, log };
  const cache = new Cache({ ...shared, settings: defaultReflectorSettings, namespace, freeze: true });
  let leading = false;
  const manager = new Manager({
    ...shared,
    cache,
    kinds,
    duties,
    events: (guarded) =>
      createEvents({ client: guarded, clock: systemClock, log, controller: 'test', instance: identity }),
    leader: { name: 'cogniforge', namespace, identity, settings: defaultLeaderSettings },
    fieldManager: 'test',
    reconcileTimeoutMs,
    queueBackoff: { minMs: 50, maxMs: 500 },
    onLeading: (now) => {
      leading = now;
    },
  });
  const end = new AbortController();
  const run = manager.run(end.signal);
  return {
    client,
    cache,
    manager,
    log,
    leading: () => leading,
    async stop() {
      end.abort();
      await run;
      await cache.stop();
      transport.close();
    },
  };
}
