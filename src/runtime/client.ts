/**
 * The Kubernetes API as the runtime uses it: JSON in, JSON out, typed errors, no generated classes. */
import { exchange, openStream, type ExchangeOptions, type Guard } from './exchange.ts';
import { stringifyJson } from './json.ts';
import type { KubernetesObject, ObjectMeta, ResourceType } from './resource.ts';
import type { HttpRequest, HttpResponse } from './transport.ts';
import { collectionPath, objectPath, query } from './urls.ts';

export interface Name {
  name: string;
  namespace?: string | undefined;
}

export interface ListOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  limit?: number | undefined;
  continue?: string | undefined;
  resourceVersion?: string | undefined;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
  metadataOnly?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue'> {
  timeoutSeconds: number;
}

export interface WriteOptions {
  subresource?: string | undefined;
  fieldManager?: string | undefined;
  dryRun?: boolean | undefined;
  /** server-side apply only: take fields over from other managers */
  force?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface ApplyOptions extends WriteOptions {
  fieldManager: string;
}

export interface DeleteOptions {
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  dryRun?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface ObjectList<T> {
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

export interface PatchBody {
  type: 'json' | 'merge';
  body: unknown;
}

export interface RawOptions {
  body?: unknown;
  accept?: string;
  signal?: AbortSignal | undefined;
}

export interface Client {
  get<T extends object = KubernetesObject>(
    type: ResourceType,
    name: Name,
    options?: { signal?: AbortSignal },
  ): Promise<T>;
  list<T extends object = KubernetesObject>(
    type: ResourceType,
    options?: ListOptions,
  ): Promise<ObjectList<T>>;
  /** The raw stream of a watch: one JSON event a line. */
  watch(type: ResourceType, options: WatchOptions): Promise<HttpResponse['body']>;
  create<T extends object>(
    type: ResourceType,
    object: T & { metadata: Partial<ObjectMeta> },
    options?: WriteOptions,
  ): Promise<T>;
  /** Replaces; a resourceVersion in the object makes it conditional. */
  update<T extends object>(
    type: ResourceType,
    object: T & { metadata: ObjectMeta },
    options?: WriteOptions,
  ): Promise<T>;
  patch<T extends object = KubernetesObject>(
    type: ResourceType,
    name: Name,
    patch: PatchBody,
    options?: WriteOptions,
  ): Promise<T>;
  /** Server-side apply. */
  apply<T extends object>(
    type: ResourceType,
    object: T & { metadata: ObjectMeta },
    options: ApplyOptions,
  ): Promise<T>;
  delete(type: ResourceType, name: Name, options?: DeleteOptions): Promise<void>;
  /** Any other path: discovery, /version, SubjectAccessReview. */
  raw<T>(method: HttpRequest['method'], path: string, options?: RawOptions): Promise<T>;
  /** The same client, whose every mutating call first asks `mayWrite`, which throws when the term is over. */
  guarded(mayWrite: () => void, term: AbortSignal): Client;
}

const CONTENT_TYPE = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
const METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';

export function createClient(options: ExchangeOptions): Client {
  return build(options, undefined);
}

type Call = <T>(request: HttpRequest) => Promise<T>;

function build(options: ExchangeOptions, guard: Guard | undefined): Client {
  // The one place where the shape of an answer is taken on trust: it is what the API promises for the path.
  const call: Call = <T>(request: HttpRequest) => exchange(options, guard, request) as Promise<T>;
  return {
    get: (type, name, { signal } = {}) => call({ method: 'GET', path: objectPath(type, name), signal }),
    list: (type, list = {}) =>
      call({
        method: 'GET',
        path: collectionPath(type, list.namespace) + query(listQuery(list)),
        ...(list.metadataOnly === true ? { accept: METADATA_LIST } : {}),
        signal: list.signal,
      }),
    watch: (type, watch) => openStream(options, watchRequest(type, watch)),
    ...writes(call),
    raw: (method, path, { body, accept, signal } = {}) =>
      call({
        method,
        path,
        ...(body === undefined ? {} : { body: stringifyJson(body) }),
        ...(accept === undefined ? {} : { accept }),
        signal,
      }),
    guarded: (mayWrite, term) => build(options, { mayWrite, term }),
  };
}

function writes(call: Call): Pick<Client, 'create' | 'update' | 'patch' | 'apply' | 'delete'> {
  return {
    create: (type, object, options = {}) =>
      call(writeRequest('POST', collectionPath(type, object.metadata.namespace), object, options)),
    update: (type, object, options = {}) =>
      call(writeRequest('PUT', objectPath(type, object.metadata, options.subresource), object, options)),
    patch: (type, name, { type: sort, body }, options = {}) =>
      call({
        ...writeRequest('PATCH', objectPath(type, name, options.subresource), body, options),
        contentType: CONTENT_TYPE[sort],
      }),
    apply: (type, object, options) =>
      call({
        ...writeRequest('PATCH', objectPath(type, object.metadata, options.subresource), object, options),
        contentType: CONTENT_TYPE.apply,
      }),
    async delete(type, name, options = {}) {
      await call({
        method: 'DELETE',
        path: objectPath(type, name),
        body: stringifyJson(deleteBody(options)),
        signal: options.signal,
      });
    },
  };
}

function writeRequest(
  method: HttpRequest['method'],
  path: string,
  body: unknown,
  options: WriteOptions,
): HttpRequest {
  return {
    method,
    path: path + query(writeQuery(options)),
    body: stringifyJson(body),
    signal: options.signal,
  };
}

function deleteBody({ uid, resourceVersion, propagationPolicy = 'Background', dryRun }: DeleteOptions) {
  return {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    ...(uid === undefined && resourceVersion === undefined
      ? {}
      : { preconditions: { uid, resourceVersion } }),
    propagationPolicy,
    ...(dryRun === true ? { dryRun: ['All'] } : {}),
  };
}

function watchRequest(type: ResourceType, watch: WatchOptions): HttpRequest {
  const parameters = {
    ...listQuery(watch),
    watch: '1',
    allowWatchBookmarks: 'true',
    timeoutSeconds: String(watch.timeoutSeconds),
  };
  return {
    method: 'GET',
    path: collectionPath(type, watch.namespace) + query(parameters),
    signal: watch.signal,
    ...(watch.metadataOnly === true ? { accept: METADATA } : {}),
  };
}
function listQuery(list: ListOptions): Record<string, string | undefined> {
  return {
    labelSelector: list.labelSelector,
    fieldSelector: list.fieldSelector,
    limit: list.limit?.toString(),
    continue: list.continue,
    resourceVersion: list.resourceVersion,
    resourceVersionMatch: list.resourceVersionMatch,
  };
}

function writeQuery(write: WriteOptions): Record<string, string | undefined> {
  return {
    fieldManager: write.fieldManager,
    dryRun: write.dryRun === true ? 'All' : undefined,
    force: write.force === true ? 'true' : undefined,
  };
}
