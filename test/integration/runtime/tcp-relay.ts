/** A TCP relay in front of the API server: it understands nothing, counts connections, and can cut them. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Endpoint } from '../../../src/runtime/auth.ts';

export interface Relay {
  /** The endpoint it was made of, reached through the relay; TLS still ends at the API server. */
  endpoint: Endpoint;
  /** connections so far */
  readonly connections: number;
  cut(): void;
  /** while set, every new connection is closed at once */
  refuse: boolean;
  close(): Promise<void>;
}

export async function startRelay(endpoint: Endpoint): Promise<Relay> {
  const upstream = Number(new URL(endpoint.server).port);
  const open = new Set<Socket>();
  let connections = 0;
  let refuse = false;
  const server = createServer((near) => {
    connections += 1;
    if (refuse) {
      near.destroy();
      return;
    }
    const far = connect(upstream, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.once('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: { ...endpoint, server: `https://127.0.0.1:${String(port)}` },
    get connections() {
      return connections;
    },
    get refuse() {
      return refuse;
    },
    set refuse(value) {
      refuse = value;
    },
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        cut();
      }),
  };
}
