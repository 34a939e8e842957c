/** A kind that looks again every 30 s, as a kind does that watches over something outside the cluster. */
import { conditionsOf } from '../../../src/runtime/conditions.ts';
import type { BaseStatus, Kind } from '../../../src/runtime/kind.ts';
import type { KubernetesObject, Resource, ResourceType } from '../../../src/runtime/resource.ts';

export const GUARD: ResourceType = {
  group: 'idle.cogniforge.dev',
  version: 'v1',
  kind: 'Guard',
  plural: 'guards',
  namespaced: true,
};

export type Guard = Resource<{ x: number }, BaseStatus & { x?: number }>;

const LOOK_AGAIN_MS = 30_000;

export function guardKind(): Kind<Guard, Guard> {
  return {
    type: GUARD,
    watches: [],
    concurrency: 16,
    gather: (resource) => Promise.resolve(resource),
    decide({ metadata, spec, status }, now) {
      const generation = metadata.generation ?? 0;
      const message = `x is ${String(spec.x)}`;
      const ready = { type: 'Ready', status: 'True' as const, reason: 'Watched', message };
      const before = status?.conditions;
      const fresh = before?.find(({ type }) => type === 'Ready')?.status !== 'True';
      return {
        effects: [],
        status: {
          x: spec.x,
          observedGeneration: generation,
          conditions: conditionsOf(before, [ready], generation, now),
        },
        events: fresh ? [{ type: 'Normal', reason: 'Watched', message }] : [],
        next: { type: 'wait', until: now + LOOK_AGAIN_MS, reason: 'LookAgain' },
        because: [],
      };
    },
  };
}

export const GUARD_CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'guards.idle.cogniforge.dev' },
  spec: {
    group: GUARD.group,
    scope: 'Namespaced',
    names: { kind: GUARD.kind, listKind: 'GuardList', plural: GUARD.plural, singular: 'guard' },
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
} satisfies KubernetesObject & { spec: unknown };
