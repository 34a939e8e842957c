/**
 * How a service joins the operator. A service is a list of kinds and one function that starts what they share; the
 * runtime puts the pieces of all services together and knows none of them.
 */
import type { Cache } from './cache/cache.ts';
import type { Clock, Random } from './clock.ts';
import type { AnyKind } from './kind.ts';
import type { Log } from './log.ts';
import type { Permission } from './permissions.ts';
import type { Presence } from './presence.ts';
import type { ResourceType } from './resource.ts';
import type { CustomResourceDefinition } from './schema.ts';
import type { Gate, Validator } from './webhook/gate.ts';
import type { Registration } from './webhook/registration.ts';

/** What a service is given. */
export interface ServiceContext {
  cache: Cache;
  presence: Presence;
  registration: Registration;
  /** our own namespace */
  namespace: string;
  clock: Clock;
  random: Random;
  log: Log;
  env: NodeJS.ProcessEnv;
  /** aborted when the process is to end */
  signal: AbortSignal;
}

/** A service at work on this replica, leader or not. */
export interface RunningService {
  gates: readonly Gate[];
  /** what keeps this replica from being ready, in words */
  pending(): readonly string[];
  /** told when what the API server should send us may have changed */
  onChange(listener: () => void): void;
  /** Works until the context's signal aborts. Never throws. */
  run(): Promise<void>;
  close(): Promise<void>;
}

/** A kind as data: all that RBAC, documents and the chart need to know, and how to bring it to life. */
export interface KindEntry<Parts = unknown> {
  type: ResourceType;
  crd: CustomResourceDefinition;
  /** what it reads and writes beside its own resources */
  permissions: readonly Permission[];
  kind(parts: Parts, context: ServiceContext): AnyKind;
  validator?(parts: Parts): Validator;
}

export interface Service {
  name: string;
  kinds: readonly KindEntry[];
  start(context: ServiceContext): StartedService;
}

/** The pieces of one or more services, ready for the runtime. */
export interface StartedService extends RunningService {
  kinds: readonly AnyKind[];
  validators: readonly Validator[];
}

/** Ties kinds to the service whose parts they are made of. */
export function defineService<Parts>(definition: {
  name: string;
  kinds: readonly KindEntry<Parts>[];
  start: (context: ServiceContext) => Parts & RunningService;
}): Service {
  const { name, kinds, start } = definition;
  return {
    name,
    kinds,
    start(context) {
      const parts = start(context);
      return {
        gates: parts.gates,
        pending: () => parts.pending(),
        onChange: (listener) => {
          parts.onChange(listener);
        },
        run: () => parts.run(),
        close: () => parts.close(),
        kinds: kinds.map((entry) => entry.kind(parts, context)),
        validators: kinds.flatMap((entry) => entry.validator?.(parts) ?? []),
      };
    },
  };
}

/** Starts every service; the gates keep the order of the list. */
export function startServices(services: readonly Service[], context: ServiceContext): StartedService {
  const started = services.map((service) => service.start(context));
  return {
    kinds: started.flatMap(({ kinds }) => kinds),
    validators: started.flatMap(({ validators }) => validators),
    gates: started.flatMap(({ gates }) => gates),
    pending: () => started.flatMap((service) => service.pending()),
    onChange: (listener) => {
      for (const service of started) service.onChange(listener);
    },
    async run() {
      await Promise.all(started.map((service) => service.run()));
    },
    async close() {
      await Promise.all(started.map((service) => service.close()));
    },
  };
}
