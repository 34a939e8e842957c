/** The controller: config -> client -> caches -> services -> webhook -> manager. */
import { services } from './kinds.ts';
import { Cache } from './runtime/cache/cache.ts';
import { defaultReflectorSettings } from './runtime/cache/reflector.ts';
import { certificateSource } from './runtime/certificate-files.ts';
import { caBundleOf, keepCertificates, type ServingCertificate } from './runtime/certificates.ts';
import { systemClock as clock, systemRandom as random } from './runtime/clock.ts';
import { connect } from './runtime/connect.ts';
import { clientConfigOf, readConfig } from './runtime/config.ts';
import { createEvents } from './runtime/events.ts';
import { missing, serveHealth } from './runtime/health.ts';
import { defaultLeaderSettings } from './runtime/leader.ts';
import { createLog } from './runtime/log.ts';
import { Manager } from './runtime/manager.ts';
import { createMetrics } from './runtime/metrics.ts';
import { installation } from './runtime/installation.ts';
import { Presence } from './runtime/presence.ts';
import { startServices } from './runtime/service.ts';
import { Registration } from './runtime/webhook/registration.ts';
import { serveAdmission } from './runtime/webhook/server.ts';

const RECONCILE_TIMEOUT_MS = 60_000;
const NAME = 'cogniforge';

/** Resolves when the signal aborted and everything under way is done. Throws ConfigError, and what a start can fail by. */
export async function runController(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<void> {
  const config = readConfig(argv, env);
  const log = createLog(config.logLevel);
  const metrics = createMetrics();
  const { namespace, identity } = config;
  const { client, endpoint } = await connect(config, env, clock, metrics.request);
  const cache = new Cache({ client, clock, random, log, settings: defaultReflectorSettings, freeze: false });
  const presence = new Presence({ client, cache, namespace, identity, clock, log });
  const certificate = certificateSource(config, client, clock, log);
  let bundle = await certificate();
  const registration = new Registration({
    cache,
    client,
    targets: () => service.gates.flatMap((gate) => gate.targets()),
    own: () => service.validators.map(({ type }) => type),
    clientConfig: () => clientConfigOf(config, caBundleOf(bundle)),
    failMode: config.webhookFailMode,
    owner: installation,
    namespace,
    clock,
    log,
  });
  const context = { cache, presence, registration, namespace, clock, random, log, env, signal };
  const service = startServices(services, context);
  service.onChange(() => {
    registration.changed();
  });
  const server = await serveAdmission({
    gates: service.gates,
    validators: service.validators,
    host: config.webhookHost,
    port: config.webhookPort,
    tls: bundle,
    clock,
    log,
    observe: (path) => metrics.webhook(path),
  });
  const manager = new Manager({
    client,
    cache,
    kinds: service.kinds,
    duties: [
      (term, guarded) => registration.lead(guarded, term.signal),
      (term, guarded) => presence.bury(guarded, term.signal),
    ],
    events: (guarded) => createEvents({ client: guarded, clock, log, controller: NAME, instance: identity }),
    leader: { name: NAME, namespace, identity, settings: defaultLeaderSettings },
    fieldManager: NAME,
    reconcileTimeoutMs: RECONCILE_TIMEOUT_MS,
    clock,
    random,
    log,
    observe: (name, concurrency) => metrics.controller(name, concurrency),
    onLeading: (leading) => {
      metrics.leading(NAME, leading);
    },
  });
  const health = await serveHealth({
    host: config.healthHost,
    port: config.healthPort,
    live: { process: () => undefined },
    ready: {
      caches: () => missing('waiting for', cache.waitingFor()),
      services: () => missing('preparing', service.pending()),
      shutdown: () => (signal.aborted ? 'shutting down' : undefined),
    },
    metrics: metrics.registry,
  });
  const { server: apiServer, context: kubeContext } = endpoint;
  const ports = { webhookPort: server.port, healthPort: health.port };
  log.info('started', { identity, server: apiServer, context: kubeContext, ...ports });

  const renewed = async (fresh: ServingCertificate): Promise<void> => {
    bundle = fresh;
    registration.changed();
    await registration.trusts(fresh.caCert, signal);
    server.setTls(fresh);
  };
  await Promise.all([
    manager.run(signal),
    presence.run(signal),
    service.run(),
    registration.follow(signal),
    keepCertificates(certificate, { clock, log }, bundle, renewed, signal),
  ]);
  await server.close(config.lameDuckMs);
  await Promise.all([cache.stop(), service.close(), health.close()]);
  log.info('stopped', { identity });
}
