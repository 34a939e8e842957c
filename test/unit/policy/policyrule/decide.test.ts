import { describe, expect, it } from '@jest/globals';
import { decide } from '../../../../src/policy/policyrule/decide.ts';
import type { Input, ReplicaView } from '../../../../src/policy/policyrule/gather.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');

function replica(identity: string, over: Partial<ReplicaView> = {}): ReplicaView {
  return {
    identity,
    alive: true,
    servedGeneration: 2,
    evaluations: 0,
    denials: 0,
    warnings: 0,
    errors: 0,
    ...over,
  };
}

function input(over: Partial<Input> = {}): Input {
  return {
    rule: {
      apiVersion: 'cogniforge.dev/v1alpha1',
      kind: 'PolicyRule',
      metadata: { name: 'r', generation: 2 },
      spec: {
        suspend: false,
        severity: 'High',
        enforcementMode: 'Enforce',
        expand: 'Auto',
        existingViolations: 'Allow',
        failurePolicy: 'Ignore',
        timeoutMilliseconds: 1_000,
        regoVersion: 'V1',
        match: { kinds: [{ apiGroups: [''], kinds: ['Pod'] }], scope: '*', operations: ['CREATE'] },
        regoQuery: 'input.x',
      },
    },
    lookedAt: 2,
    compiled: {
      generation: 2,
      text: 'package x',
      libs: [],
      from: 'RegoQuery',
      regoVersion: 'V1',
      entrypoint: 'violation',
      compilerVersion: '1.22.2',
      parameters: {},
    },
    problems: [],
    parameterProblems: [],
    testsRun: 0,
    failedTests: [],
    lastError: undefined,
    replicas: [replica('a'), replica('b')],
    covered: true,
    refusal: undefined,
    unknownKinds: [],
    unknownParts: [],
    exemptKinds: [],
    ...over,
  };
}

function ready(over: Partial<Input>): string {
  const condition = decide(input(over), NOW).status.conditions?.find(({ type }) => type === 'Ready');
  return `${String(condition?.status)} ${String(condition?.reason)}`;
}

describe('Ready', () => {
  const suspended = input().rule;
  it.each<[string, Partial<Input>, string]>([
    ['all is well', {}, 'True InForce'],
    ['not compiled yet', { lookedAt: 1 }, 'Unknown Compiling'],
    ['does not compile', { problems: ['rego:3: no'] }, 'False CompileFailed'],
    ['a kind is unknown', { unknownKinds: ['Podd'] }, 'False KindUnknown'],
    ['a subresource is unknown', { unknownParts: ['scal'] }, 'False SubresourceUnknown'],
    ['its conditions are refused', { refusal: 'no CEL', covered: false }, 'False MatchConditionRefused'],
    ['a kind is never judged', { exemptKinds: ['Lease'] }, 'False KindExempt'],
    ['the webhook is not registered', { covered: false }, 'False NotRegistered'],
    [
      'one replica is behind',
      { replicas: [replica('a'), replica('b', { servedGeneration: 1 })] },
      'False ReplicasBehind',
    ],
    [
      'a dead replica does not count',
      { replicas: [replica('a'), replica('b', { alive: false, servedGeneration: 1 })] },
      'True InForce',
    ],
    ['no replica lives', { replicas: [] }, 'False ReplicasBehind'],
    ['suspended', { rule: { ...suspended, spec: { ...suspended.spec, suspend: true } } }, 'False Suspended'],
  ])('%s', (_name, over, expected) => {
    expect(ready(over)).toBe(expected);
  });
});

describe('the status', () => {
  it('is the same when nothing changed: an idle operator writes nothing', () => {
    const first = decide(input(), NOW).status;
    const second = decide(input({ rule: { ...input().rule, status: first } }), NOW + 60_000).status;
    expect(second).toEqual(first);
  });

  it('keeps the last good module while the new version does not compile', () => {
    const good = decide(input(), NOW).status;
    const bad = decide(
      input({ rule: { ...input().rule, status: good }, compiled: undefined, problems: ['no'] }),
      NOW,
    ).status;
    expect(bad.compiledRego).toBe('package x');
    expect(bad.compiledGeneration).toBe(2);
  });

  it('adds up what replicas count, each growth once, over restarts and deaths', () => {
    const step = (status: Input['rule']['status'], replicas: ReplicaView[]) => {
      const rule = { ...input().rule, ...(status === undefined ? {} : { status }) };
      return decide(input({ rule, replicas }), NOW).status;
    };
    let status = step(undefined, [replica('a', { denials: 3 }), replica('b', { denials: 1 })]);
    expect(status.statistics?.denials).toBe(4);
    status = step(status, [replica('a', { denials: 5 }), replica('b', { denials: 1 })]);
    expect(status.statistics?.denials).toBe(6);
    // b was replaced by c, which starts from nothing.
    status = step(status, [replica('a', { denials: 5 }), replica('c', { denials: 2 })]);
    expect(status.statistics?.denials).toBe(8);
  });

  it('adds what a dead replica has counted once, as often as its record is looked at', () => {
    const dead = replica('b', { denials: 4, alive: false });
    let { status } = decide(input({ replicas: [replica('a', { denials: 1 }), dead] }), NOW);
    for (let look = 0; look < 3; look += 1) {
      status = decide(
        input({ rule: { ...input().rule, status }, replicas: [replica('a', { denials: 1 }), dead] }),
        NOW,
      ).status;
    }
    expect(status.statistics?.denials).toBe(5);
    expect(status.enforcedBy).toBe('1/1');
    expect(status.replicas?.map(({ identity, servedGeneration }) => [identity, servedGeneration])).toEqual([
      ['a', 2],
      ['b', 0],
    ]);
    // Its record is gone in the end; what it has counted stays.
    ({ status } = decide(
      input({ rule: { ...input().rule, status }, replicas: [replica('a', { denials: 1 })] }),
      NOW,
    ));
    expect([status.statistics?.denials, status.replicas?.length]).toEqual([5, 1]);
  });

  it('has room for the replicas that live, whoever died before, and forgets none that it has written down', () => {
    const dead = Array.from({ length: 100 }, (_, at) =>
      replica(`d${String(at)}`, { denials: 1, alive: false }),
    );
    const live = [replica('a'), replica('b')];
    let { status } = decide(input({ replicas: [...dead, ...live] }), NOW);
    expect(status.replicas).toHaveLength(64);
    expect(status.replicas?.slice(0, 2).map(({ identity }) => identity)).toEqual(['a', 'b']);
    const total = status.statistics?.denials;
    ({ status } = decide(
      input({ rule: { ...input().rule, status }, replicas: [...dead.toReversed(), ...live] }),
      NOW,
    ));
    expect(status.statistics?.denials).toBe(total);
    // One that has died and counted nothing is no news to anybody.
    ({ status } = decide(input({ replicas: [replica('a'), replica('z', { alive: false })] }), NOW));
    expect(status.replicas?.map(({ identity }) => identity)).toEqual(['a']);
  });

  it.each<[string, Partial<Input>, number]>([
    ['soon, while the API server does not send us the objects', { covered: false }, 500],
    ['now and then, for replicas that die without a word', {}, 30_000],
  ])('is looked at again %s', (_name, over, afterMs) => {
    expect(decide(input(over), NOW).next).toMatchObject({ type: 'wait', until: NOW + afterMs });
  });

  it('tells of a transition once', () => {
    const first = decide(input(), NOW);
    expect(first.events.map(({ reason }) => reason)).toEqual(['InForce']);
    expect(decide(input({ rule: { ...input().rule, status: first.status } }), NOW).events).toEqual([]);
  });
});
