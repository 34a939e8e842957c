/** Which resources the API server serves: kinds to plurals, from the aggregated discovery document. */
import type { Client } from './client.ts';

export interface ApiResource {
  group: string;
  /** the preferred version first; every version that serves the kind */
  version: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  subresources: readonly Subresource[];
}

export interface Subresource {
  /** such as `exec` */
  name: string;
  /** of what is sent there, such as PodExecOptions */
  group: string;
  kind: string;
}

interface AggregatedDiscovery {
  items?: {
    metadata?: { name?: string };
    versions?: {
      version: string;
      resources?: {
        resource: string;
        scope: string;
        responseKind?: { kind?: string };
        subresources?: { subresource: string; responseKind?: { group?: string; kind?: string } }[];
      }[];
    }[];
  }[];
}

/** Aggregated discovery is GA since Kubernetes 1.30. */
export const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Every resource once, in its group's preferred version. */
export async function discover(client: Client, signal?: AbortSignal): Promise<ApiResource[]> {
  const [core, groups] = await Promise.all(
    ['/api', '/apis'].map((path) =>
      client.raw<AggregatedDiscovery>('GET', path, { accept: AGGREGATED, signal }),
    ),
  );
  const found = new Map<string, ApiResource>();
  for (const item of [...(core?.items ?? []), ...(groups?.items ?? [])]) {
    const group = item.metadata?.name ?? '';
    for (const { version, resources = [] } of item.versions ?? []) {
      for (const { resource, scope, responseKind, subresources = [] } of resources) {
        const kind = responseKind?.kind;
        const id = `${group}/${resource}`;
        if (kind === undefined || found.has(id)) continue;
        found.set(id, {
          group,
          version,
          kind,
          plural: resource,
          namespaced: scope === 'Namespaced',
          subresources: subresources.map(({ subresource, responseKind: sent = {} }) => ({
            name: subresource,
            group: sent.group ?? '',
            kind: sent.kind ?? kind,
          })),
        });
      }
    }
  }
  return [...found.values()];
}
