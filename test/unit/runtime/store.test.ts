import { describe, expect, it } from '@jest/globals';
import { Store } from '../../../src/runtime/cache/store.ts';
import { isNewer } from '../../../src/runtime/cache/version.ts';
import type { KubernetesObject } from '../../../src/runtime/resource.ts';

function object(
  name: string,
  resourceVersion: string,
  uid = name,
  labels: Record<string, string> = {},
): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name, uid, resourceVersion, labels } };
}

const types = (changes: readonly { type: string; key: string }[]): string[] =>
  changes.map(({ type, key }) => `${type} ${key}`);

describe('isNewer', () => {
  it.each([
    ['10', '9', true],
    ['9', '10', false],
    ['10', '10', false],
    ['90071992547409930', '90071992547409929', true],
    ['1', undefined, true],
    ['opaque', '5', true],
  ])('%s after %s: %s', (candidate, known, expected) => {
    expect(isNewer(candidate, known)).toBe(expected);
  });
});

describe('Store', () => {
  it('ignores duplicates and events from the past: nothing moves back, nothing is resurrected', () => {
    const store = new Store();
    store.replace([object('a', '5')], '5');
    expect(types(store.apply('MODIFIED', object('a', '7')))).toEqual(['updated a']);
    expect(store.apply('MODIFIED', object('a', '7'))).toEqual([]);
    expect(store.apply('MODIFIED', object('a', '6'))).toEqual([]);
    expect(types(store.apply('DELETED', object('a', '8')))).toEqual(['deleted a']);
    expect(store.apply('ADDED', object('a', '7'))).toEqual([]);
    expect(store.get('a')).toBeUndefined();
  });

  it('tells of a deletion and a creation when the same name has a new uid', () => {
    const store = new Store();
    store.replace([object('a', '1', 'first')], '1');
    expect(types(store.apply('ADDED', object('a', '2', 'second')))).toEqual(['deleted a', 'added a']);
  });

  it('synthesises the deletes that a relist reveals, and is silent about what did not change', () => {
    const store = new Store();
    store.replace([object('a', '1'), object('b', '2'), object('c', '3')], '3');
    expect(types(store.replace([object('b', '2'), object('c', '9'), object('d', '10')], '10'))).toEqual([
      'updated c',
      'added d',
      'deleted a',
    ]);
  });

  it('keeps its indexes in step', () => {
    const store = new Store();
    store.addIndex('team', ({ metadata }) => [metadata.labels?.['team'] ?? '']);
    store.replace([object('a', '1', 'a', { team: 'red' })], '1');
    store.apply('ADDED', object('b', '2', 'b', { team: 'red' }));
    store.apply('MODIFIED', object('a', '3', 'a', { team: 'blue' }));
    expect(store.byIndex('team', 'red').map(({ metadata }) => metadata.name)).toEqual(['b']);
    store.apply('DELETED', object('b', '4', 'b', { team: 'red' }));
    expect(store.byIndex('team', 'red')).toEqual([]);
  });

  it('moves on with a bookmark, never back', () => {
    const store = new Store();
    store.replace([], '5');
    store.bookmark('9');
    store.bookmark('7');
    expect(store.version).toBe('9');
  });
});
