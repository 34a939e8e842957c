/**
 * The network, mounts and processes of a node, apart from the machine's: its routes, packet filters, mounts and /run are
 * never touched, and the kernel itself ends every process and mount of the node with the first process in it.
 *
 * (kind does the same with a container. `ip netns exec` would hide the control groups from the kubelet.)
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Processes } from '../processes.ts';
import { until } from '../readiness.ts';

export interface Namespaces {
  /** a command's prefix that runs it as a part of the node: in its network, with its mounts, ending with it */
  within: readonly string[];
  /** a command's prefix that runs it in the node's network only: for clients */
  network: readonly string[];
}

/** The node's; the API servers listen there too. */
export const NODE_ADDRESS = '10.77.0.1';

/** Paths of which the node sees its own version: nothing outside may be looked up below them. */
const HIDDEN = ['/run', '/var/run', '/var/lib', '/var/log'];

/** Resolves when the namespaces are ready for `within`. Throws with the reason when the kernel refuses one of them. */
export async function createNamespaces(folder: string, processes: Processes): Promise<Namespaces> {
  const hidden = HIDDEN.find((path) => folder.startsWith(`${path}/`));
  if (hidden !== undefined)
    throw new Error(
      `${folder} is below ${hidden}, which a node has for itself: set TMPDIR to another folder`,
    );
  const own = join(folder, 'node');
  mkdirSync(own, { recursive: true });
  const holder = processes.start({
    name: 'namespaces',
    command: 'unshare',
    args: [
      ...['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
      ...['sh', fileURLToPath(new URL('namespaces.sh', import.meta.url)), own, `${NODE_ADDRESS}/24`],
    ],
  });
  await until(processes, 'the node’s network', () => existsSync(join(own, 'ready')));
  const pid = String(holder.pid);
  // `unshare` ends when its child has; the child ends on SIGTERM, `unshare` itself would not.
  processes.adopt('namespaces', Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')));
  const network = ['nsenter', `--net=/proc/${pid}/ns/net`];
  return {
    network,
    within: [...network, `--mount=/proc/${pid}/ns/mnt`, `--pid=/proc/${pid}/ns/pid_for_children`],
  };
}
