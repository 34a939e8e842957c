/** What the runtime's integration tests share: a kind of their own, built-in types, and the etcd behind the server. */
import { readFileSync } from 'node:fs';
import { kubeconfigEndpoint, type Endpoint } from '../../../src/runtime/auth.ts';
import { createClient, type Client } from '../../../src/runtime/client.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { isApiError } from '../../../src/runtime/errors.ts';
import type { Resource, ResourceType } from '../../../src/runtime/resource.ts';
import { httpsTransport, type Transport } from '../../../src/runtime/transport.ts';
import type { Cluster } from '../../cluster/controlplane.ts';
import { CRD } from '../../../src/runtime/core-types.ts';

export const CONFIGMAP: ResourceType = core('ConfigMap', 'configmaps');
export const EVENT: ResourceType = core('Event', 'events');
const POD: ResourceType = core('Pod', 'pods');
const PDB: ResourceType = {
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  namespaced: true,
};
export const BOX: ResourceType = {
  group: 'test.cogniforge.dev',
  version: 'v1',
  kind: 'Box',
  plural: 'boxes',
  namespaced: true,
};

export type Box = Resource<Record<string, unknown>, Record<string, unknown>>;

function core(kind: string, plural: string): ResourceType {
  return { group: '', version: 'v1', kind, plural, namespaced: true };
}

/** A kind whose spec and status hold anything. */
const BOX_DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'boxes.test.cogniforge.dev' },
  spec: {
    group: 'test.cogniforge.dev',
    scope: 'Namespaced',
    names: { kind: 'Box', listKind: 'BoxList', plural: 'boxes', singular: 'box' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
};

export interface Connection {
  endpoint: Endpoint;
  transport: Transport;
  client: Client;
  /** the path of each request so far */
  asked: readonly string[];
}

export function connectTo(endpoint: Endpoint): Connection {
  const transport = httpsTransport(endpoint);
  const asked: string[] = [];
  const recording: Transport = {
    ...transport,
    send: (request) => {
      asked.push(request.path);
      return transport.send(request);
    },
  };
  const client = createClient({ transport: recording, credentials: endpoint.credentials });
  return { endpoint, transport, client, asked };
}

export async function admin(cluster: Cluster): Promise<Connection> {
  return connectTo(await kubeconfigEndpoint(cluster.kubeconfig, systemClock));
}

/** Resolves when boxes can be listed. */
export async function installBoxes(client: Client): Promise<void> {
  await client.create(CRD, BOX_DEFINITION);
  await until('boxes are served', () =>
    client.list(BOX).then(
      () => true,
      (error: unknown) => {
        if (isApiError(error, 'notFound', 'transient', 'throttled')) return false;
        throw error;
      },
    ),
  );
}

export function box(name: string, spec: Record<string, unknown> = {}): Box {
  return {
    apiVersion: 'test.cogniforge.dev/v1',
    kind: 'Box',
    metadata: { name, namespace: 'default' },
    spec,
  };
}

export function configMap(name: string, data: Record<string, string>, namespace = 'default') {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

/** Looks again until it holds. Throws after `seconds`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  seconds = 15,
): Promise<void> {
  const deadline = systemClock.monotonic() + seconds * 1000;
  while (!(await holds())) {
    if (systemClock.monotonic() > deadline) throw new Error(`not within ${String(seconds)} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What the promise was rejected with; undefined when it was not. */
export async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Throws away all of etcd's history up to this revision, as the API server does by itself every five minutes. */
export async function compact(cluster: Cluster, revision: string): Promise<void> {
  const [etcd] = cluster.pids;
  const command = readFileSync(`/proc/${String(etcd)}/cmdline`, 'utf8');
  const url = /--listen-client-urls=([^\0]+)/.exec(command)?.[1];
  if (url === undefined) throw new Error('the first process of a cluster is its etcd');
  const response = await fetch(`${url}/v3/kv/compaction`, {
    method: 'POST',
    body: JSON.stringify({ revision, physical: true }),
  });
  if (!response.ok) throw new Error(`compaction: ${await response.text()}`);
}

/** Announces an API whose server does not exist; resolves once the API server knows. Returns the way to take it back. */
export async function absentApiService(client: Client, group: string): Promise<() => Promise<unknown>> {
  const path = '/apis/apiregistration.k8s.io/v1/apiservices';
  const name = `v1.${group}`;
  const body = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name },
    spec: {
      group,
      version: 'v1',
      service: { namespace: 'default', name: 'absent' },
      groupPriorityMinimum: 1,
      versionPriority: 1,
      insecureSkipTLSVerify: true,
    },
  };
  await client.raw('POST', path, { body });
  await until('the API service is known', async () => {
    const error = await errorOf(client.raw('GET', `/apis/${group}/v1/things`));
    return !isApiError(error, 'notFound');
  });
  return () => client.raw('DELETE', `${path}/${name}`);
}

/**
 * A pod that runs, as far as the API server knows. Returns its eviction, under a budget made in the same breath: the
 * server asks for patience until the controller has counted the budget's pods.
 */
export async function guardedPod(client: Client, name: string): Promise<() => Promise<unknown>> {
  const metadata = { name, namespace: 'default' };
  const labels = { guarded: name };
  const containers = [{ name: 'c', image: 'none' }];
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, labels }, spec: { containers } };
  await client.create(POD, pod);
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  const patch = { type: 'merge', body: { status } } as const;
  await client.patch(POD, metadata, patch, { subresource: 'status' });
  return async () => {
    const spec = { minAvailable: 1, selector: { matchLabels: labels } };
    await client.create(PDB, { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec });
    return client.raw('POST', `/api/v1/namespaces/default/pods/${name}/eviction`, {
      body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata },
    });
  };
}
