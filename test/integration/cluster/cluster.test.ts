import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCluster } from '../../cluster/controlplane.ts';
import { alive } from '../../cluster/processes.ts';
import { eventually, killProcessesOf, processesOf, temporaryFolder } from './traces.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const COMMAND = join(HERE, '..', '..', 'cluster', 'cli.ts');
const PARENT = join(HERE, 'parent.ts');

let temporary: string;

beforeEach(() => {
  temporary = temporaryFolder();
});

afterEach(() => {
  command('down');
  killProcessesOf(temporary);
  rmSync(temporary, { recursive: true, force: true });
});

interface Result {
  status: number | null;
  stdout: string;
  text: string;
}

/** `npm run cluster -- ARGS`, with a temporary folder of its own. */
function command(...args: string[]): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], {
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: temporary },
  });
  return { status, stdout, text: stdout + stderr };
}

function expectNothingLeft(): void {
  expect(processesOf(temporary)).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
}

interface State {
  identities: string[];
}

function stateFile(): string {
  const name = readdirSync(temporary).find((entry) => entry.endsWith('.json'));
  if (name === undefined) throw new Error('there is no state file');
  return join(temporary, name);
}

describe('npm run cluster', () => {
  it('up, status, a second up, env and exec, down', () => {
    expect(command('status')).toMatchObject({ status: 1, text: 'down\n' });
    expect(command('env').status).toBe(1);
    const first = command('up');
    expect(first.status).toBe(0);
    const began = processesOf(temporary);
    expect(began).toHaveLength(3);
    expect(command('status')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Server Version: v1.35'),
    });

    const second = command('up');
    expect(second).toMatchObject({ status: 0, stdout: first.stdout });
    expect(processesOf(temporary)).toEqual(began);
    expect(command('up', '--members', '1')).toMatchObject({ status: 1 });
    expect(processesOf(temporary)).toEqual(began);

    // What a person would copy into a shell, in a shell.
    const shell = `${command('env').stdout}\nkubectl get namespace default -o name`;
    expect(spawnSync('sh', ['-c', shell], { encoding: 'utf8' }).stdout).toBe('namespace/default\n');
    expect(command('exec', '--', 'kubectl', 'get', 'namespace', 'default', '-o', 'name').stdout).toBe(
      'namespace/default\n',
    );
    expect(command('exec', '--', 'sh', '-c', 'exit 7').status).toBe(7);

    expect(command('down')).toMatchObject({ status: 0, text: 'down\n' });
    expectNothingLeft();
    expect(command('down')).toMatchObject({ status: 0, text: 'nothing is up\n' });
  }, 120_000);

  it('says so when one of its processes has ended; the next up starts it anew', () => {
    command('up');
    const { identities } = JSON.parse(readFileSync(stateFile(), 'utf8')) as State;
    process.kill(Number.parseInt(identities[0] ?? '', 10), 'SIGKILL');
    expect(command('status')).toMatchObject({ status: 1, text: expect.stringContaining('broken') });
    expect(command('up').text).toContain('up: https://127.0.0.1:');
    expect(command('status').status).toBe(0);
    expect(processesOf(temporary)).toHaveLength(3);
  }, 120_000);

  it('down leaves a process alone that was given the id of one of the cluster', () => {
    const stranger = spawn('sleep', ['60']);
    command('up');
    const state = JSON.parse(readFileSync(stateFile(), 'utf8')) as State;
    const identities = [...state.identities, `${String(stranger.pid)}@1`];
    writeFileSync(stateFile(), JSON.stringify({ ...state, identities }));
    expect(command('status').text).toContain('broken');
    command('down');
    expect(alive(stranger.pid ?? 0)).toBe(true);
    stranger.kill();
    expectNothingLeft();
  }, 120_000);

  it('--members 2: three API servers, none of which sees the objects of another', () => {
    const { stdout, status } = command('up', '--members', '2');
    expect(status).toBe(0);
    const kubeconfigs = [...stdout.matchAll(/KUBECONFIG\w*=(\S+)/g)].map(([, path = '']) => path);
    expect(kubeconfigs).toHaveLength(3);
    const kubectl = (kubeconfig: string, ...args: string[]): string =>
      command('exec', '--', 'kubectl', '--kubeconfig', kubeconfig, ...args).stdout;
    for (const [at, kubeconfig] of kubeconfigs.entries())
      kubectl(kubeconfig, 'create', 'namespace', `of-${String(at)}`);
    const seen = kubeconfigs.map((kubeconfig) =>
      kubectl(kubeconfig, 'get', 'namespaces', '-o', 'name')
        .split('\n')
        .filter((name) => name.includes('of-')),
    );
    expect(seen).toEqual([['namespace/of-0'], ['namespace/of-1'], ['namespace/of-2']]);
  }, 120_000);

  it.each([['-1'], ['nine'], ['1.5'], ['9']])('refuses --members %s', (members) => {
    expect(command('up', `--members=${members}`)).toMatchObject({ status: 2 });
    expectNothingLeft();
  });

  it('up --node says what the machine lacks, before anything is built or started', () => {
    const { status, stderr } = spawnSync(process.execPath, [COMMAND, 'up', '--node'], {
      encoding: 'utf8',
      env: { TMPDIR: temporary, PATH: '/nowhere', HOME: temporary },
    });
    expect(status).toBe(1);
    expect(stderr).toContain('containerd (Debian package containerd)');
    expect(stderr).toContain('npm run cluster -- requirements --install');
    expect(stderr).not.toContain('building');
    expectNothingLeft();
  });
});

describe('the death of its parent', () => {
  async function untilPrinted(child: ChildProcess, sign: RegExp): Promise<void> {
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await eventually(() => sign.test(text), 60_000);
    expect(text).toMatch(sign);
  }

  async function kill(child: ChildProcess): Promise<void> {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await eventually(
      () => processesOf(temporary).length === 0 && readdirSync(temporary).length === 0,
      20_000,
    );
  }

  it('ends every process and removes the folder', async () => {
    const parent = spawn(process.execPath, [PARENT, join(temporary, 'cluster')], { stdio: 'pipe' });
    await untilPrinted(parent, /^up$/m);
    expect(processesOf(temporary).length).toBeGreaterThanOrEqual(3);
    await kill(parent);
    expectNothingLeft();
  }, 120_000);

  it('during `up` leaves nothing either', async () => {
    const parent = spawn(process.execPath, [COMMAND, 'up'], {
      stdio: 'pipe',
      env: { ...process.env, TMPDIR: temporary },
    });
    await untilPrinted(parent, /waiting for the API server/);
    await eventually(() => processesOf(temporary).length >= 3, 10_000);
    await kill(parent);
    expectNothingLeft();
  }, 120_000);
});

describe('a process that dies at the start', () => {
  const given = process.env['KUBEBUILDER_ASSETS'];

  afterEach(() => {
    if (given === undefined) delete process.env['KUBEBUILDER_ASSETS'];
    else process.env['KUBEBUILDER_ASSETS'] = given;
  });

  it('is named with the end of its log; the logs stay, the others and every secret go', async () => {
    const assets = join(temporary, 'assets');
    mkdirSync(assets);
    const broken = join(assets, 'kube-apiserver');
    writeFileSync(broken, '#!/bin/sh\necho "the disk is full"\nexit 3\n');
    chmodSync(broken, 0o755);
    process.env['KUBEBUILDER_ASSETS'] = assets;
    const folder = join(temporary, 'cluster');
    const said: string[] = [];
    await expect(startCluster({ folder, say: (line) => said.push(line) })).rejects.toThrow(
      /kube-apiserver-main ended by itself.*\n.*the disk is full/,
    );
    expect(said.join('\n')).toContain(`its logs are kept in ${folder}`);
    expect(readdirSync(folder).toSorted()).toEqual(['etcd.log', 'kube-apiserver-main.log']);
    expect(readFileSync(join(folder, 'kube-apiserver-main.log'), 'utf8')).toBe('the disk is full\n');
    expect(processesOf(folder)).toEqual([]);
  }, 60_000);

  it('given up by a signal, nothing stays', async () => {
    const folder = join(temporary, 'cluster');
    const signal = AbortSignal.timeout(1_500);
    await expect(startCluster({ folder, signal })).rejects.toThrow();
    expect(existsSync(folder)).toBe(false);
    expect(processesOf(folder)).toEqual([]);
  }, 60_000);
});
