/** Subresources, connections and people: what Gatekeeper's match does not know, field by field. */
import { describe, expect, it } from '@jest/globals';
import { matches, type GroupKind, type Match } from '../../../src/policy/match.ts';
import type { AdmissionRequest, UserInfo } from '../../../src/runtime/webhook/review.ts';
import { object, podRequest } from './requests.ts';

const POD: GroupKind = { group: '', kind: 'Pod' };
const kinds = [{ apiGroups: [''], kinds: ['Pod'] }];

/** What is sent to a subresource: its kind is its own. */
function part(subResource: string, operation: AdmissionRequest['operation'], sent = 'Pod'): AdmissionRequest {
  return podRequest({ subResource, operation, kind: { group: '', version: 'v1', kind: sent } });
}

const EXEC = part('exec', 'CONNECT', 'PodExecOptions');
const EVICTION = part('eviction', 'CREATE', 'Eviction');
const EPHEMERAL = part('ephemeralcontainers', 'UPDATE');

describe('a subresource', () => {
  it.each<[string, Match, AdmissionRequest, boolean]>([
    ['ephemeralcontainers with the Pod', { kinds }, EPHEMERAL, true],
    ['resize with the Pod', { kinds }, part('resize', 'UPDATE'), true],
    ['with a Pod that is created', { kinds, operations: ['CREATE'] }, EPHEMERAL, true],
    ['not with one that is deleted', { kinds, operations: ['DELETE'] }, EPHEMERAL, false],
    ['not one that is not listed', { kinds }, EVICTION, false],
    ['one that is', { kinds, subresources: ['eviction'] }, EVICTION, true],
    [
      'not by another operation',
      { kinds, operations: ['UPDATE'], subresources: ['eviction'] },
      EVICTION,
      false,
    ],
    ['not another', { kinds, subresources: ['scale'] }, EVICTION, false],
    ['every one', { kinds, subresources: ['*'] }, EVICTION, true],
    ['never the status', { kinds, subresources: ['*'] }, part('status', 'UPDATE'), false],
    [
      'not of another kind',
      { kinds: [{ apiGroups: [''], kinds: ['Node'] }], subresources: ['*'] },
      EVICTION,
      false,
    ],
    ['beside the object itself', { kinds, subresources: ['eviction'] }, podRequest(), true],
    ['that is connected to', { kinds, operations: ['CONNECT'] }, EXEC, true],
    ['that is listed', { kinds, operations: ['CONNECT'], subresources: ['exec'] }, EXEC, true],
    ['that is not listed', { kinds, operations: ['CONNECT'], subresources: ['attach'] }, EXEC, false],
    ['without CONNECT', { kinds, subresources: ['*'] }, EXEC, false],
    ['not the object when only connections are', { kinds, operations: ['CONNECT'] }, podRequest(), false],
    ['by name', { kinds, operations: ['CONNECT'], name: 'web' }, EXEC, true],
    ['by another name', { kinds, operations: ['CONNECT'], name: 'db' }, EXEC, false],
    ['by namespace', { kinds, operations: ['CONNECT'], namespaces: ['dev'] }, EXEC, false],
    // Gatekeeper names them by what is sent there.
    ['by its own kind', { kinds: [{ kinds: ['PodExecOptions'] }], operations: ['CONNECT'] }, EXEC, true],
    ['by its own kind, another operation', { kinds: [{ kinds: ['PodExecOptions'] }] }, EXEC, false],
    [
      'by its own kind in another group',
      { kinds: [{ apiGroups: ['x'], kinds: ['Eviction'] }] },
      EVICTION,
      false,
    ],
    ['not by any kind', { kinds: [{ kinds: ['*'] }] }, EVICTION, false],
  ])('%s: %#', (_what, match, request, expected) => {
    expect(matches(match, request, undefined, POD)).toBe(expected);
  });

  it('of a resource that is not known counts as one of any kind', () => {
    const nodes: Match = { kinds: [{ kinds: ['Node'] }], operations: ['CONNECT'] };
    expect(matches(nodes, EXEC, undefined)).toBe(true);
    expect(matches(nodes, EXEC, undefined, POD)).toBe(false);
  });

  it('of another kind is not a part of a Pod, whatever it is called', () => {
    const virtual = { group: 'kubevirt.io', kind: 'VirtualMachine' };
    expect(matches({}, EPHEMERAL, undefined, virtual)).toBe(false);
    expect(matches({}, EPHEMERAL, undefined, { group: 'metrics.k8s.io', kind: 'Pod' })).toBe(false);
    expect(matches({}, EPHEMERAL, undefined, POD)).toBe(true);
  });

  it('of a Namespace counts by the name and labels of it', () => {
    const owner = { group: '', kind: 'Namespace' };
    const request = {
      ...part('finalize', 'UPDATE', 'Namespace'),
      object: object({ name: 'web', labels: { a: 'b' } }),
    };
    const match: Match = { kinds: [{ kinds: ['Namespace'] }], subresources: ['finalize'], scope: 'Cluster' };
    expect(matches({ ...match, namespaces: ['web'] }, request, undefined, owner)).toBe(true);
    expect(matches({ ...match, namespaces: ['prod'] }, request, undefined, owner)).toBe(false);
    const namespaceSelector = { matchLabels: { a: 'b' } };
    expect(matches({ ...match, namespaceSelector }, request, {}, owner)).toBe(true);
  });
});

describe('an object that changes', () => {
  it('has to fit as a whole, as it is or as it was', () => {
    const namespace = (labels: object): AdmissionRequest['object'] => object({ name: 'web', labels });
    const match: Match = {
      labelSelector: { matchLabels: { a: 'x' } },
      namespaceSelector: { matchLabels: { b: 'x' } },
    };
    const request = (now: object, before: object): AdmissionRequest =>
      podRequest({
        kind: { group: '', version: 'v1', kind: 'Namespace' },
        operation: 'UPDATE',
        object: namespace(now) ?? null,
        oldObject: namespace(before) ?? null,
      });
    expect(matches(match, request({ a: 'x', b: 'x' }, {}), undefined)).toBe(true);
    expect(matches(match, request({}, { a: 'x', b: 'x' }), undefined)).toBe(true);
    expect(matches(match, request({ a: 'x' }, { b: 'x' }), undefined)).toBe(false);
  });

  it('that is deleted is matched by the beginning of a name that it never got', () => {
    const { name: _name, ...nameless } = podRequest({ operation: 'DELETE', object: null });
    const request = { ...nameless, oldObject: object({ generateName: 'web-' }) };
    expect(matches({ operations: ['DELETE'], name: 'web-*' }, request, undefined)).toBe(true);
  });
});

describe('subjects', () => {
  const ann: UserInfo = { username: 'ann', groups: ['dev', 'system:authenticated'] };
  const builder: UserInfo = {
    username: 'system:serviceaccount:ci:builder',
    groups: ['system:serviceaccounts'],
  };
  type Subjects = NonNullable<Match['subjects']>;
  it.each<[string, Subjects, UserInfo, boolean]>([
    ['a user', [{ kind: 'User', name: 'ann' }], ann, true],
    ['users', [{ kind: 'User', name: 'a*' }], ann, true],
    ['another', [{ kind: 'User', name: 'bob' }], ann, false],
    ['no group by that name', [{ kind: 'User', name: 'dev' }], ann, false],
    ['a group', [{ kind: 'Group', name: 'dev' }], ann, true],
    ['groups', [{ kind: 'Group', name: 'system:*' }], ann, true],
    ['no user by that name', [{ kind: 'Group', name: 'ann' }], ann, false],
    [
      'one of several',
      [
        { kind: 'User', name: 'bob' },
        { kind: 'Group', name: 'dev' },
      ],
      ann,
      true,
    ],
    ['a service account', [{ kind: 'ServiceAccount', name: 'builder', namespace: 'ci' }], builder, true],
    ['those of a namespace', [{ kind: 'ServiceAccount', name: '*', namespace: 'c*' }], builder, true],
    [
      'its namesake elsewhere',
      [{ kind: 'ServiceAccount', name: 'builder', namespace: 'dev' }],
      builder,
      false,
    ],
    ['one without a namespace', [{ kind: 'ServiceAccount', name: 'builder' }], builder, false],
    ['a service account as a user', [{ kind: 'User', name: 'system:serviceaccount:ci:*' }], builder, true],
    ['a user that is none', [{ kind: 'ServiceAccount', name: '*', namespace: '*' }], ann, false],
    [
      'a user who calls himself nearly so',
      [{ kind: 'ServiceAccount', name: '*', namespace: '*' }],
      { username: 'x:system:serviceaccount:ci:builder' },
      false,
    ],
    ['nobody known', [{ kind: 'User', name: '*' }], {}, false],
  ])('%s: %#', (_what, subjects, userInfo, expected) => {
    expect(matches({ subjects }, podRequest({ userInfo }), undefined)).toBe(expected);
    // Who is excluded is who would else be meant.
    expect(matches({ excludeSubjects: subjects }, podRequest({ userInfo }), undefined)).toBe(!expected);
  });

  it('that are excluded are so though they are named', () => {
    const match: Match = {
      subjects: [{ kind: 'Group', name: 'dev' }],
      excludeSubjects: [{ kind: 'User', name: 'ann' }],
    };
    expect(matches(match, podRequest({ userInfo: ann }), undefined)).toBe(false);
    expect(matches(match, podRequest({ userInfo: { ...ann, username: 'bob' } }), undefined)).toBe(true);
  });
});
