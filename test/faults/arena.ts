/** A real API server with the kind of the fault runs, and what a proxy in front of it needs to know. */
import { readFileSync } from 'node:fs';
import { systemClock } from '../../src/runtime/clock.ts';
import { kubeconfigEndpoint } from '../../src/runtime/auth.ts';
import { parseYamlDocument } from '../../src/runtime/yaml.ts';
import { admin, installBenchKind } from '../bench/objects.ts';
import type { Cluster } from '../cluster/controlplane.ts';
import { certificates, type Arena } from './schedule.ts';

interface AdminConfig {
  users: [{ user: { token: string } }];
}

export async function openArena(cluster: Cluster): Promise<Arena> {
  const { client } = await admin(cluster.kubeconfig);
  await installBenchKind(client);
  const { server, tls } = await kubeconfigEndpoint(cluster.kubeconfig, systemClock);
  const config = parseYamlDocument(readFileSync(cluster.kubeconfig)) as AdminConfig;
  const { token } = config.users[0].user;
  if (typeof tls.ca !== 'string') throw new Error('the kubeconfig of a test cluster holds its CA');
  return {
    admin: client,
    upstream: { server, ca: tls.ca, token },
    tls: await certificates(),
    folder: cluster.folder,
  };
}
