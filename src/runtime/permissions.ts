/** What the operator may do in a cluster, as RBAC rules: derived from the list of kinds, without a wildcard. */
import type { ResourceType } from './resource.ts';

export interface Permission {
  apiGroups: readonly string[];
  resources: readonly string[];
  verbs: readonly string[];
  /** only objects of these names; a create cannot be held to a name */
  resourceNames?: readonly string[];
}

export interface Permissions {
  /** of the ClusterRole */
  cluster: Permission[];
  /** of the Role in our own namespace */
  namespace: Permission[];
}

const READ = ['get', 'list', 'watch'] as const;

/** What the runtime itself needs, whatever the kinds. */
const RUNTIME: Permissions = {
  cluster: [
    { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: READ },
    {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['validatingwebhookconfigurations'],
      verbs: [...READ, 'create'],
    },
    {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['validatingwebhookconfigurations'],
      resourceNames: ['cogniforge'],
      verbs: ['update'],
    },
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
    // The owner of what we make in the cluster's scope.
    {
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: ['clusterroles'],
      resourceNames: ['cogniforge'],
      verbs: ['get'],
    },
  ],
  namespace: [
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: [...READ, 'create', 'update', 'patch', 'delete'],
    },
    // Only ever as a dry run: the probe of the webhook.
    { apiGroups: [''], resources: ['configmaps'], verbs: ['create'] },
    { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
    {
      apiGroups: [''],
      resources: ['secrets'],
      resourceNames: ['cogniforge-webhook-tls'],
      verbs: ['get', 'update'],
    },
  ],
};

/** The rules of the ClusterRole and of the Role, one for each group of resources with the same verbs. */
export function permissionsOf(
  kinds: readonly { type: ResourceType; permissions: readonly Permission[] }[],
): Permissions {
  const own = kinds.flatMap(({ type: { group, plural } }): Permission[] => [
    { apiGroups: [group], resources: [plural], verbs: [...READ, 'update', 'patch'] },
    { apiGroups: [group], resources: [`${plural}/status`], verbs: ['update', 'patch'] },
    // Blocking owner references are refused without it (OwnerReferencesPermissionEnforcement).
    { apiGroups: [group], resources: [`${plural}/finalizers`], verbs: ['update'] },
  ]);
  const extra = kinds.flatMap(({ permissions }) => permissions);
  return { cluster: merged([...RUNTIME.cluster, ...own, ...extra]), namespace: merged(RUNTIME.namespace) };
}

function merged(permissions: readonly Permission[]): Permission[] {
  const found = new Map<string, { permission: Permission; resources: Set<string> }>();
  for (const permission of permissions) {
    const { apiGroups, resources, verbs, resourceNames } = permission;
    const id = JSON.stringify([apiGroups, [...verbs].sort(), resourceNames]);
    const known = found.get(id);
    if (known === undefined) found.set(id, { permission, resources: new Set(resources) });
    else for (const resource of resources) known.resources.add(resource);
  }
  return [...found.values()].map(({ permission, resources }) => ({
    ...permission,
    resources: [...resources].sort(),
  }));
}
