/**
 * Ports of 127.0.0.1 on this machine that lead to the same ports of 127.0.0.1 in a node's network. A socket stays in the
 * network it was made in: the listening one is made here and handed to a process that lives there.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Processes } from '../processes.ts';

/** Resolves when the ports take connections. */
export async function forwardPorts(
  ports: readonly number[],
  within: readonly string[],
  processes: Processes,
): Promise<void> {
  const child = processes.start({
    name: 'forwarder',
    command: process.execPath,
    args: [fileURLToPath(import.meta.url)],
    within,
    ipc: true,
  });
  for (const port of ports) {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const taken = once(child, 'message');
    child.send({ port }, server);
    await Promise.race([taken, once(child, 'exit').then(() => undefined)]);
    processes.check();
    server.close();
  }
  child.disconnect();
}

function forward(client: Socket, port: number): void {
  const upstream = connect({ host: '127.0.0.1', port });
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.setNoDelay(true);
    from.pipe(to);
    // 'close' comes after 'error' too; a peer that reset is reset on.
    from.once('error', () => to.destroy());
    from.once('close', () => to.destroy());
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('message', ({ port }: { port: number }, server) => {
    (server as Server).on('connection', (client: Socket) => {
      forward(client, port);
    });
    process.send?.('taken');
  });
}
