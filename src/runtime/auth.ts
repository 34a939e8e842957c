/**
 * Who we are to the API server: reads a kubeconfig or the pod's service account, and keeps the credential fresh.
 *
 * The plain credentials (token, token file, client certificate) are read here. Everything that needs a helper program
 * or an identity provider goes to @kubernetes/client-node, loaded only then: its import costs 90 MB of memory and half
 * a second, more than the rest of the operator together (docs/decisions/0002-transport.md).
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import type { Clock } from './clock.ts';
import { parseYamlDocument, YamlError } from './yaml.ts';

export interface Endpoint {
  /** https://host:port, without a trailing slash */
  server: string;
  /** name of the kubeconfig context, or `in-cluster` */
  context: string;
  /** namespace of the context, or the pod's own */
  namespace: string | undefined;
  tls: SecureContextOptions & { servername?: string; rejectUnauthorized?: boolean };
  credentials: Credentials;
}

export interface Credentials {
  /** The value of the Authorization header now; undefined when the client certificate says it all. */
  authorization(): Promise<string | undefined>;
  /** The server refused what we sent: drop what is cached, so that the next call reads it anew. */
  invalidate(): void;
}

interface KubeConfigFile {
  'current-context'?: string;
  contexts?: { name: string; context: { cluster: string; user: string; namespace?: string } }[];
  clusters?: { name: string; cluster: ClusterEntry }[];
  users?: { name: string; user: UserEntry }[];
}

interface ClusterEntry {
  server: string;
  'certificate-authority'?: string;
  'certificate-authority-data'?: string;
  'insecure-skip-tls-verify'?: boolean;
  'tls-server-name'?: string;
}

interface UserEntry {
  token?: string;
  tokenFile?: string;
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
  exec?: unknown;
  'auth-provider'?: unknown;
  username?: string;
  password?: string;
}

/** A bound service account token is rotated by the kubelet long before it expires; a minute late is early enough. */
const TOKEN_FILE_FRESH_MS = 60_000;

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The pod's service account. Throws ConfigError outside a pod. */
export async function inClusterEndpoint(env: NodeJS.ProcessEnv, clock: Clock): Promise<Endpoint> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443';
  if (host === undefined) {
    throw new ConfigError(
      'not inside a pod (KUBERNETES_SERVICE_HOST is not set): pass --kubeconfig FILE or set KUBECONFIG',
    );
  }
  const [ca, namespace] = await Promise.all([
    readFile(`${SERVICE_ACCOUNT}/ca.crt`, 'utf8'),
    readFile(`${SERVICE_ACCOUNT}/namespace`, 'utf8'),
  ]);
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    context: 'in-cluster',
    namespace: namespace.trim(),
    tls: { ca },
    credentials: tokenFile(`${SERVICE_ACCOUNT}/token`, clock),
  };
}

/** One context of a kubeconfig file (its current one unless told). Throws ConfigError that names what is missing. */
export async function kubeconfigEndpoint(
  file: string,
  clock: Clock,
  contextName?: string,
): Promise<Endpoint> {
  const config = await readKubeconfig(file);
  const name = contextName ?? config['current-context'];
  const context = config.contexts?.find((entry) => entry.name === name)?.context;
  if (name === undefined || context === undefined) {
    const known = config.contexts?.map((entry) => entry.name).join(', ') ?? 'none';
    throw new ConfigError(
      `${file}: no context ${name ?? '(current-context is not set)'}; contexts there: ${known}`,
    );
  }
  const cluster = config.clusters?.find((entry) => entry.name === context.cluster)?.cluster;
  if (cluster === undefined)
    throw new ConfigError(`${file}: context ${name} names cluster ${context.cluster}, which is not there`);
  const user = config.users?.find((entry) => entry.name === context.user)?.user ?? {};
  const read = reader(dirname(file));
  const ca = await read(cluster['certificate-authority-data'], cluster['certificate-authority']);
  const base = {
    server: cluster.server.replace(/\/+$/, ''),
    context: name,
    namespace: context.namespace,
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cluster['insecure-skip-tls-verify'] === true ? { rejectUnauthorized: false } : {}),
      ...(cluster['tls-server-name'] === undefined ? {} : { servername: cluster['tls-server-name'] }),
    },
  };
  if (user.exec !== undefined || user['auth-provider'] !== undefined) {
    return { ...base, credentials: await pluginCredentials(file, name) };
  }
  const cert = await read(user['client-certificate-data'], user['client-certificate']);
  const key = await read(user['client-key-data'], user['client-key']);
  return {
    ...base,
    tls: { ...base.tls, ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) },
    credentials: plainCredentials(user, dirname(file), clock),
  };
}

async function readKubeconfig(file: string): Promise<KubeConfigFile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(
      `cannot read the kubeconfig ${file}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  let parsed: unknown;
  try {
    parsed = parseYamlDocument(text, { file });
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    // Not its reason: that may quote the line, and the line may be the token.
    throw new ConfigError(`${file}: line ${String(error.line)}, column ${String(error.column)}: not YAML`);
  }
  if (typeof parsed !== 'object' || parsed === null) throw new ConfigError(`${file} is not a kubeconfig`);
  return parsed;
}

function reader(folder: string) {
  return async (data: string | undefined, path: string | undefined): Promise<string | undefined> => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    return path === undefined ? undefined : readFile(resolve(folder, path), 'utf8');
  };
}

function plainCredentials(user: UserEntry, folder: string, clock: Clock): Credentials {
  if (user.tokenFile !== undefined) return tokenFile(resolve(folder, user.tokenFile), clock);
  const header = staticHeader(user);
  return { authorization: () => Promise.resolve(header), invalidate: () => undefined };
}

function staticHeader(user: UserEntry): string | undefined {
  if (user.token !== undefined) return `Bearer ${user.token}`;
  if (user.username === undefined) return undefined;
  return `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
}

/** Reads the file again every minute, and at once after a 401. */
export function tokenFile(path: string, clock: Clock): Credentials {
  let cached: Promise<string> | undefined;
  let readAt = -Infinity;
  return {
    authorization() {
      if (cached === undefined || clock.monotonic() - readAt > TOKEN_FILE_FRESH_MS) {
        readAt = clock.monotonic();
        cached = readFile(path, 'utf8').then((token) => `Bearer ${token.trim()}`);
        // A failed read must be tried again by the next request, not remembered.
        cached.catch(() => {
          cached = undefined;
        });
      }
      return cached;
    },
    invalidate() {
      cached = undefined;
    },
  };
}

/** Exec plugins and OIDC, by client-node. Client certificates issued by an exec plugin are not supported. */
async function pluginCredentials(file: string, context: string): Promise<Credentials> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const fresh = () => {
    const kubeconfig = new KubeConfig();
    kubeconfig.loadFromFile(file);
    kubeconfig.setCurrentContext(context);
    return kubeconfig;
  };
  let loaded: ReturnType<typeof fresh> | undefined = fresh();
  let asking: Promise<string | undefined> | undefined;
  const ask = async (): Promise<string | undefined> => {
    const options: { headers?: Record<string, string>; cert?: unknown } = { headers: {} };
    loaded ??= fresh();
    await loaded.applyToHTTPSOptions(options).catch((error: unknown) => {
      // The parser quotes what it stumbled over: a plugin of another protocol prints the bare token.
      throw error instanceof SyntaxError
        ? new ConfigError(`context ${context}: its plugin printed no JSON`)
        : error;
    });
    const header = options.headers?.['Authorization'];
    if (header === undefined && options.cert !== undefined)
      throw new ConfigError(
        `context ${context}: its plugin gave a client certificate; only tokens are supported`,
      );
    return header;
  };
  return {
    // All the requests of a start ask at once: the plugin, which may open a browser, runs for them together.
    authorization() {
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
    // client-node keeps the plugin's answer until it expires, if it says when; a new KubeConfig has none yet.
    invalidate() {
      loaded = undefined;
    },
  };
}
