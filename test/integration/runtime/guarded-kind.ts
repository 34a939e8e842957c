/**
 * A kind with a whole life: a finalizer, a ConfigMap that it owns, conditions, a stall. Its spec says what goes wrong.
 */
import { conditionsOf, type Statement } from '../../../src/runtime/conditions.ts';
import type { BaseStatus, Decision, Kind, Reader } from '../../../src/runtime/kind.ts';
import { ownedBy, ownersOf } from '../../../src/runtime/owner.ts';
import { keyOf, type KubernetesObject, type Resource } from '../../../src/runtime/resource.ts';
import { GUARD } from './idle-kind.ts';
import { CONFIG_MAP } from '../../../src/runtime/core-types.ts';

export const FINALIZER = 'idle.cogniforge.dev/copy';

export interface WardSpec {
  x: number;
  /** thrown by gather, thrown by decide, hanging in gather until it is aborted */
  fault?: 'gather' | 'decide' | 'hang';
}

type Status = BaseStatus & { x?: number };

export type Ward = Resource<WardSpec, Status>;

interface Input {
  resource: Ward;
  copy: KubernetesObject | undefined;
}

const COPIES = { labelSelector: 'ward=true' };

/** `seen` is told of every look at a resource. */
export function wardKind(seen: (name: string) => void, finalizer: string | undefined): Kind<Ward, Input> {
  return {
    type: GUARD,
    watches: [{ type: CONFIG_MAP, selection: COPIES, map: mapping }],
    ...(finalizer === undefined ? {} : { finalizer }),
    async gather(resource, read) {
      seen(resource.metadata.name);
      if (resource.spec.fault === 'gather') throw new TypeError('gather broke');
      if (resource.spec.fault === 'hang') await untilAborted(read);
      return { resource, copy: read.of(CONFIG_MAP, COPIES).get(keyOf(resource.metadata)) };
    },
    decide,
  };
}

/** A listener that throws for some: the others must not notice. */
const mapping: Kind<Ward, Input>['watches'][number]['map'] = (change) => {
  const object = change.type === 'deleted' ? change.old : change.object;
  if (object.metadata.name === 'poison') throw new Error('the listener broke');
  return ownersOf(GUARD)(change);
};

function untilAborted({ signal }: Reader): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('given up'));
    });
  });
}

function decide({ resource, copy }: Input, now: number): Decision<Status> {
  const { metadata, spec, status } = resource;
  if (spec.fault === 'decide') throw new TypeError('decide broke');
  const generation = metadata.generation ?? 0;
  const bad = spec.x < 0;
  const ready: Statement = bad
    ? { type: 'Ready', status: 'False', reason: 'Negative', message: 'x must not be negative' }
    : { type: 'Ready', status: 'True', reason: 'Copied', message: 'the copy is there' };
  const statements = bad ? [ready, { ...ready, type: 'Stalled', status: 'True' as const }] : [ready];
  const going = metadata.deletionTimestamp !== undefined;
  const before = status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
  return {
    effects: going ? undo(copy, metadata) : bad ? [] : [apply(resource)],
    status: {
      x: spec.x,
      observedGeneration: generation,
      conditions: conditionsOf(status?.conditions, statements, generation, now),
    },
    events:
      before === ready.reason
        ? []
        : [{ type: bad ? 'Warning' : 'Normal', reason: ready.reason, message: ready.message }],
    next: bad ? { type: 'stall', reason: 'Negative' } : { type: 'done' },
    because: [],
  };
}

function undo(copy: KubernetesObject | undefined, { namespace = '' }: Ward['metadata']) {
  if (copy === undefined) return [];
  const { name, uid = '' } = copy.metadata;
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', name, namespace, uid };
  return [{ kind: 'remove' as const, key: name, type: CONFIG_MAP, ref }];
}

function apply(resource: Ward) {
  const { name, namespace = '' } = resource.metadata;
  const copy = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { ward: 'true' } },
    data: { x: String(resource.spec.x) },
  };
  return {
    kind: 'apply' as const,
    key: name,
    type: CONFIG_MAP,
    object: ownedBy(copy, resource),
    force: true,
  };
}
