import { describe, expect, it } from '@jest/globals';
import { Cache } from '../../../src/runtime/cache/cache.ts';
import { defaultReflectorSettings } from '../../../src/runtime/cache/reflector.ts';
import { createLog } from '../../../src/runtime/log.ts';
import { manualClock } from '../clock.ts';
import { listOf, scripted, thing, THING } from './scripted.ts';

const OTHER = { ...THING, kind: 'Other', plural: 'others', namespaced: false };

function cached(namespace?: string) {
  const clock = manualClock();
  const script = scripted(clock);
  const log = createLog('silent');
  const environment = { client: script.client, clock, random: () => 0, log, freeze: true };
  const within = namespace === undefined ? {} : { namespace };
  return { script, cache: new Cache({ ...environment, ...within, settings: defaultReflectorSettings }) };
}

describe('a cache', () => {
  it('opens one watch for all who ask for the same, and tells each of them', async () => {
    const { cache, script } = cached();
    const told: number[] = [0, 0, 0];
    const askers = [
      cache.informer(THING, { labelSelector: 'a=b' }),
      cache.informer({ ...THING }, { labelSelector: 'a=b', metadataOnly: false }),
      cache.informer(THING, { managedFields: false, labelSelector: 'a=b', fieldSelector: undefined }),
    ];
    for (const [at, asker] of askers.entries()) asker.listen(() => (told[at] = (told[at] ?? 0) + 1));
    cache.start();
    (await script.next('list')).answer(listOf('9', thing('a', '1')));
    (await script.next('watch')).open().event('ADDED', thing('b', '10'));
    await script.settle();
    expect(script.calls).toHaveLength(2);
    expect(told).toEqual([2, 2, 2]);
    await cache.stop();
  });

  it('opens another for whatever differs', () => {
    const { cache } = cached();
    const different = [
      cache.informer(THING),
      cache.informer(OTHER),
      cache.informer({ ...THING, version: 'v2' }),
      cache.informer(THING, { namespace: 'n' }),
      cache.informer(THING, { labelSelector: 'a' }),
      cache.informer(THING, { fieldSelector: 'a' }),
      cache.informer(THING, { metadataOnly: true }),
      cache.informer(THING, { managedFields: true }),
    ];
    expect(new Set(different).size).toBe(different.length);
  });

  it('asks with the selection, of namespaced types only within its namespace, and metadata only where told', async () => {
    const { cache, script } = cached('home');
    cache.informer(THING, { labelSelector: 'a=b', fieldSelector: 'metadata.name=x', metadataOnly: true });
    cache.informer(OTHER);
    cache.start();
    await script.settle();
    expect(script.calls.map(({ request }) => request.path)).toEqual([
      '/apis/example.com/v1/namespaces/home/things?labelSelector=a%3Db&fieldSelector=metadata.name%3Dx&limit=500',
      '/apis/example.com/v1/others?limit=500',
    ]);
    expect(script.calls[0]?.request.accept).toContain('as=PartialObjectMetadataList');
    expect(script.calls[1]?.request.accept).toBeUndefined();
    await cache.stop();
  });

  it('says what it waits for, and when it need wait no more', async () => {
    const { cache, script } = cached();
    cache.informer(THING);
    cache.start();
    const never = new AbortController().signal;
    const all = cache.whenSynced(never);
    // Somebody who asks later is served at once.
    cache.informer(OTHER);
    expect([cache.synced, cache.waitingFor()]).toEqual([
      false,
      ['example.com/v1/Thing', 'example.com/v1/Other'],
    ]);
    (await script.next('list')).answer(listOf('9'));
    const second = await script.next('list');
    await script.settle();
    expect([cache.synced, cache.waitingFor()]).toEqual([false, ['example.com/v1/Other']]);
    second.answer(listOf('9'));
    expect(await all).toBe(true);
    expect([cache.synced, cache.waitingFor()]).toEqual([true, []]);
    await cache.stop();
  });

  it('gives up waiting when the signal says so', async () => {
    const { cache } = cached();
    cache.informer(THING);
    cache.start();
    const end = new AbortController();
    const waiting = cache.whenSynced(end.signal);
    end.abort();
    expect(await waiting).toBe(false);
    await cache.stop();
  });
});
