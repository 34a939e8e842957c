/** Which rules judge what of a request: pure. */
import { describe, expect, it } from '@jest/globals';
import { actionAt } from '../../../src/policy/enforcement.ts';
import { selector, type Selection, type View } from '../../../src/policy/select.ts';
import type { PolicyRule } from '../../../src/policy/policyrule/types.gen.ts';
import type { EntryId } from '../../../src/runtime/webhook/target.ts';
import type { AdmissionRequest } from '../../../src/runtime/webhook/review.ts';
import { object, parentOf, parentRequest, podRequest, rule } from './requests.ts';

const VIEW = { namespaceLabels: {}, systemNamespaces: ['kube-system', 'own'] };

function select(
  subject: PolicyRule,
  request: AdmissionRequest,
  entry: EntryId = { mode: 'Ignore' },
  view: Partial<View> = {},
): Selection | undefined {
  return selector(request, entry, { ...VIEW, owner: request.kind, ...view })(subject);
}

const conditional = rule('c', {}, { matchConditions: [{ name: 'x', expression: 'true' }] });

describe('an entry', () => {
  it.each<[string, PolicyRule, EntryId, boolean]>([
    ['asks the rules of its failure mode', rule('r', {}), { mode: 'Ignore' }, true],
    ['and no other', rule('r', {}), { mode: 'Fail' }, false],
    ['of all asks none with conditions', conditional, { mode: 'Ignore' }, false],
    ['of one rule asks that one', conditional, { mode: 'Ignore', own: 'c' }, true],
    ['of one rule asks no other', rule('r', {}), { mode: 'Ignore', own: 'c' }, false],
  ])('%s', (_what, subject, entry, expected) => {
    expect(select(subject, podRequest(), entry) !== undefined).toBe(expected);
  });

  it('asks no rule that is off at admission', () => {
    const off = rule('r', {}, { enforcement: [{ point: 'Admission', action: 'Off' }] });
    expect(select(off, podRequest())).toBeUndefined();
    const elsewhere = rule('r', {}, { enforcement: [{ point: 'CLI', action: 'Off' }] });
    expect(select(elsewhere, podRequest())).toBeDefined();
  });
});

describe('what is never judged', () => {
  const everything = rule('r', { kinds: [{ apiGroups: ['*'], kinds: ['*'] }] });
  const going = object({ name: 'web', deletionTimestamp: '2026-11-25T08:00:00Z' });
  it.each<[string, AdmissionRequest, boolean]>([
    ['a rule', podRequest({ kind: { group: 'cogniforge.dev', version: 'v1', kind: 'PolicyRule' } }), false],
    ['an update of what is being deleted', podRequest({ operation: 'UPDATE', oldObject: going }), false],
    ['an update of anything else', podRequest({ operation: 'UPDATE', oldObject: object({}) }), true],
    [
      'what only calls itself so',
      podRequest({ operation: 'UPDATE', object: going, oldObject: object({}) }),
      true,
    ],
    ['a creation of what calls itself so', podRequest({ object: going, oldObject: going }), true],
  ])('%s: %#', (_what, request, expected) => {
    expect(select(everything, request) !== undefined).toBe(expected);
  });
});

describe('a namespace of the system', () => {
  const NAMESPACE = { group: '', version: 'v1', kind: 'Namespace' };
  const inSystem = podRequest({ namespace: 'kube-system' });
  const kinds = [{ apiGroups: ['*'], kinds: ['Pod', 'Namespace'] }];
  it.each<[string, string[] | undefined, AdmissionRequest, boolean]>([
    ['is not judged', undefined, inSystem, false],
    ['nor by a pattern', ['*', 'kube-*'], inSystem, false],
    ['unless it is named', ['x', 'kube-system'], inSystem, true],
    ['and only there', ['kube-system'], podRequest({ namespace: 'own' }), false],
    ['our own likewise', ['own'], podRequest({ namespace: 'own' }), true],
    ['is itself not judged', ['*'], podRequest({ kind: NAMESPACE, name: 'kube-system' }), false],
    ['unless it is named', ['kube-system'], podRequest({ kind: NAMESPACE, name: 'kube-system' }), true],
    [
      'is not one by the namespace of the request',
      ['*'],
      podRequest({ kind: NAMESPACE, name: 'x', namespace: 'own' }),
      true,
    ],
  ])('%s: %#', (_what, namespaces, request, expected) => {
    const match = { kinds, ...(namespaces === undefined ? {} : { namespaces }) };
    expect(select(rule('r', match), request) !== undefined).toBe(expected);
  });
});

describe('a template', () => {
  const template = { metadata: { labels: { app: 'web' } }, spec: {} };
  const request = parentRequest('Deployment', template, { operation: 'UPDATE' });
  it('is judged as a Pod, by its own labels and the name that it will begin with', () => {
    const match = { labelSelector: { matchLabels: { app: 'web' } }, name: 'web-*', namespaces: ['prod'] };
    const selection = select(rule('r', match), request);
    expect(selection?.expansion?.parent).toBe('Deployment web');
    for (const spoilt of [
      { labelSelector: { matchLabels: { app: 'x' } } },
      { name: 'web' },
      { namespaces: ['x'] },
      { namespaceSelector: { matchLabels: { a: 'b' } } },
      { subjects: [{ kind: 'User' as const, name: 'bob', namespace: '' }] },
    ])
      expect(select(rule('r', { ...match, ...spoilt }), request)).toBeUndefined();
  });

  it('is left to the object itself where the rule is about that', () => {
    const kinds = [{ apiGroups: ['*'], kinds: ['Pod', 'Deployment'] }];
    expect(select(rule('r', { kinds }), request)).toEqual({ muted: false });
  });

  it('is not judged again on the way down, and the Pod in silence', () => {
    const owner = (kind: string) => ({
      ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'web', uid: 'u', controller: true }],
    });
    const replicas = parentOf('ReplicaSet', template, owner('Deployment'));
    expect(
      select(rule('r', {}), parentRequest('ReplicaSet', template, { object: replicas })),
    ).toBeUndefined();
    expect(select(rule('r', {}), parentRequest('ReplicaSet', template))?.expansion).toBeDefined();
    const pod = podRequest({ object: object({ name: 'web', ...owner('ReplicaSet') }) });
    expect(select(rule('r', {}), pod)).toEqual({ muted: true });
    expect(select(rule('r', {}, { expand: 'Off' }), pod)).toEqual({ muted: false });
  });
});

describe('actionAt', () => {
  it.each<[Partial<PolicyRule['spec']>, string]>([
    [{}, 'Enforce'],
    [{ enforcementMode: 'Warn' }, 'Warn'],
    [{ enforcementMode: 'Warn', enforcement: [{ point: 'Audit', action: 'Off' }] }, 'Warn'],
    [{ enforcementMode: 'Warn', enforcement: [{ point: 'Admission', action: 'Audit' }] }, 'Audit'],
  ])('%j at admission: %s', (spec, expected) => {
    expect(actionAt(spec, 'Admission')).toBe(expected);
  });
});
