/** A local HTTPS server that answers as a test tells it to, and counts what reaches it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Credentials, Endpoint } from '../../../src/runtime/auth.ts';
import { renew } from '../../../src/runtime/certificates.ts';
import { systemClock } from '../../../src/runtime/clock.ts';

export interface LocalServer {
  endpoint: Endpoint;
  /** TLS handshakes so far */
  readonly handshakes: number;
  /** `METHOD path` of every request so far */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A credential that never changes. */
export const steady: Credentials = {
  authorization: () => Promise.resolve('Bearer t'),
  invalidate: () => undefined,
};

export async function startServer(answer: Answer, credentials = steady): Promise<LocalServer> {
  const { cert, key, caCert } = await renew(
    undefined,
    { action: 'renewCa', why: 'first' },
    ['127.0.0.1'],
    systemClock.now(),
  );
  const requests: string[] = [];
  let handshakes = 0;
  const server = createServer({ cert, key }, (request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    answer(request, response);
  });
  server.on('secureConnection', () => (handshakes += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: {
      server: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
      context: 'local',
      namespace: undefined,
      tls: { ca: caCert },
      credentials,
    },
    get handshakes() {
      return handshakes;
    },
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** Looks again until it holds. Throws after five seconds. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within 5 s: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
