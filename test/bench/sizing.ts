/**
 * What the operator costs with many rules: the whole process, its webhook included, on a real API server. The rules share
 * fifteen texts and differ by parameters and namespaces, as a team's rules do. They are there before the operator starts: a
 * restart is the hardest moment.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type as POLICY_RULE } from '../../src/policy/policyrule/crd.gen.ts';
import type { PolicyRule } from '../../src/policy/policyrule/types.gen.ts';
import type { Client } from '../../src/runtime/client.ts';
import { startCluster, type Cluster } from '../cluster/controlplane.ts';
import { startOperator } from '../cluster/operator.ts';
import { toolPath } from '../cluster/tools.ts';
import { startLoad, type Tally } from '../e2e/load.ts';
import { CONFIGMAP } from '../faults/subject.ts';
import type { Figure } from './figures.ts';
import { admin, createNamespace, inParallel } from './objects.ts';
import { procStatus } from './process-memory.ts';
import type { BenchOptions, BenchResult } from './runtime.ts';

const SIZES = [100, 1_000, 5_000];
const TEXTS = 15;
/** Each rule is about one of them, so that a request meets a fiftieth of the rules. */
const NAMESPACES = 50;
const REVIEWS_PER_SECOND = 20;
const IDLE_SECONDS = 60;
const LOAD_SECONDS = 30;
const READY_PATIENCE_SECONDS = 600;
/** Of the kernel's clock, in which /proc counts CPU time (getconf CLK_TCK). */
const TICKS_PER_SECOND = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;

interface Sample {
  readySeconds: number;
  peakMegabytes: number;
  idleMegabytes: number;
  idleCpuMs: number;
  loadCpuMs: number;
  p99Ms: number;
}

export async function sizing({ say }: BenchOptions): Promise<BenchResult> {
  const raw: Record<string, Sample> = {};
  for (const size of SIZES) {
    const cluster = await startCluster({ say });
    try {
      raw[String(size)] = await measureWith(cluster, size, say);
    } finally {
      await cluster.stop();
    }
  }
  return { figures: Object.entries(raw).flatMap(([size, sample]) => figuresOf(size, sample)), raw };
}

async function measureWith(cluster: Cluster, size: number, say: (line: string) => void): Promise<Sample> {
  const { client } = await admin(cluster.kubeconfig);
  installCrds(cluster);
  await createNamespace(client, 'cogniforge-system');
  for (let at = 0; at < NAMESPACES; at += 1) await createNamespace(client, namespaceOf(at));
  say(`${String(size)} rules ...`);
  await inParallel(size, 16, async (at) => {
    await client.create(POLICY_RULE, ruleOf(at));
  });
  const started = performance.now();
  const logFile = join(cluster.folder, 'operator.log');
  const { kubeconfig } = cluster;
  const operator = await startOperator({
    ...{ kubeconfig, opa: await toolPath('opa'), logFile },
    readySeconds: READY_PATIENCE_SECONDS,
  });
  try {
    await untilAllReady(client, size);
    const readySeconds = (performance.now() - started) / 1000;
    const { cpuMs: idleCpuMs } = await cpuOver(operator.pid, IDLE_SECONDS);
    const idleMegabytes = procStatus('VmRSS', operator.pid) / 1e6;
    const load = startLoad(client, asks(), REVIEWS_PER_SECOND);
    const { cpuMs: loadCpuMs } = await cpuOver(operator.pid, LOAD_SECONDS);
    const p99Ms = p99(await load.stop());
    const peakMegabytes = procStatus('VmHWM', operator.pid) / 1e6;
    return { readySeconds, peakMegabytes, idleMegabytes, idleCpuMs, loadCpuMs, p99Ms };
  } finally {
    await operator.stop();
  }
}

function installCrds({ kubectl, kubeconfig }: Cluster): void {
  for (const args of [
    ['apply', '--server-side', '-f', 'crds'],
    ['wait', '--for=condition=Established', '-f', 'crds', '--timeout=30s'],
  ]) {
    const { status, stderr } = spawnSync(kubectl, ['--kubeconfig', kubeconfig, ...args], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
  }
}

function namespaceOf(at: number): string {
  return `team-${String(at % NAMESPACES)}`;
}

/** Some twenty lines of Rego, as a rule about labels and annotations has them. */
function ruleOf(at: number) {
  const text = at % TEXTS;
  return {
    apiVersion: 'cogniforge.dev/v1alpha1',
    kind: 'PolicyRule',
    metadata: { name: `rule-${String(at).padStart(5, '0')}` },
    spec: {
      match: {
        kinds: [{ apiGroups: [''], kinds: ['ConfigMap'] }],
        namespaces: [namespaceOf(Math.floor(at / TEXTS))],
      },
      parameters: { labels: [{ key: `owner-${String(at)}`, pattern: '^[a-z]+$' }], ranges: [at, at + 1] },
      rego: `package sizing.text${String(text)}

provided contains label if some label, _ in input.review.object.metadata.labels

required contains label.key if some label in input.parameters.labels

violation contains {"msg": msg, "details": {"missing": missing}} if {
	input.review.object.metadata.annotations.strict == "yes"
	missing := required - provided
	count(missing) > 0
	msg := sprintf("text ${String(text)}: labels are missing: %v", [missing])
}

violation contains {"msg": msg} if {
	some label in input.parameters.labels
	value := input.review.object.metadata.labels[label.key]
	not regex.match(label.pattern, value)
	msg := sprintf("%v is not an owner: %v", [label.key, value])
}
`,
    },
  };
}

function asks(): Parameters<typeof startLoad>[1] {
  const data = Object.fromEntries(
    Array.from({ length: 20 }, (_, at) => [`key-${String(at)}`, 'x'.repeat(100)]),
  );
  return Array.from({ length: NAMESPACES }, (_, at) => ({
    type: CONFIGMAP,
    object: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'reviewed', namespace: namespaceOf(at), labels: { app: 'shop' } },
      data,
    },
  }));
}

async function untilAllReady(client: Client, size: number): Promise<void> {
  const deadline = performance.now() + READY_PATIENCE_SECONDS * 1000;
  for (;;) {
    const { items } = await client.list<PolicyRule>(POLICY_RULE, {});
    const ready = items.filter(({ status }) =>
      status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    );
    if (ready.length === size) return;
    if (performance.now() > deadline)
      throw new Error(`only ${String(ready.length)} of ${String(size)} rules are Ready`);
    await seconds(1);
  }
}

/** CPU ms of the process for each second of that time. */
async function cpuOver(pid: number, length: number): Promise<{ cpuMs: number }> {
  const before = cpuMsOf(pid);
  await seconds(length);
  return { cpuMs: (cpuMsOf(pid) - before) / length };
}

function cpuMsOf(pid: number): number {
  // After the command's name in parentheses: state, ten more, then user and system time.
  const fields = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

function p99({ wrong, millis }: Tally): number {
  const [first] = wrong;
  if (first !== undefined) throw new Error(`a review went wrong: ${first}`);
  const sorted = millis.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}

function figuresOf(size: string, sample: Sample): Figure[] {
  const figure = (name: string, value: number, unit: string): Figure => ({
    name: `${name} ${size} rules`,
    value,
    unit,
  });
  return [
    figure('ready-after-start', sample.readySeconds, 's'),
    figure('rss', sample.idleMegabytes, 'MB'),
    figure('peak-rss', sample.peakMegabytes, 'MB'),
    figure('cpu-idle', sample.idleCpuMs, 'ms/s'),
    figure('cpu-20-reviews', sample.loadCpuMs, 'ms/s'),
    figure('create-p99-20-reviews', sample.p99Ms, 'ms'),
  ];
}
