/** The lease by a clock of ours: when somebody may lead, and when he must have stopped. */
import { describe, expect, it } from '@jest/globals';
import { Cache } from '../../../src/runtime/cache/cache.ts';
import { defaultReflectorSettings } from '../../../src/runtime/cache/reflector.ts';
import { defaultLeaderSettings, elect, type Term } from '../../../src/runtime/leader.ts';
import { manualClock, pass, turns, type ManualClock } from '../clock.ts';
import { keptLog } from '../logs.ts';
import { leaseStore, type LeaseStore, type Network } from './lease-store.ts';

const NAME = 'cogniforge';
const { leaseMs, renewMs, retryMs } = defaultLeaderSettings;

interface Candidate {
  clock: ManualClock;
  network: { state: Network };
  /** every term it was given, oldest first */
  terms: Term[];
  stop: AbortController;
  ended: () => boolean;
  log: ReturnType<typeof keptLog>;
}

/** Leads until its term is over, unless told otherwise. */
function candidate(
  store: LeaseStore,
  identity: string,
  options: { clock?: ManualClock; lead?: (term: Term) => Promise<void> } = {},
): Candidate {
  const { clock = manualClock(), lead = untilOver } = options;
  const network: Candidate['network'] = { state: 'up' };
  const client = store.clientOf(identity, network);
  const log = keptLog();
  const random = () => 1;
  const cache = new Cache({ client, clock, random, log, settings: defaultReflectorSettings, freeze: true });
  const terms: Term[] = [];
  const stop = new AbortController();
  let done = false;
  void elect(
    {
      client,
      cache,
      name: NAME,
      namespace: 'system',
      identity,
      settings: defaultLeaderSettings,
      clock,
      random,
      log,
      lead: (term) => {
        terms.push(term);
        return lead(term);
      },
    },
    stop.signal,
  ).then(() => {
    done = true;
  });
  cache.start();
  return { clock, network, terms, stop, ended: () => done, log };
}

function untilOver({ signal }: Term): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}

function leads({ terms }: Candidate): boolean {
  return terms.at(-1)?.signal.aborted === false;
}

function may(term: Term | undefined): boolean {
  try {
    term?.mayWrite();
    return term !== undefined;
  } catch {
    return false;
  }
}

describe('winning the lease', () => {
  it('is done by creating it, with 15 s on it', async () => {
    const store = leaseStore();
    const a = candidate(store, 'a');
    await turns(20);
    expect(leads(a)).toBe(true);
    expect(store.leases.get(NAME)?.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15 });
  });

  it('is for one of two who try at the same time', async () => {
    const store = leaseStore();
    const [a, b] = [candidate(store, 'a'), candidate(store, 'b')];
    await turns(20);
    expect([leads(a), leads(b)].toSorted()).toEqual([false, true]);
  });

  it('takes 15 s from the last renewal that was seen, whatever the wall clocks say', async () => {
    const store = leaseStore();
    const clock = manualClock();
    const a = candidate(store, 'a', { clock });
    await pass(clock, 5_000);
    // Its clock is a year ahead: a comparison of times would take the lease for long expired.
    const b = candidate(store, 'b', { clock: { ...clock, now: () => clock.now() + 31_536_000_000 } });
    await pass(clock, 60_000);
    expect([leads(a), leads(b)]).toEqual([true, false]);
    a.network.state = 'fail';
    await pass(clock, leaseMs - 2 * retryMs);
    expect(leads(b)).toBe(false);
    await pass(clock, 2 * retryMs + 100);
    expect([leads(a), leads(b)]).toEqual([false, true]);
    expect(store.leases.get(NAME)?.spec.leaseTransitions).toBe(1);
  });

  it('is at once when it was released', async () => {
    const store = leaseStore();
    const clock = manualClock();
    const a = candidate(store, 'a', { clock });
    await pass(clock, 1_000);
    const b = candidate(store, 'b', { clock });
    await pass(clock, 3_000);
    a.stop.abort();
    await turns(20);
    expect(a.ended()).toBe(true);
    expect(leads(b)).toBe(true);
  });
});

describe('keeping it', () => {
  it('is a renewal every 2 s', async () => {
    const store = leaseStore();
    const a = candidate(store, 'a');
    await pass(a.clock, 100);
    const before = store.writes.length;
    await pass(a.clock, 20_000);
    expect(store.writes.length - before).toBe(10);
    expect(a.terms).toHaveLength(1);
  });

  it('survives answers that are lost, and labels that somebody puts on the record', async () => {
    const store = leaseStore();
    const a = candidate(store, 'a');
    await pass(a.clock, 100);
    a.network.state = 'lose';
    await pass(a.clock, retryMs + 100);
    a.network.state = 'up';
    store.edit(NAME, ({ metadata }) => {
      metadata.labels = { seen: 'yes' };
    });
    await pass(a.clock, 30_000);
    expect(a.terms).toHaveLength(1);
    expect(leads(a)).toBe(true);
  });
});

describe('losing it', () => {
  it.each(['fail', 'hang', 'lose'] as const)(
    'when the network %ss: nothing may be written 10 s after the last renewal was sent, and the term says so',
    async (state) => {
      const store = leaseStore();
      const a = candidate(store, 'a');
      await pass(a.clock, 100);
      const [term] = a.terms;
      a.network.state = state;
      // The renewal at 0 s was the last to be answered.
      await pass(a.clock, renewMs - 200);
      // The signal first: the check itself would end the term.
      expect([term?.signal.aborted, may(term)]).toEqual([false, true]);
      await pass(a.clock, 110);
      expect([term?.signal.aborted, may(term)]).toEqual([true, false]);
    },
  );

  it('a check refuses after a stall in which no timer could fire', async () => {
    // Time jumps and nothing runs, as after SIGSTOP: no timer has had its turn when the write wants to leave.
    const clock = manualClock();
    const deaf = { ...clock, after: () => ({ cancel: () => undefined }) };
    const a = candidate(leaseStore(), 'a', { clock: deaf });
    await turns(20);
    clock.advance(renewMs - 1);
    expect(may(a.terms[0])).toBe(true);
    clock.advance(1);
    expect(may(a.terms[0])).toBe(false);
    expect(a.terms[0]?.signal.aborted).toBe(true);
  });

  it('by theft: obeyed as soon as it is seen, without waiting for the next renewal', async () => {
    const store = leaseStore();
    const a = candidate(store, 'a');
    await pass(a.clock, 500);
    store.edit(NAME, ({ spec }) => {
      spec.holderIdentity = 'thief';
    });
    await turns(10);
    expect(leads(a)).toBe(false);
    expect(may(a.terms[0])).toBe(false);
  });

  it('and winning it again gives a new term; the old one stays over', async () => {
    const store = leaseStore();
    const a = candidate(store, 'a');
    await pass(a.clock, 100);
    a.network.state = 'fail';
    await pass(a.clock, renewMs + retryMs);
    a.network.state = 'up';
    await pass(a.clock, leaseMs + 2 * retryMs);
    expect(a.terms).toHaveLength(2);
    expect([may(a.terms[0]), may(a.terms[1])]).toEqual([false, true]);
  });
});

describe('the end', () => {
  it('releases the lease: no holder, one second on it', async () => {
    const store = leaseStore();
    const a = candidate(store, 'a');
    await pass(a.clock, 3_000);
    a.stop.abort();
    await turns(20);
    expect(a.ended()).toBe(true);
    expect(store.leases.get(NAME)?.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
  });

  it('releases it only after the leader has put down its work', async () => {
    const store = leaseStore();
    let finish: () => void = () => undefined;
    const a = candidate(store, 'a', {
      lead: () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    });
    await pass(a.clock, 100);
    a.stop.abort();
    await turns(20);
    expect(store.leases.get(NAME)?.spec.holderIdentity).toBe('a');
    finish();
    await turns(20);
    expect(store.leases.get(NAME)?.spec.holderIdentity).toBe('');
  });

  it('that comes while the lease is being won is not missed', async () => {
    const store = leaseStore();
    const a = candidate(store, 'a');
    a.stop.abort();
    await pass(a.clock, 30_000);
    expect(a.ended()).toBe(true);
    expect(store.leases.get(NAME)?.spec.holderIdentity ?? '').toBe('');
  });

  it('does not wait for a server that does not answer longer than 15 s', async () => {
    const store = leaseStore();
    const a = candidate(store, 'a');
    await pass(a.clock, 100);
    a.network.state = 'hang';
    a.stop.abort();
    await pass(a.clock, renewMs + 5_000);
    expect(a.ended()).toBe(true);
  });

  it("leaves alone a lease that is somebody else's by then", async () => {
    const store = leaseStore();
    const a = candidate(store, 'a', { lead: () => new Promise((resolve) => setImmediate(resolve)) });
    await turns(20);
    a.stop.abort();
    store.edit(NAME, ({ spec }) => {
      spec.holderIdentity = 'thief';
    });
    await pass(a.clock, 1_000);
    expect(store.leases.get(NAME)?.spec.holderIdentity).toBe('thief');
  });
});

describe('a leader that fails', () => {
  it('is made leader again, but not in a hot loop', async () => {
    const store = leaseStore();
    const a = candidate(store, 'a', { lead: () => Promise.reject(new Error('broken')) });
    await pass(a.clock, 20_000);
    expect(a.terms.length).toBeGreaterThan(5);
    expect(a.terms.length).toBeLessThan(15);
    expect(a.log.lines.some(({ message }) => message === 'the leader failed')).toBe(true);
  });
});
