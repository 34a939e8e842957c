/**
 * Our side of the runtime bench: the same work as peers/controller-runtime, on src/runtime as the operator uses it.
 * Arguments and the printed line are those of the peer.
 */
import { parseArgs } from 'node:util';
import { kubeconfigEndpoint } from '../../../src/runtime/auth.ts';
import { Cache } from '../../../src/runtime/cache/cache.ts';
import { defaultReflectorSettings } from '../../../src/runtime/cache/reflector.ts';
import { createClient, type Client } from '../../../src/runtime/client.ts';
import { sleep, systemClock, systemRandom } from '../../../src/runtime/clock.ts';
import { createEvents } from '../../../src/runtime/events.ts';
import { erase } from '../../../src/runtime/kind.ts';
import { defaultLeaderSettings } from '../../../src/runtime/leader.ts';
import { createLog } from '../../../src/runtime/log.ts';
import { Manager } from '../../../src/runtime/manager.ts';
import { httpsTransport } from '../../../src/runtime/transport.ts';
import { BENCH, benchKind, converged, type Bench } from '../bench-kind.ts';
import { collectGarbage, procStatus } from '../process-memory.ts';

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: '' },
    count: { type: 'string', default: '0' },
    namespace: { type: 'string', default: '' },
    workers: { type: 'string', default: '16' },
    'cache-only': { type: 'boolean', default: false },
  },
});
const clock = systemClock;
const random = systemRandom;
const log = createLog('silent');
const endpoint = await kubeconfigEndpoint(values.kubeconfig, clock);
const client = createClient({ transport: httpsTransport(endpoint), credentials: endpoint.credentials });
const cache = new Cache({
  client,
  clock,
  random,
  log,
  settings: defaultReflectorSettings,
  namespace: values.namespace,
  freeze: false,
});
const benches = cache.informer<Bench>(BENCH);
const stop = new AbortController();
process.once('SIGTERM', () => {
  stop.abort();
});

const cacheOnly = values['cache-only'];
if (cacheOnly) cache.start();
const run = cacheOnly ? Promise.resolve() : manage(client, cache).run(stop.signal);
await cache.whenSynced(stop.signal);
const syncedMs = performance.now();
// Polled as the peer polls: a walk over the cache at each event would be the bench's cost, not the runtime's.
while (!done()) await sleep(clock, 20, stop.signal);
report();
await run;
await cache.stop();
process.exit(0);

function manage(client: Client, cache: Cache): Manager {
  const identity = `bench-${String(process.pid)}`;
  return new Manager({
    client,
    cache,
    kinds: [erase(benchKind(Number(values.workers)))],
    events: (writer) => createEvents({ client: writer, clock, log, controller: 'bench', instance: identity }),
    leader: { name: identity, namespace: values.namespace, identity, settings: defaultLeaderSettings },
    fieldManager: 'bench',
    reconcileTimeoutMs: 60_000,
    clock,
    random,
    log,
  });
}

function done(): boolean {
  return benches.list().filter((bench) => cacheOnly || converged(bench)).length >= Number(values.count);
}

function report(): void {
  const convergeMs = performance.now();
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const peakRssBytes = procStatus('VmHWM');
  collectGarbage();
  const line = {
    syncedMs,
    convergeMs,
    cpuMs: (userCPUTime + systemCPUTime) / 1000,
    peakRssBytes,
    heapBytes: process.memoryUsage().heapUsed + process.memoryUsage().external,
    rssAfterBytes: procStatus('VmRSS'),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
