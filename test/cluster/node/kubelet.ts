/** The kubelet's configuration. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Credentials } from '../credentials.ts';
import { CONTAINERD_SOCKET } from './containerd.ts';
import { NODE_ADDRESS } from './namespaces.ts';

export const NODE_NAME = 'node-1';
/** Of the Service kube-dns. */
export const DNS_ADDRESS = '10.96.0.10';

export interface KubeletOptions {
  folder: string;
  kubeconfig: string;
  credentials: Credentials;
  controlGroup: string;
}

/** Writes the configuration; returns the command line. */
export function kubeletArguments(options: KubeletOptions): string[] {
  const { folder, kubeconfig, credentials, controlGroup } = options;
  const resolvConf = join(folder, 'resolv.conf');
  // The machine's name servers cannot be reached from the node.
  writeFileSync(resolvConf, '');
  const config = join(folder, 'kubelet.json');
  writeFileSync(
    config,
    JSON.stringify(
      {
        apiVersion: 'kubelet.config.k8s.io/v1beta1',
        kind: 'KubeletConfiguration',
        address: NODE_ADDRESS,
        authentication: {
          anonymous: { enabled: false },
          webhook: { enabled: false },
          x509: { clientCAFile: credentials.caFile },
        },
        authorization: { mode: 'AlwaysAllow' },
        containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
        clusterDNS: [DNS_ADDRESS],
        clusterDomain: 'cluster.local',
        resolvConf,
        cgroupDriver: 'cgroupfs',
        cgroupRoot: `/${controlGroup}`,
        failCgroupV1: false,
        failSwapOn: false,
        // The machine's disk and memory are not ours to judge: a full disk must not evict a test's pod.
        enforceNodeAllocatable: [],
        localStorageCapacityIsolation: false,
        evictionHard: { 'memory.available': '0%', 'nodefs.available': '0%', 'imagefs.available': '0%' },
        imageGCHighThresholdPercent: 100,
      },
      undefined,
      2,
    ),
  );
  return [
    `--config=${config}`,
    `--kubeconfig=${kubeconfig}`,
    `--node-ip=${NODE_ADDRESS}`,
    `--hostname-override=${NODE_NAME}`,
  ];
}
