/** What the scenarios apply. */
import type { ResourceType } from '../../src/runtime/resource.ts';
import type { Ask } from './load.ts';
import { CONFIG_MAP } from '../../src/runtime/core-types.ts';

export const NAMESPACE = 'cogniforge-system';
/** Where users are. */
export const USERS = 'shop';
export const IMAGE = 'ghcr.io/cogniforge/cogniforge:0.1.0';

export const DEPLOYMENT: ResourceType = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
};

const HEALTH_CHECKS = 'require-health-checks';
const SERVER = `require('node:http').createServer((_, answer) => answer.end('ok')).listen(8080)`;

/** A web server in the operator's own image, the only one that is sure to be on the node. */
export function deployment(name: string, probe: boolean) {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: USERS },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'web',
              image: IMAGE,
              imagePullPolicy: 'Never',
              command: ['/usr/bin/node', '-e', SERVER],
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
              ...(probe ? { livenessProbe: { httpGet: { path: '/', port: 8080 } } } : {}),
            },
          ],
        },
      },
    },
  };
}

/** Judged by a rule: one of two must be refused, by that rule and with its sentence. */
export const JUDGED: readonly Ask[] = [
  { type: DEPLOYMENT, object: deployment('good', true) },
  {
    type: DEPLOYMENT,
    object: deployment('bad', false),
    refusal: `[${HEALTH_CHECKS}] Deployments must have health checks configured`,
  },
];

/** Judged by no rule. */
export const UNRELATED: readonly Ask[] = [
  {
    type: CONFIG_MAP,
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'unrelated', namespace: USERS } },
  },
];

/** A rule that is about every Pod and refuses none: were the operator's own judged, it could not start any more. */
export const EVERY_POD = {
  apiVersion: 'cogniforge.dev/v1alpha1',
  kind: 'PolicyRule',
  metadata: { name: 'every-pod' },
  spec: {
    match: { kinds: [{ apiGroups: [''], kinds: ['Pod'] }] },
    failurePolicy: 'Fail',
    rego: 'package pods\n\nviolation contains {"msg": "never"} if input.review.object.metadata.name == "never"',
  },
};
