/** What `npm start` raises: a control plane (or somebody's own) and one replica of the operator beside it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster } from '../../test/cluster/controlplane.ts';
import { startOperator } from '../../test/cluster/operator.ts';
import { toolPath } from '../../test/cluster/tools.ts';

export interface Stage {
  kubeconfig: string;
  kubectl: string;
  run: Kubectl;
  /** of what was started here, in the order of starting */
  pids: number[];
  /** data and logs of our own cluster */
  folder: string | undefined;
  logFile: string;
}

export interface StageOptions {
  say: (line: string) => void;
  root: string;
  kubeconfig: string | undefined;
  /** the address under which the API server reaches this machine */
  address: string | undefined;
  detach: boolean;
  signal: AbortSignal;
  /** Called as soon as there is something to undo, so that an interrupted start leaves nothing behind. */
  undo: (step: () => Promise<void>) => void;
}

export interface Result {
  ok: boolean;
  text: string;
}

export type Kubectl = (...args: string[]) => Result;

/** Resolves when the operator is ready; throws with kubectl's or the operator's own words. */
export async function raise(options: StageOptions): Promise<Stage> {
  const { say, root, detach, undo, signal } = options;
  if (options.kubeconfig !== undefined && !existsSync(options.kubeconfig))
    throw new Error(
      `--kubeconfig ${options.kubeconfig}: no such file; it names the kubeconfig of a running cluster`,
    );
  const opa = await toolPath('opa', say);
  const cluster =
    options.kubeconfig === undefined ? await startCluster({ say, guarded: !detach, signal }) : undefined;
  if (cluster !== undefined) undo(() => cluster.stop());
  signal.throwIfAborted();
  const kubeconfig = cluster?.kubeconfig ?? options.kubeconfig ?? '';
  const kubectl = cluster?.kubectl ?? (await toolPath('kubectl', say));
  const logFile = join(cluster?.folder ?? tmpdir(), 'cogniforge-operator.log');
  const run = kubectlOf(kubectl, kubeconfig);
  const server = must(
    run('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}'),
  ).trim();
  say(`cluster: ${server}`);
  must(run('apply', '--server-side', '-f', join(root, 'crds')));
  must(run('wait', '--for=condition=Established', '-f', join(root, 'crds'), '--timeout=30s'));
  const namespace = run('create', 'namespace', 'cogniforge-system');
  if (!namespace.ok && !namespace.text.includes('already exists')) must(namespace);
  const address = options.address ?? (cluster === undefined ? await addressTowards(server) : '127.0.0.1');
  say(`waiting for the operator, which the API server reaches at ${address} ...`);
  if (cluster === undefined) {
    undo(() => {
      removeWebhook(run);
      return Promise.resolve();
    });
  }
  const operator = await startOperator({ kubeconfig, opa, logFile, address, detached: detach });
  undo(() => operator.stop());
  const pids = [...(cluster?.pids ?? []), operator.pid];
  return { kubeconfig, kubectl, run, folder: cluster?.folder, logFile, pids };
}

/** On somebody else's cluster: without us our webhook would only slow its API server down. */
export function removeWebhook(run: Kubectl): void {
  run('delete', 'validatingwebhookconfiguration', 'cogniforge', '--ignore-not-found');
}

/** This machine's own address on the way to the API server: the one it can be expected to call back. */
async function addressTowards(server: string): Promise<string> {
  const { hostname, port } = new URL(server);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443) }, () => {
      const { localAddress = '127.0.0.1' } = socket;
      socket.destroy();
      resolve(localAddress);
    });
    socket.once('error', reject);
  });
}

export function kubectlOf(kubectl: string, kubeconfig: string): Kubectl {
  return (...args) => {
    const { status, stdout, stderr } = spawnSync(kubectl, ['--kubeconfig', kubeconfig, ...args], {
      encoding: 'utf8',
    });
    return { ok: status === 0, text: stdout + stderr };
  };
}

function must(result: Result): string {
  if (!result.ok) throw new Error(result.text);
  return result.text;
}
