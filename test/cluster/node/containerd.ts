/** containerd with the CRI plugin, and images brought to it as archives: no registry is reachable from a node. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Processes } from '../processes.ts';
import { until } from '../readiness.ts';
import type { Namespaces } from './namespaces.ts';

export const PAUSE_IMAGE = 'cogniforge.local/pause:1';
/** Where the node sees it: /run there is not the machine's. */
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
export const POD_NETWORK = '10.78.0.0/16';

/** Resolves when it answers. */
export async function startContainerd(
  folder: string,
  pluginFolder: string,
  namespaces: Namespaces,
  processes: Processes,
): Promise<void> {
  const networks = join(folder, 'cni');
  mkdirSync(networks, { recursive: true });
  writeFileSync(join(networks, '10-pods.conflist'), JSON.stringify(podNetwork(), undefined, 2));
  const config = join(folder, 'containerd.toml');
  writeFileSync(config, configuration(networks, pluginFolder));
  processes.start({
    name: 'containerd',
    command: 'containerd',
    args: ['--config', config],
    within: namespaces.within,
  });
  await until(processes, 'containerd', () => ctr(namespaces, ['version']).status === 0);
}

/** Throws with the words of `ctr` when it is no image. */
export function importArchive(archive: string, namespaces: Namespaces): void {
  const { status, stderr, error } = ctr(namespaces, ['images', 'import', archive]);
  if (status !== 0) throw new Error(`${archive} could not be imported: ${error?.message ?? stderr}`);
}

function ctr(namespaces: Namespaces, args: readonly string[]): ReturnType<typeof spawnText> {
  return spawnText([...namespaces.within, 'ctr', '-a', CONTAINERD_SOCKET, '-n', 'k8s.io', ...args]);
}

function spawnText([command = '', ...args]: readonly string[]) {
  return spawnSync(command, args, { encoding: 'utf8' });
}

/**
 * A veth pair and a route for each pod (`ptp`), not a bridge: on a bridge the answer of a Service's pod to its neighbour
 * would not pass the packet filter again, and so would come from an address the neighbour has not called.
 */
function podNetwork(): object {
  return {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        ipam: { type: 'host-local', ranges: [[{ subnet: POD_NETWORK }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

function configuration(networks: string, pluginFolder: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
[grpc]
  address = "${CONTAINERD_SOCKET}"
[${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  # A process in a container or an unprivileged machine may not lower it.
  restrict_oom_score_adj = true
  [${cri}.cni]
    bin_dir = "${pluginFolder}"
    conf_dir = "${networks}"
  [${cri}.containerd]
    snapshotter = "overlayfs"
    [${cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [${cri}.containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
}
