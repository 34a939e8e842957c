/** The objects that the contenders work on, in a real API server. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kubeconfigEndpoint } from '../../src/runtime/auth.ts';
import { createClient, type Client } from '../../src/runtime/client.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { isApiError } from '../../src/runtime/errors.ts';
import type { KubernetesObject, ResourceType } from '../../src/runtime/resource.ts';
import { httpsTransport, type Transport } from '../../src/runtime/transport.ts';
import { parseYamlDocument } from '../../src/runtime/yaml.ts';
import { BENCH } from './bench-kind.ts';
import { CRD, NAMESPACE } from '../../src/runtime/core-types.ts';

const ESTABLISH_PATIENCE_MS = 20_000;
const CONCURRENCY = 32;

export interface Admin {
  client: Client;
  transport: Transport;
}

export async function admin(kubeconfig: string): Promise<Admin> {
  const endpoint = await kubeconfigEndpoint(kubeconfig, systemClock);
  const transport = httpsTransport(endpoint, { userAgent: 'admin' });
  return { transport, client: createClient({ transport, credentials: endpoint.credentials }) };
}

export function installBenchKind(client: Client): Promise<void> {
  const file = join(dirname(fileURLToPath(import.meta.url)), 'crd.yaml');
  return installKind(client, parseYamlDocument(readFileSync(file)) as KubernetesObject, BENCH);
}

/** Resolves when objects of the kind can be listed. */
export async function installKind(client: Client, crd: KubernetesObject, type: ResourceType): Promise<void> {
  await client.apply(CRD, crd, { fieldManager: 'bench' });
  const deadline = systemClock.monotonic() + ESTABLISH_PATIENCE_MS;
  for (;;) {
    try {
      await client.list(type, { limit: 1 });
      return;
    } catch (error) {
      if (!isApiError(error, 'notFound', 'transient', 'throttled') || systemClock.monotonic() > deadline)
        throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function createNamespace(client: Client, name: string): Promise<void> {
  await client
    .create(NAMESPACE, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    .catch((error: unknown) => {
      if (!isApiError(error, 'alreadyExists')) throw error;
    });
}

/** Creates `count` objects of the size that small custom resources have. */
export async function createObjects(client: Client, namespace: string, count: number): Promise<void> {
  await createNamespace(client, namespace);
  await inParallel(count, CONCURRENCY, async (at) => {
    await client.create(BENCH, {
      apiVersion: 'bench.cogniforge.dev/v1',
      kind: 'Bench',
      metadata: {
        name: nameOf(at),
        namespace,
        labels: { 'app.kubernetes.io/name': nameOf(at), 'app.kubernetes.io/part-of': 'bench' },
        annotations: { 'bench.cogniforge.dev/owner': `team-${String(at % 20)}` },
      },
      spec: { x: 0, note: `object ${String(at)} of the bench` },
    });
  });
}

/** Gives every object a new spec.x: work for the next contender. */
export async function setAll(client: Client, namespace: string, count: number, x: number): Promise<void> {
  await inParallel(count, CONCURRENCY, async (at) => {
    await client.patch(BENCH, { name: nameOf(at), namespace }, { type: 'merge', body: { spec: { x } } });
  });
}

export function nameOf(at: number): string {
  return `bench-${String(at).padStart(5, '0')}`;
}

/** Runs `work(0..count-1)`, `width` at a time. */
export async function inParallel(
  count: number,
  width: number,
  work: (at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const at = next;
      next += 1;
      await work(at);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker));
}
