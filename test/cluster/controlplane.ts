/** etcd, kube-apiserver and kube-controller-manager as plain processes: a control plane without a node. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, processGroup, type Processes } from './processes.ts';
import { toolPath } from './tools.ts';

export interface Cluster {
  /** path of an administrator's kubeconfig */
  kubeconfig: string;
  server: string;
  /** data and logs */
  folder: string;
  /** path of a kubectl of the cluster's version */
  kubectl: string;
  /** kubeconfigs of the member clusters, each an API server with a key space of its own */
  members: string[];
  pids: number[];
  /** Ends every process and removes the folder. Idempotent. */
  stop(): Promise<void>;
  /** Lets the cluster live on when this process ends. */
  release(): void;
}

export interface ClusterOptions {
  say?: (line: string) => void;
  members?: number;
  /** false: the cluster is to outlive this process */
  guarded?: boolean;
  folder?: string;
  /** gives the start up and removes what it has made */
  signal?: AbortSignal;
}

interface Credentials {
  token: string;
  tokenFile: string;
  serviceAccountKey: string;
}

const READY_PATIENCE_MS = 90_000;

/** Resolves when the API server answers /readyz and the default service account's controller runs. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { say = () => undefined, members = 0, guarded = true, signal } = options;
  const [etcd, apiserver, controllers, kubectl] = [
    await tool('etcd', say),
    await tool('kube-apiserver', say),
    await tool('kube-controller-manager', say),
    await tool('kubectl', say),
  ];
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'cogniforge-cluster-'));
  mkdirSync(folder, { recursive: true });
  const processes = processGroup(folder, guarded, signal);
  try {
    const credentials = writeCredentials(folder);
    const [etcdPort = 0, peerPort = 0] = await freePorts(2);
    processes.start({ name: 'etcd', command: etcd, args: etcdArguments(folder, etcdPort, peerPort) });
    const names = ['main', ...Array.from({ length: members }, (_, at) => `member-${String(at + 1)}`)];
    const ports = await freePorts(names.length);
    for (const [at, name] of names.entries()) {
      const args = apiserverArguments(folder, name, ports[at] ?? 0, etcdPort, credentials);
      processes.start({ name: `kube-apiserver-${name}`, command: apiserver, args });
    }
    say('waiting for the API server ...');
    const kubeconfigs: string[] = [];
    for (const [at, name] of names.entries()) {
      const port = ports[at] ?? 0;
      await untilReady(processes, port, credentials.token);
      kubeconfigs.push(writeKubeconfig(folder, name, port, credentials.token));
    }
    const [main = '', ...rest] = kubeconfigs;
    const args = controllerArguments(folder, main, credentials);
    processes.start({ name: 'kube-controller-manager', command: controllers, args });
    await untilServiceAccount(processes, ports[0] ?? 0, credentials.token);
    return clusterOf(folder, main, `https://127.0.0.1:${String(ports[0])}`, kubectl, rest, processes);
  } catch (error) {
    await processes.stop();
    if (signal?.aborted === true) rmSync(folder, { recursive: true, force: true });
    else say(`the cluster did not start; its logs are kept in ${folder}`);
    throw error;
  }
}

/** The binary of envtest where the usual variable names one, else our own build. */
async function tool(name: string, say: (line: string) => void): Promise<string> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const given = assets === undefined ? undefined : join(assets, name);
  return given !== undefined && existsSync(given) ? given : toolPath(name, say);
}

function clusterOf(
  folder: string,
  kubeconfig: string,
  server: string,
  kubectl: string,
  members: string[],
  processes: Processes,
): Cluster {
  let stopped: Promise<void> | undefined;
  return {
    kubeconfig,
    server,
    folder,
    kubectl,
    members,
    pids: processes.pids(),
    stop() {
      stopped ??= processes.stop().then(() => {
        rmSync(folder, { recursive: true, force: true });
      });
      return stopped;
    },
    release: () => {
      processes.release();
    },
  };
}

function writeCredentials(folder: string): Credentials {
  const token = randomBytes(24).toString('hex');
  const tokenFile = join(folder, 'tokens.csv');
  writeFileSync(tokenFile, `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const serviceAccountKey = join(folder, 'service-account.key');
  writeFileSync(serviceAccountKey, privateKey, { mode: 0o600 });
  return { token, tokenFile, serviceAccountKey };
}

function etcdArguments(folder: string, port: number, peerPort: number): string[] {
  const client = `http://127.0.0.1:${String(port)}`;
  const peer = `http://127.0.0.1:${String(peerPort)}`;
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    // The data is thrown away with the cluster: durability would only cost time.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

function apiserverArguments(
  folder: string,
  name: string,
  port: number,
  etcdPort: number,
  credentials: Credentials,
): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${String(etcdPort)}`,
    `--etcd-prefix=/registry-${name}`,
    `--cert-dir=${join(folder, `apiserver-${name}`)}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${String(port)}`,
    `--token-auth-file=${credentials.tokenFile}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${credentials.serviceAccountKey}`,
    `--service-account-signing-key-file=${credentials.serviceAccountKey}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--endpoint-reconciler-type=none',
    '--enable-priority-and-fairness=false',
    '--max-requests-inflight=0',
    '--max-mutating-requests-inflight=0',
    '--allow-privileged=true',
  ];
}

function controllerArguments(folder: string, kubeconfig: string, credentials: Credentials): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--service-account-private-key-file=${credentials.serviceAccountKey}`,
    `--root-ca-file=${join(folder, 'apiserver-main', 'apiserver.crt')}`,
    '--leader-elect=false',
    '--secure-port=0',
  ];
}

function writeKubeconfig(folder: string, name: string, port: number, token: string): string {
  const ca = readFileSync(join(folder, `apiserver-${name}`, 'apiserver.crt')).toString('base64');
  const server = `https://127.0.0.1:${String(port)}`;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: 'admin' } }],
    clusters: [{ name, cluster: { server, 'certificate-authority-data': ca } }],
    users: [{ name: 'admin', user: { token } }],
  };
  const path = join(folder, name === 'main' ? 'kubeconfig' : `kubeconfig-${name}`);
  writeFileSync(path, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return path;
}

async function untilReady(processes: Processes, port: number, token: string): Promise<void> {
  await until(processes, 'the API server', async () => (await probe(port, token, '/readyz')) === 200);
}

/** Pods and namespaces are refused before the controller has made the default service account. */
async function untilServiceAccount(processes: Processes, port: number, token: string): Promise<void> {
  const path = '/api/v1/namespaces/default/serviceaccounts/default';
  await until(processes, 'the default service account', async () => (await probe(port, token, path)) === 200);
}

async function until(processes: Processes, what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + READY_PATIENCE_MS;
  while (!(await holds())) {
    processes.check();
    if (Date.now() > deadline)
      throw new Error(`${what} was not ready within ${String(READY_PATIENCE_MS / 1000)} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** HTTP status, 0 when there is no answer. Its certificate is what we are waiting for, so it is not verified yet. */
function probe(port: number, token: string, path: string): Promise<number> {
  return new Promise((resolve) => {
    const call = request(
      {
        host: '127.0.0.1',
        port,
        path,
        agent: false,
        rejectUnauthorized: false,
        headers: { authorization: `Bearer ${token}` },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    call.once('error', () => {
      resolve(0);
    });
    call.setTimeout(5_000, () => call.destroy());
    call.end();
  });
}
