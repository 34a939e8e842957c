import { describe, expect, it } from '@jest/globals';
import { ownedBy, ownersOf } from '../../../src/runtime/owner.ts';
import type { KubernetesObject, ResourceType } from '../../../src/runtime/resource.ts';

const owner: KubernetesObject = {
  apiVersion: 'cogniforge.dev/v1alpha1',
  kind: 'Thing',
  metadata: { name: 'a', namespace: 'n', uid: 'u' },
};
const TYPE: ResourceType = {
  group: 'cogniforge.dev',
  version: 'v1beta1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
};

function configMap(over: Partial<KubernetesObject['metadata']> = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'n', ...over } };
}

describe('ownedBy', () => {
  it('makes the owner the controller, once, and keeps other references', () => {
    const other = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'p1' };
    const owned = ownedBy(ownedBy(configMap({ ownerReferences: [other] }), owner), owner);
    expect(owned.metadata.ownerReferences).toEqual([
      other,
      {
        apiVersion: 'cogniforge.dev/v1alpha1',
        kind: 'Thing',
        name: 'a',
        uid: 'u',
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
  });

  it('refuses what the garbage collector would delete', () => {
    expect(() => ownedBy(configMap({ namespace: 'elsewhere' }), owner)).toThrow(
      'Thing n/a cannot own ConfigMap elsewhere/c',
    );
    const unsaved = { ...owner, metadata: { name: 'a', namespace: 'n' } };
    expect(() => ownedBy(configMap(), unsaved)).toThrow('not stored yet');
  });

  it('lets what is cluster-scoped own anything', () => {
    const cluster = { ...owner, metadata: { name: 'a', uid: 'u' } };
    expect(ownedBy(configMap(), cluster).metadata.ownerReferences).toHaveLength(1);
  });
});

describe('ownersOf', () => {
  const added = (object: KubernetesObject) => ({ type: 'added' as const, key: 'n/c', object });

  it('finds the controller, whatever version the reference was written in', () => {
    expect(ownersOf(TYPE)(added(ownedBy(configMap(), owner)))).toEqual(['n/a']);
  });

  it('finds it for what was deleted', () => {
    const old = ownedBy(configMap(), owner);
    expect(ownersOf(TYPE)({ type: 'deleted', key: 'n/c', old })).toEqual(['n/a']);
  });

  it('is not taken in by a kind of the same name in another group, nor by who is not the controller', () => {
    const foreign = { ...owner, apiVersion: 'example.com/v1' };
    expect(ownersOf(TYPE)(added(ownedBy(configMap(), foreign)))).toEqual([]);
    const reference = { apiVersion: owner.apiVersion, kind: 'Thing', name: 'a', uid: 'u' };
    expect(ownersOf(TYPE)(added(configMap({ ownerReferences: [reference] })))).toEqual([]);
  });

  it('names a cluster-scoped owner without the namespace of what it owns', () => {
    const cluster = { ...owner, metadata: { name: 'a', uid: 'u' } };
    expect(ownersOf({ ...TYPE, namespaced: false })(added(ownedBy(configMap(), cluster)))).toEqual(['a']);
  });
});
