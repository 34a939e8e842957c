/**
 * The Kubernetes API as the runtime uses it: JSON in, JSON out, typed errors, no generated classes.
 *
 * Reads are retried once when a kept-alive connection turned out to be dead or the credential had been rotated. Writes
 * are not: after a broken connection their outcome is unknown, so the caller reads again and decides again.
 */
import type { HttpRequest, HttpResponse, Transport } from './transport.ts';
import type { Credentials } from './auth.ts';
import { systemClock, type Clock } from './clock.ts';
import { ApiError, errorOf, isApiError, messageOf, retryAfter, type ApiStatus } from './errors.ts';
import { parseJson, stringifyJson } from './json.ts';
import { limited } from './limit.ts';
import { apiVersionOf, type KubernetesObject, type ObjectMeta, type ResourceType } from './resource.ts';

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

export interface ClientOptions {
  transport: Transport;
  credentials: Credentials;
  /** an answer slower than this is given up, ms */
  timeoutMs?: number;
  /** told of every answer: for rest_client_requests_total. Code 0: no answer. */
  observe?: (method: string, code: number) => void;
  clock?: Clock;
}

const DEFAULT_TIMEOUT_MS = 30_000;

const CONTENT_TYPE = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
const METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';

export function createClient(options: ClientOptions): Client {
  return build(options, undefined);
}

interface Guard {
  mayWrite: () => void;
  term: AbortSignal;
}

function build(options: ClientOptions, guard: Guard | undefined): Client {
  const call = <T>(request: HttpRequest): Promise<T> => exchange<T>(options, guard, request);
  const write = <T>(
    method: HttpRequest['method'],
    path: string,
    body: unknown,
    write: WriteOptions,
    contentType?: string,
  ) =>
    call<T>({
      method,
      path: path + query(writeQuery(write)),
      ...(body === undefined ? {} : { body: stringifyJson(body) }),
      ...(contentType === undefined ? {} : { contentType }),
      signal: write.signal,
    });
  return {
    get: (type, name, { signal } = {}) => call({ method: 'GET', path: objectPath(type, name), signal }),
    async list<T extends object>(type: ResourceType, list: ListOptions = {}): Promise<ObjectList<T>> {
      const found = await call<Omit<ObjectList<T>, 'items'> & { items: T[] | null }>({
        method: 'GET',
        path: collectionPath(type, list.namespace) + query(listQuery(list)),
        ...(list.metadataOnly === true ? { accept: METADATA_LIST } : {}),
        signal: list.signal,
      });
      // An empty list of metadata has `null` for its items (Go's nil slice).
      return { ...found, items: found.items ?? [] };
    },
    watch: (type, watch) => openWatch(options, type, watch),
    create: (type, object, options = {}) =>
      write('POST', collectionPath(type, object.metadata.namespace), object, options),
    update: (type, object, options = {}) =>
      write('PUT', objectPath(type, object.metadata, options.subresource), object, options),
    patch: (type, name, patch, options = {}) =>
      write(
        'PATCH',
        objectPath(type, name, options.subresource),
        patch.body,
        options,
        CONTENT_TYPE[patch.type],
      ),
    apply: (type, object, options) =>
      write(
        'PATCH',
        objectPath(type, object.metadata, options.subresource),
        object,
        options,
        CONTENT_TYPE.apply,
      ),
    async delete(type, name, options = {}) {
      const preconditions = { uid: options.uid, resourceVersion: options.resourceVersion };
      const body = {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        ...(options.uid === undefined && options.resourceVersion === undefined ? {} : { preconditions }),
        propagationPolicy: options.propagationPolicy ?? 'Background',
        ...(options.dryRun === true ? { dryRun: ['All'] } : {}),
      };
      await call({
        method: 'DELETE',
        path: objectPath(type, name),
        body: stringifyJson(body),
        signal: options.signal,
      });
    },
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

async function exchange<T>(
  options: ClientOptions,
  guard: Guard | undefined,
  request: HttpRequest,
): Promise<T> {
  const mutating = request.method !== 'GET';
  const what = `${request.method} ${request.path}`;
  const limit = limited(options.clock ?? systemClock, options.timeoutMs ?? DEFAULT_TIMEOUT_MS, [
    request.signal,
    mutating ? guard?.term : undefined,
  ]);
  const attempt = async (): Promise<T> => {
    const response = await options.transport.send({
      ...request,
      signal: limit.signal,
      beforeSend: mutating ? guard?.mayWrite : undefined,
    });
    options.observe?.(request.method, response.status);
    const text = await readBody(response.body, what);
    if (response.status >= 200 && response.status < 300) return decode<T>(text, request);
    throw failure(options, response, text, what);
  };
  try {
    return await attempt().catch((error: unknown) => {
      const unauthorized = isApiError(error, 'unauthorized');
      // Nothing was done: the same write is safe to send again with a fresh credential.
      if (unauthorized) options.credentials.invalidate();
      const again = unauthorized || (!mutating && isApiError(error, 'transient') && error.code === 0);
      if (again) return attempt();
      throw error;
    });
  } catch (error) {
    throw limit.reason(error, what);
  } finally {
    limit.free();
  }
}

async function openWatch(
  options: ClientOptions,
  type: ResourceType,
  watch: WatchOptions,
): Promise<HttpResponse['body']> {
  const path =
    collectionPath(type, watch.namespace) +
    query({
      ...listQuery(watch),
      watch: '1',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(watch.timeoutSeconds),
    });
  const accept = watch.metadataOnly === true ? METADATA : undefined;
  const request: HttpRequest = {
    method: 'GET',
    path,
    stream: true,
    ...(accept === undefined ? {} : { accept }),
  };
  const what = `WATCH ${path}`;
  // The server sends the head of a watch at once: without a limit, one that never comes would be waited for for ever.
  const limit = limited(options.clock ?? systemClock, options.timeoutMs ?? DEFAULT_TIMEOUT_MS, [
    watch.signal,
  ]);
  try {
    const response = await options.transport.send({ ...request, signal: limit.signal });
    response.body.once('close', limit.free);
    options.observe?.('WATCH', response.status);
    if (response.status === 200) {
      limit.lift();
      return response.body;
    }
    if (response.status === 401) options.credentials.invalidate();
    throw failure(options, response, await readBody(response.body, what), what);
  } catch (error) {
    limit.free();
    throw limit.reason(error, what);
  }
}

function decode<T>(text: string, request: HttpRequest): T {
  try {
    return parseJson(text) as T;
  } catch (error) {
    throw new ApiError(
      'transient',
      `${request.method} ${request.path}: the answer is not JSON: ${messageOf(error)}`,
    );
  }
}

function failure(
  { clock = systemClock }: ClientOptions,
  response: HttpResponse,
  text: string,
  what: string,
): ApiError {
  let status: ApiStatus | undefined;
  try {
    status = parseJson(text) as ApiStatus;
  } catch {
    status = { message: `HTTP ${String(response.status)}: ${text.slice(0, 200)}` };
  }
  const wait = retryAfter(response.headers['retry-after'], clock.now());
  return errorOf(response.status, status, what, wait);
}

function readBody(body: HttpResponse['body'], what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    body.on('data', (chunk: Buffer) => chunks.push(chunk));
    body.once('end', () => {
      const [only] = chunks;
      resolve(
        chunks.length === 1 && only !== undefined
          ? only.toString('utf8')
          : Buffer.concat(chunks).toString('utf8'),
      );
    });
    body.once('error', (error) => {
      reject(
        error instanceof ApiError
          ? error
          : new ApiError('transient', `${what}: ${messageOf(error)}`, { cause: error }),
      );
    });
    // 'close' without 'end' or 'error': the connection ended inside the body.
    body.once('close', () => {
      reject(new ApiError('transient', `${what}: the connection broke inside the answer`));
    });
  });
}

export function collectionPath(type: ResourceType, namespace?: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${apiVersionOf(type)}`;
  const scope =
    type.namespaced && namespace !== undefined && namespace !== ''
      ? `/namespaces/${encodeURIComponent(namespace)}`
      : '';
  return `${root}${scope}/${type.plural}`;
}

function objectPath(type: ResourceType, name: Name, subresource?: string): string {
  const path = `${collectionPath(type, name.namespace)}/${encodeURIComponent(name.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
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

function query(parameters: Record<string, string | undefined>): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}
