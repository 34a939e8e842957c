import { describe, expect, it } from '@jest/globals';
import type { Informer } from '../../../src/runtime/cache/informer.ts';
import { isNewer } from '../../../src/runtime/cache/version.ts';
import { Echoes } from '../../../src/runtime/echo.ts';
import { ApiError } from '../../../src/runtime/errors.ts';
import type { KubernetesObject } from '../../../src/runtime/resource.ts';
import { manualClock, turns } from '../clock.ts';

const KEY = 'n/a';

function object(resourceVersion: string, name = 'a'): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name, namespace: 'n', resourceVersion } };
}

/** A cache that has seen the server up to a version the test moves. */
function cacheAt(version: string) {
  let seen = version;
  const waiting = new Set<() => void>();
  const informer = {
    hasSeen: (wanted: string) => !isNewer(wanted, seen),
    until: (holds: () => boolean, signal: AbortSignal) =>
      new Promise<boolean>((resolve) => {
        const look = (): void => {
          if (holds()) resolve(true);
        };
        waiting.add(look);
        signal.addEventListener('abort', () => {
          resolve(holds());
        });
        if (signal.aborted) resolve(holds());
        look();
      }),
  } as unknown as Informer;
  return {
    informer,
    sees: (wanted: string): void => {
      seen = wanted;
      for (const look of waiting) look();
    },
  };
}

function gate() {
  const clock = manualClock();
  const own = cacheAt('10');
  const other = cacheAt('10');
  const echoes = new Echoes(own.informer, clock);
  const answers: boolean[] = [];
  const ask = (signal = new AbortController().signal): void => {
    void echoes.seen(KEY, signal).then((seen) => answers.push(seen));
  };
  return { clock, own, other, echoes, answers, ask };
}

describe('a key', () => {
  it('passes when nothing of it was written', async () => {
    const { ask, answers } = gate();
    ask();
    await turns();
    expect(answers).toEqual([true]);
  });

  it('waits until the cache has seen what it wrote', async () => {
    const { echoes, own, ask, answers } = gate();
    echoes.wrote(object('20'));
    ask();
    await turns();
    expect(answers).toEqual([]);
    own.sees('19');
    await turns();
    expect(answers).toEqual([]);
    own.sees('21');
    await turns();
    expect(answers).toEqual([true]);
  });

  it('does not wait for what another key wrote', async () => {
    const { echoes, ask, answers } = gate();
    echoes.wrote(object('20', 'b'));
    ask();
    await turns();
    expect(answers).toEqual([true]);
  });

  it('is told to come back when the watch is slow, and still has to wait then', async () => {
    const { echoes, clock, ask, answers } = gate();
    echoes.wrote(object('20'));
    ask();
    await turns();
    clock.advance(1_000);
    await turns();
    ask();
    await turns();
    expect(answers).toEqual([false]);
  });

  it('waits for the objects of other types that it wrote, each in its own cache', async () => {
    const { echoes, own, other, ask, answers } = gate();
    echoes.wroteOther(KEY, other.informer, object('30', 'copy'));
    ask();
    own.sees('99');
    await turns();
    expect(answers).toEqual([]);
    other.sees('30');
    await turns();
    expect(answers).toEqual([true]);
  });

  it('whose answer was lost is looked up, and waited for when it was carried out after all', async () => {
    const { echoes, other, ask, answers } = gate();
    echoes.lostAnswer(KEY, other.informer, () => Promise.resolve(object('40', 'copy')));
    ask();
    await turns();
    expect(answers).toEqual([]);
    other.sees('40');
    await turns();
    expect(answers).toEqual([true]);
  });

  it('whose lost write never happened goes on', async () => {
    const { echoes, other, ask, answers } = gate();
    echoes.lostAnswer(KEY, other.informer, () => Promise.reject(new ApiError('notFound', 'copy')));
    ask();
    await turns();
    expect(answers).toEqual([true]);
  });

  it('whose lost answer cannot be looked up does not go on, now or at the next try', async () => {
    const { echoes, other } = gate();
    echoes.lostAnswer(KEY, other.informer, () => Promise.reject(new ApiError('transient', 'down')));
    const { signal } = new AbortController();
    await expect(echoes.seen(KEY, signal)).rejects.toThrow('down');
    await expect(echoes.seen(KEY, signal)).rejects.toThrow('down');
  });

  it('does not outwait the signal', async () => {
    const { echoes, ask, answers } = gate();
    echoes.wrote(object('20'));
    const stop = new AbortController();
    ask(stop.signal);
    stop.abort();
    await turns();
    expect(answers).toEqual([false]);
  });

  it('that is gone is forgotten', async () => {
    const { echoes, other, ask, answers } = gate();
    echoes.wrote(object('20'));
    echoes.wroteOther(KEY, other.informer, object('30', 'copy'));
    echoes.forget(KEY);
    ask();
    await turns();
    expect(answers).toEqual([true]);
  });
});

describe('an event', () => {
  it('is an echo only at the very version that we wrote', () => {
    const { echoes } = gate();
    expect(echoes.isEcho(object('20'))).toBe(false);
    echoes.wrote(object('20'));
    expect(echoes.isEcho(object('20'))).toBe(true);
    expect(echoes.isEcho(object('21'))).toBe(false);
    expect(echoes.isEcho(object('20', 'b'))).toBe(false);
  });
});
