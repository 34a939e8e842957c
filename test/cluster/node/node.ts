/** One real node: containerd, kubelet, kube-proxy and kube-scheduler, in namespaces of its own. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Credentials } from '../credentials.ts';
import type { Processes } from '../processes.ts';
import { until, type Ask } from '../readiness.ts';
import { toolPath } from '../tools.ts';
import { importArchive, PAUSE_IMAGE, POD_NETWORK, startContainerd } from './containerd.ts';
import { controlGroupOf, createControlGroup } from './controlgroup.ts';
import { applyDns, DNS_IMAGE, DNS_PATH } from './dns.ts';
import { writeProgramImage, type ProgramImage } from './images.ts';
import { kubeletArguments, NODE_NAME } from './kubelet.ts';
import type { Namespaces } from './namespaces.ts';
import { explain, missing, pluginFolder, systemPath, thisMachine } from './requirements.ts';

export interface NodeTools {
  kubelet: string;
  proxy: string;
  scheduler: string;
  dns: string;
}

export interface NodeOptions {
  folder: string;
  kubectl: string;
  kubeconfig: string;
  credentials: Credentials;
  namespaces: Namespaces;
  processes: Processes;
  tools: NodeTools;
  ask: Ask;
  say: (line: string) => void;
}

/** Before anything is started. Throws with everything that is missing and how to get it. */
export async function nodeTools(say: (line: string) => void): Promise<NodeTools> {
  const lacks = missing(thisMachine());
  if (lacks.length > 0) throw new Error(explain(lacks));
  return {
    kubelet: await toolPath('kubelet', say),
    proxy: await toolPath('kube-proxy', say),
    scheduler: await toolPath('kube-scheduler', say),
    dns: await toolPath('coredns', say),
  };
}

/** Resolves when the node is Ready and names resolve. The API server must answer. */
export async function startNode(options: NodeOptions): Promise<void> {
  const { folder, kubectl, kubeconfig, credentials, namespaces, processes, tools, ask, say } = options;
  const { within } = namespaces;
  await startContainerd(folder, pluginFolder() ?? '', namespaces, processes);
  for (const image of imagesOf(tools)) {
    const archive = join(folder, 'image.tar');
    await writeProgramImage(image, archive, say);
    importArchive(archive, namespaces);
    rmSync(archive);
  }
  const controlGroup = controlGroupOf(folder);
  createControlGroup(controlGroup);
  const programs = {
    kubelet: [tools.kubelet, kubeletArguments({ folder, kubeconfig, credentials, controlGroup })],
    'kube-proxy': [tools.proxy, proxyArguments(kubeconfig)],
    'kube-scheduler': [tools.scheduler, schedulerArguments(kubeconfig)],
  } as const;
  for (const [name, [command, args]] of Object.entries(programs))
    processes.start({ name, command, args, within, env: { PATH: systemPath() } });
  applyDns(kubectl, kubeconfig);
  say('waiting for the node ...');
  const holds = (path: string, type: string) => async (): Promise<boolean> =>
    conditionHolds((await ask(path)).body, type);
  await until(processes, 'the node', holds(`/api/v1/nodes/${NODE_NAME}`, 'Ready'));
  await until(processes, 'the DNS', holds(DNS_PATH, 'Available'));
}

function imagesOf(tools: NodeTools): ProgramImage[] {
  const module = fileURLToPath(new URL('programs/pause', import.meta.url));
  return [
    { reference: PAUSE_IMAGE, program: { module } },
    { reference: DNS_IMAGE, program: { binary: tools.dns } },
  ];
}

function proxyArguments(kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${NODE_NAME}`,
    '--proxy-mode=iptables',
    `--cluster-cidr=${POD_NETWORK}`,
    // The limit belongs to the whole machine.
    '--conntrack-max-per-core=0',
  ];
}

function schedulerArguments(kubeconfig: string): string[] {
  return [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0'];
}

interface Conditions {
  status?: { conditions?: { type: string; status: string }[] };
}

/** `body`: an object with conditions, or whatever the API server says while there is none. */
function conditionHolds(body: string, type: string): boolean {
  if (body === '') return false;
  const { status } = JSON.parse(body) as Conditions;
  // `status` of an error is a word.
  return (
    typeof status === 'object' &&
    (status.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True')
  );
}
