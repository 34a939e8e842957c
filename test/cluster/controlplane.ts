/** etcd, kube-apiserver and kube-controller-manager as plain processes; with `node`, a real node too. */
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiserverArguments, controllerArguments, etcdArguments } from './arguments.ts';
import { writeCredentials, writeKubeconfig } from './credentials.ts';
import { importArchive } from './node/containerd.ts';
import { forwardPorts } from './node/forwarder.ts';
import { createNamespaces, NODE_ADDRESS, type Namespaces } from './node/namespaces.ts';
import { nodeTools, startNode, type NodeTools } from './node/node.ts';
import { freePorts, processGroup, type Processes } from './processes.ts';
import { asking, untilReady, untilServiceAccount } from './readiness.ts';
import { removeAllButLogs, removeTraces } from './remove.ts';
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
  /** in the order they were started */
  pids: number[];
  /** a command's prefix that runs it where the addresses of pods and Services are reached; empty without a node */
  network: readonly string[];
  /** Brings an image archive to the node; throws with the reason when it is none, and without a node. */
  importImage(archive: string): void;
  /** Ends every process and removes the folder. Idempotent. */
  stop(): Promise<void>;
  /** Lets the cluster live on when this process ends. */
  release(): void;
}

export interface ClusterOptions {
  say?: (line: string) => void;
  members?: number;
  /** with a real node; needs root and what node/requirements.ts lists */
  node?: boolean;
  /** false: the cluster is to outlive this process */
  guarded?: boolean;
  folder?: string;
  /** further flags of every API server */
  apiserverFlags?: readonly string[];
  /** gives the start up and removes what it has made */
  signal?: AbortSignal;
}

interface Tools {
  etcd: string;
  apiserver: string;
  controllers: string;
  kubectl: string;
  node?: NodeTools;
}

/** What is under way, for its steps. */
interface Start {
  folder: string;
  names: readonly string[];
  tools: Tools;
  processes: Processes;
  flags: readonly string[];
  say: (line: string) => void;
}

/** Resolves when the API server answers /readyz, the default service account is there, and the node is Ready. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { say = () => undefined, members = 0, guarded = true, apiserverFlags: flags = [], signal } = options;
  // Asked first: a machine that cannot run a node need not build for minutes to be told.
  const node = options.node === true ? await nodeTools(say) : undefined;
  const tools: Tools = {
    etcd: await tool('etcd', say),
    apiserver: await tool('kube-apiserver', say),
    controllers: await tool('kube-controller-manager', say),
    kubectl: await tool('kubectl', say),
    ...(node === undefined ? {} : { node }),
  };
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'cogniforge-cluster-'));
  mkdirSync(folder, { recursive: true });
  const names = ['main', ...Array.from({ length: members }, (_, at) => `member-${String(at + 1)}`)];
  const processes = processGroup(folder, guarded, signal);
  try {
    return await start({ folder, names, tools, processes, flags, say });
  } catch (error) {
    await processes.stop();
    if (signal?.aborted === true) await removeTraces(folder);
    else {
      await removeAllButLogs(folder);
      say(`the cluster did not start; its logs are kept in ${folder}`);
    }
    throw error;
  }
}

async function start(context: Start): Promise<Cluster> {
  const { folder, names, tools, processes, flags, say } = context;
  const [etcdPort = 0, peerPort = 0, ...ports] = await freePorts(2 + names.length);
  const [mainPort = 0] = ports;
  const namespaces = tools.node === undefined ? undefined : await createNamespaces(folder, processes);
  const within = namespaces?.within ?? [];
  if (namespaces !== undefined) await forwardPorts(ports, within, processes);
  const credentials = await writeCredentials(folder, ['127.0.0.1', NODE_ADDRESS]);
  processes.start({
    name: 'etcd',
    command: tools.etcd,
    args: etcdArguments(folder, etcdPort, peerPort),
    within,
  });
  for (const [at, name] of names.entries()) {
    const place = {
      bindAddress: namespaces === undefined ? '127.0.0.1' : '0.0.0.0',
      // Pods are the main cluster's.
      ...(namespaces === undefined || at > 0 ? {} : { nodeAddress: NODE_ADDRESS }),
    };
    const args = apiserverArguments({ name, port: ports[at] ?? 0, etcdPort, credentials, place, flags });
    processes.start({ name: `kube-apiserver-${name}`, command: tools.apiserver, args, within });
  }
  say('waiting for the API server ...');
  for (const port of ports) await untilReady(processes, asking(port, credentials.token));
  const [kubeconfig = '', ...members] = names.map((name, at) =>
    writeKubeconfig(folder, name, serverOf(ports[at] ?? 0), credentials),
  );
  const args = controllerArguments(kubeconfig, credentials);
  processes.start({ name: 'kube-controller-manager', command: tools.controllers, args, within });
  const ask = asking(mainPort, credentials.token);
  if (namespaces !== undefined && tools.node !== undefined) {
    const shared = { folder, kubeconfig, credentials, namespaces, processes, ask, say };
    await startNode({ ...shared, kubectl: tools.kubectl, tools: tools.node });
  }
  await untilServiceAccount(processes, ask);
  return clusterOf({ ...context, kubeconfig, members, server: serverOf(mainPort) }, namespaces);
}

function serverOf(port: number): string {
  return `https://127.0.0.1:${String(port)}`;
}

/** The binary of envtest where the usual variable names one, else our own build. */
async function tool(name: string, say: (line: string) => void): Promise<string> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const given = assets === undefined ? undefined : join(assets, name);
  return given !== undefined && existsSync(given) ? given : toolPath(name, say);
}

function clusterOf(
  started: Start & Pick<Cluster, 'kubeconfig' | 'members' | 'server'>,
  namespaces: Namespaces | undefined,
): Cluster {
  const { folder, tools, processes, kubeconfig, members, server } = started;
  let stopped: Promise<void> | undefined;
  return {
    kubeconfig,
    server,
    folder,
    kubectl: tools.kubectl,
    members,
    pids: processes.pids(),
    network: namespaces?.network ?? [],
    importImage(archive) {
      if (namespaces === undefined) throw new Error('this cluster has no node: startCluster({ node: true })');
      importArchive(archive, namespaces);
    },
    stop() {
      stopped ??= processes.stop().then(() => removeTraces(folder));
      return stopped;
    },
    release: () => {
      processes.release();
    },
  };
}
