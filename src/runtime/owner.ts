/** Who belongs to whom: what Kubernetes deletes together, and whom a change of a dependent wakes. */
import type { Change } from './cache/store.ts';
import { keyOf, splitApiVersion, type KubernetesObject, type ResourceType } from './resource.ts';

/**
 * The object with the owner as its controller; other references stay. Throws where Kubernetes would take the owner for
 * gone and delete the object: the owner is not stored yet, or it is in another namespace.
 */
export function ownedBy<T extends KubernetesObject>(object: T, owner: KubernetesObject): T {
  const { name, namespace, uid } = owner.metadata;
  const what = `${owner.kind} ${keyOf(owner.metadata)}`;
  if (uid === undefined) throw new Error(`${what} is not stored yet: it has no uid`);
  if (namespace !== undefined && namespace !== object.metadata.namespace)
    throw new Error(
      `${what} cannot own ${object.kind} ${keyOf(object.metadata)}: an owner is in the same namespace, or cluster-scoped`,
    );
  const { apiVersion, kind } = owner;
  const reference = { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
  const others = (object.metadata.ownerReferences ?? []).filter((other) => other.uid !== uid);
  return { ...object, metadata: { ...object.metadata, ownerReferences: [...others, reference] } };
}

/** The keys of the object's controlling owners of this type: the usual `map` of a watch. */
export function ownersOf(type: ResourceType) {
  return (change: Change<KubernetesObject>): string[] => {
    const object = change.type === 'deleted' ? change.old : change.object;
    const { namespace, ownerReferences = [] } = object.metadata;
    return ownerReferences
      .filter(({ kind, apiVersion, controller }) => {
        // Whatever the version: it is the one the reference was written in.
        const { group } = splitApiVersion(apiVersion);
        return controller === true && kind === type.kind && group === type.group;
      })
      .map(({ name }) =>
        keyOf({ name, ...(type.namespaced && namespace !== undefined ? { namespace } : {}) }),
      );
  };
}
