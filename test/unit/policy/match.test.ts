/** Gatekeeper's match, field by field. */
import { describe, expect, it } from '@jest/globals';
import { matches, matchesGlob, selects, type LabelSelector, type Match } from '../../../src/policy/match.ts';
import type { Unstructured } from '../../../src/runtime/resource.ts';
import type { AdmissionRequest } from '../../../src/runtime/webhook/review.ts';

function object(metadata: object): Unstructured {
  return { apiVersion: 'v1', kind: 'Any', metadata } as unknown as Unstructured;
}

function request(over: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    uid: 'u',
    kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
    resource: { group: 'apps', version: 'v1', resource: 'deployments' },
    name: 'shop',
    namespace: 'prod',
    operation: 'CREATE',
    userInfo: {},
    object: object({ name: 'shop', namespace: 'prod', labels: { app: 'shop', tier: 'web' } }),
    ...over,
  };
}

const NODE: Partial<AdmissionRequest> = {
  kind: { group: '', version: 'v1', kind: 'Node' },
  name: 'n1',
  object: object({ name: 'n1' }),
};

/** The API server sets `namespace` of a Namespace to its own name. */
const NAMESPACE: Partial<AdmissionRequest> = {
  kind: { group: '', version: 'v1', kind: 'Namespace' },
  name: 'prod',
  namespace: 'prod',
  object: object({ name: 'prod', labels: { team: 'a' } }),
};

function clusterScoped(over: Partial<AdmissionRequest>): AdmissionRequest {
  const { namespace: _none, ...rest } = request(over);
  return rest;
}

const node = clusterScoped(NODE);

describe('kinds', () => {
  it.each<[Match['kinds'], boolean]>([
    [undefined, true],
    [[], true],
    [[{ apiGroups: ['apps'], kinds: ['Deployment'] }], true],
    [[{ apiGroups: ['*'], kinds: ['Deployment'] }], true],
    [[{ apiGroups: ['apps'], kinds: ['*'] }], true],
    [[{ kinds: ['Deployment'] }], true],
    [[{ apiGroups: ['apps'] }], true],
    [[{ apiGroups: [''], kinds: ['Deployment'] }], false],
    [[{ apiGroups: ['apps'], kinds: ['deployment'] }], false],
    [[{ apiGroups: ['apps'], kinds: ['Deploy'] }], false],
    // One entry must fit as a whole.
    [
      [
        { apiGroups: ['apps'], kinds: ['Pod'] },
        { apiGroups: [''], kinds: ['Deployment'] },
      ],
      false,
    ],
    [
      [
        { apiGroups: [''], kinds: ['Pod'] },
        { apiGroups: ['apps'], kinds: ['Pod', 'Deployment'] },
      ],
      true,
    ],
  ])('%j: %s', (kinds, expected) => {
    expect(matches({ ...(kinds === undefined ? {} : { kinds }) }, request(), undefined)).toBe(expected);
  });
});

describe('operations', () => {
  it.each<[Match['operations'], AdmissionRequest['operation'], boolean]>([
    [undefined, 'CREATE', true],
    [undefined, 'UPDATE', true],
    [undefined, 'DELETE', false],
    [undefined, 'CONNECT', false],
    [['DELETE'], 'DELETE', true],
    [['DELETE'], 'CREATE', false],
    [['CREATE', 'CONNECT'], 'CONNECT', true],
  ])('%j on %s: %s', (operations, operation, expected) => {
    const match = operations === undefined ? {} : { operations };
    expect(matches(match, request({ operation }), undefined)).toBe(expected);
  });
});

describe('scope', () => {
  it.each<[NonNullable<Match['scope']>, string, AdmissionRequest, boolean]>([
    ['*', 'Deployment', request(), true],
    ['Namespaced', 'Deployment', request(), true],
    ['Cluster', 'Deployment', request(), false],
    ['*', 'Node', node, true],
    ['Namespaced', 'Node', node, false],
    ['Cluster', 'Node', node, true],
    ['Namespaced', 'Namespace', request(NAMESPACE), false],
    ['Cluster', 'Namespace', request(NAMESPACE), true],
  ])('%s, %s: %#', (scope, _kind, subject, expected) => {
    expect(matches({ scope }, subject, undefined)).toBe(expected);
  });
});

describe('namespaces and excludedNamespaces', () => {
  const other = request({ namespace: 'dev', object: object({ name: 'shop' }) });
  it.each<[Match, AdmissionRequest, boolean]>([
    [{ namespaces: ['prod'] }, request(), true],
    [{ namespaces: ['prod'] }, other, false],
    [{ namespaces: ['pr*'] }, request(), true],
    [{ namespaces: ['*od'] }, request(), true],
    [{ namespaces: [] }, other, true],
    [{ excludedNamespaces: ['prod'] }, request(), false],
    [{ excludedNamespaces: ['kube-*', 'p*'] }, request(), false],
    [{ excludedNamespaces: ['prod'] }, other, true],
    [{ namespaces: ['*'], excludedNamespaces: ['prod'] }, request(), false],
    // Namespaces say nothing about what is in none.
    [{ namespaces: ['prod'] }, node, true],
    [{ excludedNamespaces: ['*'] }, node, true],
    [{ namespaces: ['dev'] }, request(NAMESPACE), false],
    [{ namespaces: ['prod'] }, request(NAMESPACE), true],
    [{ excludedNamespaces: ['prod'] }, request(NAMESPACE), false],
  ])('%j: %#', (match, subject, expected) => {
    expect(matches(match, subject, undefined)).toBe(expected);
  });

  it('takes the namespace of the object where the request has none', () => {
    const { namespace: _none, ...bare } = request();
    expect(matches({ namespaces: ['prod'] }, bare, undefined)).toBe(true);
    expect(matches({ namespaces: ['dev'] }, bare, undefined)).toBe(false);
  });
});

describe('name', () => {
  const { name: _name, ...unnamed } = request({ object: object({ generateName: 'shop-' }) });
  it.each<[string, AdmissionRequest, boolean]>([
    ['shop', request(), true],
    ['sh*', request(), true],
    ['*op', request(), true],
    ['sho', request(), false],
    ['', request(), true],
    ['shop', request({ name: '' }), true],
    ['shop-*', unnamed, true],
    ['shop-x*', unnamed, false],
    ['shop-', unnamed, false],
    ['*shop', unnamed, false],
  ])('%j: %#', (name, subject, expected) => {
    expect(matches({ name }, subject, undefined)).toBe(expected);
  });
});

describe('labelSelector', () => {
  const web = { matchLabels: { tier: 'web' } };
  const plain = object({ name: 'shop' });
  const labelled = object({ name: 'shop', labels: { tier: 'web' } });
  it.each<[string, Partial<AdmissionRequest>, boolean]>([
    ['has the label', { object: labelled }, true],
    ['has it not', { object: plain }, false],
    ['loses it', { operation: 'UPDATE', object: plain, oldObject: labelled }, true],
    ['gains it', { operation: 'UPDATE', object: labelled, oldObject: plain }, true],
    ['neither', { operation: 'UPDATE', object: plain, oldObject: plain }, false],
    ['is deleted', { operation: 'DELETE', object: null, oldObject: labelled }, true],
    ['has no metadata', { object: { kind: 'PodExecOptions' } as unknown as Unstructured }, false],
    ['is none', { object: null }, false],
  ])('an object that %s: %s', (_name, over, expected) => {
    const match: Match = { labelSelector: web, operations: ['CREATE', 'UPDATE', 'DELETE'] };
    expect(matches(match, request(over), undefined)).toBe(expected);
  });

  it('is judged without an object by what an unlabelled one would be', () => {
    const absent: Match = { labelSelector: { matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] } };
    expect(matches(absent, request({ object: null }), undefined)).toBe(true);
  });
});

describe('namespaceSelector', () => {
  const match: Match = { namespaceSelector: { matchLabels: { team: 'a' } } };
  it.each<[string, AdmissionRequest, Record<string, string> | undefined, boolean]>([
    ['a namespace with the label', request(), { team: 'a' }, true],
    ['a namespace without', request(), { team: 'b' }, false],
    ['a namespace that is not known: judged', request(), undefined, true],
    ['a cluster-scoped object', node, undefined, true],
    ['a Namespace by its own labels', request(NAMESPACE), undefined, true],
    ['a Namespace, not by those of its namesake in the cache', request(NAMESPACE), { team: 'b' }, true],
    [
      'a Namespace without the label',
      request({ ...NAMESPACE, object: object({ name: 'x' }) }),
      { team: 'a' },
      false,
    ],
  ])('%s', (_name, subject, labels, expected) => {
    expect(matches(match, subject, labels)).toBe(expected);
  });
});

it('wants all that is set to hold', () => {
  const match: Match = {
    kinds: [{ apiGroups: ['apps'], kinds: ['Deployment'] }],
    scope: 'Namespaced',
    namespaces: ['prod'],
    excludedNamespaces: ['dev'],
    labelSelector: { matchLabels: { app: 'shop' } },
    namespaceSelector: { matchLabels: { env: 'live' } },
    name: 'shop',
    operations: ['CREATE'],
  };
  expect(matches(match, request(), { env: 'live' })).toBe(true);
  const spoilt: Match[] = [
    { ...match, kinds: [{ kinds: ['Pod'] }] },
    { ...match, scope: 'Cluster' },
    { ...match, namespaces: ['dev'] },
    { ...match, excludedNamespaces: ['prod'] },
    { ...match, labelSelector: { matchLabels: { app: 'x' } } },
    { ...match, namespaceSelector: { matchLabels: { env: 'x' } } },
    { ...match, name: 'x' },
    { ...match, operations: ['UPDATE'] },
  ];
  for (const one of spoilt) expect(matches(one, request(), { env: 'live' })).toBe(false);
});

describe('matchesGlob', () => {
  it.each<[string, string, boolean]>([
    ['*', '', true],
    ['*', 'a', true],
    ['**', 'a', true],
    ['a*', 'a', true],
    ['*a', 'a', true],
    ['*a*', 'xax', true],
    ['*a*', 'xxx', false],
    ['a*b', 'axb', false],
    ['a*b', 'a*b', true],
    ['kube-*', 'kube-system', true],
    ['kube-*', 'my-kube-system', false],
    ['', 'a', false],
    ['a.c', 'abc', false],
  ])('%j on %j: %s', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });
});

describe('selects', () => {
  const expression = (
    operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
    ...values: string[]
  ): LabelSelector => ({
    matchExpressions: [{ key: 'k', operator, values }],
  });
  it.each<[LabelSelector, Record<string, string>, boolean]>([
    [{}, {}, true],
    [{ matchLabels: { k: 'a' } }, { k: 'a' }, true],
    [{ matchLabels: { k: 'a', l: 'b' } }, { k: 'a' }, false],
    [{ matchLabels: { k: '' } }, {}, false],
    [expression('In', 'a', 'b'), { k: 'b' }, true],
    [expression('In', 'a'), {}, false],
    [expression('NotIn', 'a'), { k: 'a' }, false],
    [expression('NotIn', 'a'), {}, true],
    [expression('Exists'), { k: '' }, true],
    [expression('Exists'), {}, false],
    [expression('DoesNotExist'), {}, true],
    [expression('DoesNotExist'), { k: '' }, false],
    [{ matchLabels: { k: 'a' }, ...expression('NotIn', 'a') }, { k: 'a' }, false],
    // What JavaScript gives every object is no label.
    [{ matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }, {}, false],
    [{ matchExpressions: [{ key: '__proto__', operator: 'Exists' }] }, {}, false],
  ])('%j on %j: %s', (selector, labels, expected) => {
    expect(selects(selector, labels)).toBe(expected);
  });
});
