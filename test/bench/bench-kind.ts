/** The kind that the runtime bench and the fault runs reconcile: status.x is to become spec.x. */
import type { BaseStatus, Kind } from '../../src/runtime/kind.ts';
import type { Resource, ResourceType } from '../../src/runtime/resource.ts';

export const BENCH: ResourceType = {
  group: 'bench.cogniforge.dev',
  version: 'v1',
  kind: 'Bench',
  plural: 'benches',
  namespaced: true,
};

export interface BenchSpec {
  x: number;
  note?: string;
}

export interface BenchStatus extends BaseStatus {
  x?: number;
}

export type Bench = Resource<BenchSpec, BenchStatus>;

/** Copies spec.x to status.x; reads nothing but the resource itself. */
export function benchKind(concurrency: number): Kind<Bench, Bench> {
  return {
    type: BENCH,
    watches: [],
    concurrency,
    gather: (resource) => Promise.resolve(resource),
    decide: ({ metadata, spec }) => ({
      effects: [],
      status: { x: spec.x, observedGeneration: metadata.generation ?? 0 },
      events: [],
      next: { type: 'done' },
      because: [],
    }),
  };
}

export function converged({ metadata, spec, status }: Bench): boolean {
  return status?.x === spec.x && status.observedGeneration === metadata.generation;
}
