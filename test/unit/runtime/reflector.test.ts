import { describe, expect, it } from '@jest/globals';
import { defaultReflectorSettings } from '../../../src/runtime/cache/reflector.ts';
import { Informer } from '../../../src/runtime/cache/informer.ts';
import { createLog } from '../../../src/runtime/log.ts';
import { manualClock } from '../clock.ts';
import { GONE, listOf, scripted, thing, THING } from './scripted.ts';

function follow(random: () => number = () => 0.5) {
  const clock = manualClock();
  const script = scripted(clock);
  const settings = { ...defaultReflectorSettings, maxLineBytes: 10_000 };
  const log = createLog('silent');
  const informer = new Informer(
    THING,
    {},
    { client: script.client, clock, random, log, settings, freeze: true },
  );
  const told: string[] = [];
  informer.listen(({ type, key }) => told.push(`${type} ${key}`));
  informer.start();
  /** Moves the clock on, looking around at each step of 100 ms; returns after how many ms something was asked. */
  const untilAsked = async (): Promise<number> => {
    for (let passed = 0; passed <= 60_000; passed += 100) {
      await script.settle();
      if (script.waiting > 0) return passed;
      clock.advance(100);
    }
    throw new Error('nothing was asked within a minute');
  };
  const synced = async (version: string, ...items: unknown[]) => {
    (await script.next('list')).answer(listOf(version, ...items));
    return (await script.next('watch')).open();
  };
  const names = (): string[] =>
    informer.list().map(({ metadata }) => `${metadata.name}@${String(metadata.resourceVersion)}`);
  return { clock, script, informer, told, untilAsked, synced, names };
}

describe('what is asked', () => {
  it('is pages of 500, each with the token of the one before, then a watch with bookmarks from there', async () => {
    const { script, names } = follow();
    const first = await script.next('list');
    expect(Object.fromEntries(first.query)).toEqual({ limit: '500' });
    first.answer({ metadata: { resourceVersion: '9', continue: 'more' }, items: [thing('a', '1')] });
    const second = await script.next('list');
    expect(Object.fromEntries(second.query)).toEqual({ limit: '500', continue: 'more' });
    second.answer(listOf('9', thing('b', '2')));
    const { query } = await script.next('watch');
    expect(Object.fromEntries(query)).toMatchObject({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: '9',
    });
    expect(names()).toEqual(['a@1', 'b@2']);
  });

  it.each([
    [0, '300'],
    [0.5, '450'],
    [0.999_999, '600'],
  ])('is a watch of a random length between 5 and 10 minutes (%d: %s s)', async (draw, expected) => {
    const { script } = follow(() => draw);
    (await script.next('list')).answer(listOf('9'));
    expect((await script.next('watch')).query.get('timeoutSeconds')).toBe(expected);
  });

  it('is drawn anew for each watch', async () => {
    let draw = 0;
    const { script, synced } = follow(() => (draw += 0.1));
    const stream = await synced('9');
    stream.event('BOOKMARK', { metadata: { resourceVersion: '10' } });
    stream.end();
    await script.next('watch');
    const lengths = script.calls.slice(1).map(({ query }) => query.get('timeoutSeconds'));
    expect(new Set(lengths).size).toBe(2);
  });

  it('starts over when the token of the next page has expired', async () => {
    const { script, names } = follow();
    const page = { metadata: { resourceVersion: '9', continue: 'old' }, items: [thing('a', '1')] };
    (await script.next('list')).answer(page);
    (await script.next('list')).answer(GONE, 410);
    const again = await script.next('list');
    expect(again.query.has('continue')).toBe(false);
    again.answer(listOf('12', thing('b', '2')));
    await script.next('watch');
    expect(names()).toEqual(['b@2']);
  });
});

describe('after a watch has ended', () => {
  it('by its time, the next one starts at once where it was', async () => {
    const { script, synced } = follow();
    const stream = await synced('9');
    stream.event('ADDED', thing('a', '11'));
    stream.event('BOOKMARK', { metadata: { resourceVersion: '15' } });
    stream.end();
    expect((await script.next('watch')).query.get('resourceVersion')).toBe('15');
  });

  it.each([
    ['between events', ''],
    ['in mid-line', '{"type":"ADDED","object":{"metadata":{"name":"b","resourceVersion":"12"'],
  ])('by a drop %s, it resumes from the last version, without a list', async (_where, rest) => {
    const { script, synced, untilAsked, names } = follow();
    const stream = await synced('9');
    stream.event('ADDED', thing('a', '11'));
    stream.bytes(rest);
    await script.settle();
    stream.breaks();
    await untilAsked();
    const resumed = await script.next('watch');
    expect(resumed.query.get('resourceVersion')).toBe('11');
    resumed.open().event('ADDED', thing('b', '12'));
    await script.settle();
    expect(names()).toEqual(['a@11', 'b@12']);
  });

  it.each([
    ['no JSON', 'garbage\n'],
    ['no event', '{"type":"SURPRISE","object":{"metadata":{"name":"a","resourceVersion":"30"}}}\n'],
    ['an object without a version', '{"type":"DELETED","object":{"metadata":{"name":"a"}}}\n'],
    ['an object without a name', '{"type":"ADDED","object":{"metadata":{"resourceVersion":"30"}}}\n'],
    ['an object that is none', '{"type":"ADDED","object":null}\n'],
    ['a bookmark without a version', '{"type":"BOOKMARK","object":{"metadata":{}}}\n'],
    ['a line without end', 'x'.repeat(10_001)],
  ])('by %s, nothing of it is believed', async (_what, text) => {
    const { script, synced, untilAsked, names } = follow();
    const stream = await synced('9', thing('a', '5'));
    stream.event('MODIFIED', thing('a', '11'));
    stream.bytes(text);
    const wait = await untilAsked();
    expect(wait).toBeGreaterThanOrEqual(800);
    expect((await script.next('watch')).query.get('resourceVersion')).toBe('11');
    expect(names()).toEqual(['a@11']);
  });

  it('at once, without an event, it is not a hot loop', async () => {
    const { script, synced, untilAsked } = follow();
    (await synced('9')).end();
    expect(await untilAsked()).toBe(1_200);
    (await script.next('watch')).open().end();
    expect(await untilAsked()).toBe(2_000);
  });

  it('by silence: no byte for two and a half minutes, which bookmarks put off', async () => {
    const { script, clock, synced, untilAsked } = follow();
    const stream = await synced('9');
    // The reading, and with it the watchdog, begins a turn after the answer.
    await script.settle();
    for (const version of ['10', '11']) {
      clock.advance(149_000);
      stream.event('BOOKMARK', { metadata: { resourceVersion: version } });
      await script.settle();
    }
    clock.advance(149_000);
    await script.settle();
    expect(script.waiting).toBe(0);
    await untilAsked();
    expect((await script.next('watch')).query.get('resourceVersion')).toBe('11');
  });
});

describe('410', () => {
  it.each(['at connect', 'in the stream'])(
    '%s leads to a list at once, whose gaps are told as deletions and creations',
    async (where) => {
      const { script, synced, told, names, informer } = follow();
      informer.addIndex('version', ({ metadata }) => [String(metadata.resourceVersion)]);
      const stream = await synced('9', thing('a', '1'), thing('b', '2'), thing('c', '3'), thing('d', '4'));
      told.length = 0;
      if (where === 'in the stream') {
        stream.event('ERROR', GONE);
      } else {
        stream.event('BOOKMARK', { metadata: { resourceVersion: '10' } });
        stream.end();
        (await script.next('watch')).answer(GONE, 410);
      }
      const again = thing('d', '25', { uid: 'another' });
      (await script.next('list')).answer(listOf('30', thing('b', '2'), thing('c', '20'), again));
      expect((await script.next('watch')).query.get('resourceVersion')).toBe('30');
      expect(told).toEqual(['updated n/c', 'deleted n/d', 'added n/d', 'deleted n/a']);
      expect(names()).toEqual(['b@2', 'c@20', 'd@25']);
      expect(['1', '2', '3', '20'].map((version) => informer.byIndex('version', version).length)).toEqual([
        0, 1, 0, 1,
      ]);
    },
  );

  it('again and again is not a hot loop', async () => {
    const { script, synced, untilAsked } = follow();
    (await synced('9')).event('ERROR', GONE);
    (await script.next('list')).answer(listOf('30'));
    (await script.next('watch')).answer(GONE, 410);
    expect(await untilAsked()).toBeGreaterThanOrEqual(800);
    await script.next('list');
  });
});

describe('a list older than what was seen', () => {
  it('is asked for again, and what it lacks is not deleted', async () => {
    const { script, synced, told, untilAsked, names } = follow();
    (await synced('50', thing('a', '40'))).event('ERROR', GONE);
    told.length = 0;
    (await script.next('list')).answer(listOf('45'));
    expect(await untilAsked()).toBeGreaterThanOrEqual(800);
    (await script.next('list')).answer(listOf('60', thing('a', '40')));
    await script.next('watch');
    expect(told).toEqual([]);
    expect(names()).toEqual(['a@40']);
  });

  it('is believed at the fourth time: etcd was restored from a backup', async () => {
    const { script, synced, untilAsked, names } = follow();
    (await synced('50', thing('a', '40'))).event('ERROR', GONE);
    for (let time = 1; time <= 4; time += 1) {
      await untilAsked();
      (await script.next('list')).answer(listOf('45', thing('old', '30')));
    }
    expect((await script.next('watch')).query.get('resourceVersion')).toBe('45');
    expect(names()).toEqual(['old@30']);
  });
});

describe('failures in a row', () => {
  const FAILURES = [500, 503, 429, 401, 403, 404, 'broken', 'ended at once'] as const;

  it.each([
    [0, 800, 800],
    [0.5, 1_200, 15_400],
    [0.999_999, 1_600, 30_000],
  ])('wait longer and longer, 0.8 to 30 s (draw %d: %d to %d ms)', async (draw, first, last) => {
    const { script, synced, untilAsked } = follow(() => draw);
    (await synced('9')).breaks();
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      waits.push(await untilAsked());
      const failure = FAILURES[round % FAILURES.length];
      const watch = await script.next('watch');
      if (failure === 'broken') watch.breaks();
      else if (failure === 'ended at once') watch.open().end();
      else watch.answer({}, failure);
    }
    expect(waits[0]).toBe(first);
    expect(waits.at(-1)).toBe(last);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  });

  it('are forgotten with the next event', async () => {
    const { script, synced, untilAsked } = follow();
    (await synced('9')).breaks();
    for (let round = 0; round < 5; round += 1) {
      await untilAsked();
      (await script.next('watch')).breaks();
    }
    expect(await untilAsked()).toBeGreaterThan(10_000);
    const stream = (await script.next('watch')).open();
    stream.event('ADDED', thing('a', '10'));
    await script.settle();
    stream.breaks();
    expect(await untilAsked()).toBe(1_200);
  });

  it('wait as long as the server asks for', async () => {
    const { script, synced, untilAsked } = follow();
    (await synced('9')).breaks();
    await untilAsked();
    (await script.next('watch')).answer({}, 429, { 'retry-after': '17' });
    expect(await untilAsked()).toBe(17_000);
  });

  it('of the first list do not end it', async () => {
    const { script, untilAsked, informer } = follow();
    (await script.next('list')).answer({}, 500);
    await untilAsked();
    // A read asks once more by itself when the connection broke.
    (await script.next('list')).breaks();
    (await script.next('list')).breaks();
    await untilAsked();
    (await script.next('list')).answer(listOf('9'));
    await script.next('watch');
    expect(informer.synced).toBe(true);
  });
});

describe('stop', () => {
  it.each(['list', 'watch', 'wait'])('ends it in the middle of a %s', async (where) => {
    const { script, synced, informer } = follow();
    if (where !== 'list') {
      const stream = await synced('9');
      if (where === 'wait') stream.breaks();
    }
    await script.settle();
    await informer.stop();
    const asked = script.calls.length;
    await script.settle();
    expect(script.calls).toHaveLength(asked);
  });
});
