/**
 * Leader election on a Lease, and the promise that goes with it: no write after the lease was lost.
 *
 * The others may take over `leaseMs` after the last renewal they saw. We stop `renewMs` after the moment we *sent* the
 * last renewal that succeeded, by the monotonic clock, checked before every mutating call: also after a stalled event
 * loop or a SIGSTOP, when no timer of ours has fired yet. Expiry of another's lease is judged by when its record last
 * changed before our own eyes, never by comparing wall clocks (as client-go does).
 */
import type { Cache } from './cache/cache.ts';
import type { Informer } from './cache/informer.ts';
import type { Client } from './client.ts';
import { isNewer } from './cache/version.ts';
import { deadline, sleep, type Clock, type Random } from './clock.ts';
import { ApiError, isApiError, messageOf } from './errors.ts';
import type { Log } from './log.ts';
import type { KubernetesObject, ObjectMeta, ResourceType } from './resource.ts';

export const LEASE: ResourceType = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};

export interface LeaderSettings {
  /** others may take over this long after the last renewal they saw */
  leaseMs: number;
  /** we stop writing this long after our last successful renewal; must be less than leaseMs */
  renewMs: number;
  /** between two renewals, and between two looks of a challenger */
  retryMs: number;
}

export const defaultLeaderSettings: LeaderSettings = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000 };

/** A release that does not get through saves nobody anything: the lease expires by itself. */
const RELEASE_PATIENCE_MS = 5_000;

/** One unbroken time of leadership. */
export interface Term {
  /** aborted when the term is over */
  signal: AbortSignal;
  /** Throws when the term is over, even if no timer has had the time to say so. */
  mayWrite: () => void;
  /** Whether there was a term before this one, ours or another's: what it wrote last may not be in our caches yet. */
  inherited: boolean;
}

export interface LeaderOptions {
  client: Client;
  cache: Cache;
  name: string;
  namespace: string;
  identity: string;
  settings: LeaderSettings;
  clock: Clock;
  random: Random;
  log: Log;
  /** Runs for one term; must end soon after the term's signal. */
  lead: (term: Term) => Promise<void>;
}

interface Lease extends KubernetesObject {
  metadata: ObjectMeta;
  spec: LeaseSpec;
}

interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

interface Observed {
  /** resourceVersion of the record */
  version: string;
  /** monotonic ms of when we first saw it */
  since: number;
}

/** Contends until the signal aborts; then ends its term and releases the lease. Never throws. */
export async function elect(options: LeaderOptions, signal: AbortSignal): Promise<void> {
  const { cache, name, namespace } = options;
  const informer = cache.informer<Lease>(LEASE, { namespace, fieldSelector: `metadata.name=${name}` });
  let observed: Observed | undefined;
  while (!signal.aborted) {
    try {
      const attempt = await contend(options, observed);
      observed = attempt.observed;
      if (attempt.held === undefined) await nextLook(options, informer, attempt, signal);
      // Still the holder: without a pause, a leader that fails at once would be made leader again in a hot loop.
      else if (!(await serve(options, attempt.held, informer, signal)))
        await sleep(options.clock, jittered(options), signal);
    } catch (error) {
      options.log.warn('leader election: cannot reach the lease', { lease: name, error: messageOf(error) });
      await sleep(options.clock, jittered(options), signal);
    }
  }
}

interface Held {
  lease: Lease;
  /** monotonic ms of when the request that won or renewed it was sent */
  sentAt: number;
  inherited: boolean;
}

interface Attempt {
  held?: Held;
  observed: Observed | undefined;
  /** how long the present holder still has, ms */
  remainingMs: number;
}

async function contend(options: LeaderOptions, observed: Observed | undefined): Promise<Attempt> {
  const { client, clock, name, namespace, identity, settings } = options;
  const lease = await read(options);
  const sentAt = clock.monotonic();
  if (lease === undefined) {
    const fresh = { ...leaseOf(options, undefined), metadata: { name, namespace } };
    const created = await within(options, settings.renewMs, (signal) =>
      client.create<Lease>(LEASE, fresh, { signal }),
    ).catch(lostRace);
    return {
      ...(created === undefined ? {} : { held: { lease: created, sentAt, inherited: false } }),
      observed: undefined,
      remainingMs: 0,
    };
  }
  const version = lease.metadata.resourceVersion ?? '';
  const seen = observed?.version === version ? observed : { version, since: clock.monotonic() };
  const holder = lease.spec.holderIdentity ?? '';
  const leaseMs = Math.max((lease.spec.leaseDurationSeconds ?? 0) * 1000, settings.leaseMs);
  const remainingMs = seen.since + leaseMs - clock.monotonic();
  if (holder !== '' && holder !== identity && remainingMs > 0) return { observed: seen, remainingMs };
  const taken = await within(options, settings.renewMs, (signal) =>
    client.update<Lease>(LEASE, leaseOf(options, lease), { signal }),
  ).catch(lostRace);
  return {
    ...(taken === undefined ? {} : { held: { lease: taken, sentAt, inherited: true } }),
    observed: seen,
    remainingMs: 0,
  };
}

async function read(options: LeaderOptions): Promise<Lease | undefined> {
  const { client, name, namespace, settings } = options;
  try {
    return await within(options, settings.renewMs, (signal) =>
      client.get<Lease>(LEASE, { name, namespace }, { signal }),
    );
  } catch (error) {
    if (isApiError(error, 'notFound')) return undefined;
    throw error;
  }
}

/** The work, given up after `ms`. */
async function within<T>(
  { clock }: LeaderOptions,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = deadline(clock, ms);
  try {
    return await work(limit.signal);
  } finally {
    limit.free();
  }
}

function lostRace(error: unknown): undefined {
  if (isApiError(error, 'conflict', 'alreadyExists')) return undefined;
  throw error;
}

/** The record as we want it: taken over (transitions counted) or renewed. */
function leaseOf({ identity, settings, clock }: LeaderOptions, lease: Lease | undefined): Lease {
  const now = new Date(clock.now()).toISOString().replace('Z', '000Z');
  const renewing = lease?.spec.holderIdentity === identity;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: lease?.metadata ?? { name: '' },
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: Math.round(settings.leaseMs / 1000),
      acquireTime: renewing ? (lease.spec.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (lease?.spec.leaseTransitions ?? 0) + (renewing || lease === undefined ? 0 : 1),
    },
  };
}

/** Woken by a change of the record at once, by its expiry to the millisecond, and by the clock in case the watch is deaf. */
async function nextLook(
  options: LeaderOptions,
  informer: Informer<Lease>,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<void> {
  const seen = attempt.observed?.version;
  const patienceMs = Math.max(1, Math.min(attempt.remainingMs, jittered(options)));
  const awake = deadline(options.clock, patienceMs, signal);
  const key = `${options.namespace}/${options.name}`;
  await informer.until(() => {
    const cached = informer.get(key)?.metadata.resourceVersion;
    return (
      informer.synced &&
      cached !== seen &&
      (cached === undefined || seen === undefined || informer.hasSeen(seen))
    );
  }, awake.signal);
  awake.free();
}

function jittered({ settings, random }: LeaderOptions): number {
  return settings.retryMs * (0.75 + 0.25 * random());
}

/** One term. Resolves false when it ended because the leader failed. */
async function serve(
  options: LeaderOptions,
  held: Held,
  informer: Informer<Lease>,
  signal: AbortSignal,
): Promise<boolean> {
  const { clock, settings, log, name, identity } = options;
  const over = new AbortController();
  let ends = held.sentAt + settings.renewMs;
  const term: Term = {
    signal: over.signal,
    inherited: held.inherited,
    mayWrite: () => {
      if (over.signal.aborted || clock.monotonic() >= ends) {
        over.abort();
        throw new ApiError('aborted', `not the leader any more: ${identity} lost the lease ${name}`);
      }
    },
  };
  const stop = (): void => {
    over.abort();
  };
  signal.addEventListener('abort', stop, { once: true });
  // The end may have come while the lease was being won; a listener would never be told.
  if (signal.aborted) stop();
  log.info('leading', { lease: name, identity });
  let failed = false;
  const led = options.lead(term).catch((error: unknown) => {
    log.error('the leader failed', { lease: name, identity, error });
    failed = true;
    over.abort();
  });
  const unlisten = informer.listen((change) => {
    // Stolen, not expired: somebody edited the record, ours to obey at once. What is older than our own claim is the
    // past arriving late.
    const object = change.type === 'deleted' ? change.old : change.object;
    const holder = change.type === 'deleted' ? undefined : change.object.spec.holderIdentity;
    const later = isNewer(object.metadata.resourceVersion ?? '', held.lease.metadata.resourceVersion);
    if (later && holder !== identity) over.abort();
  });
  const lease = await renewUntilOver(
    options,
    held.lease,
    over,
    (sentAt) => {
      ends = sentAt + settings.renewMs;
    },
    () => ends,
  );
  unlisten();
  signal.removeEventListener('abort', stop);
  over.abort();
  await led;
  log.info('no longer leading', { lease: name, identity });
  if (signal.aborted && lease !== undefined) await release(options, lease);
  return !failed;
}

/** Resolves with the last record that was ours when the term ends, undefined when it was lost. */
async function renewUntilOver(
  options: LeaderOptions,
  first: Lease,
  over: AbortController,
  renewed: (sentAt: number) => void,
  ends: () => number,
): Promise<Lease | undefined> {
  const { client, clock, settings, log, name, identity } = options;
  let lease = first;
  for (;;) {
    // No longer than to the end of the term: those who listen to its signal are to hear of it on time.
    await sleep(clock, Math.min(settings.retryMs, Math.max(0, ends() - clock.monotonic())), over.signal);
    if (over.signal.aborted) return lease;
    const sentAt = clock.monotonic();
    const left = ends() - sentAt;
    if (left <= 0) return undefined;
    try {
      // A renewal that hangs must not outlive the term it renews.
      const patienceMs = Math.ceil(Math.min(left, settings.renewMs / 2));
      const desired = leaseOf(options, lease);
      lease = await within(options, patienceMs, (signal) => client.update<Lease>(LEASE, desired, { signal }));
      renewed(sentAt);
    } catch (error) {
      log.warn('the lease could not be renewed', { lease: name, identity, error: messageOf(error) });
      if (!isApiError(error, 'conflict', 'notFound')) continue;
      const current = await read(options).catch(() => lease);
      if (current?.spec.holderIdentity !== identity) return undefined;
      // Our own renewal whose answer was lost, or a label somebody put on it: still ours. Where it cannot be read, it
      // is ours until the term ends.
      lease = current;
    }
  }
}

/** An empty holder: the next in line need not wait for the expiry. */
async function release(options: LeaderOptions, lease: Lease): Promise<void> {
  const { client, log, name } = options;
  try {
    const current = await read(options);
    if (current === undefined || current.spec.holderIdentity !== lease.spec.holderIdentity) return;
    const spec = { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1 };
    await within(options, RELEASE_PATIENCE_MS, (signal) =>
      client.update<Lease>(LEASE, { ...current, spec }, { signal }),
    );
  } catch (error) {
    log.warn('the lease could not be released; others wait for its expiry', {
      lease: name,
      error: messageOf(error),
    });
  }
}
