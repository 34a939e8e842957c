/**
 * `node scripts/generate/kustomize.ts`: deploy/kustomize out of the chart's default values. Not a part of `npm run
 * generate`, which needs no helm; a test compares what both render.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dump, loadAll } from 'js-yaml';
import { toolPath } from '../../test/cluster/tools.ts';

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: unknown;
}

const ROOT = join(import.meta.dirname, '..', '..');
const BANNER =
  '# Generated from charts/cogniforge by `node scripts/generate/kustomize.ts`. Do not edit: patch it in an overlay.\n';
/** What only Helm understands, or what says that Helm manages the object. */
const HELM_LABELS = ['helm.sh/chart', 'app.kubernetes.io/managed-by'];

/** The chart's objects as they are without Helm: no hooks, no marks of Helm. */
export async function withoutHelm(...args: string[]): Promise<Manifest[]> {
  const helm = await toolPath('helm');
  const command = [
    'template',
    'cogniforge',
    join(ROOT, 'charts', 'cogniforge'),
    '--namespace=cogniforge-system',
  ];
  const { status, stdout, stderr } = spawnSync(helm, [...command, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return documents(stdout)
    .filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === undefined)
    .map(stripped);
}

function documents(text: string): Manifest[] {
  return loadAll(text).filter((document) => document !== null && document !== undefined) as Manifest[];
}

function stripped(object: Manifest): Manifest {
  const copy = JSON.parse(JSON.stringify(object)) as Manifest;
  const pod = (copy['spec'] as { template?: { metadata?: Manifest['metadata'] } } | undefined)?.template
    ?.metadata;
  for (const labels of [copy.metadata.labels, pod?.labels])
    for (const label of HELM_LABELS) if (labels !== undefined) Reflect.deleteProperty(labels, label);
  const { annotations } = copy.metadata;
  if (annotations !== undefined) Reflect.deleteProperty(annotations, 'helm.sh/resource-policy');
  return copy;
}

/** The generated files by path below deploy/kustomize. */
export async function kustomizeFiles(): Promise<Map<string, string>> {
  const objects = await withoutHelm();
  const pack = await withoutHelm('--set=policies.podSecurity.enabled=true');
  const rules = pack
    .filter(({ metadata: { name } }) => name === 'cogniforge-policies')
    .flatMap(({ data }) => Object.values(data as Record<string, string>));
  const of = (wanted: (kind: string) => boolean): string =>
    textOf(objects.filter(({ kind }) => wanted(kind)));
  const crd = 'CustomResourceDefinition';
  const webhook = 'ValidatingWebhookConfiguration';
  return new Map([
    ['crds/crds.yaml', of((kind) => kind === crd)],
    ['operator/webhook.yaml', of((kind) => kind === webhook)],
    ['operator/operator.yaml', of((kind) => kind !== crd && kind !== webhook)],
    ['pod-security/rules.yaml', textOf(rules.flatMap(documents).map(stripped))],
  ]);
}

function textOf(objects: readonly Manifest[]): string {
  const texts = objects.map((object) => dump(object, { lineWidth: 110, noRefs: true }));
  return `${BANNER}${texts.join('---\n')}`;
}

if (import.meta.main) {
  for (const [name, text] of await kustomizeFiles()) {
    const file = join(ROOT, 'deploy', 'kustomize', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`wrote deploy/kustomize/${name}`);
  }
}
