/**
 * What each replica says of itself to the others: a Lease of its own, renewed while it lives, with a report in an
 * annotation. The API server is the only channel between replicas; kube-apiserver announces itself the same way.
 */
import type { Cache } from './cache/cache.ts';
import type { Client } from './client.ts';
import { deadline, sleep, type Clock, type Instant } from './clock.ts';
import { isApiError, messageOf } from './errors.ts';
import { isRecord, parseJson, stringifyJson } from './json.ts';
import { LEASE } from './leader.ts';
import type { Log } from './log.ts';
import type { KubernetesObject } from './resource.ts';

const LABEL = 'cogniforge.dev/replica';
const ANNOTATION = 'cogniforge.dev/report';

/** A replica that has not renewed for this long does not count any more. */
const LIFE_MS = 40_000;
const RENEW_MS = 10_000;
/** Several changes of a report within this time are one write. */
const SETTLE_MS = 100;
/** The record of a dead replica is kept this long: what it reported last is still to be read. */
const BURIAL_MS = 600_000;

/** topic -> name -> numbers; what they mean is between those who write and read the topic */
export type Report = Record<string, Record<string, number[]>>;

export interface Replica {
  identity: string;
  alive: boolean;
  report: Report;
}

interface ReplicaLease extends KubernetesObject {
  spec: { holderIdentity?: string; leaseDurationSeconds?: number; renewTime?: string };
}

export interface PresenceOptions {
  client: Client;
  cache: Cache;
  namespace: string;
  identity: string;
  clock: Clock;
  log: Log;
}

export class Presence {
  readonly #options: PresenceOptions;
  #report: Report = {};
  #wake: AbortController | undefined;
  #dirty = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
    void this.#informer();
  }

  /** The selection under which a kind watches the reports. */
  static watching(namespace: string): {
    type: typeof LEASE;
    selection: { namespace: string; labelSelector: string };
  } {
    return { type: LEASE, selection: { namespace, labelSelector: `${LABEL}=true` } };
  }

  /** The report of a replica's record; an empty one of anything else. */
  static reportOf(lease: KubernetesObject | undefined): Report {
    return lease === undefined ? {} : reportOf(lease);
  }

  /** Replaces one topic of our report; written soon when `urgent`, else with the next renewal. */
  say(topic: string, content: Record<string, number[]>, urgent: boolean): void {
    this.#report = { ...this.#report, [topic]: content };
    if (!urgent) return;
    this.#dirty = true;
    this.#wake?.abort();
  }

  /** Every replica that has a record, by the wall clock: a skew of up to 30 s between nodes does no harm. */
  replicas(now: Instant): Replica[] {
    return this.#informer()
      .list()
      .map((lease) => replicaOf(lease, now));
  }

  /** Renews until the signal aborts, then writes the last report with an expired lease. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    while (!signal.aborted) {
      this.#dirty = false;
      const written = await this.#write(LIFE_MS).then(
        () => true,
        (error: unknown) => {
          log.warn('our presence could not be written', { error: messageOf(error) });
          return false;
        },
      );
      await this.#rest(written ? RENEW_MS : 1_000, signal);
    }
    await this.#write(0).catch((error: unknown) => {
      log.warn('our departure could not be written', { error: messageOf(error) });
    });
  }

  /** A duty of the leader: removes the records of the long dead. */
  async bury(client: Client, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      for (const lease of this.#informer().list()) {
        if (clock.now() - renewedAt(lease) < BURIAL_MS) continue;
        const { uid } = lease.metadata;
        await client.delete(LEASE, lease.metadata, { uid, signal }).catch((error: unknown) => {
          if (!isApiError(error, 'notFound', 'conflict', 'aborted'))
            log.warn('a dead replica could not be removed', { error: messageOf(error) });
        });
      }
      await sleep(clock, BURIAL_MS / 2, signal);
    }
  }

  #informer() {
    const { cache, namespace } = this.#options;
    const { type, selection } = Presence.watching(namespace);
    return cache.informer<ReplicaLease>(type, selection);
  }

  /** Until the next renewal is due; shorter when there is something urgent to say, with a pause for more of it. */
  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if (!this.#dirty) {
      this.#wake = new AbortController();
      await sleep(clock, ms, AbortSignal.any([signal, this.#wake.signal]));
      this.#wake = undefined;
    }
    if (this.#dirty) await sleep(clock, SETTLE_MS, signal);
  }

  async #write(lifeMs: number): Promise<void> {
    const { client, namespace, identity, clock } = this.#options;
    const lease: ReplicaLease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: leaseName(identity),
        namespace,
        labels: { [LABEL]: 'true', 'app.kubernetes.io/name': 'cogniforge' },
        annotations: { [ANNOTATION]: stringifyJson(this.#report) },
      },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.max(1, Math.round(lifeMs / 1000)),
        renewTime: new Date(clock.now() - (lifeMs === 0 ? LIFE_MS : 0)).toISOString().replace('Z', '000Z'),
      },
    };
    const limit = deadline(clock, RENEW_MS);
    await client
      .apply(LEASE, lease, { fieldManager: 'cogniforge-presence', force: true, signal: limit.signal })
      .finally(limit.free);
  }
}

function leaseName(identity: string): string {
  return `cogniforge-replica-${identity.toLowerCase().replace(/[^a-z0-9-]/g, '-')}`
    .slice(0, 250)
    .replace(/-+$/, '');
}

function renewedAt(lease: ReplicaLease): Instant {
  const at = Date.parse(lease.spec.renewTime ?? '');
  return Number.isNaN(at) ? 0 : at;
}

function replicaOf(lease: ReplicaLease, now: Instant): Replica {
  const identity = lease.spec.holderIdentity ?? lease.metadata.name;
  return { identity, alive: now - renewedAt(lease) < LIFE_MS, report: reportOf(lease) };
}

/** Anybody with the right may write a Lease: what is not a report is read as an empty one. */
function reportOf(lease: KubernetesObject): Report {
  try {
    const report = parseJson(lease.metadata.annotations?.[ANNOTATION] ?? '{}');
    return isRecord(report) ? (report as Report) : {};
  } catch {
    return {};
  }
}
