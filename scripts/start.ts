/**
 * `npm start`: a real control plane, the operator, and the story of a refused Deployment.
 *
 *   --once             ends after the story: 0 when every step of it happened, 1 when one did not
 *   --kubeconfig FILE  uses an existing cluster instead of starting one (its API server must reach this machine)
 *   --detach, --down   leaves everything running in the background; ends it
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startCluster } from '../test/cluster/controlplane.ts';
import { startOperator, tailOf } from '../test/cluster/operator.ts';
import { alive, endByPid } from '../test/cluster/processes.ts';
import { toolPath } from '../test/cluster/tools.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const QUICKSTART = join(ROOT, 'deploy', 'examples', 'quickstart');
const STATE = join(tmpdir(), `cogniforge-start-${String(process.getuid?.() ?? 0)}.json`);

interface Stage {
  kubeconfig: string;
  kubectl: string;
  /** of what this script started, in the order of starting */
  pids: number[];
  folder: string | undefined;
  logFile: string;
  stop(): Promise<void>;
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    detach: { type: 'boolean', default: false },
    down: { type: 'boolean', default: false },
    kubeconfig: { type: 'string' },
  },
});

process.exit(values.down ? await down() : await start());

async function start(): Promise<number> {
  const stage = await raise(values.kubeconfig, values.detach);
  let ended = false;
  const finish = async (): Promise<void> => {
    if (ended) return;
    ended = true;
    await stage.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void finish().then(() => process.exit(0));
    });
  }
  try {
    const told = await tellStory(stage);
    if (!told) say(`\nthe story failed; the operator's log is ${stage.logFile}:\n${tailOf(stage.logFile)}`);
    if (values.once || !told) {
      await finish();
      return told ? 0 : 1;
    }
    say(`\nto look around:  export KUBECONFIG=${stage.kubeconfig} PATH=${dirname(stage.kubectl)}:$PATH`);
    if (values.detach) {
      writeFileSync(STATE, JSON.stringify({ pids: stage.pids, folder: stage.folder }));
      say('left running; end it with: npm start -- --down');
      return 0;
    }
    return await watchTable(stage);
  } catch (error) {
    await finish();
    throw error;
  }
}

async function raise(kubeconfig: string | undefined, detach: boolean): Promise<Stage> {
  const opa = await toolPath('opa', say);
  const cluster = kubeconfig === undefined ? await startCluster({ say, guarded: !detach }) : undefined;
  const config = cluster?.kubeconfig ?? kubeconfig ?? '';
  const kubectl = cluster?.kubectl ?? (await toolPath('kubectl', say));
  const logFile = join(cluster?.folder ?? tmpdir(), 'operator.log');
  const run = kubectlOf(kubectl, config);
  say(
    `cluster: ${run('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}').text.trim()}`,
  );
  must(run('apply', '--server-side', '-f', join(ROOT, 'crds')));
  must(run('wait', '--for=condition=Established', '-f', join(ROOT, 'crds'), '--timeout=30s'));
  const namespace = run('create', 'namespace', 'cogniforge-system');
  if (!namespace.ok && !namespace.text.includes('already exists')) must(namespace);
  say('waiting for the operator ...');
  const operator = await startOperator({ kubeconfig: config, opa, logFile, detached: detach });
  return {
    kubeconfig: config,
    kubectl,
    folder: cluster?.folder,
    logFile,
    pids: [...(cluster?.pids ?? []), operator.pid],
    async stop() {
      await operator.stop();
      // On somebody else's cluster: without us its webhook would only slow the API server down.
      if (cluster === undefined)
        run('delete', 'validatingwebhookconfiguration', 'cogniforge', '--ignore-not-found');
      await cluster?.stop();
    },
  };
}

/** Prints each command and what kubectl said; true when every step went as it should. */
async function tellStory(stage: Stage): Promise<boolean> {
  const run = kubectlOf(stage.kubectl, stage.kubeconfig);
  const step = (...args: string[]): Result => {
    say(`\n$ kubectl ${args.join(' ').replaceAll(`${ROOT}/`, '')}`);
    const result = run(...args);
    say(result.text.trimEnd());
    return result;
  };
  if (!step('apply', '-f', join(QUICKSTART, 'rule.yaml')).ok) return false;
  if (!step('wait', '--for=condition=Ready', 'policyrule/require-health-checks', '--timeout=30s').ok)
    return false;
  step('get', 'policyrules');
  const bad = step('apply', '-f', join(QUICKSTART, 'bad-deployment.yaml'));
  if (bad.ok || !bad.text.includes('Deployments must have health checks configured')) return false;
  return Promise.resolve(step('apply', '-f', join(QUICKSTART, 'good-deployment.yaml')).ok);
}

async function watchTable(stage: Stage): Promise<number> {
  const run = kubectlOf(stage.kubectl, stage.kubeconfig);
  say('Ctrl-C ends everything.\n');
  let shown = '';
  for (;;) {
    const table = run('get', 'cogniforge', '-A').text;
    if (table !== shown) say(`${new Date().toISOString()}\n${table}`);
    shown = table;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
}

async function down(): Promise<number> {
  if (!existsSync(STATE)) {
    say('nothing was left running');
    return 0;
  }
  const { pids, folder } = JSON.parse(readFileSync(STATE, 'utf8')) as { pids: number[]; folder?: string };
  for (const pid of pids.toReversed()) if (alive(pid)) await endByPid(pid);
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  rmSync(STATE);
  say('down');
  return 0;
}

interface Result {
  ok: boolean;
  text: string;
}

function kubectlOf(kubectl: string, kubeconfig: string) {
  return (...args: string[]): Result => {
    const { status, stdout, stderr } = spawnSync(kubectl, ['--kubeconfig', kubeconfig, ...args], {
      encoding: 'utf8',
    });
    return { ok: status === 0, text: stdout + stderr };
  };
}

function must(result: Result): void {
  if (!result.ok) throw new Error(result.text);
}
