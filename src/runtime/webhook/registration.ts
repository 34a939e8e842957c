/**
 * Keeps the ValidatingWebhookConfiguration in the cluster equal to what is in force. A duty of the leader.
 *
 * A cold start cannot deadlock: the server is ready before this runs; a client configuration that the API server has
 * never reached us through is written with failurePolicy Ignore; a probe through the API server proves it; only then is
 * Fail written. A steady restart finds its proof in the configuration and leaves no window.
 */
import { createHash } from 'node:crypto';
import type { Cache } from '../cache/cache.ts';
import type { Client } from '../client.ts';
import { sleep, type Clock } from '../clock.ts';
import { discover, type ApiResource } from '../discovery.ts';
import { isApiError, messageOf } from '../errors.ts';
import { deepEqual } from '../json.ts';
import type { Log } from '../log.ts';
import type { ObjectMeta, OwnerReference, ResourceType } from '../resource.ts';
import {
  CONFIGURATION,
  CONFIGURATION_NAME,
  covers,
  deriveConfiguration,
  ownerOf,
  PROVEN,
  type ClientConfig,
  type FailMode,
  type WebhookConfiguration,
} from './configuration.ts';
import { probeWebhook } from './probe.ts';
import { unknownKinds } from './rules.ts';
import type { MatchCondition, Target } from './target.ts';
import { CRD } from '../core-types.ts';

/** Kinds of aggregated API servers come without a CRD: looked for again this often while one is missing. */
const REDISCOVER_MS = 30_000;
/**
 * A configuration that had to be made stands this long before it may fail closed. At an uninstall ours is deleted
 * first, and made again by a leader that still runs: by then what reaches us, and the owner of the new one, are gone.
 */
const PROBATION_MS = 5_000;
/** API servers hear of a change by a watch of their own. */
const SPREAD_MS = 3_000;
const SETTLE_MS = 50;
const RETRY_MS = 1_000;

export interface RegistrationOptions {
  cache: Cache;
  client: Client;
  targets: () => readonly Target[];
  own: () => readonly ResourceType[];
  /** changes when a certificate is renewed */
  clientConfig: () => ClientConfig;
  failMode: FailMode;
  /** whose deletion is to take the configuration along */
  owner: (client: Client, signal: AbortSignal) => Promise<OwnerReference | undefined>;
  /** our own namespace */
  namespace: string;
  clock: Clock;
  log: Log;
}

export class Registration {
  readonly #options: RegistrationOptions;
  #resources: ApiResource[] = [];
  #discovered = false;
  #stale = true;
  #wake = new AbortController();
  #look = new AbortController();
  #madeAt = -Infinity;
  /** targets whose entries the API server does not accept: for which conditions, and why */
  readonly #refused = new Map<string, { conditions: readonly MatchCondition[]; why: string }>();
  /** what it was called before somebody deleted it: Helm would leave behind what does not carry its marks */
  #marks: Pick<ObjectMeta, 'labels' | 'annotations'> = {};

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#configurations().listen(() => {
      this.changed();
    });
    // A new CRD may bring a kind that a rule already names.
    options.cache.informer(CRD, { metadataOnly: true }).listen((change) => {
      if (
        change.type === 'updated' &&
        change.old.metadata.generation === change.object.metadata.generation &&
        this.#discovered
      )
        return;
      this.#stale = true;
      this.#look.abort();
    });
  }

  get resources(): readonly ApiResource[] {
    return this.#resources;
  }

  get current(): WebhookConfiguration | undefined {
    return this.#configurations().get(CONFIGURATION_NAME);
  }

  kindOf(group: string, plural: string): string | undefined {
    return this.#resources.find((resource) => resource.group === group && resource.plural === plural)?.kind;
  }

  /** Whether the configuration in the cluster sends what the target asks for. */
  covers(target: Target): boolean {
    return covers(this.current, target, this.#resources, this.#options.namespace);
  }

  /** What the API server has against the conditions of a target, known to the leader only. */
  refusal({ own }: Target): string | undefined {
    const refused = own === undefined ? undefined : this.#refused.get(own.name);
    return deepEqual(refused?.conditions, own?.conditions) ? refused?.why : undefined;
  }

  /** To be called when targets or the client configuration changed. */
  changed(): void {
    this.#wake.abort();
  }

  /**
   * Resolves when every API server may be expected to trust the CA, or when there is no configuration: only then may a
   * leaf of it be served. The leader publishes a new CA, whichever replica learns of it first.
   */
  async trusts(caCert: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const trusted = (): boolean => trustsAll(this.current, caCert);
    if (trusted()) return;
    while (!signal.aborted && !trusted()) await sleep(clock, RETRY_MS, signal);
    await sleep(clock, SPREAD_MS, signal);
  }

  /** Discovery happens on every replica: gates and statuses read it too. Never throws. */
  async follow(signal: AbortSignal): Promise<void> {
    const { client, clock, log } = this.#options;
    while (!signal.aborted) {
      if (this.#stale) {
        this.#stale = false;
        try {
          this.#resources = await discover(client, signal);
          this.#discovered = true;
          this.changed();
        } catch (error) {
          this.#stale = true;
          log.warn('discovery failed, trying again', { error: messageOf(error) });
        }
      }
      const stale = this.#stale;
      this.#look = new AbortController();
      await sleep(clock, stale ? RETRY_MS : REDISCOVER_MS, AbortSignal.any([signal, this.#look.signal]));
      this.#stale ||= this.#missing();
    }
  }

  /** Runs for one term of leadership. Never throws. */
  async lead(client: Client, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const next = AbortSignal.any([signal, this.#wake.signal]);
      try {
        const settled = !this.#discovered || (await this.#converge(client, signal));
        await sleep(clock, settled ? 60_000 : RETRY_MS, next);
      } catch (error) {
        if (!isApiError(error, 'aborted', 'conflict'))
          log.error('the webhook configuration could not be written', { error: messageOf(error) });
        await sleep(clock, RETRY_MS, signal);
      }
      // Many rules that change together are one write.
      await sleep(clock, SETTLE_MS, signal);
    }
  }

  /** Resolves false when there is more to do. */
  async #converge(client: Client, signal: AbortSignal): Promise<boolean> {
    const { own, clientConfig, failMode, namespace, clock, log } = this.#options;
    const config = clientConfig();
    const fingerprint = createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 32);
    const known = this.current?.metadata.annotations?.[PROVEN] === fingerprint;
    const derive = (proven: boolean): WebhookConfiguration =>
      deriveConfiguration({
        targets: this.#accepted(),
        own: own(),
        resources: this.#resources,
        client: config,
        proven: proven ? fingerprint : undefined,
        failMode,
        namespace,
      });
    if (!(await this.#tryWrite(client, derive(known), signal))) return false;
    if (known) return true;
    if (clock.monotonic() - this.#madeAt < PROBATION_MS) return false;
    const answer = await probeWebhook(client, namespace, signal);
    if (answer !== undefined) {
      log.info('the API server does not reach the webhook yet: nothing fails closed until it does', {
        answer,
      });
      return false;
    }
    if (!(await this.#tryWrite(client, derive(true), signal))) return false;
    log.info('the API server reaches the webhook', { proven: fingerprint });
    return true;
  }

  #accepted(): Target[] {
    return this.#options.targets().filter((target) => this.refusal(target) === undefined);
  }

  /** False: the API server found fault with targets of their own, which are left out from now on; nothing was written. */
  async #tryWrite(client: Client, desired: WebhookConfiguration, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#write(client, desired, signal);
      return true;
    } catch (error) {
      const culprits = culpritsOf(error, desired);
      if (culprits.size === 0) throw error;
      for (const { own } of this.#options.targets()) {
        const why = own === undefined ? undefined : culprits.get(own.name);
        if (own === undefined || why === undefined) continue;
        this.#refused.set(own.name, { conditions: own.conditions, why });
        this.#options.log.warn('the API server does not accept the matchConditions of a rule', {
          rule: own.name,
          why,
        });
      }
      this.changed();
      return false;
    }
  }

  async #write(client: Client, desired: WebhookConfiguration, signal: AbortSignal): Promise<void> {
    const current = this.current;
    const owner = await this.#options.owner(client, signal);
    if (current === undefined) {
      const metadata = mergeMetadata({ name: CONFIGURATION_NAME, ...this.#marks }, desired.metadata, owner);
      await client.create(CONFIGURATION, { ...desired, metadata }, { signal });
      this.#madeAt = this.#options.clock.monotonic();
      return;
    }
    const { labels = {}, annotations = {} } = current.metadata;
    this.#marks = { labels, annotations };
    const metadata = mergeMetadata(current.metadata, desired.metadata, owner);
    const same =
      deepEqual(current.webhooks?.map(comparable), desired.webhooks?.map(comparable)) &&
      current.metadata.annotations?.[PROVEN] === desired.metadata.annotations?.[PROVEN] &&
      deepEqual(current.metadata.ownerReferences, metadata.ownerReferences);
    if (same) return;
    await client.update(CONFIGURATION, { ...desired, metadata }, { signal });
  }

  #missing(): boolean {
    return this.#options.targets().some((target) => unknownKinds(target, this.#resources).length > 0);
  }

  #configurations() {
    return this.#options.cache.informer<WebhookConfiguration>(CONFIGURATION, {
      fieldSelector: `metadata.name=${CONFIGURATION_NAME}`,
    });
  }
}

/** The targets whose own entries a refused write was refused for, with the API server's words. */
function culpritsOf(error: unknown, desired: WebhookConfiguration): Map<string, string> {
  const culprits = new Map<string, string>();
  if (!isApiError(error, 'invalid')) return culprits;
  for (const { field = '', message = '' } of error.status?.details?.causes ?? []) {
    const [, place = ''] = /^webhooks\[(\d+)\]/.exec(field) ?? [];
    const entry = place === '' ? undefined : desired.webhooks?.[Number(place)];
    const name = entry === undefined ? undefined : ownerOf(entry);
    if (name !== undefined && !culprits.has(name)) culprits.set(name, message);
  }
  return culprits;
}

/** What others wrote stays: an installer knows its own object by its labels and annotations. */
function mergeMetadata(
  current: ObjectMeta,
  desired: ObjectMeta,
  owner: OwnerReference | undefined,
): ObjectMeta {
  const { managedFields: _managed, ...kept } = current;
  const { [PROVEN]: _proof, ...annotations } = current.annotations ?? {};
  // An owner that was made anew has another uid; a reference to the one before it would have us collected.
  const others = (current.ownerReferences ?? []).filter(
    ({ kind, name }) => !(kind === owner?.kind && name === owner.name),
  );
  const owners = owner === undefined ? others : [...others, owner];
  return {
    ...kept,
    labels: { ...current.labels, ...desired.labels },
    annotations: { ...annotations, ...desired.annotations },
    ...(owners.length === 0 ? {} : { ownerReferences: owners }),
  };
}

/** Whether each entry names the CA. */
function trustsAll(configuration: WebhookConfiguration | undefined, caCert: string): boolean {
  return (configuration?.webhooks ?? []).every(({ clientConfig }) => {
    const { caBundle = '' } = (clientConfig ?? {}) as { caBundle?: string };
    return Buffer.from(caBundle, 'base64').toString('utf8').includes(caCert.trim());
  });
}

/** Without what the API server fills in by itself. */
function comparable(webhook: Record<string, unknown>): Record<string, unknown> {
  const { objectSelector: _objects, namespaceSelector, ...rest } = webhook;
  const selector = namespaceSelector ?? {};
  return { ...rest, namespaceSelector: selector };
}
