/**
 * Keeps a store equal to the server: list, then watch from there, for ever.
 *
 * Every way a watch can end (time-out, drop in mid-line, silence, 410, 500, 429, 401, a garbage line) leads back into
 * the loop; none ends it but the signal.
 */
import { backoff, type BackoffLimits } from '../backoff.ts';
import type { Client, ObjectList } from '../client.ts';
import { sleep, type Clock, type Random } from '../clock.ts';
import { ApiError, errorOf, isApiError, messageOf, type ApiStatus } from '../errors.ts';
import { isRecord, parseJson } from '../json.ts';
import { apiVersionOf, type KubernetesObject, type ResourceType } from '../resource.ts';
import type { Doubt } from './doubt.ts';
import { lines, type LineLimits } from './lines.ts';
import type { Change, Store } from './store.ts';
import { isNewer } from './version.ts';

export interface ReflectorSettings extends LineLimits {
  pageSize: number;
  /** the server ends a watch after a random time in this range, seconds: load spreads after a server restart */
  watchSeconds: { min: number; max: number };
  backoff: BackoffLimits;
  /** a list older than what was seen is asked for again this often before it is believed (etcd restored from backup) */
  staleLists: number;
}

export const defaultReflectorSettings: ReflectorSettings = {
  pageSize: 500,
  watchSeconds: { min: 300, max: 600 },
  // Every wait is between 0.8 and 30 s: the floor is half of the first cap.
  backoff: { minMs: 1_600, maxMs: 30_000 },
  maxLineBytes: 8 * 1024 * 1024,
  idleMs: 150_000,
  staleLists: 3,
};

export interface Selection {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  metadataOnly?: boolean | undefined;
  /** keep who wrote which field: half of an object's bytes, dropped unless asked for */
  managedFields?: boolean | undefined;
}

export interface ReflectorOptions<T extends KubernetesObject> {
  client: Client;
  type: ResourceType;
  selection: Selection;
  store: Store<T>;
  /** called with the changes of one event or list, in order; must not throw */
  onChanges: (changes: readonly Change<T>[]) => void;
  /** called after each step that moved the store's version, changes or not */
  onProgress?: () => void;
  onError: (error: unknown) => void;
  /** lets others ask for a list */
  doubt: Doubt;
  /** what is kept of an object */
  transform: (object: T) => T;
  clock: Clock;
  random: Random;
  settings: ReflectorSettings;
}

/** Runs until the signal aborts. Never throws. */
export async function reflect<T extends KubernetesObject>(
  options: ReflectorOptions<T>,
  signal: AbortSignal,
): Promise<void> {
  const { store, doubt } = options;
  let failures = 0;
  let mustList = true;
  do {
    let interruption: AbortSignal | undefined;
    try {
      if (mustList || doubt.pending) {
        await relist(options, signal);
        mustList = false;
      }
      interruption = doubt.interruption();
      const alive = await watchOnce(options, AbortSignal.any([signal, interruption]), () => {
        failures = 0;
      });
      // A server that closes at once without a word would otherwise be asked in a hot loop.
      if (!alive) throw new ApiError('transient', 'watch: ended at once without an event');
    } catch (error) {
      if (signal.aborted) return;
      if (interruption?.aborted === true) continue;
      failures += 1;
      mustList ||= isApiError(error, 'gone') || store.version === undefined;
      options.onError(error);
      // The first 410 is an ordinary event of a quiet kind: nothing is broken, so nothing is waited for.
      if (failures > 1 || !isApiError(error, 'gone')) await rest(options, error, failures, signal);
    }
  } while (!signal.aborted);
}

/** Waits before the next try, at least what the server asked for; a doubt raised meanwhile ends the wait once. */
async function rest<T extends KubernetesObject>(
  { clock, random, settings, doubt }: ReflectorOptions<T>,
  error: unknown,
  failures: number,
  signal: AbortSignal,
): Promise<void> {
  const retryAfter = error instanceof ApiError ? error.retryAfterMs : undefined;
  const wait = Math.max(backoff(failures, settings.backoff, random), retryAfter ?? 0);
  const awake = doubt.pending || retryAfter !== undefined;
  await sleep(clock, wait, awake ? signal : AbortSignal.any([signal, doubt.interruption()]));
}

async function relist<T extends KubernetesObject>(
  options: ReflectorOptions<T>,
  signal: AbortSignal,
): Promise<void> {
  const { store, settings, clock, random, doubt } = options;
  for (let attempt = 1; ; attempt += 1) {
    const { ticket } = doubt;
    const { items, version } = await listAll(options, signal);
    const stale = store.version !== undefined && isNewer(store.version, version);
    if (!stale || attempt > settings.staleLists) {
      options.onChanges(store.replace(items, version));
      doubt.settle(ticket);
      options.onProgress?.();
      return;
    }
    await sleep(clock, backoff(attempt, settings.backoff, random), signal);
    if (signal.aborted) return;
  }
}

/** All pages, of one consistent moment: the continue token carries it. An expired token starts over. */
async function listAll<T extends KubernetesObject>(
  options: ReflectorOptions<T>,
  signal: AbortSignal,
): Promise<{ items: T[]; version: string }> {
  const { client, type, selection, settings } = options;
  const items: T[] = [];
  let token: string | undefined;
  let version: string;
  do {
    const page: ObjectList<T> = await client.list<T>(type, {
      ...selection,
      limit: settings.pageSize,
      continue: token,
      signal,
    });
    for (const item of page.items) items.push(keep(item, options));
    version = page.metadata.resourceVersion;
    token = page.metadata.continue;
  } while (token !== undefined && token !== '');
  return { items, version };
}

/** Watches once. Resolves true when it delivered something or lasted, false when it ended at once. */
async function watchOnce<T extends KubernetesObject>(
  options: ReflectorOptions<T>,
  signal: AbortSignal,
  onEvent: () => void,
): Promise<boolean> {
  const { client, type, selection, store, settings, clock, random } = options;
  const started = clock.monotonic();
  const { min, max } = settings.watchSeconds;
  const timeoutSeconds = Math.round(min + random() * (max - min));
  const body = await client.watch(type, {
    ...selection,
    resourceVersion: store.version,
    timeoutSeconds,
    signal,
  });
  let delivered = false;
  for await (const line of lines(body, settings, clock)) {
    if (line === '') continue;
    const event = decodeEvent<T>(line);
    if (event.type === 'BOOKMARK') store.bookmark(event.object.metadata.resourceVersion ?? '');
    else deliver(store.apply(event.type, keep(event.object, options)), options);
    options.onProgress?.();
    onEvent();
    delivered = true;
  }
  return delivered || clock.monotonic() - started > 1000;
}

function deliver<T extends KubernetesObject>(
  changes: readonly Change<T>[],
  options: ReflectorOptions<T>,
): void {
  if (changes.length > 0) options.onChanges(changes);
}

interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

const EVENT_TYPES: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

function decodeEvent<T extends KubernetesObject>(line: string): WatchEvent<T> {
  let event: unknown;
  try {
    event = parseJson(line);
  } catch (error) {
    throw new ApiError('transient', `watch: a line that is not JSON: ${messageOf(error)}`);
  }
  if (isRecord(event) && event['type'] === 'ERROR') {
    const status = event['object'] as ApiStatus;
    throw errorOf(status.code ?? 500, status, 'watch');
  }
  if (!isEvent(event)) throw new ApiError('transient', 'watch: a line that is not an event');
  return event as WatchEvent<T>;
}

/** Without a version the next watch would start from nowhere, without a name the object would be filed under none. */
function isEvent(event: unknown): event is WatchEvent<KubernetesObject> {
  if (!isRecord(event) || !EVENT_TYPES.has(event['type'])) return false;
  const metadata = isRecord(event['object']) ? event['object']['metadata'] : undefined;
  if (!isRecord(metadata) || !isText(metadata['resourceVersion'])) return false;
  return event['type'] === 'BOOKMARK' || isText(metadata['name']);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Lists of built-in kinds leave apiVersion and kind out of their items; a watch has them. One form for both. */
function keep<T extends KubernetesObject>(
  object: T & { kind?: string },
  { type, selection, transform }: ReflectorOptions<T>,
): T {
  if (selection.metadataOnly === true || (object as { kind?: string }).kind === undefined) {
    object.apiVersion = apiVersionOf(type);
    object.kind = type.kind;
  }
  return transform(object);
}
