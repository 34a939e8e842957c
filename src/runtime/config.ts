/** The controller's settings: flags, each with an environment variable of the same name (COGNIFORGE_WEBHOOK_PORT). */
import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ConfigError } from './auth.ts';
import type { Level } from './log.ts';
import type { ClientConfig, FailMode } from './webhook/configuration.ts';

export interface Config {
  kubeconfig: string | undefined;
  context: string | undefined;
  /** where our Leases and the certificate's Secret live */
  namespace: string;
  identity: string;
  webhookHost: string;
  webhookPort: number;
  /** set outside a cluster: how the API server reaches us without a Service */
  webhookUrl: string | undefined;
  webhookService: string;
  /** Ignore: no rule refuses while we cannot be reached, whatever it says */
  webhookFailMode: FailMode;
  /** where somebody else puts the certificate; else we keep one of our own in a Secret */
  webhookCertDir: string | undefined;
  healthHost: string;
  healthPort: number;
  lameDuckMs: number;
  logLevel: Level;
}

const FLAGS = {
  kubeconfig: undefined,
  context: undefined,
  namespace: 'cogniforge-system',
  'webhook-host': '0.0.0.0',
  'webhook-port': '9443',
  'webhook-url': undefined,
  'webhook-service': 'cogniforge-webhook',
  'webhook-fail-mode': 'Rule',
  'webhook-cert-dir': undefined,
  'health-host': '0.0.0.0',
  'health-port': '8081',
  'lame-duck-seconds': '0',
  'log-level': 'info',
} as const;

type Flag = keyof typeof FLAGS;

const FAIL_MODES: readonly string[] = ['Rule', 'Ignore'];
const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'];

/** Throws ConfigError that names the flag and what it accepts. */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): Config {
  const names = Object.keys(FLAGS) as Flag[];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  let given: Record<string, unknown>;
  try {
    given = parseArgs({ args: [...argv], options, strict: true }).values;
  } catch (error) {
    throw new ConfigError(
      `${error instanceof Error ? error.message : String(error)}; known flags: ${names.map((name) => `--${name}`).join(', ')}`,
    );
  }
  const text = (name: Flag): string | undefined =>
    (given[name] as string | undefined) ??
    env[`COGNIFORGE_${name.replaceAll('-', '_').toUpperCase()}`] ??
    FLAGS[name];
  const required = (name: Flag): string => text(name) ?? '';
  const number = (name: Flag, most: number): number => {
    const value = Number(required(name));
    if (!Number.isInteger(value) || value < 0 || value > most)
      throw new ConfigError(`--${name} must be a whole number from 0 to ${String(most)}`);
    return value;
  };
  const logLevel = required('log-level');
  if (!LEVELS.includes(logLevel)) throw new ConfigError(`--log-level must be one of ${LEVELS.join(', ')}`);
  const failMode = required('webhook-fail-mode');
  if (!FAIL_MODES.includes(failMode))
    throw new ConfigError(`--webhook-fail-mode must be one of ${FAIL_MODES.join(', ')}`);
  return {
    kubeconfig: text('kubeconfig') ?? env['KUBECONFIG'],
    context: text('context'),
    namespace: required('namespace'),
    // A restarted process is another replica: its counts begin at zero.
    identity: `${env['POD_NAME'] ?? hostname()}-${randomUUID().slice(0, 8)}`,
    webhookHost: required('webhook-host'),
    webhookPort: number('webhook-port', 65_535),
    webhookUrl: text('webhook-url'),
    webhookService: required('webhook-service'),
    webhookFailMode: failMode as FailMode,
    webhookCertDir: text('webhook-cert-dir'),
    healthHost: required('health-host'),
    healthPort: number('health-port', 65_535),
    lameDuckMs: number('lame-duck-seconds', 60) * 1000,
    logLevel: logLevel as Level,
  };
}

/** DNS names and addresses under which the API server reaches the webhook. */
export function certificateNames({ webhookService, namespace, webhookUrl }: Config): string[] {
  const service = ['', `.${namespace}.svc`, `.${namespace}.svc.cluster.local`].map(
    (suffix) => `${webhookService}${suffix}`,
  );
  return webhookUrl === undefined ? service.slice(1) : [new URL(webhookUrl).hostname, ...service.slice(1)];
}

/** How the API server is told to reach it: by URL outside a cluster, else through the Service. */
export function clientConfigOf(
  { webhookUrl, webhookService, namespace }: Config,
  caBundle: string,
): ClientConfig {
  return webhookUrl === undefined
    ? { caBundle, service: { namespace, name: webhookService, port: 443 } }
    : { caBundle, url: webhookUrl };
}
