/** Requests and rules, as the API server sends and stores them, of which a test says only what matters to it. */
import type { PolicyRule } from '../../../src/policy/policyrule/types.gen.ts';
import type { Unstructured } from '../../../src/runtime/resource.ts';
import type { AdmissionRequest } from '../../../src/runtime/webhook/review.ts';
import { asStored } from './as-stored.ts';

export type Match = Partial<PolicyRule['spec']['match']>;

export function rule(name: string, match: Match, spec: Partial<PolicyRule['spec']> = {}): PolicyRule {
  const kinds = [{ apiGroups: [''], kinds: ['Pod'] }];
  return asStored({
    apiVersion: 'cogniforge.dev/v1alpha1',
    kind: 'PolicyRule',
    metadata: { name },
    spec: { match: { kinds, ...match }, regoQuery: 'true', ...spec },
  });
}

export function object(metadata: object, rest: object = {}): Unstructured {
  return { apiVersion: 'v1', kind: 'Any', metadata, ...rest } as unknown as Unstructured;
}

export function podRequest(over: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    uid: 'u',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    resource: { group: '', version: 'v1', resource: 'pods' },
    name: 'web',
    namespace: 'prod',
    operation: 'CREATE',
    userInfo: { username: 'ann' },
    object: object({ name: 'web', namespace: 'prod' }),
    ...over,
  };
}

const GROUPS: Readonly<Record<string, string>> = { Job: 'batch', CronJob: 'batch' };

/** Of a parent of Pods: `template` is where its kind has it. */
export function parentRequest(
  kind: string,
  template: object,
  over: Partial<AdmissionRequest> = {},
): AdmissionRequest {
  const group = GROUPS[kind] ?? 'apps';
  return podRequest({
    kind: { group, version: 'v1', kind },
    resource: { group, version: 'v1', resource: `${kind.toLowerCase()}s` },
    object: parentOf(kind, template),
    ...over,
  });
}

export function parentOf(kind: string, template: object, metadata: object = {}): Unstructured {
  const spec = kind === 'CronJob' ? { jobTemplate: { spec: { template } } } : { template };
  return object({ name: 'web', namespace: 'prod', ...metadata }, { spec });
}
