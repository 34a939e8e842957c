/** From the template of a parent to the Pod that would be made of it: pure. */
import { describe, expect, it } from '@jest/globals';
import {
  expandedKinds,
  expansionBefore,
  expansionOf,
  isSaidOfOwner,
  shownName,
} from '../../../src/policy/expand.ts';
import { object, parentOf, parentRequest, podRequest, rule, type Match } from './requests.ts';

const TEMPLATE = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c' }] } };
const ALL = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'];

function owned(kind: string, name: string, over: object = {}): object {
  return { ownerReferences: [{ apiVersion: name, kind, name: 'x', uid: 'x', controller: true, ...over }] };
}

describe('expandedKinds', () => {
  const named = (match: Match, expand: 'Auto' | 'Off' = 'Auto'): string[] =>
    expandedKinds(rule('r', match, { expand }).spec).map(({ kind }) => kind);
  it.each<[string, Match, string[]]>([
    ['a rule about Pods', {}, ALL],
    ['in any group', { kinds: [{ apiGroups: ['*'], kinds: ['Pod'] }] }, ALL],
    ['about Pods of another group', { kinds: [{ apiGroups: ['metrics.k8s.io'], kinds: ['Pod'] }] }, []],
    ['about another kind', { kinds: [{ apiGroups: ['apps'], kinds: ['Deployment'] }] }, []],
    ['about everything', { kinds: [{ apiGroups: ['*'], kinds: ['*'] }] }, []],
    [
      'which names a parent itself',
      { kinds: [{ apiGroups: ['', 'apps', 'batch'], kinds: ['Pod', 'Deployment', 'Job'] }] },
      ['StatefulSet', 'DaemonSet', 'ReplicaSet', 'CronJob'],
    ],
    [
      'which names the kind of another group',
      { kinds: [{ apiGroups: [''], kinds: ['Pod', 'Deployment'] }] },
      ALL,
    ],
    ['about what is created', { operations: ['CREATE'] }, ALL],
    ['about what is changed only', { operations: ['UPDATE', 'DELETE', 'CONNECT'] }, []],
    ['about what is in no namespace', { scope: 'Cluster' }, []],
  ])('%s', (_what, match, expected) => {
    expect(named(match)).toEqual(expected);
    expect(named(match, 'Off')).toEqual([]);
  });
});

describe('expansionOf', () => {
  it.each(ALL)('makes of a %s the Pod that it would make', (kind) => {
    const request = parentRequest(kind, TEMPLATE, { operation: 'UPDATE', oldObject: object({}) });
    const { prefix, parent, request: made, unnamed } = expansionOf(request) ?? {};
    expect(prefix).toBe(kind === 'CronJob' ? 'spec.jobTemplate.spec.template' : 'spec.template');
    expect(parent).toBe(`${kind} web`);
    expect(made).toEqual({
      uid: 'u',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      requestResource: { group: '', version: 'v1', resource: 'pods' },
      name: 'web',
      namespace: 'prod',
      operation: 'CREATE',
      userInfo: { username: 'ann' },
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { labels: { app: 'web' }, name: 'web', generateName: 'web-', namespace: 'prod' },
        spec: { containers: [{ name: 'c' }] },
      },
      oldObject: null,
    });
    expect(unnamed?.name).toBeUndefined();
    expect(unnamed?.object?.metadata).toEqual({
      labels: { app: 'web' },
      generateName: 'web-',
      namespace: 'prod',
    });
  });

  it.each<[string, ReturnType<typeof podRequest>]>([
    ['a Pod', podRequest()],
    ['a deletion', parentRequest('Deployment', TEMPLATE, { operation: 'DELETE', object: null })],
    ['a scale', parentRequest('Deployment', TEMPLATE, { subResource: 'scale', operation: 'UPDATE' })],
    [
      'a namesake of another group',
      parentRequest('Job', TEMPLATE, { kind: { group: 'x', version: 'v1', kind: 'Job' } }),
    ],
    ['no object', parentRequest('Deployment', TEMPLATE, { object: null })],
    ['no spec', parentRequest('Deployment', TEMPLATE, { object: object({ name: 'web' }) })],
    ['a template that is none', parentRequest('Deployment', [] as object)],
  ])('makes nothing of %s', (_what, request) => {
    expect(expansionOf(request)).toBeUndefined();
  });

  it('bears with a template without metadata, and with a parent without a name', () => {
    const { name: _name, ...nameless } = parentRequest('Deployment', { spec: {} });
    const request = {
      ...nameless,
      object: parentOf('Deployment', { spec: {} }, { name: undefined, generateName: 'w-' }),
    };
    expect(expansionOf(request)).toMatchObject({
      parent: 'Deployment w-*',
      request: { object: { metadata: { namespace: 'prod' } } },
    });
  });

  it('makes the same of the object as it was', () => {
    const before = parentOf('Deployment', { spec: { containers: [] } });
    const request = parentRequest('Deployment', TEMPLATE, { operation: 'UPDATE', oldObject: before });
    expect(expansionBefore(request)?.request.object).toMatchObject({ spec: { containers: [] } });
    expect(expansionBefore(parentRequest('Deployment', TEMPLATE))).toBeUndefined();
  });
});

describe('isSaidOfOwner', () => {
  const expanded = expandedKinds(rule('r', {}).spec);
  const pod = (metadata: object): boolean =>
    isSaidOfOwner(podRequest({ object: object(metadata) }), expanded);
  const of = (kind: string, metadata: object): boolean =>
    isSaidOfOwner(parentRequest(kind, TEMPLATE, { object: parentOf(kind, TEMPLATE, metadata) }), expanded);
  it.each<[string, boolean, boolean]>([
    ['a Pod of a ReplicaSet', pod(owned('ReplicaSet', 'apps/v1')), true],
    ['a Pod of a Job', pod(owned('Job', 'batch/v1')), true],
    ['a Pod of nobody', pod({}), false],
    [
      'a Pod of an owner that is no controller',
      pod(owned('ReplicaSet', 'apps/v1', { controller: false })),
      false,
    ],
    ['a Pod of what is not expanded', pod(owned('Rollout', 'argoproj.io/v1alpha1')), false],
    ['a Pod of a namesake', pod(owned('ReplicaSet', 'v1')), false],
    ['a Pod with owners that are none', pod({ ownerReferences: 7 }), false],
    ['a Pod with an owner that is none', pod({ ownerReferences: [null, 7] }), false],
    ['a ReplicaSet of a Deployment', of('ReplicaSet', owned('Deployment', 'apps/v1')), true],
    ['a ReplicaSet of something else', of('ReplicaSet', owned('Rollout', 'argoproj.io/v1')), false],
    ['a Job of a CronJob', of('Job', owned('CronJob', 'batch/v1')), true],
    ['a Job of a Deployment', of('Job', owned('Deployment', 'apps/v1')), false],
    ['a Deployment of a Deployment', of('Deployment', owned('Deployment', 'apps/v1')), false],
  ])('%s', (_what, said, expected) => {
    expect(said).toBe(expected);
  });

  it('is nothing to a rule that does not judge the owner', () => {
    const request = podRequest({ object: object(owned('ReplicaSet', 'apps/v1')) });
    expect(isSaidOfOwner(request, [])).toBe(false);
  });
});

it('a name that is not given yet is shown by what it begins with', () => {
  const { name: _name, ...nameless } = podRequest();
  expect(shownName(podRequest())).toBe('web');
  expect(shownName({ ...nameless, object: object({ generateName: 'w-' }) })).toBe('w-*');
  expect(shownName({ ...nameless, object: null })).toBe('(no name)');
});
