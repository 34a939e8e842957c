import { describe, expect, it } from '@jest/globals';
import type { Client } from '../../../src/runtime/client.ts';
import { writeFinalizers, writeStatus } from '../../../src/runtime/patch.ts';
import { parseJson } from '../../../src/runtime/json.ts';
import type { Resource, ResourceType } from '../../../src/runtime/resource.ts';

const TYPE: ResourceType = { group: 'g', version: 'v1', kind: 'K', plural: 'ks', namespaced: false };
type K = Resource<object, Record<string, unknown>>;

function stored(status?: Record<string, unknown>): K {
  return {
    apiVersion: 'g/v1',
    kind: 'K',
    metadata: { name: 'a', resourceVersion: '7' },
    spec: {},
    ...(status === undefined ? {} : { status }),
  };
}

function recording() {
  const sent: unknown[] = [];
  const client: Partial<Client> = {
    patch: (_type, { name }, patch, { subresource } = {}) => {
      sent.push({ name, subresource, ...patch });
      return Promise.resolve(stored() as never);
    },
  };
  return { client: client as Client, sent };
}

const { signal } = new AbortController();

describe('writeStatus', () => {
  it('replaces the whole status, if the object is still the one that was decided on', async () => {
    const { client, sent } = recording();
    expect(await writeStatus(client, TYPE, stored({ x: 1, y: 2 }), { x: 2 }, signal)).toBeDefined();
    expect(sent).toEqual([
      {
        name: 'a',
        subresource: 'status',
        type: 'json',
        body: [
          { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
          { op: 'add', path: '/status', value: { x: 2 } },
        ],
      },
    ]);
  });

  it.each([
    ['the same', { x: 1, list: [{ a: 1 }] }, { x: 1, list: [{ a: 1 }] }],
    ['the same in another order', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    ['a field that is undefined', { a: 1 }, { a: 1, b: undefined }],
    ['a number beyond 2^53', { a: parseJson('9007199254740993') }, { a: parseJson('9007199254740993') }],
  ])('writes nothing for %s', async (_what, before, after) => {
    const { client, sent } = recording();
    expect(await writeStatus(client, TYPE, stored(before), after, signal)).toBeUndefined();
    expect(sent).toEqual([]);
  });

  it.each([
    ['the first status', undefined, {}],
    ['a list in another order', { list: [1, 2] }, { list: [2, 1] }],
    ['a field less', { a: 1, b: 2 }, { a: 1 }],
    [
      'a neighbour of a number beyond 2^53',
      { a: parseJson('9007199254740993') },
      { a: parseJson('9007199254740992') },
    ],
  ])('writes %s', async (_what, before, after) => {
    const { client, sent } = recording();
    await writeStatus(client, TYPE, stored(before), after, signal);
    expect(sent).toHaveLength(1);
  });
});

describe('writeFinalizers', () => {
  it('replaces them on the object itself, on the same condition', async () => {
    const { client, sent } = recording();
    await writeFinalizers(client, TYPE, stored(), ['one', 'two'], signal);
    expect(sent).toEqual([
      {
        name: 'a',
        subresource: undefined,
        type: 'json',
        body: [
          { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
          { op: 'add', path: '/metadata/finalizers', value: ['one', 'two'] },
        ],
      },
    ]);
  });
});
