import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Informer } from '../../../src/runtime/cache/informer.ts';
import { defaultReflectorSettings, type Selection } from '../../../src/runtime/cache/reflector.ts';
import { Store } from '../../../src/runtime/cache/store.ts';
import { createLog } from '../../../src/runtime/log.ts';
import type { KubernetesObject } from '../../../src/runtime/resource.ts';
import { manualClock } from '../clock.ts';
import { GONE, listOf, scripted, thing, THING } from './scripted.ts';

interface Setting {
  selection?: Selection;
  freeze?: boolean;
}

function follow({ selection = {}, freeze = true }: Setting = {}) {
  const clock = manualClock();
  const script = scripted(clock);
  const written: string[] = [];
  const informer = new Informer(THING, selection, {
    client: script.client,
    clock,
    random: () => 0,
    log: createLog('info', { write: (line) => written.push(line) }),
    settings: defaultReflectorSettings,
    freeze,
  });
  informer.start();
  const synced = async (version: string, ...items: unknown[]) => {
    (await script.next('list')).answer(listOf(version, ...items));
    return (await script.next('watch')).open();
  };
  const told: string[] = [];
  const listener = ({ type, key }: { type: string; key: string }): number => told.push(`${type} ${key}`);
  return { informer, script, synced, told, listener, written };
}

const OWNERS = [{ manager: 'kubectl', operation: 'Apply' }];

describe('an informer', () => {
  it.each([
    [{}, undefined],
    [{ managedFields: true }, OWNERS],
  ])('asked for %j keeps these managedFields: %j', async (selection, expected) => {
    const { informer, script, synced } = follow({ selection });
    const stream = await synced('9', thing('listed', '1', { managedFields: OWNERS }));
    stream.event('ADDED', thing('watched', '10', { managedFields: OWNERS }));
    await script.settle();
    for (const key of ['n/listed', 'n/watched']) {
      expect(informer.get(key)?.metadata.managedFields).toEqual(expected);
      expect(Object.keys(informer.get(key)?.metadata ?? {}).includes('managedFields')).toBe(
        expected !== undefined,
      );
    }
  });

  it.each([true, false])('with freeze %s', async (freeze) => {
    const { informer, script, synced } = follow({ freeze });
    const labels = { a: 'b' };
    const stream = await synced('9', thing('listed', '1', { labels }));
    stream.event('ADDED', { ...thing('watched', '10', { labels }), spec: { deep: [{ er: 1 }] } });
    await script.settle();
    for (const key of ['n/listed', 'n/watched']) {
      const object = informer.get(key);
      expect(Object.isFrozen(object)).toBe(freeze);
      expect(Object.isFrozen(object?.metadata.labels)).toBe(freeze);
    }
    const { spec } = informer.get('n/watched') as unknown as { spec: { deep: object[] } };
    expect([spec, spec.deep, spec.deep[0]].map((part) => Object.isFrozen(part))).toEqual([
      freeze,
      freeze,
      freeze,
    ]);
  });

  it('gives the items of a list the kind that a list leaves out', async () => {
    const { informer, synced } = follow();
    await synced('9', { metadata: thing('a', '1').metadata });
    expect(informer.get('n/a')).toMatchObject({ apiVersion: 'example.com/v1', kind: 'Thing' });
  });

  it('tells a listener of all there is, then of every change, until it stops listening', async () => {
    const { informer, script, synced, told, listener } = follow();
    const stream = await synced('9', thing('a', '1'), thing('b', '2'));
    const stop = informer.listen(listener);
    expect(told).toEqual(['added n/a', 'added n/b']);
    stream.event('MODIFIED', thing('a', '10'));
    stream.event('DELETED', thing('b', '11'));
    await script.settle();
    expect(told.slice(2)).toEqual(['updated n/a', 'deleted n/b']);
    stop();
    stream.event('ADDED', thing('c', '12'));
    await script.settle();
    expect(told).toHaveLength(4);
    expect(informer.size).toBe(2);
  });

  it('is not stopped, nor are the others, by a listener that throws; the log says so', async () => {
    const { informer, script, synced, told, listener, written } = follow();
    const broken = (): never => {
      throw new Error('a broken listener');
    };
    informer.listen(broken);
    informer.listen(listener);
    const stream = await synced('9', thing('a', '1'));
    stream.event('ADDED', thing('b', '10'));
    await script.settle();
    informer.listen(broken);
    stream.event('DELETED', thing('a', '11'));
    await script.settle();
    expect(told).toEqual(['added n/a', 'added n/b', 'deleted n/a']);
    expect(script.waiting).toBe(0);
    expect(written.join('')).toContain('a broken listener');
  });

  it('sees a new uid under an old name as a deletion and a creation, in a watch', async () => {
    const { informer, script, synced, told, listener } = follow();
    const stream = await synced('9', thing('a', '1'));
    informer.listen(listener);
    stream.event('MODIFIED', thing('a', '10', { uid: 'another' }));
    await script.settle();
    expect(told).toEqual(['added n/a', 'deleted n/a', 'added n/a']);
  });

  it('never lets the older replace the newer, whatever a lagging server repeats', async () => {
    const { informer, script, synced, told, listener } = follow();
    const stream = await synced('9', thing('a', '5'));
    informer.listen(listener);
    stream.event('MODIFIED', thing('a', '12', { labels: { new: 'yes' } }));
    stream.event('MODIFIED', thing('a', '11'));
    stream.event('DELETED', thing('a', '10'));
    stream.event('MODIFIED', thing('a', '12'));
    await script.settle();
    expect(informer.get('n/a')?.metadata.labels).toEqual({ new: 'yes' });
    expect(told).toEqual(['added n/a', 'updated n/a']);
    expect(informer.version).toBe('12');
  });

  it('knows whether it has seen a write: by its event, a later one, a bookmark, never before', async () => {
    const { informer, script, synced } = follow();
    expect(informer.hasSeen('1')).toBe(false);
    const stream = await synced('9');
    expect(['8', '9', '10'].map((version) => informer.hasSeen(version))).toEqual([true, true, false]);
    let seen: boolean | undefined;
    const never = new AbortController().signal;
    void informer.until(() => informer.hasSeen('15'), never).then((holds) => (seen = holds));
    stream.event('ADDED', thing('a', '10'));
    await script.settle();
    expect(seen).toBeUndefined();
    stream.event('BOOKMARK', { metadata: { resourceVersion: '15' } });
    await script.settle();
    expect(seen).toBe(true);
  });

  it('gives up waiting when the signal says so, also one given before', async () => {
    const { informer, script } = follow();
    const end = new AbortController();
    const waiting = informer.until(() => informer.synced, end.signal);
    await script.settle();
    end.abort();
    expect(await waiting).toBe(false);
    expect(await informer.until(() => informer.synced, AbortSignal.abort())).toBe(false);
  });
});

describe('indexes', () => {
  interface Step {
    do: 'put' | 'delete' | 'relist';
    name: string;
    team: string[];
    uid: string;
  }
  const step: fc.Arbitrary<Step> = fc.record({
    do: fc.constantFrom('put', 'put', 'delete', 'relist'),
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    team: fc.subarray(['red', 'blue', 'green']),
    uid: fc.constantFrom('1', '2'),
  });
  const teams = ({ metadata }: KubernetesObject): string[] => Object.keys(metadata.labels ?? {});

  it('hold exactly what looking through all objects would find, after any history', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const store = new Store();
        store.addIndex('team', teams);
        store.replace([], '1');
        for (const [at, { name, team, uid, ...step }] of steps.entries()) {
          const version = String(at + 2);
          const labels = Object.fromEntries(team.map((label) => [label, 'yes']));
          const object = thing(name, version, { labels, uid });
          if (step.do === 'put') store.apply('MODIFIED', object);
          else if (step.do === 'delete') store.apply('DELETED', object);
          else store.replace([object, ...store.list().filter((_, position) => position % 2 === 0)], version);
          const late = new Store();
          late.replace(store.list(), '1');
          late.addIndex('team', teams);
          for (const color of ['red', 'blue', 'green']) {
            const expected = store.list().filter((found) => teams(found).includes(color));
            expect(new Set(store.byIndex('team', color))).toEqual(new Set(expected));
            expect(store.byIndex('team', color)).toHaveLength(expected.length);
            expect(new Set(late.byIndex('team', color))).toEqual(new Set(expected));
          }
        }
      }),
    );
  });

  it('are defined once, and asked for by a name that exists', () => {
    const { informer } = follow();
    informer.addIndex('team', teams);
    expect(() => {
      informer.addIndex('team', teams);
    }).toThrow('twice');
    expect(() => informer.byIndex('tame', 'red')).toThrow('no index tame');
  });
});

describe('after a relist', () => {
  it('listeners and indexes agree with the store', async () => {
    const { informer, script, synced, told, listener } = follow();
    informer.addIndex('team', ({ metadata }) => Object.keys(metadata.labels ?? {}));
    const stream = await synced('9', thing('a', '1', { labels: { red: '' } }), thing('b', '2'));
    informer.listen(listener);
    told.length = 0;
    stream.event('ERROR', GONE);
    (await script.next('list')).answer(listOf('20', thing('b', '15', { labels: { red: '' } })));
    await script.next('watch');
    expect(told).toEqual(['updated n/b', 'deleted n/a']);
    expect(informer.byIndex('team', 'red').map(({ metadata }) => metadata.name)).toEqual(['b']);
  });
});
