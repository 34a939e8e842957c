/** One replica under measurement, and the moment from which each rule is in force. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { get } from 'node:http';
import { Cache } from '../../../src/runtime/cache/cache.ts';
import { defaultReflectorSettings } from '../../../src/runtime/cache/reflector.ts';
import type { Client } from '../../../src/runtime/client.ts';
import { systemClock, systemRandom } from '../../../src/runtime/clock.ts';
import { createLog } from '../../../src/runtime/log.ts';
import { type as POLICY_RULE } from '../../../src/policy/policyrule/crd.gen.ts';
import type { PolicyRule } from '../../../src/policy/policyrule/types.gen.ts';
import { tailOf } from '../../cluster/operator.ts';
import { freePorts } from '../../cluster/processes.ts';

export interface Subject {
  pid: number;
  startedAt: number;
  /** whether /readyz says yes now; throws with the end of its log when the process is gone */
  ready(): Promise<boolean>;
  /** the whole of /metrics */
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

export async function startSubject(
  command: string,
  kubeconfig: string,
  opa: string,
  logFile: string,
): Promise<Subject> {
  const [webhook = 0, health = 0] = await freePorts(2);
  const log = openSync(logFile, 'a');
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [
      command,
      'controller',
      `--kubeconfig=${kubeconfig}`,
      '--webhook-host=127.0.0.1',
      `--webhook-port=${String(webhook)}`,
      `--webhook-url=https://127.0.0.1:${String(webhook)}`,
      '--health-host=127.0.0.1',
      `--health-port=${String(health)}`,
    ],
    { stdio: ['ignore', log, log], env: { ...process.env, NODE_ENV: 'production', OPA_BIN: opa } },
  );
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Error('the operator has no process');
  return {
    pid,
    startedAt,
    async ready() {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the operator ended; its log ends with:\n${tailOf(logFile)}`);
      return (await ask(health, '/readyz')).status === 200;
    },
    metrics: async () => (await ask(health, '/metrics')).text,
    stop: () => ended(child),
  };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    child.once('exit', () => {
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** Status 0: nobody answers. */
function ask(port: number, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
    }).once('error', () => {
      resolve({ status: 0, text: '' });
    });
  });
}

export interface Rules {
  /** how many are Ready at this moment */
  ready(): number;
  /** whether this one is, and by what this operator has written */
  isReady(name: string): boolean;
  stop(): Promise<void>;
}

/** Follows the rules by a watch: asking again and again would be the API server's load, not the operator's. */
export function followRules(client: Client): Rules {
  const settings = defaultReflectorSettings;
  const environment = {
    client,
    clock: systemClock,
    random: systemRandom,
    log: createLog('silent'),
    settings,
  };
  const cache = new Cache({ ...environment, freeze: false });
  const informer = cache.informer<PolicyRule>(POLICY_RULE);
  cache.start();
  return {
    ready: () => informer.list().filter(isReady).length,
    isReady: (name) => {
      const rule = informer.get(name);
      return rule !== undefined && isReady(rule);
    },
    stop: () => cache.stop(),
  };
}

function isReady({ metadata, status }: PolicyRule): boolean {
  const condition = status?.conditions?.find(({ type }) => type === 'Ready');
  return condition?.status === 'True' && condition.observedGeneration === metadata.generation;
}
