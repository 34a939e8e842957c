import { describe, expect, it } from '@jest/globals';
import { WorkQueue } from '../../../src/runtime/queue.ts';
import { manualClock } from '../clock.ts';

function queue() {
  const clock = manualClock();
  const made = new WorkQueue({
    clock,
    random: () => 1,
    backoff: { minMs: 10, maxMs: 1_000 },
    onReady: () => undefined,
  });
  return { clock, queue: made };
}

describe('WorkQueue', () => {
  it('holds a key once, however often it is added', () => {
    const { queue: q } = queue();
    q.add('a');
    q.add('a');
    expect([q.take(), q.take()]).toEqual(['a', undefined]);
  });

  it('never gives a key to two workers, and gives it again when it changed meanwhile', () => {
    const { queue: q } = queue();
    q.add('a');
    q.take();
    q.add('a');
    expect(q.take()).toBeUndefined();
    q.done('a');
    expect(q.take()).toBe('a');
  });

  it('serves the living before a resync, and promotes a key that changes', () => {
    const { queue: q } = queue();
    q.add('old', 'resync');
    q.add('changed', 'resync');
    q.add('new');
    q.add('changed');
    expect([q.take(), q.take(), q.take()]).toEqual(['new', 'changed', 'old']);
  });

  it('doubles the wait with each failure, up to the limit, and forgets on success', () => {
    const { queue: q } = queue();
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9].map(() => q.retry('a'))).toEqual([
      10, 20, 40, 80, 160, 320, 640, 1000, 1000,
    ]);
    q.forget('a');
    expect(q.retry('a')).toBe(10);
  });

  it('waits at least as long as the server asked for', () => {
    expect(queue().queue.retry('a', 5_000)).toBe(5_000);
  });

  it('gives a key back when its time has come, once, and not when it was taken before', () => {
    const { queue: q, clock } = queue();
    q.addAfter('a', 100);
    clock.advance(99);
    expect(q.take()).toBeUndefined();
    clock.advance(1);
    expect(q.take()).toBe('a');
    q.done('a');
    q.addAfter('a', 100);
    q.add('a');
    expect(q.take()).toBe('a');
    q.done('a');
    clock.advance(1_000);
    expect(q.take()).toBeUndefined();
  });

  it('takes nothing more after stop', () => {
    const { queue: q, clock } = queue();
    q.addAfter('a', 10);
    q.stop();
    q.add('b');
    clock.advance(100);
    expect(q.take()).toBeUndefined();
  });
});
