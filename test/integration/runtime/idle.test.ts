/**
 * An operator with nothing to do writes nothing: ten minutes in which every wake-up, resync and watch time-out happens,
 * and every mutating request is counted at a relay in front of the real API server. Two heartbeats are named and counted
 * apart: the leader's lease and each replica's presence.
 *
 * IDLE_MINUTES=10 lets the real process with IDLE_RULES rules (default 1,000) be idle in real time too.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { join } from 'node:path';
import { runController } from '../../../src/main.ts';
import { type as POLICY_RULE } from '../../../src/policy/policyrule/crd.gen.ts';
import type { PolicyRule } from '../../../src/policy/policyrule/types.gen.ts';
import { Cache } from '../../../src/runtime/cache/cache.ts';
import { defaultReflectorSettings } from '../../../src/runtime/cache/reflector.ts';
import type { Client } from '../../../src/runtime/client.ts';
import { createEvents } from '../../../src/runtime/events.ts';
import { erase } from '../../../src/runtime/kind.ts';
import { defaultLeaderSettings, LEASE } from '../../../src/runtime/leader.ts';
import { createLog } from '../../../src/runtime/log.ts';
import { Manager } from '../../../src/runtime/manager.ts';
import { createMetrics } from '../../../src/runtime/metrics.ts';
import { Presence } from '../../../src/runtime/presence.ts';
import { admin, inParallel, installKind } from '../../bench/objects.ts';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { freePorts } from '../../cluster/processes.ts';
import { toolPath } from '../../cluster/tools.ts';
import { manualClock } from '../../unit/clock.ts';
import { GUARD, GUARD_CRD, guardKind, type Guard } from './idle-kind.ts';
import { forbids, prepare, rule } from './prepare.ts';
import { ask, spawnOperator, until } from './process.ts';
import { startRelay, writesSince, type Relay } from './relay.ts';

const TEN_MINUTES_S = 600;
const STEP_MS = 500;
const GUARDS = 1_000;
const RULES = 12;

// Taken before the hands of Jest's clock move.
const realTimeout = setTimeout;
const pause = (ms: number): Promise<void> => new Promise((resolve) => void realTimeout(resolve, ms));

let cluster: Cluster;
let client: Client;

beforeAll(async () => {
  cluster = await startCluster();
  ({ client } = await admin(cluster.kubeconfig));
  await prepare(client, cluster);
}, 120_000);

// Each part has a clock of its own: a replica from the future would count as alive.
beforeEach(async () => {
  const namespace = 'cogniforge-system';
  const { items } = await client.list(LEASE, { namespace });
  for (const { metadata } of items) await client.delete(LEASE, metadata);
});

afterAll(() => cluster.stop());

/** After each step of the clock: everything it set in motion comes to rest before the next. */
async function settled(relay: Relay): Promise<void> {
  do await pause(3);
  while (relay.underway() > 0);
}

function report(what: string, relay: Relay, from: number): string[] {
  const { writes, heartbeats } = writesSince(relay, from);
  const watches = relay.passed.slice(from).filter(({ path }) => path.includes('watch=')).length;
  process.stderr.write(
    `idle: ${what}: ${String(writes.length)} writes; leader lease ${String(heartbeats.leaderLease)}, ` +
      `replica presence ${String(heartbeats.replicaPresence)}; ${String(watches)} watches began\n`,
  );
  return writes.map(({ method, path, code }) => `${method} ${path} ${String(code)}`);
}

function sumOf(metrics: string, pattern: RegExp): number {
  return [...metrics.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
}

const RECONCILES = /^controller_runtime_reconcile_total\{[^}]*\} (\d+)/gm;

describe('ten minutes of idleness, by the clock of the test', () => {
  it(`the runtime with ${String(GUARDS)} resources writes nothing`, async () => {
    await installKind(client, GUARD_CRD, GUARD);
    await inParallel(GUARDS, 32, async (at) => {
      const metadata = { name: `guard-${String(at)}`, namespace: 'default' };
      const guard = { apiVersion: 'idle.cogniforge.dev/v1', kind: 'Guard', metadata, spec: { x: at } };
      await client.create(GUARD, guard);
    });
    const relay = await startRelay(cluster, 'guards');
    const clock = manualClock(Date.now());
    const runtime = await startRuntime(relay.kubeconfig, clock);
    const step = async (): Promise<void> => {
      clock.advance(STEP_MS);
      await settled(relay);
    };
    const atRest = (): boolean =>
      runtime.guards().filter(({ spec, status }) => status?.x === spec.x).length === GUARDS;
    while (!atRest()) await step();
    // The Events of the transition leave one after the other, behind everything else.
    for (let rounds = 0; rounds < 200; rounds += 1) {
      const quiet = relay.passed.length;
      for (let steps = 0; steps < 10; steps += 1) await step();
      if (writesSince(relay, quiet).writes.length === 0) break;
    }
    const from = relay.passed.length;
    const looked = sumOf(await runtime.metrics(), RECONCILES);
    for (let passed = 0; passed < TEN_MINUTES_S * 1000; passed += STEP_MS) {
      if (passed === 300_000) relay.hangUp();
      await step();
    }
    expect(report(`${String(GUARDS)} resources`, relay, from).slice(0, 20)).toEqual([]);
    // It was awake all the time: each looked at every 30 s, the lease renewed every 2 s, presence every 10 s.
    expect(sumOf(await runtime.metrics(), RECONCILES) - looked).toBeGreaterThanOrEqual(GUARDS * 19);
    const { heartbeats } = writesSince(relay, from);
    expect(heartbeats.leaderLease).toBeGreaterThanOrEqual(200);
    expect(heartbeats.replicaPresence).toBeGreaterThanOrEqual(50);
    runtime.end();
    while (!runtime.ended()) await step();
    await relay.close();
  });

  it('the whole controller with rules in force writes nothing', async () => {
    for (let at = 0; at < RULES; at += 1)
      await client.create(POLICY_RULE, rule(`rule-${String(at)}`, forbids(`key${String(at)}`)));
    const relay = await startRelay(cluster, 'rules');
    const [webhook = 0, health = 0] = await freePorts(2);
    const flags = [
      `--kubeconfig=${relay.kubeconfig}`,
      '--log-level=error',
      '--webhook-host=127.0.0.1',
      `--webhook-port=${String(webhook)}`,
      `--webhook-url=https://127.0.0.1:${String(webhook)}`,
      '--health-host=127.0.0.1',
      `--health-port=${String(health)}`,
    ];
    const opa = await toolPath('opa');
    // The hands of src's timers; Node's own (sockets, child processes, threads) go on.
    jest.useFakeTimers({
      doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'hrtime'],
    });
    const end = new AbortController();
    let ended = false;
    const isOver = (): boolean => ended;
    const run = runController(flags, { ...process.env, OPA_BIN: opa }, end.signal).then(() => {
      ended = true;
    });
    const step = async (ms: number): Promise<void> => {
      await jest.advanceTimersByTimeAsync(ms);
      await settled(relay);
    };
    try {
      while (!(await allReady())) {
        // In step with real time: a compilation must not meet its limit.
        await pause(20);
        await step(20);
      }
      for (let at = 0; at < 60; at += 1) await step(1_000);
      const from = relay.passed.length;
      const looked = sumOf((await ask(health, '/metrics')).text, RECONCILES);
      for (let at = 0; at < TEN_MINUTES_S; at += 1) await step(1_000);
      expect(report(`${String(RULES)} rules`, relay, from).slice(0, 20)).toEqual([]);
      const again = sumOf((await ask(health, '/metrics')).text, RECONCILES) - looked;
      expect(again).toBeGreaterThanOrEqual(RULES * 19);
    } finally {
      end.abort();
      while (!isOver()) await step(100);
      await run;
      jest.useRealTimers();
      await relay.close();
    }
  });
});

async function allReady(): Promise<boolean> {
  const { items } = await client.list<PolicyRule>(POLICY_RULE);
  return items.every(({ status }) =>
    status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
  );
}

/** The runtime as the operator composes it, on a clock of ours; watches end after two to four real seconds. */
async function startRuntime(kubeconfig: string, clock: ReturnType<typeof manualClock>) {
  const { client: reader, transport } = await admin(kubeconfig);
  const log = createLog('silent');
  const metrics = createMetrics(clock);
  const settings = { ...defaultReflectorSettings, watchSeconds: { min: 2, max: 4 } };
  const shared = { client: reader, clock, random: () => 0.5, log };
  const cache = new Cache({ ...shared, settings, freeze: true });
  const namespace = 'cogniforge-system';
  const presence = new Presence({ client: reader, cache, namespace, identity: 'idle', clock, log });
  const manager = new Manager({
    ...shared,
    cache,
    kinds: [erase(guardKind())],
    duties: [(term, guarded) => presence.bury(guarded, term.signal)],
    events: (guarded) =>
      createEvents({ client: guarded, clock, log, controller: 'cogniforge', instance: 'idle' }),
    leader: { name: 'cogniforge', namespace, identity: 'idle', settings: defaultLeaderSettings },
    fieldManager: 'cogniforge',
    reconcileTimeoutMs: 60_000,
    observe: (name) => metrics.controller(name, 16),
  });
  const end = new AbortController();
  let ended = false;
  void Promise.all([manager.run(end.signal), presence.run(end.signal)])
    .then(() => cache.stop())
    .then(() => {
      transport.close();
      ended = true;
    });
  return {
    guards: () => cache.informer<Guard>(GUARD).list(),
    metrics: () => metrics.registry.metrics(),
    end: () => {
      end.abort();
    },
    ended: () => ended,
  };
}

const minutes = Number(process.env['IDLE_MINUTES'] ?? 0);
const rules = Number(process.env['IDLE_RULES'] ?? 1_000);
if (!(minutes > 0)) process.stderr.write('idle: skipped in real time; IDLE_MINUTES=10 runs it\n');

(minutes > 0 ? describe : describe.skip)('idleness in real time', () => {
  it(`the process with ${String(rules)} rules writes nothing for ${String(minutes)} minutes`, async () => {
    await inParallel(rules, 16, async (at) => {
      await client.apply(POLICY_RULE, rule(`rule-${String(at)}`, forbids(`key${String(at)}`)), {
        fieldManager: 'test',
      });
    });
    const relay = await startRelay(cluster, 'real');
    const operator = await spawnOperator(relay.kubeconfig, join(cluster.folder, 'idle.log'));
    await until('every rule is in force', allReady, 1_200);
    for (let rounds = 0; rounds < 20; rounds += 1) {
      const quiet = relay.passed.length;
      await pause(35_000);
      if (writesSince(relay, quiet).writes.length === 0) break;
    }
    const from = relay.passed.length;
    await pause(minutes * 60_000);
    const writes = report(`${String(rules)} rules, ${String(minutes)} real minutes`, relay, from);
    operator.child.kill('SIGTERM');
    expect((await operator.exited).code).toBe(0);
    await relay.close();
    expect(writes).toEqual([]);
  }, 3_600_000);
});
