/** `npm run cluster -- COMMAND`: a cluster that lives on until it is told to end. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { startCluster } from './controlplane.ts';
import { explain, install, missing, thisMachine } from './node/requirements.ts';
import { endByPid, identityOf, pidOf } from './processes.ts';
import { removeTraces } from './remove.ts';

interface State {
  kubeconfig: string;
  server: string;
  folder: string;
  kubectl: string;
  members: string[];
  node: boolean;
  network: readonly string[];
  /** of its processes, in the order they were started: after a reboot an id alone may be somebody else's */
  identities: string[];
}

const USAGE = `usage: npm run cluster -- COMMAND [--name NAME]
  up [--members N] [--node]    starts etcd, kube-apiserver and kube-controller-manager (and N member API servers);
                               with --node also kube-scheduler, and containerd, kubelet and kube-proxy as a real node
                               with DNS for pods; does nothing when it is up
  down                         ends every process and removes the data
  status                       says what runs; exits 1 when it is down or broken
  env                          prints the lines to copy into a shell
  exec -- COMMAND ...          runs a command with that environment, where pods and Services are reached
  requirements [--install]     says what a node lacks here; as root with --install, installs it by apt-get`;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string', default: 'default' },
    members: { type: 'string', default: '0' },
    node: { type: 'boolean', default: false },
    install: { type: 'boolean', default: false },
  },
});
const base = join(tmpdir(), `cogniforge-cluster-${String(process.getuid?.() ?? 0)}-${values.name}`);
const stateFile = `${base}.json`;
const [command, ...rest] = positionals;

try {
  process.exitCode = await run();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

function run(): Promise<number> | number {
  switch (command) {
    case 'up':
      return up();
    case 'down':
      return down();
    case 'status':
      return status();
    case 'env':
      return env();
    case 'exec':
      return exec();
    case 'requirements':
      return requirements();
    default:
      say(USAGE);
      return 2;
  }
}

function readState(): State | undefined {
  return existsSync(stateFile) ? (JSON.parse(readFileSync(stateFile, 'utf8')) as State) : undefined;
}

function running(state: State): boolean {
  return state.identities.every((identity) => pidOf(identity) !== undefined);
}

async function up(): Promise<number> {
  const members = Number(values.members);
  if (!Number.isInteger(members) || members < 0 || members > 8) {
    say(`--members ${values.members}: a whole number from 0 to 8`);
    return 2;
  }
  const before = readState();
  if (before !== undefined && running(before)) {
    const differs = before.node !== values.node || before.members.length !== members;
    const what = `${before.server}, ${describe(before.node, before.members.length)}`;
    say(
      differs ? `another one is up: ${what}; end it first: npm run cluster -- down` : `already up: ${what}`,
    );
    return differs ? 1 : env();
  }
  // Half of it died: what is left would hold ports and data.
  if (before !== undefined) await down();
  // The logs of a start that failed.
  await removeTraces(base);
  const cluster = await startCluster({ say, folder: base, node: values.node, members });
  const { kubeconfig, server, folder, kubectl, network, pids } = cluster;
  const state: State = {
    ...{ kubeconfig, server, folder, kubectl, network, node: values.node, members: cluster.members },
    identities: pids.flatMap((pid) => identityOf(pid) ?? []),
  };
  writeFileSync(stateFile, JSON.stringify(state), { mode: 0o600 });
  // Guarded until here: whoever interrupts a start is left with nothing.
  cluster.release();
  say(`up: ${server}, ${describe(values.node, members)}`);
  return env();
}

function describe(node: boolean, members: number): string {
  return `${node ? 'with' : 'without'} a node, ${String(members)} members`;
}

async function down(): Promise<number> {
  const state = readState();
  if (state === undefined) {
    say('nothing is up');
    return 0;
  }
  for (const identity of state.identities.toReversed()) {
    const pid = pidOf(identity);
    if (pid !== undefined) await endByPid(pid);
  }
  await removeTraces(state.folder);
  rmSync(stateFile, { force: true });
  say('down');
  return 0;
}

function status(): number {
  const state = readState();
  if (state === undefined || !running(state)) {
    say(state === undefined ? 'down' : 'broken: some of its processes have ended; `up` starts it anew');
    return 1;
  }
  say(`up: ${state.server}, ${describe(state.node, state.members.length)}; data and logs in ${state.folder}`);
  const questions = [['version'], ...(state.node ? [['get', 'nodes', '--output=wide']] : [])];
  for (const question of questions) {
    const args = ['--kubeconfig', state.kubeconfig, '--request-timeout=10s', ...question];
    const answer = spawnSync(state.kubectl, args, { encoding: 'utf8' });
    process.stdout.write(answer.stdout);
    process.stderr.write(answer.stderr);
    if (answer.status !== 0) return 1;
  }
  return 0;
}

function env(): number {
  const state = readState();
  if (state === undefined) return nothingUp();
  for (const [name, value] of Object.entries(variables(state)))
    process.stdout.write(`export ${name}=${value}\n`);
  process.stdout.write(`export PATH=${dirname(state.kubectl)}:$PATH\n`);
  if (state.node)
    process.stdout.write('# addresses of pods and Services: npm run cluster -- exec -- COMMAND ...\n');
  return 0;
}

function variables(state: State): Record<string, string> {
  return Object.fromEntries([
    ['KUBECONFIG', state.kubeconfig],
    ...state.members.map((member, at) => [`KUBECONFIG_MEMBER_${String(at + 1)}`, member] as const),
  ]);
}

function exec(): number {
  const state = readState();
  if (state === undefined) return nothingUp();
  const [program, ...args] = [...state.network, ...rest];
  if (program === undefined || rest.length === 0) {
    say(USAGE);
    return 2;
  }
  const path = `${dirname(state.kubectl)}${delimiter}${process.env['PATH'] ?? ''}`;
  const done = spawnSync(program, args, {
    stdio: 'inherit',
    env: { ...process.env, ...variables(state), PATH: path },
  });
  if (done.error !== undefined) throw done.error;
  return done.status ?? 1;
}

function nothingUp(): number {
  say('nothing is up: npm run cluster -- up');
  return 1;
}

function requirements(): number {
  if (values.install) install(missing(thisMachine()));
  const lacks = missing(thisMachine());
  say(lacks.length === 0 ? 'nothing is missing for a real node' : explain(lacks));
  return lacks.length === 0 ? 0 : 1;
}
