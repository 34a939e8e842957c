/** What the API server is asked to send for a rule: pure. */
import { describe, expect, it } from '@jest/globals';
import { targetsOf } from '../../../src/policy/targets.ts';
import type { PolicyRule } from '../../../src/policy/policyrule/types.gen.ts';
import { rule, type Match } from './requests.ts';

const CONFIG_MAP = { kinds: [{ apiGroups: [''], kinds: ['ConfigMap'] }] };

/** `Pod:,exec CONNECT`, for each target. */
function asked(match: Match, spec: Partial<PolicyRule['spec']> = { expand: 'Off' }): string[] {
  return targetsOf(rule('r', match, spec)).map(({ kinds, parts, operations }) => {
    const names = kinds.flatMap((entry) => entry.kinds).join('+');
    return `${names}:${parts.join(',')} ${operations.join('+')}`;
  });
}

describe('targetsOf', () => {
  it.each<[string, string[], string[]]>([
    ['a kind', asked(CONFIG_MAP), ['ConfigMap: CREATE+UPDATE']],
    ['Pods', asked({}), ['Pod: CREATE+UPDATE', 'Pod:ephemeralcontainers,resize UPDATE']],
    [
      'Pods that are created',
      asked({ operations: ['CREATE'] }),
      ['Pod: CREATE', 'Pod:ephemeralcontainers,resize UPDATE'],
    ],
    ['Pods that are deleted', asked({ operations: ['DELETE'] }), ['Pod: DELETE']],
    [
      'Pods of another group',
      asked({ kinds: [{ apiGroups: ['x'], kinds: ['Pod'] }] }),
      ['Pod: CREATE+UPDATE'],
    ],
    [
      'everything',
      asked({ kinds: [{ apiGroups: ['*'], kinds: ['*'] }] }),
      ['*: CREATE+UPDATE', 'Pod:ephemeralcontainers,resize UPDATE'],
    ],
    ['connections', asked({ ...CONFIG_MAP, operations: ['CONNECT'] }), ['ConfigMap:* CONNECT']],
    [
      'what is listed',
      asked({ ...CONFIG_MAP, operations: ['CREATE', 'CONNECT'], subresources: ['exec', 'scale'] }),
      ['ConfigMap:,exec,scale CREATE', 'ConfigMap:exec,scale CONNECT'],
    ],
    [
      'templates',
      asked({}, {}),
      [
        'Pod: CREATE+UPDATE',
        'Pod:ephemeralcontainers,resize UPDATE',
        'Deployment+StatefulSet+DaemonSet+ReplicaSet+Job+CronJob: CREATE+UPDATE',
      ],
    ],
    ['nothing', asked({}, { enforcement: [{ point: 'Admission', action: 'Off' }] }), []],
    [
      'a rule that is off elsewhere',
      asked(CONFIG_MAP, { enforcement: [{ point: 'Audit', action: 'Off' }] }),
      ['ConfigMap: CREATE+UPDATE'],
    ],
  ])('%s', (_what, targets, expected) => {
    expect(targets).toEqual(expected);
  });

  it('says the same of every target of a rule', () => {
    const conditions = [{ name: 'a', expression: 'true' }];
    const subject = rule(
      'r',
      { scope: 'Namespaced', namespaces: ['kube-system', 'kube-*', 'prod'] },
      {
        failurePolicy: 'Fail',
        timeoutMilliseconds: 50,
        matchConditions: conditions,
        existingViolations: 'Block',
      },
    );
    const targets = targetsOf(subject);
    expect(targets).toHaveLength(3);
    for (const target of targets)
      expect(target).toMatchObject({
        failureMode: 'Fail',
        scope: 'Namespaced',
        namespaces: ['kube-system', 'prod'],
        timeoutMs: 50,
        own: { name: 'r', conditions },
        never: [{ group: 'cogniforge.dev', plural: 'policyrules' }],
      });
  });

  it('takes over what the API server has filled in, with time for the old object', () => {
    const bare = { kinds: [{ kinds: ['ConfigMap'] }] } as unknown as Match;
    expect(targetsOf(rule('a', bare))).toEqual([
      {
        failureMode: 'Ignore',
        kinds: [{ apiGroups: ['*'], kinds: ['ConfigMap'] }],
        operations: ['CREATE', 'UPDATE'],
        parts: [''],
        scope: '*',
        never: [{ group: 'cogniforge.dev', plural: 'policyrules' }],
        namespaces: [],
        timeoutMs: 2_000,
      },
    ]);
  });
});
