/** Waiting for what an API server says. */
import { request } from 'node:https';
import type { Processes } from './processes.ts';

export interface Answer {
  /** HTTP status, 0 when there was no answer */
  status: number;
  body: string;
}

/** Asks an API server on this machine, as its administrator. */
export type Ask = (path: string) => Promise<Answer>;

const PATIENCE_MS = 90_000;

/** Throws when a process has ended, when the start was given up, and after 90 s. */
export async function until(
  processes: Processes,
  what: string,
  holds: () => Promise<boolean> | boolean,
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    processes.check();
    if (Date.now() > deadline)
      throw new Error(`${what} was not ready within ${String(PATIENCE_MS / 1000)} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Its certificate is what we are waiting for, so it is not verified. */
export function asking(port: number, token: string): Ask {
  return (path) =>
    new Promise((resolve) => {
      const none: Answer = { status: 0, body: '' };
      const options = {
        host: '127.0.0.1',
        port,
        path,
        agent: false,
        rejectUnauthorized: false,
        headers: { authorization: `Bearer ${token}` },
      };
      const call = request(options, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        response.once('end', () => {
          resolve({ status: response.statusCode ?? 0, body });
        });
        response.once('error', () => {
          resolve(none);
        });
      });
      call.once('error', () => {
        resolve(none);
      });
      call.setTimeout(5_000, () => call.destroy());
      call.end();
    });
}

export async function untilReady(processes: Processes, ask: Ask): Promise<void> {
  await until(processes, 'the API server', async () => (await ask('/readyz')).status === 200);
}

/** Pods and namespaces are refused before the controller has made the default service account. */
export async function untilServiceAccount(processes: Processes, ask: Ask): Promise<void> {
  const path = '/api/v1/namespaces/default/serviceaccounts/default';
  await until(processes, 'the default service account', async () => (await ask(path)).status === 200);
}
