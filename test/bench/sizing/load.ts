/** Deployments that are really created, at a fixed rate, one team after the other: each is judged by its team's rules. */
import type { Client } from '../../../src/runtime/client.ts';
import { DEPLOYMENT } from '../../e2e/objects.ts';
import { teamName } from './rules.ts';

export interface Load {
  /** ms from the request to the API server's answer, one for each */
  latencies: number[];
  /** those that were not created */
  refused: string[];
}

/** `perSecond` creations for `seconds`, sent when they are due whether or not the ones before have been answered. */
export async function admissions(
  client: Client,
  {
    prefix,
    teams,
    perSecond,
    seconds,
  }: { prefix: string; teams: number; perSecond: number; seconds: number },
): Promise<Load> {
  const load: Load = { latencies: [], refused: [] };
  const started = performance.now();
  const under: Promise<void>[] = [];
  for (let at = 0; at < perSecond * seconds; at += 1) {
    const due = started + (at * 1000) / perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    under.push(create(client, deployment(`${prefix}-${String(at)}`, teamName(at % teams)), load));
  }
  await Promise.all(under);
  return load;
}

async function create(client: Client, object: ReturnType<typeof deployment>, load: Load): Promise<void> {
  const started = performance.now();
  try {
    await client.create(DEPLOYMENT, object);
  } catch (error) {
    load.refused.push(error instanceof Error ? error.message : String(error));
  }
  load.latencies.push(performance.now() - started);
}

/** Paused and without replicas: nobody makes anything of it. It has all that the rules ask for. */
function deployment(name: string, namespace: string) {
  const securityContext = {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const probe = { httpGet: { path: '/healthz', port: 8080 } };
  const container = { name: 'web', image: 'registry.example/web:1', livenessProbe: probe, securityContext };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: { app: 'web' } },
    spec: {
      paused: true,
      replicas: 0,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [container, { ...container, name: 'sidecar' }] },
      },
    },
  };
}

/** The sample below which the share `q` of all lies (nearest rank). Throws on none. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
  if (value === undefined) throw new Error('a quantile of no samples');
  return value;
}
