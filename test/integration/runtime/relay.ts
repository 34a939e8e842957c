/** A proxy that changes nothing and counts: what leaves the operator is seen here, whoever in it sent it. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { renew } from '../../../src/runtime/certificates.ts';
import type { Cluster } from '../../cluster/controlplane.ts';

export interface Passed {
  method: string;
  path: string;
  /** HTTP status of the answer */
  code: number;
}

export interface Relay {
  /** a kubeconfig that leads through here */
  kubeconfig: string;
  /** what was answered, watches when they began */
  readonly passed: readonly Passed[];
  /** requests under way, watches aside */
  underway(): number;
  /** Ends every connection, as a load balancer that is replaced does. */
  hangUp(): void;
  close(): Promise<void>;
}

interface KubeConfig {
  clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
}

export async function startRelay(cluster: Cluster, name: string): Promise<Relay> {
  const config = JSON.parse(readFileSync(cluster.kubeconfig, 'utf8')) as KubeConfig;
  const entry = config.clusters[0].cluster;
  const ca = Buffer.from(entry['certificate-authority-data'], 'base64').toString('utf8');
  const upstream = { server: entry.server, agent: new Agent({ ca, keepAlive: true }) };
  const tls = await renew(undefined, { action: 'renewCa', why: 'first' }, ['127.0.0.1'], Date.now());
  const passed: Passed[] = [];
  let underway = 0;
  const server = createServer({ cert: tls.cert, key: tls.key }, (request, response) => {
    const watch = (request.url ?? '').includes('watch=');
    if (!watch) underway += 1;
    response.once('close', () => {
      if (!watch) underway -= 1;
    });
    pass(request, response, upstream, (code) => {
      passed.push({ method: request.method ?? '', path: request.url ?? '', code });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  entry.server = `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  entry['certificate-authority-data'] = Buffer.from(tls.caCert).toString('base64');
  const kubeconfig = join(cluster.folder, `kubeconfig-${name}`);
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  return {
    kubeconfig,
    passed,
    underway: () => underway,
    hangUp: () => {
      server.closeAllConnections();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          upstream.agent.destroy();
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function pass(
  request: IncomingMessage,
  response: ServerResponse,
  { server, agent }: { server: string; agent: Agent },
  answered: (code: number) => void,
): void {
  const { method = 'GET', url = '/' } = request;
  const headers = without(request.headers, 'host', 'connection');
  const outgoing = httpsRequest(`${server}${url}`, { method, headers, agent });
  outgoing.once('response', (source) => {
    answered(source.statusCode ?? 0);
    const kept = without(source.headers, 'connection', 'transfer-encoding');
    response.writeHead(source.statusCode ?? 500, kept);
    response.flushHeaders();
    source.pipe(response);
    source.once('error', () => response.destroy());
    source.once('aborted', () => response.destroy());
  });
  outgoing.once('error', () => response.destroy());
  response.once('close', () => outgoing.destroy());
  request.pipe(outgoing);
}

/** What concerns one connection only, not the message. */
function without(
  headers: IncomingMessage['headers'],
  ...names: readonly string[]
): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

/** The heartbeats: what a replica writes for as long as it lives. */
export interface Heartbeats {
  leaderLease: number;
  replicaPresence: number;
}

/** Mutating requests since `from`, the two heartbeats apart. */
export function writesSince(relay: Relay, from: number): { writes: Passed[]; heartbeats: Heartbeats } {
  const heartbeats = { leaderLease: 0, replicaPresence: 0 };
  const writes = relay.passed.slice(from).filter(({ method, path }) => {
    if (method === 'GET') return false;
    if (/\/leases\/cogniforge-replica-[^/]+$/.test(path.replace(/\?.*/, ''))) heartbeats.replicaPresence += 1;
    else if (path.endsWith('/leases/cogniforge')) heartbeats.leaderLease += 1;
    else return true;
    return false;
  });
  return { writes, heartbeats };
}
