import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, type Mishap, type Reconcile, type Result } from '../../../src/runtime/controller.ts';
import { ApiError } from '../../../src/runtime/errors.ts';
import { WorkQueue } from '../../../src/runtime/queue.ts';
import { manualClock, pass, turns } from '../clock.ts';
import { keptLog } from '../logs.ts';

const TIMEOUT_MS = 1_000;

interface Finished {
  result: Result['type'];
  tookMs: number;
  mishap: Mishap | undefined;
}

/** A controller on a clock of ours, whose resources all have the spec that `specs` says. */
function controlled(reconcile: Reconcile, concurrency = 2) {
  const clock = manualClock();
  const log = keptLog();
  const specs = new Map<string, string>();
  const finished: Finished[] = [];
  const end = new AbortController();
  const queue = new WorkQueue({
    clock,
    random: () => 1,
    backoff: { minMs: 100, maxMs: 10_000 },
    onReady: () => {
      controller.pump();
    },
  });
  const controller = new Controller({
    name: 'test',
    queue,
    reconcile,
    specOf: (key) => specs.get(key),
    concurrency,
    timeoutMs: TIMEOUT_MS,
    clock,
    log,
    observer: {
      started: () => undefined,
      finished: (result, tookMs, mishap) => finished.push({ result, tookMs, mishap }),
    },
  });
  controller.start(end.signal);
  return { clock, log, specs, finished, end, queue, controller };
}

/** Answers in order, the last one for ever; counts the calls. */
function answers(...results: readonly Result[]) {
  const calls: string[] = [];
  const reconcile: Reconcile = (key) => {
    calls.push(key);
    return Promise.resolve(results[Math.min(calls.length, results.length) - 1] ?? { type: 'done' });
  };
  return { calls, reconcile };
}

const unhandled: unknown[] = [];
const remember = (reason: unknown): void => {
  unhandled.push(reason);
};

// Jest would report these anyway; a process of ours would be dead.
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', remember);
});
afterEach(() => {
  process.off('unhandledRejection', remember);
  expect(unhandled).toEqual([]);
});

describe('a result', () => {
  it('done: the key is not looked at again', async () => {
    const { calls, reconcile } = answers({ type: 'done' });
    const { queue, clock, controller } = controlled(reconcile);
    queue.add('a');
    await pass(clock, 3_600_000, 600_000);
    expect(calls).toEqual(['a']);
    expect(controller.idle).toBe(true);
  });

  it('wait: it is looked at again at that time, and not before', async () => {
    const { calls, reconcile } = answers({ type: 'wait', ms: 30_000, reason: 'x' }, { type: 'done' });
    const { queue, clock } = controlled(reconcile);
    queue.add('a');
    await pass(clock, 29_999, 10_000);
    expect(calls).toHaveLength(1);
    await pass(clock, 1);
    expect(calls).toHaveLength(2);
  });

  it('retry: after the backoff of the key, which a success resets', async () => {
    const failed: Result = { type: 'retry', error: new Error('x') };
    const { calls, reconcile } = answers(failed, failed, { type: 'done' }, failed, { type: 'done' });
    const { queue, clock } = controlled(reconcile);
    queue.add('a');
    await pass(clock, 100, 10);
    expect(calls).toHaveLength(2);
    await pass(clock, 190, 10);
    expect(calls).toHaveLength(2);
    await pass(clock, 10, 10);
    expect(calls).toHaveLength(3);
    queue.add('a');
    await pass(clock, 100, 10);
    expect(calls).toHaveLength(5);
  });

  it('retry: not before the server wants it', async () => {
    const error = new ApiError('throttled', 'slow down', { retryAfterMs: 5_000 });
    const { calls, reconcile } = answers({ type: 'retry', error }, { type: 'done' });
    const { queue, clock } = controlled(reconcile);
    queue.add('a');
    await pass(clock, 4_900);
    expect(calls).toHaveLength(1);
    await pass(clock, 200);
    expect(calls).toHaveLength(2);
  });

  it('stall: neither time nor a change of something else helps, a new generation does', async () => {
    const { calls, reconcile } = answers({ type: 'stall', reason: 'bad', spec: 'u/1' });
    const { queue, clock, specs } = controlled(reconcile);
    specs.set('a', 'u/1');
    queue.add('a');
    await pass(clock, 3_600_000, 600_000);
    queue.add('a');
    queue.add('a', 'resync');
    await pass(clock, 1_000);
    expect(calls).toHaveLength(1);
    specs.set('a', 'u/2');
    queue.add('a');
    await pass(clock, 1_000);
    expect(calls).toHaveLength(2);
  });

  it('stall: an edit that came while it was decided is looked at', async () => {
    const { calls, reconcile } = answers({ type: 'stall', reason: 'bad', spec: 'u/1' }, { type: 'done' });
    const { queue, specs } = controlled(reconcile);
    specs.set('a', 'u/1');
    queue.add('a');
    specs.set('a', 'u/2');
    queue.add('a');
    await turns();
    expect(calls).toHaveLength(2);
  });

  it('stall: a resource made anew under the name is another one, at the same generation', async () => {
    const { calls, reconcile } = answers({ type: 'stall', reason: 'bad', spec: 'old/1' }, { type: 'done' });
    const { queue, specs } = controlled(reconcile);
    specs.set('a', 'old/1');
    queue.add('a');
    await turns();
    specs.set('a', 'new/1');
    queue.add('a');
    await turns();
    expect(calls).toHaveLength(2);
  });

  it('a wake-up that was set for a key is void when the key has been looked at meanwhile', async () => {
    let finish: () => void = () => undefined;
    const calls: string[] = [];
    const { queue, clock } = controlled((key) => {
      calls.push(key);
      if (calls.length > 1) return Promise.resolve({ type: 'done' });
      return new Promise((resolve) => {
        finish = () => {
          resolve({ type: 'wait', ms: 1_000, reason: 'x' });
        };
      });
    });
    queue.add('a');
    queue.add('a');
    finish();
    await turns();
    expect(calls).toHaveLength(2);
    await pass(clock, 10_000);
    expect(calls).toHaveLength(2);
  });
});

describe('a fault', () => {
  it.each([
    ['an Error', new TypeError('x is not a function')],
    ['no Error', 'thrown text'],
    ['what cannot even be shown', Object.create(null) as unknown],
  ])('%s thrown by a reconcile is logged and retried, and no other key suffers', async (_name, thrown) => {
    const seen: string[] = [];
    const { queue, clock, log, finished } = controlled((key) => {
      seen.push(key);
      if (key === 'bad') throw thrown;
      return Promise.resolve({ type: 'done' });
    });
    queue.add('bad');
    queue.add('good');
    await pass(clock, 150, 50);
    expect(seen).toEqual(['bad', 'good', 'bad']);
    expect(finished[0]).toMatchObject({ result: 'retry', mishap: 'exception' });
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  });

  it('of the API is no exception of ours, and a lost race is not even logged as an error', async () => {
    const { queue, log, finished } = controlled(() => Promise.reject(new ApiError('conflict', 'moved on')));
    queue.add('a');
    await turns();
    expect(finished).toMatchObject([{ result: 'retry', mishap: undefined }]);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('in a bystander ends neither the process nor the other keys', async () => {
    const seen: string[] = [];
    const clock = manualClock();
    const log = keptLog();
    const other = new WorkQueue({
      clock,
      random: () => 1,
      backoff: { minMs: 1, maxMs: 1 },
      onReady: () => {
        faulty.pump();
      },
    });
    const faulty = new Controller({
      name: 'faulty',
      queue: other,
      reconcile: (key) => {
        seen.push(key);
        return Promise.resolve({ type: 'done' });
      },
      specOf: () => undefined,
      concurrency: 2,
      timeoutMs: TIMEOUT_MS,
      clock,
      log,
      observer: {
        started: () => undefined,
        finished: () => {
          if (seen.length === 1) throw new Error('the observer broke');
        },
      },
    });
    faulty.start(new AbortController().signal);
    other.add('a');
    await turns();
    other.add('b');
    await turns();
    expect(seen).toEqual(['a', 'b']);
    expect(log.lines.map(({ message }) => message)).toContain('a worker failed');
  });
});

describe('time', () => {
  it('a reconcile is aborted when it takes too long, said so, and retried', async () => {
    const aborted: boolean[] = [];
    const { queue, clock, log, finished } = controlled(
      (_key, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(signal.aborted);
            reject(new ApiError('aborted', 'cancelled'));
          });
        }),
    );
    queue.add('a');
    await pass(clock, TIMEOUT_MS - 1, 500);
    expect(aborted).toEqual([]);
    await pass(clock, 1);
    expect(aborted).toEqual([true]);
    expect(finished).toEqual([{ result: 'retry', tookMs: TIMEOUT_MS, mishap: 'timeout' }]);
    expect(log.lines).toMatchObject([
      { level: 'error', fields: { key: 'a', error: 'no result within 1000 ms: cancelled' } },
    ]);
    await pass(clock, 100);
    expect(finished).toHaveLength(1);
  });

  it('the end of the term aborts it too, and nothing is set for later', async () => {
    const { queue, clock, end, finished, controller } = controlled(
      (_key, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new ApiError('aborted', 'cancelled'));
          });
        }),
    );
    queue.add('a');
    await turns();
    end.abort();
    await controller.drained();
    await pass(clock, 60_000, 10_000);
    expect(finished).toMatchObject([{ result: 'retry', mishap: undefined }]);
    expect(queue.depth).toBe(0);
  });
});

describe('workers', () => {
  it('are never more than allowed, and never two on one key, whatever is added when', async () => {
    const underway = new Map<string, number>();
    const most = { keys: 0, onOne: 0, runs: 0 };
    const ends: (() => void)[] = [];
    const { queue } = controlled(async (key) => {
      underway.set(key, (underway.get(key) ?? 0) + 1);
      most.runs += 1;
      most.onOne = Math.max(most.onOne, underway.get(key) ?? 0);
      most.keys = Math.max(
        most.keys,
        [...underway.values()].reduce((sum, count) => sum + count, 0),
      );
      await new Promise<void>((resolve) => ends.push(resolve));
      underway.set(key, (underway.get(key) ?? 1) - 1);
      return { type: 'done' };
    }, 3);
    for (let step = 0; step < 400; step += 1) {
      queue.add(`key-${String((step * 7) % 5)}`, step % 2 === 0 ? 'live' : 'resync');
      if (step % 3 === 0) ends.shift()?.();
      await turns(1);
    }
    while (ends.length > 0) {
      ends.shift()?.();
      await turns(2);
    }
    expect(most).toMatchObject({ keys: 3, onOne: 1 });
    expect(most.runs).toBeGreaterThan(100);
  });

  it('take what changed before what is only looked at again', async () => {
    const order: string[] = [];
    const { queue } = controlled(async (key) => {
      order.push(key);
      await turns(1);
      return { type: 'done' };
    }, 1);
    for (const key of ['first', 'r1', 'r2']) queue.add(key, 'resync');
    queue.add('live');
    await turns(20);
    expect(order).toEqual(['first', 'live', 'r1', 'r2']);
  });
});
