/** What the programs of a cluster know each other by, as files in its folder. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, issue, type KeyPair } from './pki.ts';

export interface Credentials {
  /** of an administrator */
  token: string;
  tokenFile: string;
  serviceAccountKey: string;
  /** certificate of the authority that signed the others */
  caFile: string;
  /** what every API server is served with */
  server: KeyPair;
  /** what the API server shows the kubelet */
  kubeletClient: KeyPair;
}

/** The names the API server has for a pod, by whatever way the pod comes. */
const SERVICE_NAMES = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  '10.96.0.1',
];

/** `addresses`: IP addresses the API servers are reached at, beside that of their Service. */
export async function writeCredentials(folder: string, addresses: readonly string[]): Promise<Credentials> {
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
  const authority = await createAuthority(folder);
  const names = ['localhost', ...SERVICE_NAMES, ...addresses];
  return {
    token,
    tokenFile,
    serviceAccountKey,
    caFile: authority.file,
    server: await issue(authority, folder, { name: 'apiserver', subject: 'CN=kube-apiserver', names }),
    kubeletClient: await issue(authority, folder, {
      name: 'apiserver-kubelet-client',
      subject: 'CN=kube-apiserver-kubelet-client,O=system:masters',
    }),
  };
}

/** An administrator's kubeconfig; `main` is the cluster's own, other names are members. Returns its path. */
export function writeKubeconfig(
  folder: string,
  name: string,
  server: string,
  credentials: Credentials,
): string {
  const ca = readFileSync(credentials.caFile).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: 'admin' } }],
    clusters: [{ name, cluster: { server, 'certificate-authority-data': ca } }],
    users: [{ name: 'admin', user: { token: credentials.token } }],
  };
  const path = join(folder, name === 'main' ? 'kubeconfig' : `kubeconfig-${name}`);
  writeFileSync(path, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return path;
}
