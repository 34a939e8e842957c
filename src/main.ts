/** The controller: config -> client -> caches -> services -> webhook -> manager. */
import { Cache } from './runtime/cache/cache.ts';
import { defaultReflectorSettings } from './runtime/cache/reflector.ts';
import { caBundleOf, currentBundle, keepCertificates } from './runtime/certificates.ts';
import { systemClock as clock, systemRandom as random } from './runtime/clock.ts';
import { connect } from './runtime/connect.ts';
import { certificateNames, clientConfigOf, readConfig } from './runtime/config.ts';
import { createEvents } from './runtime/events.ts';
import { serveHealth } from './runtime/health.ts';
import { defaultLeaderSettings } from './runtime/leader.ts';
import { createLog } from './runtime/log.ts';
import { Manager } from './runtime/manager.ts';
import { createMetrics } from './runtime/metrics.ts';
import { Presence } from './runtime/presence.ts';
import { Registration } from './runtime/webhook/registration.ts';
import { serveAdmission } from './runtime/webhook/server.ts';
import { createPolicy, probeWebhook } from './policy/service.ts';

const RECONCILE_TIMEOUT_MS = 60_000;

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
  const policy = createPolicy({ cache, presence, clock, log, env, signal });

  const keeper = {
    client,
    namespace,
    secretName: 'cogniforge-webhook-tls',
    names: certificateNames(config),
    clock,
    log,
  };
  let bundle = await currentBundle(keeper);
  const server = await serveAdmission({
    gates: [policy.gate],
    validators: [policy.validator],
    host: config.webhookHost,
    port: config.webhookPort,
    tls: bundle,
    clock,
    log,
    observe: (path) => metrics.webhook(path),
  });
  const registration = new Registration({
    cache,
    client,
    targets: () => policy.gate.targets(),
    own: [policy.validator.type],
    clientConfig: () => clientConfigOf(config, caBundleOf(bundle)),
    exempt: [namespace, 'kube-system'],
    probe: probeWebhook,
    clock,
    log,
  });
  policy.onChange(() => {
    registration.changed();
  });
  const manager = new Manager({
    client,
    cache,
    kinds: [policy.kind(registration, namespace)],
    duties: [
      (term, guarded) => registration.lead(guarded, term.signal),
      (term, guarded) => presence.bury(guarded, term.signal),
    ],
    events: (guarded) =>
      createEvents({ client: guarded, clock, log, controller: 'cogniforge', instance: identity }),
    leader: { name: 'cogniforge', namespace, identity, settings: defaultLeaderSettings },
    fieldManager: 'cogniforge',
    reconcileTimeoutMs: RECONCILE_TIMEOUT_MS,
    clock,
    random,
    log,
    observe: (name) => metrics.controller(name, 4),
    onLeading: (leading) => {
      metrics.leading('cogniforge', leading);
    },
  });
  const health = await serveHealth({
    host: config.healthHost,
    port: config.healthPort,
    live: { process: () => undefined },
    ready: {
      caches: () => missing('waiting for', cache.waitingFor()),
      policies: () => missing('compiling', policy.pending()),
      shutdown: () => (signal.aborted ? 'shutting down' : undefined),
    },
    metrics: metrics.registry,
  });
  log.info('started', {
    identity,
    server: endpoint.server,
    context: endpoint.context,
    webhookPort: server.port,
    healthPort: health.port,
  });

  const changed = (fresh: typeof bundle): void => {
    bundle = fresh;
    server.setTls(fresh);
    registration.changed();
  };
  await Promise.all([
    manager.run(signal),
    presence.run(signal),
    policy.report(),
    registration.follow(signal),
    keepCertificates(keeper, bundle, changed, signal),
  ]);
  await server.close(config.lameDuckMs);
  await Promise.all([cache.stop(), policy.close(), health.close()]);
  log.info('stopped', { identity });
}

function missing(what: string, names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : `${what} ${names.slice(0, 5).join(', ')}`;
}
