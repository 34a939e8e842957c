/** The operator as a process whose end can be watched. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../cluster/processes.ts';
import { toolPath } from '../../cluster/tools.ts';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** monotonic ms */
  at: number;
}

export interface OperatorProcess {
  child: ChildProcess;
  webhookPort: number;
  healthPort: number;
  exited: Promise<Exit>;
  log: () => string;
  /** HTTP status of /readyz, 0 when nobody answers */
  readiness: () => Promise<number>;
}

const COMMAND = join(
  dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))),
  'bin',
  'cogniforge.js',
);

export async function spawnOperator(
  kubeconfig: string,
  logFile: string,
  flags: readonly string[] = [],
): Promise<OperatorProcess> {
  const [webhookPort = 0, healthPort = 0] = await freePorts(2);
  const log = openSync(logFile, 'a');
  const args = [
    `--kubeconfig=${kubeconfig}`,
    '--webhook-host=127.0.0.1',
    `--webhook-port=${String(webhookPort)}`,
    `--webhook-url=https://127.0.0.1:${String(webhookPort)}`,
    '--health-host=127.0.0.1',
    `--health-port=${String(healthPort)}`,
    ...flags,
  ];
  const child = spawn(process.execPath, [COMMAND, 'controller', ...args], {
    stdio: ['ignore', log, log],
    env: { ...process.env, OPA_BIN: await toolPath('opa') },
  });
  closeSync(log);
  return {
    child,
    webhookPort,
    healthPort,
    exited: new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve({ code, signal, at: performance.now() });
      });
    }),
    log: () => readFileSync(logFile, 'utf8'),
    readiness: async () => (await ask(healthPort, '/readyz')).code,
  };
}

export interface Answer {
  code: number;
  text: string;
}

/** Code 0 when nobody answers. */
export function ask(port: number, path: string): Promise<Answer> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('close', () => {
        resolve({ code: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      });
    }).once('error', () => {
      resolve({ code: 0, text: '' });
    });
  });
}

export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  seconds = 30,
): Promise<void> {
  for (const deadline = performance.now() + seconds * 1000; !(await holds());) {
    if (performance.now() > deadline) throw new Error(`not within ${String(seconds)} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
