/** helm, kubectl and the commands of the chart's Pods, each with the rights of its own service account. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { systemClock } from '../../../src/runtime/clock.ts';
import { CONFIG_MAP } from '../../../src/runtime/core-types.ts';
import { connect } from '../../../src/runtime/connect.ts';
import { isApiError, messageOf } from '../../../src/runtime/errors.ts';
import type { Cluster } from '../../cluster/controlplane.ts';
import { toolPath } from '../../cluster/tools.ts';

export const CHART = join('charts', 'cogniforge');
export const NAMESPACE = 'cogniforge-system';

export interface Output {
  ok: boolean;
  text: string;
}

export interface KubernetesManifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    ownerReferences?: { kind: string; name: string }[];
  };
  [field: string]: unknown;
}

export function must({ ok, text }: Output): string {
  if (!ok) throw new Error(text);
  return text;
}

export function manifests(text: string): KubernetesManifest[] {
  return loadAll(text).filter(
    (document) => document !== null && document !== undefined,
  ) as KubernetesManifest[];
}

/** Without a cluster. Throws what helm says. */
export async function template(...args: string[]): Promise<KubernetesManifest[]> {
  const helm = await toolPath('helm');
  return manifests(must(run(helm, ['template', 'cogniforge', CHART, `--namespace=${NAMESPACE}`, ...args])));
}

export function run(command: string, args: readonly string[], options: { input?: string } = {}): Output {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    ...options,
  });
  return { ok: status === 0, text: `${stdout}${status === 0 ? '' : stderr}` };
}

export interface Stage {
  kubectl(args: string, input?: object | readonly object[]): Output;
  helm(...args: string[]): Output;
  /** As `helm`, while this process goes on. */
  helmLater(...args: string[]): Promise<Output>;
  /** A kubeconfig with the rights of a service account of the chart's namespace. */
  kubeconfigOf(serviceAccount: string): string;
  /** `cogniforge` as a Pod of the chart would run it. */
  cogniforge(serviceAccount: string, ...args: string[]): Output;
  configuration(): (KubernetesManifest & { webhooks?: WebhookEntry[] }) | undefined;
}

export interface WebhookEntry {
  name: string;
  failurePolicy: string;
  clientConfig: { caBundle: string };
}

export async function stageOf(cluster: Cluster): Promise<Stage> {
  const { kubeconfig } = cluster;
  const helm = await toolPath('helm');
  const env = { ...process.env, HELM_CACHE_HOME: cluster.folder, HELM_CONFIG_HOME: cluster.folder };
  const kubectl: Stage['kubectl'] = (args, input) =>
    run(cluster.kubectl, ['--kubeconfig', kubeconfig, ...args.split(' ')], {
      ...(input === undefined ? {} : { input: JSON.stringify(listOf(input)) }),
    });
  const helmArgs = (args: readonly string[]): string[] => [
    ...args,
    `--kubeconfig=${kubeconfig}`,
    `--namespace=${NAMESPACE}`,
  ];
  const kubeconfigOf = (serviceAccount: string): string => {
    const token = must(kubectl(`create token ${serviceAccount} -n ${NAMESPACE}`)).trim();
    const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as { users: { user: object }[] };
    for (const entry of config.users) entry.user = { token };
    const file = join(cluster.folder, `kubeconfig-${serviceAccount}`);
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  };
  return {
    kubectl,
    kubeconfigOf,
    helm: (...args) => run(helm, helmArgs(args)),
    helmLater: (...args) =>
      new Promise((resolve) => {
        const child = spawn(helm, helmArgs(args), { env, stdio: ['ignore', 'pipe', 'pipe'] });
        let text = '';
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (chunk: Buffer) => {
            text += chunk.toString('utf8');
          });
        child.once('close', (code) => {
          resolve({ ok: code === 0, text });
        });
      }),
    cogniforge: (serviceAccount, ...args) =>
      run(process.execPath, ['bin/cogniforge.js', ...args, `--kubeconfig=${kubeconfigOf(serviceAccount)}`]),
    configuration() {
      const { ok, text } = kubectl('get validatingwebhookconfiguration cogniforge -o json');
      return ok ? (JSON.parse(text) as KubernetesManifest) : undefined;
    },
  };
}

function listOf(input: object | readonly object[]): object {
  return Array.isArray(input) ? { apiVersion: 'v1', kind: 'List', items: input } : input;
}

export interface Load {
  /** Ends it; resolves with the requests that were answered and the messages of those that were refused. */
  stop(): Promise<{ accepted: number; refused: string[] }>;
}

/** Creates a ConfigMap of its own in a dry run, one after the other, more than a hundred a second. */
export async function load(kubeconfig: string, namespace: string): Promise<Load> {
  const { client } = await connect({ kubeconfig, context: undefined }, {}, systemClock, () => undefined);
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'unrelated', namespace } };
  const refused: string[] = [];
  let accepted = 0;
  let running = true;
  const loop = async (): Promise<void> => {
    while (running) {
      await client.create(CONFIG_MAP, object, { dryRun: true }).then(
        () => (accepted += 1),
        (error: unknown) => refused.push(messageOf(error)),
      );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const done = loop();
  return {
    async stop() {
      running = false;
      await done;
      return { accepted, refused };
    },
  };
}

/** Resolves some milliseconds after a Service of the chart was deleted. */
export async function gone(kubeconfig: string, service: string): Promise<void> {
  const { client } = await connect({ kubeconfig, context: undefined }, {}, systemClock, () => undefined);
  const type = { group: '', version: 'v1', kind: 'Service', plural: 'services', namespaced: true };
  const there = (): Promise<boolean> =>
    client.get(type, { name: service, namespace: NAMESPACE }).then(
      () => true,
      (error: unknown) => {
        if (isApiError(error, 'notFound')) return false;
        throw error;
      },
    );
  while (await there()) await new Promise((resolve) => setTimeout(resolve, 2));
}

export async function eventually(what: string, holds: () => boolean, seconds = 30): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !holds();) {
    if (Date.now() > deadline) throw new Error(`not within ${String(seconds)} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
