/** The objects of the node's test: two replicas of the program in `web/`, and a webhook that leads to them. */
import { readFileSync } from 'node:fs';
import { createAuthority, issue } from '../../cluster/pki.ts';

export const WEB_IMAGE = 'cogniforge.local/test-web:1';
const LABELS = { app: 'web' };

/** `folder`: an empty one, for the webhook's certificate. */
export async function webObjects(folder: string): Promise<object[]> {
  const authority = await createAuthority(folder);
  const pair = await issue(authority, folder, {
    name: 'web',
    subject: 'CN=web',
    names: ['web.default.svc'],
  });
  const base64 = (file: string): string => readFileSync(file).toString('base64');
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: 'web', namespace: 'default' },
      data: { 'tls.crt': base64(pair.certFile), 'tls.key': base64(pair.keyFile) },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        selector: LABELS,
        ports: [
          { name: 'http', port: 80, targetPort: 8080 },
          { name: 'https', port: 443, targetPort: 8443 },
        ],
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        replicas: 2,
        selector: { matchLabels: LABELS },
        template: { metadata: { labels: LABELS }, spec: podSpec() },
      },
    },
    webhook(base64(authority.file)),
  ];
}

function podSpec(): object {
  return {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'web',
        image: WEB_IMAGE,
        readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 1 },
        volumeMounts: [{ name: 'serving', mountPath: '/serving', readOnly: true }],
      },
    ],
    volumes: [{ name: 'serving', secret: { secretName: 'web' } }],
  };
}

/** Refuses every ConfigMap with the label `refuse`. */
function webhook(caBundle: string): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'web' },
    webhooks: [
      {
        name: 'web.test.cogniforge.dev',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        timeoutSeconds: 5,
        objectSelector: { matchExpressions: [{ key: 'refuse', operator: 'Exists' }] },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
        clientConfig: {
          caBundle,
          service: { namespace: 'default', name: 'web', path: '/validate', port: 443 },
        },
      },
    ],
  };
}
