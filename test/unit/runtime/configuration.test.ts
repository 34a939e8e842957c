import { describe, expect, it } from '@jest/globals';
import { covers, deriveConfiguration, type Derivation } from '../../../src/runtime/webhook/configuration.ts';
import type { ApiResource } from '../../../src/runtime/discovery.ts';
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

function derive(over: Partial<Derivation>) {
  const derivation = {
    targets: [],
    own: [],
    resources: RESOURCES,
    client: { caBundle: 'Q0E=', url: 'https://h:1' },
    proven: 'p',
    failMode: 'Rule' as const,
    namespace: 'own',
  };
  return deriveConfiguration({ ...derivation, ...over }).webhooks ?? [];
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
