/** What a rule is given to judge an object that no API server has sent: the AdmissionRequest that it would send. */
import { isRecord } from '../../runtime/json.ts';
import { splitApiVersion, type Unstructured } from '../../runtime/resource.ts';
import type { AdmissionRequest, Operation } from '../../runtime/webhook/review.ts';
import { judgedObject } from '../reviews.ts';

type Loose = Readonly<Record<string, unknown>>;

/** The request of an AdmissionReview; undefined for every other object. */
export function requestIn(object: Loose): Loose | undefined {
  const { apiVersion, kind, request } = object;
  const other = typeof apiVersion === 'string' && !apiVersion.startsWith('admission.k8s.io/');
  return kind === 'AdmissionReview' && !other && isRecord(request) ? request : undefined;
}

/** An object as it would be sent when it is created, or when `operation` is done to it. */
export function requestAbout(object: Loose, operation: Operation | '' = 'CREATE'): Loose {
  const { apiVersion, kind, metadata } = object;
  const { name, namespace } = isRecord(metadata) ? metadata : {};
  const old = operation === 'DELETE' || operation === 'UPDATE' ? object : null;
  return {
    uid: '',
    kind: { ...splitApiVersion(textOf(apiVersion)), kind: textOf(kind) },
    resource: { group: '', version: '', resource: '' },
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof namespace === 'string' ? { namespace } : {}),
    operation,
    userInfo: {},
    object: operation === 'DELETE' ? null : object,
    oldObject: old,
    options: null,
  };
}

/** The rule's input: the request and the parameters, or, for a query, the object alone. */
export function inputOf(reads: 'review' | 'object', request: Loose, parameters: unknown): unknown {
  const object = judgedObject(request);
  if (reads === 'object') return object;
  return { review: { ...request, object }, parameters };
}

/**
 * The request as `matches` reads it. What a hand-written review leaves out is taken from its object, as Gatekeeper does:
 * the kind, the name, the namespace.
 */
export function matchable(request: Loose, operation: Operation): AdmissionRequest {
  const { object, oldObject } = request;
  const judged = [object, oldObject].find(isRecord) ?? {};
  const about = requestAbout(judged);
  const kind =
    isRecord(request['kind']) && typeof request['kind']['kind'] === 'string'
      ? request['kind']
      : about['kind'];
  return {
    ...about,
    ...request,
    kind,
    operation,
    object: complete(object),
    oldObject: complete(oldObject),
  } as unknown as AdmissionRequest;
}

function complete(object: unknown): Unstructured | null {
  if (!isRecord(object)) return null;
  return {
    ...object,
    metadata: isRecord(object['metadata']) ? object['metadata'] : {},
  } as unknown as Unstructured;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
