/** The plain HTTP port: /metrics, /healthz (may I live), /readyz (may I be sent traffic). */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from './errors.ts';

/** Says what is missing, undefined when all is well. */
export type Check = () => string | undefined;

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

/** A prom-client Registry, or what answers like one. */
export interface Exposition {
  contentType: string;
  metrics(): Promise<string>;
}

export interface HealthOptions {
  host: string;
  /** 0: any free one */
  port: number;
  live: Readonly<Record<string, Check>>;
  ready: Readonly<Record<string, Check>>;
  metrics: Exposition;
}

export async function serveHealth(options: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0];
    if (path === '/healthz') answerChecks(response, options.live);
    else if (path === '/readyz') answerChecks(response, options.ready);
    else if (path === '/metrics') answerMetrics(response, options.metrics);
    else response.writeHead(404).end('try /healthz, /readyz or /metrics\n');
  });
  server.requestTimeout = 10_000;
  const port = await listen(server, options.port, options.host);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

function answerChecks(response: ServerResponse, checks: Readonly<Record<string, Check>>): void {
  const results = Object.entries(checks).map(([name, check]) => ({ name, problem: check() }));
  const ok = results.every(({ problem }) => problem === undefined);
  const lines = results.map(({ name, problem }) =>
    problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`,
  );
  response
    .writeHead(ok ? 200 : 503, { 'content-type': 'text/plain; charset=utf-8' })
    .end(`${lines.join('\n')}\n`);
}

function answerMetrics(response: ServerResponse, exposition: Exposition): void {
  exposition.metrics().then(
    (text) => response.writeHead(200, { 'content-type': exposition.contentType }).end(text),
    (error: unknown) => response.writeHead(500).end(messageOf(error)),
  );
}

/** Resolves with the port that was bound. */
export function listen(
  server: Server | import('node:https').Server,
  port: number,
  host: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
