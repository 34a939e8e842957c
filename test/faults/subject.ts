/**
 * The kind whose life the schedules disturb: status.x is to become spec.x, and a ConfigMap of the same name and content
 * is to stand beside each resource until the resource goes. A finalizer holds the resource until the ConfigMap is gone.
 */
import type { Kind, Reader } from '../../src/runtime/kind.ts';
import { keyOf, type KubernetesObject } from '../../src/runtime/resource.ts';
import { BENCH, type Bench } from '../bench/bench-kind.ts';
import { CONFIG_MAP } from '../../src/runtime/core-types.ts';

export const FINALIZER = 'bench.cogniforge.dev/copy';

export interface Copy extends KubernetesObject {
  data?: { x?: string; of?: string };
}

interface Input {
  resource: Bench;
  copy: Copy | undefined;
}

export function subject(namespace: string): Kind<Bench, Input> {
  const ours = { labelSelector: 'copy=true' };
  return {
    type: BENCH,
    watches: [{ type: CONFIG_MAP, selection: ours, map: (change) => [change.key] }],
    finalizer: FINALIZER,
    concurrency: 4,
    gather: (resource, read: Reader) =>
      Promise.resolve({
        resource,
        copy: read.of<Copy>(CONFIG_MAP, ours).get(keyOf(resource.metadata)),
      }),
    decide({ resource, copy }) {
      const { metadata, spec } = resource;
      const status = { x: spec.x, observedGeneration: metadata.generation ?? 0 };
      const rest = { status, events: [], next: { type: 'done' as const }, because: [] };
      if (metadata.deletionTimestamp !== undefined) {
        if (copy === undefined) return { ...rest, effects: [] };
        const { uid = '', name } = copy.metadata;
        const ref = { apiVersion: 'v1', kind: 'ConfigMap', name, namespace, uid };
        return { ...rest, effects: [{ kind: 'remove', key: `copy/${name}`, type: CONFIG_MAP, ref }] };
      }
      if (copy?.data?.x === String(spec.x) && copy.data.of === metadata.uid) return { ...rest, effects: [] };
      return {
        ...rest,
        effects: [
          {
            kind: 'apply',
            key: `copy/${metadata.name}`,
            type: CONFIG_MAP,
            object: copyOf(resource),
            force: true,
          },
        ],
      };
    },
  };
}

function copyOf({ metadata, spec }: Bench): Copy {
  const { name, namespace = '', uid = '' } = metadata;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { copy: 'true' } },
    data: { x: String(spec.x), of: uid },
  };
}
