/** `npm run cluster -- up|down|status|env`: a control plane that lives on until it is told to end. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startCluster } from './controlplane.ts';
import { alive, endByPid } from './processes.ts';

interface State {
  kubeconfig: string;
  server: string;
  folder: string;
  kubectl: string;
  members: string[];
  /** in the order they were started */
  pids: number[];
}

const USAGE = `usage: npm run cluster -- COMMAND [--name NAME] [--members N]
  up       starts etcd, kube-apiserver and kube-controller-manager (and N member API servers); does nothing when up
  down     ends every process and removes the data
  status   says what runs
  env      prints the lines to copy into a shell`;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { name: { type: 'string', default: 'default' }, members: { type: 'string', default: '0' } },
});
const base = join(tmpdir(), `cogniforge-cluster-${String(process.getuid?.() ?? 0)}-${values.name}`);
const stateFile = `${base}.json`;

process.exitCode = await run(positionals[0]);

async function run(command: string | undefined): Promise<number> {
  switch (command) {
    case 'up':
      return up();
    case 'down':
      return down();
    case 'status':
      return status();
    case 'env':
      return env();
    default:
      say(USAGE);
      return 2;
  }
}

function readState(): State | undefined {
  return existsSync(stateFile) ? (JSON.parse(readFileSync(stateFile, 'utf8')) as State) : undefined;
}

function running(state: State | undefined): state is State {
  return state !== undefined && state.pids.every(alive);
}

async function up(): Promise<number> {
  const before = readState();
  if (running(before)) {
    say(`already up: ${before.server}`);
    return env();
  }
  // Half of it died: what is left would hold ports and data.
  if (before !== undefined) await down();
  mkdirSync(base, { recursive: true });
  const cluster = await startCluster({ say, folder: base, guarded: false, members: Number(values.members) });
  const { kubeconfig, server, folder, kubectl, members, pids } = cluster;
  writeFileSync(
    stateFile,
    JSON.stringify({ kubeconfig, server, folder, kubectl, members, pids } satisfies State),
    { mode: 0o600 },
  );
  cluster.release();
  say(`up: ${server}`);
  return env();
}

async function down(): Promise<number> {
  const state = readState();
  if (state === undefined) {
    say('nothing is up');
    return 0;
  }
  for (const pid of state.pids.toReversed()) await endByPid(pid);
  rmSync(state.folder, { recursive: true, force: true });
  rmSync(stateFile, { force: true });
  say('down');
  return 0;
}

function status(): number {
  const state = readState();
  if (!running(state)) {
    say(state === undefined ? 'down' : 'broken: some of its processes have ended; `up` starts it anew');
    return 1;
  }
  say(`up: ${state.server}, data and logs in ${state.folder}`);
  const version = spawnSync(state.kubectl, ['--kubeconfig', state.kubeconfig, 'version'], {
    encoding: 'utf8',
  });
  process.stdout.write(version.stdout);
  return version.status ?? 1;
}

function env(): number {
  const state = readState();
  if (state === undefined) {
    say('nothing is up: npm run cluster -- up');
    return 1;
  }
  process.stdout.write(
    `export KUBECONFIG=${state.kubeconfig}\nexport PATH=${join(state.kubectl, '..')}:$PATH\n`,
  );
  for (const [at, member] of state.members.entries())
    process.stdout.write(`export KUBECONFIG_MEMBER_${String(at + 1)}=${member}\n`);
  return 0;
}
