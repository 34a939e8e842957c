/**
 * To whom belongs what the operator makes in the cluster's scope: to the ClusterRole it was installed with. When that
 * is deleted the garbage collector takes the rest along (docs/decisions/0006-uninstall.md).
 */
import type { Client } from './client.ts';
import { isApiError } from './errors.ts';
import type { OwnerReference, ResourceType } from './resource.ts';

const CLUSTER_ROLE: ResourceType = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
};

const NAME = 'cogniforge';

/** Undefined where it was not installed with one. */
export async function installation(
  client: Client,
  signal?: AbortSignal,
): Promise<OwnerReference | undefined> {
  try {
    const role = await client.get(CLUSTER_ROLE, { name: NAME }, signal === undefined ? {} : { signal });
    const { uid } = role.metadata;
    return uid === undefined
      ? undefined
      : { apiVersion: 'rbac.authorization.k8s.io/v1', kind: CLUSTER_ROLE.kind, name: NAME, uid };
  } catch (error) {
    if (isApiError(error, 'notFound')) return undefined;
    throw error;
  }
}
