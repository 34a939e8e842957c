/** CoreDNS as the Service kube-dns: names of Services for pods. Other names do not resolve: no packet leaves the node. */
import { spawnSync } from 'node:child_process';
import { DNS_ADDRESS } from './kubelet.ts';

export const DNS_IMAGE = 'cogniforge.local/coredns:1';
const NAME = 'coredns';
const NAMESPACE = 'kube-system';
/** Not 53, which a process that is not root may not take. */
const PORT = 1053;
const LABELS = { 'k8s-app': 'kube-dns' };

const COREFILE = `.:${String(PORT)} {
    errors
    health :8080
    ready :8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
    }
    cache 5
}
`;

/** Applies it; its image must be on the node already. Throws with kubectl's words. */
export function applyDns(kubectl: string, kubeconfig: string): void {
  const { status, stderr } = spawnSync(
    kubectl,
    ['--kubeconfig', kubeconfig, 'apply', '--server-side', '--filename=-'],
    {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...access(), ...server()] }),
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`the DNS of the cluster was refused: ${stderr}`);
}

/** Path that answers with the Deployment. */
export const DNS_PATH = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${NAME}`;

function access(): object[] {
  const name = `system:${NAME}`;
  const verbs = ['list', 'watch'];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace: NAMESPACE } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules: [
        { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }],
    },
  ];
}

function server(): object[] {
  const metadata = { name: NAME, namespace: NAMESPACE };
  const port = (name: string, protocol: string): object => ({ name, protocol, port: 53, targetPort: PORT });
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { Corefile: COREFILE } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: NAMESPACE, labels: LABELS },
      spec: { clusterIP: DNS_ADDRESS, selector: LABELS, ports: [port('dns', 'UDP'), port('dns-tcp', 'TCP')] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        selector: { matchLabels: LABELS },
        template: { metadata: { labels: LABELS }, spec: podSpec() },
      },
    },
  ];
}

function podSpec(): object {
  const probe = (path: string, port: number): object => ({ httpGet: { path, port }, periodSeconds: 1 });
  return {
    serviceAccountName: NAME,
    dnsPolicy: 'Default',
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: NAME,
        image: DNS_IMAGE,
        args: ['-conf', '/etc/coredns/Corefile'],
        readinessProbe: probe('/ready', 8181),
        livenessProbe: { ...probe('/health', 8080), periodSeconds: 10 },
        volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
      },
    ],
    volumes: [{ name: 'config', configMap: { name: NAME } }],
  };
}
