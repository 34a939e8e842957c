/** The chart agrees with the program it installs, and with itself. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { load } from 'js-yaml';
import { permissions } from '../../../src/kinds.ts';
import { certificateNames, readConfig, type Config } from '../../../src/runtime/config.ts';
import { createMetrics } from '../../../src/runtime/metrics.ts';
import { CONFIGURATION_NAME } from '../../../src/runtime/webhook/configuration.ts';
import { toolPath } from '../../cluster/tools.ts';
import { CHART, NAMESPACE, run, template, type KubernetesManifest } from './stage.ts';

type Labels = Record<string, string>;

interface PodTemplate {
  metadata: { labels: Labels };
  spec: {
    serviceAccountName: string;
    containers: {
      args: string[];
      image: string;
      ports?: { name: string; containerPort: number }[];
      env?: { name: string }[];
    }[];
    volumes?: { name: string; secret?: { secretName: string } }[];
    topologySpreadConstraints?: { labelSelector: { matchLabels: Labels } }[];
  };
}

const CERT_MANAGER = '--set=webhook.certManager.enabled=true';

function one(objects: readonly KubernetesManifest[], kind: string, name: string): KubernetesManifest {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}

function podOf(objects: readonly KubernetesManifest[]): PodTemplate {
  return (one(objects, 'Deployment', 'cogniforge')['spec'] as { template: PodTemplate }).template;
}

function configOf(pod: PodTemplate): Config {
  const [command, ...flags] = pod.spec.containers[0]?.args ?? [];
  expect(command).toBe('controller');
  return readConfig(flags, { COGNIFORGE_NAMESPACE: NAMESPACE });
}

function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

let objects: KubernetesManifest[];

beforeAll(async () => {
  objects = await template();
});

describe('the Deployment', () => {
  it('gives the operator flags that it knows, and the ports that it listens on', () => {
    const pod = podOf(objects);
    const config = configOf(pod);
    const ports = Object.fromEntries(
      (pod.spec.containers[0]?.ports ?? []).map(({ name, containerPort }) => [name, containerPort]),
    );
    expect(ports).toEqual({ webhook: config.webhookPort, health: config.healthPort });
    expect(config).toMatchObject({
      webhookFailMode: 'Rule',
      lameDuckMs: 5_000,
      logLevel: 'info',
      webhookCertDir: undefined,
    });
    expect(pod.spec.containers[0]?.env?.map(({ name }) => name)).toEqual([
      'COGNIFORGE_NAMESPACE',
      'POD_NAME',
    ]);
    one(objects, 'Service', config.webhookService);
    one(objects, 'ServiceAccount', pod.spec.serviceAccountName);
    one(objects, 'ValidatingWebhookConfiguration', CONFIGURATION_NAME);
  });

  it('passes values on', async () => {
    const config = configOf(
      podOf(await template('--set=webhook.failMode=Ignore,webhook.lameDuckSeconds=15,logLevel=debug')),
    );
    expect(config).toMatchObject({ webhookFailMode: 'Ignore', lameDuckMs: 15_000, logLevel: 'debug' });
  });

  it('takes the image by tag, by digest, and of the chart where neither is given', async () => {
    const image = async (...args: string[]) => podOf(await template(...args)).spec.containers[0]?.image;
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    const digest = `sha256:${'a'.repeat(64)}`;
    expect(await image()).toBe(`ghcr.io/cogniforge/cogniforge:${version}`);
    expect(await image('--set=image.repository=r,image.tag=t')).toBe('r:t');
    expect(await image(`--set=image.repository=r,image.tag=t,image.digest=${digest}`)).toBe(`r@${digest}`);
  });
});

describe('selectors', () => {
  it("take the operator's Pods and not those of hooks and tests", async () => {
    const all = await template('--set=policies.podSecurity.enabled=true');
    const pod = podOf(all);
    const job = (one(all, 'Job', 'cogniforge-policies')['spec'] as { template: PodTemplate }).template;
    const test = one(all, 'Pod', 'cogniforge-test') as unknown as PodTemplate;
    const matchLabels = (kind: string, name: string): Labels => {
      const { selector, podSelector = selector } = one(all, kind, name)['spec'] as Record<
        string,
        { matchLabels?: Labels }
      >;
      return podSelector?.matchLabels ?? (selector as unknown as Labels);
    };
    for (const [kind, name] of [
      ['Deployment', 'cogniforge'],
      ['Service', 'cogniforge-webhook'],
      ['Service', 'cogniforge-metrics'],
      ['PodDisruptionBudget', 'cogniforge'],
      ['NetworkPolicy', 'cogniforge-operator'],
    ] as const) {
      const selector = matchLabels(kind, name);
      const taken = [pod, job, test].map(({ metadata: { labels } }) => selects(selector, labels));
      expect([kind, name, ...taken]).toEqual([kind, name, true, false, false]);
    }
    const everyone = matchLabels('NetworkPolicy', 'cogniforge');
    expect([pod, job, test].every(({ metadata: { labels } }) => selects(everyone, labels))).toBe(true);
    expect(pod.spec.topologySpreadConstraints).toHaveLength(2);
    for (const { labelSelector } of pod.spec.topologySpreadConstraints ?? [])
      expect(selects(labelSelector.matchLabels, pod.metadata.labels)).toBe(true);
  });
});

describe('rights', () => {
  it('are those of src/kinds.ts, without a wildcard', () => {
    expect(one(objects, 'ClusterRole', 'cogniforge')['rules']).toEqual(permissions.cluster);
    expect(one(objects, 'Role', 'cogniforge')['rules']).toEqual(permissions.namespace);
    const roles = objects.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role');
    expect(roles.length).toBeGreaterThanOrEqual(4);
    expect(JSON.stringify(roles)).not.toContain('"*"');
  });

  it('hold no Secret where cert-manager brings the certificate', async () => {
    const { rules } = one(await template(CERT_MANAGER), 'Role', 'cogniforge') as unknown as {
      rules: { resources: string[] }[];
    };
    expect(rules.flatMap(({ resources }) => resources)).not.toContain('secrets');
    expect(rules.flatMap(({ resources }) => resources)).toContain('configmaps');
  });
});

describe('CRDs', () => {
  it('are copies of crds/', () => {
    const copies = join(CHART, 'files', 'crds');
    expect(readdirSync(copies)).toEqual(readdirSync('crds'));
    for (const file of readdirSync('crds'))
      expect(readFileSync(join(copies, file), 'utf8')).toBe(readFileSync(join('crds', file), 'utf8'));
  });

  it('are rendered with every field', async () => {
    const { spec } = one(objects, 'CustomResourceDefinition', 'policyrules.cogniforge.dev');
    const source = load(readFileSync('crds/policyrules.yaml', 'utf8'), {
      schema: (await import('js-yaml')).YAML11_SCHEMA,
    });
    expect(spec).toEqual((JSON.parse(JSON.stringify(source)) as { spec: unknown }).spec);
  });

  it('are kept, or go with the chart, or are none of its business', async () => {
    const crds = async (...args: string[]) =>
      (await template(...args)).filter(({ kind }) => kind === 'CustomResourceDefinition');
    const policies = async (...args: string[]) =>
      (await crds(...args)).map(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy']);
    expect(new Set(await policies())).toEqual(new Set(['keep']));
    expect(new Set(await policies('--set=crds.keep=false'))).toEqual(new Set([undefined]));
    expect(await crds('--set=crds.enabled=false')).toEqual([]);
  });
});

describe('cert-manager', () => {
  it('makes the certificate that the operator reads, for the names by which it is called', async () => {
    const all = await template(CERT_MANAGER);
    const pod = podOf(all);
    const config = configOf(pod);
    const { spec } = one(all, 'Certificate', 'cogniforge-webhook') as unknown as {
      spec: { dnsNames: string[]; secretName: string };
    };
    expect(spec.dnsNames).toEqual(certificateNames(config));
    expect(config.webhookCertDir).toBe('/etc/cogniforge/webhook');
    expect(pod.spec.volumes?.map(({ secret }) => secret?.secretName).filter(Boolean)).toEqual([
      spec.secretName,
    ]);
    expect(JSON.stringify(pod.spec.containers)).toContain('"mountPath":"/etc/cogniforge/webhook"');
  });

  it('makes no CA of its own where an issuer is given', async () => {
    const all = await template(CERT_MANAGER, '--set=webhook.certManager.issuerRef.name=company');
    expect(all.filter(({ kind }) => kind === 'Issuer')).toEqual([]);
    const { spec } = one(all, 'Certificate', 'cogniforge-webhook') as unknown as {
      spec: { issuerRef: object };
    };
    expect(spec.issuerRef).toEqual({ name: 'company' });
  });
});

describe('alerts', () => {
  const METRIC = /\b[a-z_]+(?=\{)/g;
  const rules = async () => {
    const all = await template(
      '--set=metrics.prometheusRule.enabled=true,metrics.serviceMonitor.enabled=true',
    );
    const { spec } = one(all, 'PrometheusRule', 'cogniforge') as unknown as {
      spec: { groups: { rules: { alert: string; expr: string; annotations: Labels }[] }[] };
    };
    return spec.groups.flatMap(({ rules: found }) => found);
  };

  it('are PromQL', async () => {
    for (const { alert, expr } of await rules()) {
      const errors: number[] = [];
      parser.parse(expr).iterate({
        enter: (node) => {
          if (node.type.isError) errors.push(node.from);
        },
      });
      expect([alert, expr, errors]).toEqual([alert, expr, []]);
    }
  });

  it('ask for metrics that the operator has', async () => {
    const text = await createMetrics().registry.metrics();
    const known = new Set(['up', ...Array.from(text.matchAll(/^# TYPE (\S+)/gm), ([, name]) => name)]);
    const asked = (await rules()).flatMap(({ expr }) => expr.match(METRIC) ?? []);
    expect(asked.length).toBeGreaterThanOrEqual(7);
    expect(asked.filter((name) => !known.has(name.replace(/_bucket$/, '')))).toEqual([]);
  });

  it('say what is wrong and what to do', async () => {
    for (const { annotations } of await rules()) {
      expect(annotations['summary']).toMatch(/\.$/);
      expect(annotations['description']).toMatch(/\.$/);
    }
  });
});

describe('values.schema.json', () => {
  it.each([
    'replicas=3',
    'image.digest=latest',
    'image.pullPolicy=Sometimes',
    'webhook.failMode=Fail',
    'webhook.lameDuckSeconds=16',
    'webhook.certManager.issuerRef.kind=Issuer',
    'policies.podSecurity.enforcementMode=Deny',
    'networkPolicy.apiServerPorts[0]=0',
    'logLevel=loud',
  ])('refuses %s', async (value) => {
    const { ok, text } = run(await toolPath('helm'), ['template', CHART, `--set=${value}`]);
    expect(ok).toBe(false);
    expect(text).toContain((value.split('=')[0] ?? '').split(/[.[]/)[0]);
  });
});
