import { describe, expect, it } from '@jest/globals';
import {
  covers,
  deriveConfiguration,
  ownerOf,
  type Derivation,
} from '../../../src/runtime/webhook/configuration.ts';
import type { ApiResource } from '../../../src/runtime/discovery.ts';
import { exemptKinds, unknownKinds, unknownParts } from '../../../src/runtime/webhook/rules.ts';
import type { Target } from '../../../src/runtime/webhook/target.ts';

/** Subresources as `exec`, or with the kind of what is sent there: `exec PodExecOptions`. */
function resource(group: string, kind: string, plural: string, ...parts: string[]): ApiResource {
  const subresources = parts.map((part) => {
    const [name = '', sent = kind] = part.split(' ');
    return { name, group: '', kind: sent };
  });
  return { group, version: 'v1', kind, plural, namespaced: true, subresources };
}

const RESOURCES = [
  resource('apps', 'Deployment', 'deployments', 'scale Scale', 'status'),
  resource(
    '',
    'Pod',
    'pods',
    'exec PodExecOptions',
    'eviction Eviction',
    'ephemeralcontainers',
    'resize',
    'status',
  ),
  resource('', 'Namespace', 'namespaces', 'finalize'),
  resource('metrics.k8s.io', 'Pod', 'podmetrics'),
];

function target(over: Partial<Target> = {}): Target {
  return {
    failureMode: 'Fail',
    kinds: [{ apiGroups: ['apps'], kinds: ['Deployment'] }],
    operations: ['CREATE', 'UPDATE'],
    parts: [''],
    scope: '*',
    namespaces: [],
    timeoutMs: 1_000,
    ...over,
  };
}

const BARE: Derivation = {
  targets: [],
  own: [],
  resources: RESOURCES,
  client: { caBundle: 'Q0E=', url: 'https://h:1' },
  proven: 'p',
  failMode: 'Rule',
  namespace: 'own',
};

function derive(over: Partial<Derivation>) {
  return deriveConfiguration({ ...BARE, ...over }).webhooks ?? [];
}

describe('the webhook configuration', () => {
  it('asks for nothing but its own probe when no rule is in force', () => {
    const [probe, ...others] = derive({});
    expect(others).toEqual([]);
    expect(probe?.failurePolicy).toBe('Ignore');
    expect(JSON.stringify(probe?.['namespaceSelector'])).toContain('"operator":"In","values":["own"]');
    expect(JSON.stringify(probe?.matchConditions)).toContain(
      "request.dryRun == true && object.metadata.name == 'cogniforge-probe'",
    );
  });

  it('asks for exactly the resources that the rules name', () => {
    const [entry] = derive({ targets: [target(), target({ kinds: [{ apiGroups: [''], kinds: ['Pod'] }] })] });
    expect(entry?.rules.map(({ apiGroups, resources }) => [apiGroups, resources])).toEqual([
      [[''], ['pods']],
      [['apps'], ['deployments']],
    ]);
  });

  it('fails closed only when the road to us is proven', () => {
    expect(derive({ targets: [target()] })[0]?.failurePolicy).toBe('Fail');
    expect(derive({ targets: [target()], proven: undefined })[0]?.failurePolicy).toBe('Ignore');
    expect(derive({ targets: [target({ failureMode: 'Ignore' })] })[0]?.failurePolicy).toBe('Ignore');
    expect(derive({ targets: [target()], failMode: 'Ignore' })[0]?.failurePolicy).toBe('Ignore');
  });

  it('never sends our own namespace nor kube-system, and exempts what keeps the cluster alive from a rule about everything', () => {
    const [entry] = derive({ targets: [target({ kinds: [{ apiGroups: ['*'], kinds: ['*'] }] })] });
    expect(JSON.stringify(entry?.['namespaceSelector'])).toContain('"NotIn","values":["kube-system","own"]');
    const conditions = JSON.stringify(entry?.matchConditions);
    for (const word of ['leases', 'events', 'authentication.k8s.io', 'authorization.k8s.io', 'status'])
      expect(conditions).toContain(word);
  });

  it('names a kind that the API server does not serve nowhere', () => {
    expect(derive({ targets: [target({ kinds: [{ apiGroups: ['*'], kinds: ['Podd'] }] })] })).toEqual(
      derive({}),
    );
  });

  it('names what is never judged nowhere, also where a target does', () => {
    const resources = [resource('coordination.k8s.io', 'Lease', 'leases'), resource('', 'Event', 'events')];
    const subject = target({ kinds: [{ apiGroups: ['*'], kinds: ['Lease', 'Event'] }] });
    expect(derive({ targets: [subject], resources })).toEqual(derive({}));
    expect(exemptKinds(subject, resources)).toEqual(['Lease', 'Event']);
    const namesake = resource('example.dev', 'Event', 'events');
    expect(exemptKinds(subject, [...resources, namesake])).toEqual(['Lease']);
  });

  it('covers what it was derived from, and no more', () => {
    const configuration = deriveConfiguration({
      targets: [target()],
      own: [],
      resources: RESOURCES,
      client: { caBundle: '', url: 'https://h' },
      proven: 'p',
      failMode: 'Rule',
      namespace: 'own',
    });
    expect(covers(configuration, target(), RESOURCES, 'own')).toBe(true);
    expect(covers(configuration, target({ operations: ['DELETE'] }), RESOURCES, 'own')).toBe(false);
    expect(covers(configuration, target({ failureMode: 'Ignore' }), RESOURCES, 'own')).toBe(false);
    expect(covers(undefined, target(), RESOURCES, 'own')).toBe(false);
  });
});

describe('subresources', () => {
  const PODS = [{ apiGroups: [''], kinds: ['Pod'] }];
  const sent = (...targets: Partial<Target>[]): string[] =>
    derive({ targets: targets.map((over) => target(over)) })
      .filter(({ name }) => name.endsWith('.admission.cogniforge.dev'))
      .flatMap(({ rules }) =>
        rules.map((rule) => `${rule.resources.join(',')} ${rule.operations.join('+')}`),
      );

  it.each<[string, string[], string[]]>([
    ['are not sent unasked', sent({ kinds: PODS }), ['pods CREATE+UPDATE']],
    ['beside the object', sent({ kinds: PODS, parts: ['', 'exec'] }), ['pods,pods/exec CREATE+UPDATE']],
    ['alone', sent({ kinds: PODS, parts: ['exec'], operations: ['CONNECT'] }), ['pods/exec CONNECT']],
    ['all', sent({ kinds: PODS, parts: ['', '*'] }), ['pods/* CREATE+UPDATE']],
    ['that a kind has not', sent({ kinds: PODS, parts: ['', 'scale'] }), ['pods CREATE+UPDATE']],
    [
      'of a kind that has none',
      sent({ kinds: [{ apiGroups: ['metrics.k8s.io'], kinds: ['Pod'] }], parts: ['*'] }),
      [],
    ],
    [
      'of several kinds, each what it has',
      sent({ kinds: [{ apiGroups: ['', 'apps'], kinds: ['Pod', 'Deployment'] }], parts: ['scale', 'exec'] }),
      ['pods/exec CREATE+UPDATE', 'deployments/scale CREATE+UPDATE'],
    ],
    [
      'by their own kinds',
      sent({ kinds: [{ apiGroups: [''], kinds: ['PodExecOptions'] }], operations: ['CONNECT'] }),
      ['pods/exec CONNECT'],
    ],
    [
      'of every kind',
      sent({ kinds: [{ apiGroups: ['*'], kinds: ['*'] }], parts: ['', 'scale'] }),
      ['*,*/scale CREATE+UPDATE'],
    ],
    // The API server refuses a wildcard beside what it covers.
    [
      'not twice',
      sent({ kinds: PODS, parts: ['', 'exec'] }, { kinds: PODS, parts: ['*'] }),
      ['pods/* CREATE+UPDATE'],
    ],
    [
      'nor beside those of every kind',
      sent(
        { kinds: [{ apiGroups: [''], kinds: ['*'] }], parts: ['exec'] },
        { kinds: PODS, parts: ['', 'exec', 'resize'] },
      ),
      ['*/exec,pods,pods/resize CREATE+UPDATE'],
    ],
    [
      'nor beside everything',
      sent({ kinds: [{ apiGroups: [''], kinds: ['*'] }], parts: ['*'] }, { kinds: PODS }),
      ['*/* CREATE+UPDATE'],
    ],
    [
      'each with its operations',
      sent({ kinds: PODS, operations: ['DELETE'] }, { kinds: PODS, operations: ['CONNECT'], parts: ['*'] }),
      ['pods/* CONNECT', 'pods DELETE'],
    ],
  ])('%s', (_what, rules, expected) => {
    expect(rules).toEqual(expected);
  });

  it('that no kind has are unknown', () => {
    const subject = target({ kinds: PODS, parts: ['', 'exec', 'scal', '*'] });
    expect(unknownParts(subject, RESOURCES)).toEqual(['scal']);
    expect(unknownParts({ ...subject, kinds: [{ apiGroups: ['*'], kinds: ['*'] }] }, RESOURCES)).toEqual([]);
    const named = target({ kinds: [{ apiGroups: [''], kinds: ['PodExecOptions', 'Podd'] }] });
    expect(unknownKinds(named, RESOURCES)).toEqual(['Podd']);
  });
});

describe('a target with conditions', () => {
  const conditions = [{ name: 'mine', expression: 'true' }];
  const own = { name: 'a.b', conditions };

  it('has an entry of its own', () => {
    const [all, mine] = derive({ targets: [target(), target({ own })] });
    expect([all?.name, mine?.name]).toEqual([
      'fail.admission.cogniforge.dev',
      'a.b.rule.fail.admission.cogniforge.dev',
    ]);
    expect([all?.matchConditions, mine?.matchConditions]).toEqual([undefined, conditions]);
    expect(mine?.['clientConfig']).toMatchObject({ url: 'https://h:1/admit/fail/a.b' });
    expect(mine && ownerOf(mine)).toBe('a.b');
    expect(all && ownerOf(all)).toBeUndefined();
  });

  it('about everything has them beside what is never judged', () => {
    const never = [{ group: 'g.dev', plural: 'rules' }];
    const everything = target({ kinds: [{ apiGroups: ['*'], kinds: ['*'] }], own, never });
    const names = derive({ targets: [everything] })[0]?.matchConditions?.map(({ name }) => name);
    expect(names).toEqual([
      'mine',
      ...['leases', 'events', 'reviews', 'status', 'rules'].map((name) => `cogniforge.dev/not-${name}`),
    ]);
    expect(derive({ targets: [everything] })[0]?.matchConditions?.at(-1)?.expression).toBe(
      "!(request.resource.group == 'g.dev' && request.resource.resource == 'rules')",
    );
  });

  it('is covered only on these conditions', () => {
    const subject = target({ own });
    const webhooks = derive({ targets: [subject] });
    const configuration = { ...deriveConfiguration({ ...BARE, targets: [] }), webhooks };
    expect(covers(configuration, subject, RESOURCES, 'own')).toBe(true);
    const changed = target({ own: { ...own, conditions: [{ name: 'mine', expression: 'false' }] } });
    expect(covers(configuration, changed, RESOURCES, 'own')).toBe(false);
    expect(covers(configuration, target(), RESOURCES, 'own')).toBe(false);
  });
});

describe('a namespace of the system', () => {
  const namespaces = ['own', 'kube-system', 'prod'];
  const selectors = (targets: Target[]): unknown[] =>
    derive({ targets })
      .filter(({ name }) => name.endsWith('.admission.cogniforge.dev'))
      .map(({ name, namespaceSelector, failurePolicy }) => [
        name.replace('.admission.cogniforge.dev', ''),
        (namespaceSelector as { matchExpressions: object[] }).matchExpressions,
        failurePolicy,
      ]);
  const key = 'kubernetes.io/metadata.name';
  const others = { key, operator: 'NotIn', values: ['kube-system', 'own'] };

  it('has an entry where a target names it; ours never fails closed', () => {
    expect(selectors([target({ namespaces }), target({ failureMode: 'Ignore' })])).toEqual([
      ['fail', [others], 'Fail'],
      ['kube-system.namespace.fail', [{ key, operator: 'In', values: ['kube-system'] }], 'Fail'],
      ['own.namespace.fail', [{ key, operator: 'In', values: ['own'] }], 'Ignore'],
      ['ignore', [others], 'Ignore'],
    ]);
    const own = { name: 'a', conditions: [] };
    const names = selectors([target({ own, namespaces: ['own'] })]).map((entry) => (entry as [string])[0]);
    expect(names).toEqual(['a.rule.fail', 'a.rule.own.namespace.fail']);
    expect(
      ownerOf({
        name: 'a.rule.own.namespace.fail.admission.cogniforge.dev',
        rules: [],
        failurePolicy: 'Fail',
      }),
    ).toBe('a');
  });

  it('no label of a namespace but its name has a say', () => {
    const text = JSON.stringify(
      selectors([target({ namespaces }), target({ own: { name: 'a', conditions: [] } })]),
    );
    expect(new Set(text.match(/"key":"[^"]*"/g))).toEqual(new Set([`"key":"${key}"`]));
    expect(JSON.stringify(derive({ targets: [target({ namespaces })] }))).not.toContain('objectSelector');
  });

  it.each<[Target['scope'], Target['kinds'], string[]]>([
    ['*', [{ apiGroups: ['apps'], kinds: ['Deployment'] }], ['deployments Namespaced']],
    ['*', [{ apiGroups: [''], kinds: ['Namespace'] }], ['namespaces Cluster', 'namespaces Namespaced']],
    ['Cluster', [{ apiGroups: ['*'], kinds: ['*'] }], ['namespaces Cluster']],
    ['Namespaced', [{ apiGroups: ['*'], kinds: ['*'] }], ['* Namespaced']],
    ['*', [{ apiGroups: ['*'], kinds: ['*'] }], ['* Namespaced', 'namespaces Cluster']],
    ['Cluster', [{ apiGroups: ['apps'], kinds: ['*'] }], []],
  ])('is sent what is in it and itself, not what is in none: %s %j', (scope, kinds, expected) => {
    const entry = derive({ targets: [target({ scope, kinds, namespaces: ['kube-system'] })] }).find(
      ({ name }) => name === 'kube-system.namespace.fail.admission.cogniforge.dev',
    );
    const rules = (entry?.rules ?? []).map((rule) => `${rule.resources.join(',')} ${rule.scope}`);
    expect(rules.sort()).toEqual(expected);
  });

  it('is covered only by its own entry', () => {
    const subject = target({ namespaces });
    const configuration = deriveConfiguration({ ...BARE, targets: [subject] });
    expect(covers(configuration, subject, RESOURCES, 'own')).toBe(true);
    const webhooks = configuration.webhooks?.filter(({ name }) => !name.startsWith('kube-system')) ?? [];
    expect(covers({ ...configuration, webhooks }, subject, RESOURCES, 'own')).toBe(false);
  });
});
