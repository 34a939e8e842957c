/** What the manager promises whatever its parts do, by a clock of ours. With a real API server: test/integration/runtime. */
import { describe, expect, it } from '@jest/globals';
import { Cache } from '../../../src/runtime/cache/cache.ts';
import { defaultReflectorSettings } from '../../../src/runtime/cache/reflector.ts';
import { defaultLeaderSettings } from '../../../src/runtime/leader.ts';
import { Manager, type Duty } from '../../../src/runtime/manager.ts';
import { manualClock, pass, turns } from '../clock.ts';
import { keptLog } from '../logs.ts';
import { leaseStore } from './lease-store.ts';

function managed(duties: readonly Duty[], flush: () => Promise<void> = () => Promise.resolve()) {
  const store = leaseStore();
  const clock = manualClock();
  const log = keptLog();
  const client = { ...store.clientOf('a') };
  client.guarded = () => client;
  const random = () => 1;
  const cache = new Cache({ client, clock, random, log, settings: defaultReflectorSettings, freeze: true });
  const leading: boolean[] = [];
  const end = new AbortController();
  let ended = false;
  const manager = new Manager({
    client,
    cache,
    kinds: [],
    duties,
    events: () => ({ tell: () => undefined, flush }),
    leader: { name: 'lease', namespace: 'n', identity: 'a', settings: defaultLeaderSettings },
    fieldManager: 'test',
    reconcileTimeoutMs: 1_000,
    clock,
    random,
    log,
    onLeading: (now) => leading.push(now),
  });
  void manager.run(end.signal).then(() => {
    ended = true;
  });
  return { store, clock, log, leading, end, ended: () => ended };
}

const obedient: Duty = ({ signal }) =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
  });

describe('leading', () => {
  it('is told from the start: no, then yes, then no', async () => {
    const { clock, leading, end, ended } = managed([obedient]);
    expect(leading).toEqual([false]);
    await pass(clock, 1_000);
    expect(leading).toEqual([false, true]);
    end.abort();
    await turns(20);
    expect(leading).toEqual([false, true, false]);
    expect(ended()).toBe(true);
  });

  it('ends although a duty does not: the lease is released after ten seconds, and the log says why', async () => {
    const { store, clock, log, end, ended } = managed([obedient, () => new Promise(() => undefined)]);
    await pass(clock, 1_000);
    end.abort();
    await pass(clock, 9_900);
    expect([ended(), store.leases.get('lease')?.spec.holderIdentity]).toEqual([false, 'a']);
    await pass(clock, 200);
    expect([ended(), store.leases.get('lease')?.spec.holderIdentity]).toEqual([true, '']);
    expect(log.lines.some(({ message }) => message.startsWith('some work of the term goes on'))).toBe(true);
  });

  it('ends although the Events do not leave', async () => {
    const { clock, end, ended } = managed([], () => new Promise(() => undefined));
    await pass(clock, 1_000);
    end.abort();
    await pass(clock, 10_100);
    expect(ended()).toBe(true);
  });
});

describe('a duty that throws', () => {
  it('is started again, later each time, for as long as the term lasts', async () => {
    const starts: number[] = [];
    const { clock, end } = managed([
      () => {
        starts.push(clock.monotonic());
        throw new Error('broken');
      },
    ]);
    await pass(clock, 20_000);
    const gaps = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
    expect(gaps).toEqual([1_000, 2_000, 4_000, 8_000]);
    end.abort();
    await pass(clock, 60_000, 1_000);
    expect(starts).toHaveLength(5);
  });

  it('is not started again when it has ended by itself', async () => {
    let runs = 0;
    const { clock } = managed([
      () => {
        runs += 1;
        return Promise.resolve();
      },
    ]);
    await pass(clock, 10_000);
    expect(runs).toBe(1);
  });
});
