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

const LEVEL = /^(debug|info|warn|error)$/;
const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const LABEL_RULE = 'a DNS label: at most 63 of a-z, 0-9 and -, a letter or digit at both ends';
const HOST = /^[A-Za-z0-9.:_-]+$/;
/** What comes after it takes up to 10 s, and all of it must fit into the 30 s that a pod is given. */
const MOST_LAME_DUCK_SECONDS = 15;
const FAIL_MODE = /^(Rule|Ignore)$/;

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
  const { text, matching, number } = readerOf(given, env);
  return {
    kubeconfig: text('kubeconfig') ?? (env['KUBECONFIG'] === '' ? undefined : env['KUBECONFIG']),
    context: text('context'),
    namespace: matching('namespace', DNS_LABEL, LABEL_RULE),
    // A restarted process is another replica: its counts begin at zero.
    identity: `${env['POD_NAME'] ?? hostname()}-${randomUUID().slice(0, 8)}`,
    webhookHost: matching('webhook-host', HOST, 'an IP address or a host name'),
    webhookPort: number('webhook-port', 65_535),
    webhookUrl: webhookUrlOf(text('webhook-url')),
    webhookService: matching('webhook-service', DNS_LABEL, LABEL_RULE),
    webhookFailMode: matching('webhook-fail-mode', FAIL_MODE, 'one of Rule, Ignore') as FailMode,
    webhookCertDir: text('webhook-cert-dir'),
    healthHost: matching('health-host', HOST, 'an IP address or a host name'),
    healthPort: number('health-port', 65_535),
    lameDuckMs: number('lame-duck-seconds', MOST_LAME_DUCK_SECONDS) * 1000,
    logLevel: matching('log-level', LEVEL, 'one of debug, info, warn, error') as Level,
  };
}

/** The value of a flag, else of its variable, else the default. */
function readerOf(given: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv) {
  const text = (name: Flag): string | undefined => {
    const flag = given[name] as string | undefined;
    if (flag !== undefined) return flag;
    const variable = env[variableOf(name)];
    // Kubernetes puts COGNIFORGE_WEBHOOK_PORT=tcp://10.0.0.1:443 into the pods beside a Service cogniforge-webhook.
    return variable === undefined || /^(tcp|udp|sctp):\/\//.test(variable) ? FLAGS[name] : variable;
  };
  const matching = (name: Flag, pattern: RegExp, rule: string): string => {
    const value = text(name) ?? '';
    if (!pattern.test(value)) throw refused(name, value, rule);
    return value;
  };
  const number = (name: Flag, most: number): number => {
    const rule = `a whole number from 0 to ${String(most)}`;
    const value = matching(name, /^\d{1,9}$/, rule);
    if (Number(value) > most) throw refused(name, value, rule);
    return Number(value);
  };
  return { text, matching, number };
}

function variableOf(name: Flag): string {
  return `COGNIFORGE_${name.replaceAll('-', '_').toUpperCase()}`;
}

function refused(name: Flag, value: string, rule: string): ConfigError {
  return new ConfigError(
    `--${name} (or ${variableOf(name)}) must be ${rule}; it is ${JSON.stringify(value)}`,
  );
}

/** What the API server accepts as the URL of a webhook. */
function webhookUrlOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const extras = url === undefined ? '' : url.username + url.password + url.search + url.hash;
  if (url?.protocol !== 'https:' || extras !== '')
    throw refused('webhook-url', text, 'https://HOST[:PORT][/PATH] without user, query or fragment');
  return text.replace(/\/+$/, '');
}

/** DNS names and addresses under which the API server reaches the webhook. */
export function certificateNames({ webhookService, namespace, webhookUrl }: Config): string[] {
  const service = ['', `.${namespace}.svc`, `.${namespace}.svc.cluster.local`].map(
    (suffix) => `${webhookService}${suffix}`,
  );
  if (webhookUrl === undefined) return service.slice(1);
  // A certificate names an IPv6 address without the brackets of a URL.
  return [new URL(webhookUrl).hostname.replace(/^\[|\]$/g, ''), ...service.slice(1)];
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
