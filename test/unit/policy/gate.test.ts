/** The gate over rules that say what the test puts into the object: old and new violations, counts, what is evaluated. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/runtime/clock.ts';
import { policyGate } from '../../../src/policy/gate.ts';
import { Library } from '../../../src/policy/library.ts';
import type { PolicyRule } from '../../../src/policy/policyrule/types.gen.ts';
import { createLog } from '../../../src/runtime/log.ts';
import type { Gate } from '../../../src/runtime/webhook/gate.ts';
import type { AdmissionRequest, Verdict } from '../../../src/runtime/webhook/review.ts';
import { object, parentOf, parentRequest, podRequest, rule } from './requests.ts';

/** What the stand-in for the engine was given, in order. */
let inputs: string[];
let library: Library;
let gate: Gate;
let failsOnOld: boolean;

interface Spoken {
  review: { object: { says?: unknown; spec?: { says?: unknown } }; oldObject?: unknown };
}

/** The stand-in says what stands in the object, or in the Pod of a template. */
function evaluate(_id: string, input: string): Promise<unknown> {
  inputs.push(input);
  if (failsOnOld && inputs.length > 1) return Promise.reject(new Error('too slow'));
  const { review } = JSON.parse(input) as Spoken;
  return Promise.resolve(review.object.says ?? review.object.spec?.says ?? []);
}

beforeEach(() => {
  inputs = [];
  failsOnOld = false;
  const log = createLog('silent');
  const policy = {
    wasm: new Uint8Array(),
    entrypoint: 'violation' as const,
    text: '',
    libs: [],
    compilerVersion: '',
    regoVersion: 'V1' as const,
  };
  library = new Library({
    compile: () => Promise.resolve(policy),
    engine: { load: () => undefined, unload: () => undefined, evaluate: () => Promise.resolve([]) },
    clock: systemClock,
    log,
    signal: new AbortController().signal,
  });
  const kindOf = (_group: string, resource: string): string | undefined =>
    resource === 'pods' ? 'Pod' : undefined;
  gate = policyGate({
    library,
    evaluate,
    namespaceLabels: () => ({}),
    kindOf,
    systemNamespaces: ['kube-system'],
    log,
  });
});

async function serve(spec: Partial<PolicyRule['spec']>, match: object = {}): Promise<void> {
  const { regoQuery: _query, ...rest } = rule('r', match, spec).spec;
  const stored = { ...rule('r', {}), spec: { ...rest, rego: 'package x' } };
  library.follow({ type: 'added', key: 'r', object: stored });
  while (library.pending().length > 0) await Promise.resolve();
}

async function ask(request: AdmissionRequest): Promise<Verdict> {
  const entry = { mode: 'Ignore' as const };
  if (!gate.matches(request, entry)) return { allowed: true, warnings: ['not asked'] };
  return gate.admit(request, await gate.gather(request, entry, new AbortController().signal));
}

function update(now: unknown, before: unknown): AdmissionRequest {
  const at = (says: unknown) => object({ name: 'web', namespace: 'prod' }, { says });
  return podRequest({ operation: 'UPDATE', object: at(now), oldObject: at(before) });
}

const counts = (): string => {
  const { evaluations, denials, warnings } = library.state('r')?.counts ?? {};
  return [evaluations, denials, warnings].join(' ');
};

type Existing = PolicyRule['spec']['existingViolations'];

describe('violations that were there before', () => {
  const path = (at: number) => ({ msg: 'no probe', details: { path: ['spec', 'containers', at] } });
  it.each<[string, Existing, unknown, unknown, string[], string[]]>([
    ['the same', 'Allow', ['a'], ['a'], [], []],
    ['the same', 'Warn', ['a'], ['a'], [], ['a']],
    ['the same', 'Block', ['a'], ['a'], ['a'], []],
    ['one more', 'Allow', ['a', 'b'], ['a'], ['b'], []],
    ['one more', 'Warn', ['a', 'b'], ['a'], ['b'], ['a']],
    ['another', 'Allow', ['b'], ['a'], ['b'], []],
    ['one fewer', 'Allow', ['a'], ['a', 'b'], [], []],
    ['none', 'Allow', [], ['a'], [], []],
    ['the same elsewhere', 'Allow', [path(0), path(1)], [path(0)], ['no probe at spec.containers[1]'], []],
    [
      'the same with other details',
      'Allow',
      [{ msg: 'a', details: { is: 2 } }],
      [{ msg: 'a', details: { is: 1 } }],
      [],
      [],
    ],
  ])('%s, %s: %#', async (_what, existingViolations, now, before, refused, warned) => {
    await serve({ existingViolations });
    const { allowed, message = '', warnings = [] } = await ask(update(now, before));
    expect(allowed).toBe(refused.length === 0);
    expect([...message.matchAll(/\[r\] (.*?) \(/g)].map(([, words]) => words)).toEqual(refused);
    expect(warnings.map((words) => /made anew: (.*?) \(/.exec(words)?.[1])).toEqual(warned);
    expect(counts()).toBe(
      `1 ${String(Math.sign(refused.length))} ${refused.length > 0 ? '0' : String(warned.length)}`,
    );
  });

  it('are looked for only when the new object has some, and only at an update', async () => {
    await serve({});
    await ask(update([], ['a']));
    expect(inputs).toHaveLength(1);
    await ask(podRequest({ object: object({ name: 'web' }, { says: ['a'] }), oldObject: object({}) }));
    expect(inputs).toHaveLength(2);
    await ask(update(['a'], []));
    expect(inputs).toHaveLength(4);
    // With itself as the old object, so that what is said of a change is not said of it.
    const { review } = JSON.parse(inputs[3] ?? '') as Spoken;
    expect(review.object).toEqual(review.oldObject);
  });

  it('are none where the rule was not about the object before: a label brings it under the rule', async () => {
    await serve({}, { labelSelector: { matchLabels: { judged: 'yes' } } });
    const labelled = (judged: string) =>
      object({ name: 'web', namespace: 'prod', labels: { judged } }, { says: ['a'] });
    const from = (judged: string) =>
      podRequest({ operation: 'UPDATE', object: labelled('yes'), oldObject: labelled(judged) });
    expect((await ask(from('no'))).allowed).toBe(false);
    expect((await ask(from('yes'))).allowed).toBe(true);
  });

  it('that cannot be looked for are taken for new', async () => {
    failsOnOld = true;
    await serve({});
    expect((await ask(update(['a'], ['a']))).allowed).toBe(false);
  });

  it('of a template are warned of: the Pods that are made anew will be refused', async () => {
    await serve({});
    const template = { spec: { says: ['a'] } };
    const oldObject = parentOf('Deployment', template);
    const { allowed, warnings } = await ask(
      parentRequest('Deployment', template, { operation: 'UPDATE', oldObject }),
    );
    expect(allowed).toBe(true);
    expect(warnings).toEqual([
      expect.stringContaining('[r] still refused when made anew: a at spec.template of Deployment web ('),
    ]);
    const fresh = await ask(parentRequest('Deployment', template));
    expect(fresh.message).toContain('[r] a at spec.template of Deployment web (');
  });
});

describe('what is deleted', () => {
  it('is judged as it was', async () => {
    await serve({}, { operations: ['DELETE'] });
    const oldObject = object({ name: 'web' }, { says: ['a'] });
    const { message } = await ask(podRequest({ operation: 'DELETE', object: null, oldObject }));
    expect(message).toContain('[r] a (');
    expect((JSON.parse(inputs[0] ?? '') as Spoken).review.object.says).toEqual(['a']);
  });
});

describe('a Pod of a controller that was judged', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'x', uid: 'x', controller: true };
  const owned = podRequest({ object: object({ name: 'web', ownerReferences: [owner] }, { says: ['a'] }) });
  it.each<[PolicyRule['spec']['enforcementMode'], boolean, string]>([
    ['Enforce', false, '1 1 0'],
    ['Warn', true, '1 0 0'],
    ['Audit', true, '1 0 0'],
  ])('%s: allowed %s, nothing said twice', async (enforcementMode, allowed, counted) => {
    await serve({ enforcementMode });
    const verdict = await ask(owned);
    expect(verdict.allowed).toBe(allowed);
    expect([verdict.warnings, verdict.auditAnnotations]).toEqual([undefined, undefined]);
    expect(counts()).toBe(counted);
    // One that nobody else has answered for.
    const { warnings, auditAnnotations } = await ask(
      podRequest({ object: object({ name: 'web' }, { says: ['a'] }) }),
    );
    expect([warnings, auditAnnotations].filter((words) => words !== undefined)).toHaveLength(allowed ? 1 : 0);
  });
});

it('a subresource is the matter of the kind that it belongs to', async () => {
  await serve({}, { operations: ['CONNECT'] });
  const exec = podRequest({
    kind: { group: '', version: 'v1', kind: 'PodExecOptions' },
    subResource: 'exec',
    operation: 'CONNECT',
    object: { says: ['a'] } as unknown as ReturnType<typeof object>,
  });
  expect((await ask(exec)).allowed).toBe(false);
  expect((await ask(podRequest())).warnings).toEqual(['not asked']);
});
