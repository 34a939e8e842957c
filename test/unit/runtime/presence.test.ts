/** A replica's Lease by a clock of ours. */
import { describe, expect, it } from '@jest/globals';
import { Cache } from '../../../src/runtime/cache/cache.ts';
import { defaultReflectorSettings } from '../../../src/runtime/cache/reflector.ts';
import type { Client } from '../../../src/runtime/client.ts';
import { ApiError } from '../../../src/runtime/errors.ts';
import { Presence } from '../../../src/runtime/presence.ts';
import type { KubernetesObject } from '../../../src/runtime/resource.ts';
import { manualClock, pass, turns } from '../clock.ts';
import { keptLog } from '../logs.ts';

interface Lease extends KubernetesObject {
  spec: { holderIdentity?: string; renewTime?: string; leaseDurationSeconds?: number };
}

/** One replica among the Leases that are listed at its start. */
async function replica(others: readonly Lease[] = []) {
  const clock = manualClock();
  const log = keptLog();
  const written: Lease[] = [];
  const deleted: string[] = [];
  const state = { up: true };
  const client: Partial<Client> = {
    list: () =>
      Promise.resolve({ metadata: { resourceVersion: '5' }, items: structuredClone(others) as never }),
    watch: () => new Promise(() => undefined),
    apply: (_type, object) => {
      if (!state.up) return Promise.reject(new ApiError('transient', 'down'));
      written.push(structuredClone(object) as unknown as Lease);
      return Promise.resolve(object);
    },
    delete: (_type, { name }, { uid } = {}) => {
      deleted.push(`${name} ${String(uid)}`);
      return Promise.resolve();
    },
  };
  const cache = new Cache({
    client: client as Client,
    clock,
    random: () => 1,
    log,
    settings: defaultReflectorSettings,
    freeze: true,
  });
  const presence = new Presence({
    client: client as Client,
    cache,
    namespace: 'n',
    identity: 'Pod_1',
    clock,
    log,
  });
  cache.start();
  await turns();
  return { clock, log, written, deleted, state, presence, client: client as Client };
}

function lease(name: string, renewTime: number, report?: string, holder = name): Lease {
  const annotations = report === undefined ? {} : { 'cogniforge.dev/report': report };
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: 'n', uid: `uid-${name}`, resourceVersion: '3', annotations },
    spec: { holderIdentity: holder, renewTime: new Date(renewTime).toISOString() },
  };
}

describe('a replica', () => {
  it('says that it lives every ten seconds, under a name Kubernetes accepts', async () => {
    const { presence, clock, written } = await replica();
    void presence.run(new AbortController().signal);
    await pass(clock, 60_000, 1_000);
    expect(written).toHaveLength(7);
    expect(written[0]).toMatchObject({
      metadata: {
        name: 'cogniforge-replica-pod-1',
        namespace: 'n',
        labels: { 'cogniforge.dev/replica': 'true' },
      },
      spec: { holderIdentity: 'Pod_1', leaseDurationSeconds: 40 },
    });
  });

  it('writes urgent news soon, many as one, and the rest with the next renewal', async () => {
    const { presence, clock, written } = await replica();
    void presence.run(new AbortController().signal);
    await pass(clock, 1_000);
    presence.say('counts', { a: [1] }, false);
    await pass(clock, 1_000);
    expect(written).toHaveLength(1);
    for (let at = 0; at < 50; at += 1) {
      presence.say('rules', { a: [at] }, true);
      if (at % 10 === 0) await pass(clock, 10, 10);
    }
    await pass(clock, 200);
    expect(written).toHaveLength(2);
    expect(Presence.reportOf(written[1])).toEqual({ counts: { a: [1] }, rules: { a: [49] } });
  });

  it('tries again every second while the API server is away', async () => {
    const { presence, clock, written, state, log } = await replica();
    state.up = false;
    void presence.run(new AbortController().signal);
    await pass(clock, 3_500);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(4);
    state.up = true;
    await pass(clock, 1_000);
    expect(written).toHaveLength(1);
  });

  it('says that it does not live any more when it goes, with its last report', async () => {
    const { presence, clock, written } = await replica();
    const end = new AbortController();
    const run = presence.run(end.signal);
    await pass(clock, 1_000);
    presence.say('rules', { a: [7] }, false);
    end.abort();
    await run;
    const last = written.at(-1);
    expect(clock.now() - Date.parse(last?.spec.renewTime ?? '')).toBeGreaterThanOrEqual(40_000);
    expect(Presence.reportOf(last)).toEqual({ rules: { a: [7] } });
  });
});

describe('the others', () => {
  it('are alive for 40 s after they said so; what they said last is still to be read', async () => {
    const now = manualClock().now();
    const { presence } = await replica([
      lease('fresh', now - 39_000, '{"rules":{"a":[1]}}'),
      lease('old', now - 40_000, '{"rules":{"a":[2]}}'),
    ]);
    expect(presence.replicas(now)).toEqual([
      { identity: 'fresh', alive: true, report: { rules: { a: [1] } } },
      { identity: 'old', alive: false, report: { rules: { a: [2] } } },
    ]);
  });

  it.each(['', '{', '[]', '"x"', 'null', '1'])('may write what is no report: %s', async (report) => {
    const now = manualClock().now();
    const { presence } = await replica([lease('odd', now, report)]);
    expect(presence.replicas(now)).toEqual([{ identity: 'odd', alive: true, report: {} }]);
  });

  it('are buried ten minutes after their death, no sooner, and never another of the same name', async () => {
    const now = manualClock().now();
    const { presence, client, deleted } = await replica([
      lease('long-dead', now - 600_000),
      lease('dead', now - 599_000),
    ]);
    const end = new AbortController();
    const buried = presence.bury(client, end.signal);
    await turns();
    expect(deleted).toEqual(['long-dead uid-long-dead']);
    end.abort();
    await buried;
  });
});
