/**
 * What the operator itself needs: the compiled controller against a real API server, with more and more rules, and with
 * many namespaces, which it caches. One machine holds all of it: the API server and the load take their share of the CPU.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../../src/runtime/client.ts';
import type { KubernetesObject } from '../../src/runtime/resource.ts';
import { parseYamlDocument } from '../../src/runtime/yaml.ts';
import { type as POLICY_RULE } from '../../src/policy/policyrule/crd.gen.ts';
import { startCluster } from '../cluster/controlplane.ts';
import { toolPath } from '../cluster/tools.ts';
import type { Figure } from './figures.ts';
import { admin, createNamespace, inParallel, installKind } from './objects.ts';
import type { BenchOptions, BenchResult } from './runtime.ts';
import { buildApp } from './sizing/app.ts';
import { ruleAt, teamName, teams } from './sizing/rules.ts';
import { measureStart, unregister, type Place } from './sizing/stage.ts';
import { withTable, type Stage } from './sizing/table.ts';

const CRD_FILE = join(import.meta.dirname, '..', '..', 'crds', 'policyrules.yaml');
const SIZES = [100, 1_000, 5_000];
const NAMESPACES = Number(process.env['NAMESPACES'] ?? 5_000);
const WIDTH = 16;

/**
 * The environment shortens a run: SIZES=100,1000 for the numbers of rules, NAMESPACES=0 to leave out the last part, which
 * is the fewest rules among many namespaces.
 */
export async function sizing({ say }: BenchOptions): Promise<BenchResult> {
  const sizes = (process.env['SIZES'] ?? '').split(',').map(Number).filter(Boolean);
  const opa = await toolPath('opa');
  const app = buildApp();
  const cluster = await startCluster({ say });
  const stages: Stage[] = [];
  try {
    const { kubeconfig, folder } = cluster;
    const { client } = await admin(kubeconfig);
    await installKind(client, parseYamlDocument(readFileSync(CRD_FILE)) as KubernetesObject, POLICY_RULE);
    await createNamespace(client, 'cogniforge-system');
    const place: Place = { client, kubeconfig, folder, opa, command: app.command, say };
    const counts = sizes.length === 0 ? SIZES : sizes;
    let made = 0;
    for (const count of counts) {
      await unregister(client);
      await makeRules(client, made, count);
      made = count;
      say(`${String(count)} rules are there; the operator starts ...`);
      const measured = await measureStart(place, count);
      stages.push({ ...measured, namespaces: teams(count) });
      say(JSON.stringify(measured));
    }
    if (NAMESPACES > 0) stages.push(await manyNamespaces(place, counts[0] ?? 0, made));
    return {
      figures: stages.flatMap(figuresOf),
      raw: { stages },
      written: (page) => withTable(page, stages),
    };
  } finally {
    await cluster.stop();
    rmSync(app.folder, { recursive: true, force: true });
  }
}

async function makeRules(client: Client, from: number, to: number): Promise<void> {
  for (let team = 0; team < teams(to); team += 1)
    if (team >= teams(from)) await createNamespace(client, teamName(team));
  await inParallel(to - from, WIDTH, async (at) => {
    await client.create(POLICY_RULE, ruleAt(from + at));
  });
}

/** The fewest rules again, in a cluster of many namespaces. */
async function manyNamespaces(place: Place, rules: number, made: number): Promise<Stage> {
  const { client, say } = place;
  await unregister(client);
  await inParallel(made - rules, WIDTH, async (at) => {
    await client.delete(POLICY_RULE, { name: ruleAt(rules + at).metadata.name });
  });
  say(`${String(NAMESPACES)} namespaces ...`);
  await inParallel(NAMESPACES - teams(made), WIDTH, async (at) => {
    await createNamespace(client, teamName(teams(made) + at));
  });
  const measured = await measureStart(place, rules);
  say(JSON.stringify(measured));
  return { ...measured, namespaces: NAMESPACES };
}

function figuresOf(stage: Stage): Figure[] {
  const { rules, namespaces, inForce, latencyMs } = stage;
  const size = namespaces === NAMESPACES ? `namespaces-${String(namespaces)}` : `rules-${String(rules)}`;
  const figure = (name: string, value: number | undefined, unit: string): Figure[] =>
    value === undefined ? [] : [{ name: `${size} ${name}`, value, unit }];
  return [
    ...figure('readyz', stage.readyzS, 's'),
    ...figure('all-ready', stage.allReadyS, 's'),
    ...figure('in-force', inForce, 'rules'),
    ...figure('start-cpu', stage.startCpuS, 's'),
    ...figure('peak-rss', stage.peakMb, 'MB'),
    ...figure('steady-rss', stage.steadyMb, 'MB'),
    ...figure('idle-cpu', stage.idleCpu, 'ms/s'),
    ...figure('load-cpu', stage.loadCpu, 'ms/s'),
    ...figure('load-rss', stage.loadMb, 'MB'),
    ...figure('load-p50', latencyMs.p50, 'ms'),
    ...figure('load-p99', latencyMs.p99, 'ms'),
    ...figure('load-refused', latencyMs.refused, 'requests'),
    ...figure('one-more-rule', stage.oneMoreS, 's'),
  ];
}
