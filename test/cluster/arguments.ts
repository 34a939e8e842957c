/** The command lines of etcd, kube-apiserver and kube-controller-manager. */
import { join } from 'node:path';
import type { Credentials } from './credentials.ts';

/** Where an API server listens, and the address its Service `kubernetes` leads to where there are pods. */
export interface Place {
  bindAddress: string;
  nodeAddress?: string;
}

export function etcdArguments(folder: string, port: number, peerPort: number): string[] {
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

export interface ApiserverOptions {
  /** its key space in etcd */
  name: string;
  port: number;
  etcdPort: number;
  credentials: Credentials;
  place: Place;
  /** further flags */
  flags?: readonly string[];
}

export function apiserverArguments(options: ApiserverOptions): string[] {
  const { name, port, etcdPort, credentials, place, flags = [] } = options;
  return [
    `--etcd-servers=http://127.0.0.1:${String(etcdPort)}`,
    `--etcd-prefix=/registry-${name}`,
    `--tls-cert-file=${credentials.server.certFile}`,
    `--tls-private-key-file=${credentials.server.keyFile}`,
    `--bind-address=${place.bindAddress}`,
    `--secure-port=${String(port)}`,
    `--token-auth-file=${credentials.tokenFile}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${credentials.serviceAccountKey}`,
    `--service-account-signing-key-file=${credentials.serviceAccountKey}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--enable-priority-and-fairness=false',
    '--max-requests-inflight=0',
    '--max-mutating-requests-inflight=0',
    '--allow-privileged=true',
    ...(place.nodeAddress === undefined
      ? // An endpoint may not be a loopback address, and there is no pod that would want one.
        ['--advertise-address=127.0.0.1', '--endpoint-reconciler-type=none']
      : [
          `--advertise-address=${place.nodeAddress}`,
          `--kubelet-client-certificate=${credentials.kubeletClient.certFile}`,
          `--kubelet-client-key=${credentials.kubeletClient.keyFile}`,
          // No name server knows the node's name.
          '--kubelet-preferred-address-types=InternalIP',
        ]),
    ...flags,
  ];
}

export function controllerArguments(kubeconfig: string, credentials: Credentials): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--service-account-private-key-file=${credentials.serviceAccountKey}`,
    `--root-ca-file=${credentials.caFile}`,
    '--leader-elect=false',
    '--secure-port=0',
  ];
}
