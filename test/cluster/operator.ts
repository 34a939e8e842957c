/** One replica of the operator as a process of its own, outside the cluster, reached by URL. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endByPid, freePorts } from './processes.ts';

export interface Operator {
  pid: number;
  webhookPort: number;
  healthPort: number;
  /** SIGTERM, and SIGKILL when it does not end */
  stop(): Promise<void>;
}

export interface OperatorOptions {
  kubeconfig: string;
  opa: string;
  logFile: string;
  /** where the API server reaches this machine (default: 127.0.0.1) */
  address?: string;
  /** it is to outlive this process */
  detached?: boolean;
  /** further flags */
  flags?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

const COMMAND = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'bin', 'cogniforge.js');
const READY_PATIENCE_MS = 30_000;

/** Resolves when /readyz says so; throws with the end of its log when it does not. */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { kubeconfig, opa, logFile, address = '127.0.0.1', detached = false, flags = [], env } = options;
  const [webhook = 0, health = 0] = await freePorts(2);
  const log = openSync(logFile, 'a');
  const args = [
    `--kubeconfig=${kubeconfig}`,
    `--webhook-host=${address === '127.0.0.1' ? address : '0.0.0.0'}`,
    `--webhook-port=${String(webhook)}`,
    `--webhook-url=https://${address.includes(':') ? `[${address}]` : address}:${String(webhook)}`,
    '--health-host=127.0.0.1',
    `--health-port=${String(health)}`,
    ...flags,
  ];
  const child = spawn(process.execPath, [COMMAND, 'controller', ...args], {
    stdio: ['ignore', log, log],
    detached,
    env: { ...process.env, ...env, OPA_BIN: opa },
  });
  closeSync(log);
  if (detached) child.unref();
  const { pid } = child;
  const deadline = Date.now() + READY_PATIENCE_MS;
  while ((await readiness(health)) !== 200) {
    if (pid === undefined || child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`the operator did not start; its log ${logFile} ends with:\n${tailOf(logFile)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (pid === undefined) throw new Error('the operator has no process');
  return { pid, webhookPort: webhook, healthPort: health, stop: () => endByPid(pid) };
}

/** HTTP status of /readyz, 0 when nobody answers. */
function readiness(port: number): Promise<number> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/readyz' }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).once('error', () => {
      resolve(0);
    });
  });
}

export function tailOf(file: string): string {
  return existsSync(file)
    ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-20).join('\n')
    : '(no log)';
}
