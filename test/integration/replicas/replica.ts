/**
 * One replica as a process of its own, whose leader writes without pause: a ConfigMap that says who wrote it.
 * `replica.ts KUBECONFIG NAMESPACE IDENTITY`; SIGUSR2 blocks its event loop for 20 s.
 */
import { kubeconfigEndpoint } from '../../../src/runtime/auth.ts';
import { Cache } from '../../../src/runtime/cache/cache.ts';
import { defaultReflectorSettings } from '../../../src/runtime/cache/reflector.ts';
import { createClient } from '../../../src/runtime/client.ts';
import { sleep, systemClock, systemRandom } from '../../../src/runtime/clock.ts';
import { createEvents } from '../../../src/runtime/events.ts';
import { defaultLeaderSettings, type Term } from '../../../src/runtime/leader.ts';
import { createLog } from '../../../src/runtime/log.ts';
import { Manager } from '../../../src/runtime/manager.ts';
import { httpsTransport } from '../../../src/runtime/transport.ts';
import type { Client } from '../../../src/runtime/client.ts';
import { CONFIG_MAP } from '../../../src/runtime/core-types.ts';

const [kubeconfig = '', namespace = '', identity = ''] = process.argv.slice(2);
const BEAT_MS = 20;
const STALL_MS = 20_000;

const clock = systemClock;
const random = systemRandom;
const log = createLog('info');
const endpoint = await kubeconfigEndpoint(kubeconfig, clock);
const client = createClient({ transport: httpsTransport(endpoint), credentials: endpoint.credentials });
const cache = new Cache({ client, clock, random, log, settings: defaultReflectorSettings, freeze: true });
const end = new AbortController();
process.once('SIGTERM', () => {
  end.abort();
});
process.on('SIGUSR2', () => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS);
});

/** Deaf to the term's signal on purpose: what keeps a late write from leaving must be the guard, not good manners. */
async function beat(term: Term, writer: Client): Promise<void> {
  for (let beats = 1; ; beats += 1) {
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'beat', namespace },
      data: { by: identity, beats: String(beats) },
    };
    try {
      await writer.apply(CONFIG_MAP, object, { fieldManager: 'beat', force: true });
    } catch {
      if (term.signal.aborted) return;
    }
    await sleep(clock, BEAT_MS);
  }
}

const manager = new Manager({
  client,
  cache,
  kinds: [],
  duties: [beat],
  events: (writer) => createEvents({ client: writer, clock, log, controller: 'replica', instance: identity }),
  leader: { name: 'replicas', namespace, identity, settings: defaultLeaderSettings },
  fieldManager: 'replica',
  reconcileTimeoutMs: 10_000,
  clock,
  random,
  log,
});
await manager.run(end.signal);
await cache.stop();
process.exit(0);
