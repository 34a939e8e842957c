/** One size: a replica starts over rules that are there, comes to rest, and is put under load. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../../../src/runtime/client.ts';
import { isApiError } from '../../../src/runtime/errors.ts';
import { CONFIGURATION, CONFIGURATION_NAME } from '../../../src/runtime/webhook/configuration.ts';
import { type as POLICY_RULE } from '../../../src/policy/policyrule/crd.gen.ts';
import { admissions, quantile, type Load } from './load.ts';
import { followRules, startSubject, type Rules, type Subject } from './operator.ts';
import { ruleAt, teams } from './rules.ts';
import { cpuMs, rssBytes, watchPeak } from './usage.ts';

export interface Place {
  client: Client;
  kubeconfig: string;
  folder: string;
  command: string;
  opa: string;
  say: (line: string) => void;
}

export interface Measured {
  rules: number;
  /** s from the start of the process: until /readyz said yes, until every rule was in force; what was missing is undefined */
  readyzS: number | undefined;
  allReadyS: number | undefined;
  inForce: number;
  startCpuS: number;
  peakMb: number;
  /** after a minute of rest */
  steadyMb: number;
  /** ms of CPU a second */
  idleCpu: number;
  loadCpu: number;
  loadMb: number;
  latencyMs: { p50: number; p99: number; refused: number; count: number; firstRefusal?: string };
  /** until one more rule, applied while all this runs, is in force */
  oneMoreS: number | undefined;
  /** the operator's own count, of all roads */
  webhook: string[];
}

export const REST_S = 60;
export const LOAD_S = 60;
export const PER_SECOND = 20;
/** A start that takes longer is no size to recommend. */
const START_PATIENCE_S = 720;
const ONE_PATIENCE_S = 120;
const LOOK_MS = 100;

export async function measureStart(place: Place, rules: number): Promise<Measured> {
  const { client, folder, command, kubeconfig, opa, say } = place;
  await unregister(client);
  const logFile = join(folder, `sizing-${String(rules)}.log`);
  const followed = followRules(client);
  const subject = await startSubject(command, kubeconfig, opa, logFile);
  const peak = watchPeak(subject.pid);
  const seconds = (): number => (performance.now() - subject.startedAt) / 1000;
  try {
    const readyzS = await until(seconds, START_PATIENCE_S, () => subject.ready());
    say(`${String(rules)} rules: /readyz after ${String(readyzS)} s; waiting for the rules ...`);
    const allReadyS = await until(seconds, START_PATIENCE_S, () => followed.ready() >= rules);
    const startCpuS = cpuMs(subject.pid) / 1000;
    say(`${String(rules)} rules: all in force after ${String(allReadyS)} s; a minute of rest ...`);
    const inForce = followed.ready();
    const rest = await spent(subject, () => wait(REST_S * 1000));
    const steadyMb = rssBytes(subject.pid) / 1e6;
    say(`${String(rules)} rules: load ...`);
    const load = await spent(subject, () =>
      admissions(client, {
        prefix: `load-${String(subject.pid)}`,
        teams: teams(rules),
        perSecond: PER_SECOND,
        seconds: LOAD_S,
      }),
    );
    const loadMb = rssBytes(subject.pid) / 1e6;
    const oneMoreS = await oneMore(client, followed);
    const webhook = (await subject.metrics()).split('\n').filter((line) => line.includes('webhook'));
    return {
      rules,
      readyzS,
      allReadyS,
      inForce,
      startCpuS,
      peakMb: peak.stop() / 1e6,
      steadyMb,
      idleCpu: rest.cpu,
      loadCpu: load.cpu,
      loadMb,
      latencyMs: latencies(load.value),
      oneMoreS,
      webhook,
    };
  } finally {
    peak.stop();
    await subject.stop();
    await followed.stop();
    rmSync(logFile, { force: true });
  }
}

/** Seconds since the start at which it held; undefined when patience ended first. */
async function until(
  seconds: () => number,
  patienceS: number,
  holds: () => boolean | Promise<boolean>,
): Promise<number | undefined> {
  while (!(await holds())) {
    if (seconds() > patienceS) return undefined;
    await wait(LOOK_MS);
  }
  return seconds();
}

/** CPU in ms a second while it went on. */
async function spent<T>(subject: Subject, work: () => Promise<T>): Promise<{ value: T; cpu: number }> {
  const [started, before] = [performance.now(), cpuMs(subject.pid)];
  const value = await work();
  return { value, cpu: ((cpuMs(subject.pid) - before) * 1000) / (performance.now() - started) };
}

function latencies({ latencies: all, refused }: Load): Measured['latencyMs'] {
  const [firstRefusal] = refused;
  return {
    p50: quantile(all, 0.5),
    p99: quantile(all, 0.99),
    count: all.length,
    refused: refused.length,
    ...(firstRefusal === undefined ? {} : { firstRefusal }),
  };
}

async function oneMore(client: Client, followed: Rules): Promise<number | undefined> {
  const rule = ruleAt(0);
  const name = 'one-more';
  const started = performance.now();
  await client.create(POLICY_RULE, { ...rule, metadata: { name } });
  const took = await until(
    () => (performance.now() - started) / 1000,
    ONE_PATIENCE_S,
    () => followed.isReady(name),
  );
  await client.delete(POLICY_RULE, { name });
  return took;
}

/** So that rules can be made without anybody to judge them, and every size begins alike. */
export async function unregister(client: Client): Promise<void> {
  await client.delete(CONFIGURATION, { name: CONFIGURATION_NAME }).catch((error: unknown) => {
    if (!isApiError(error, 'notFound')) throw error;
  });
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
