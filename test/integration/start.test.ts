import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCluster, type Cluster } from '../cluster/controlplane.ts';
import { alive } from '../cluster/processes.ts';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const SCRIPT = join(ROOT, 'scripts', 'start.ts');

let temporary: string;

beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), 'cogniforge-test-start-'));
});

afterAll(() => {
  rmSync(temporary, { recursive: true, force: true });
});

// What a start leaves behind is looked for in a temporary folder of its own.
const environment = (): NodeJS.ProcessEnv => ({ ...process.env, TMPDIR: temporary });

function start(...args: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], {
    encoding: 'utf8',
    env: environment(),
  });
  return { status, text: stdout + stderr };
}

/** Processes that know the folder: every one a start has begun names a file in it. */
function processesOfFolder(): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(temporary) && alive(Number(pid)) ? [command] : [];
      } catch {
        return [];
      }
    });
}

function expectNothingLeft(): void {
  expect(processesOfFolder()).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
}

describe('npm start', () => {
  it('--once tells the whole story, exits 0 and leaves nothing behind', () => {
    const { status, text } = start('--once');
    expect(text).toContain('denied the request: [require-health-checks] Deployments must have health checks');
    expect(text).toContain('deployment.apps/shop created');
    expect(status).toBe(0);
    expectNothingLeft();
  }, 120_000);

  it('--detach leaves it running, a second start says so, --down ends it', () => {
    const first = start('--detach');
    expect(first.status).toBe(0);
    const kubeconfig = /export KUBECONFIG=(\S+)/.exec(first.text)?.[1] ?? '';
    expect(existsSync(kubeconfig)).toBe(true);
    expect(processesOfFolder().length).toBeGreaterThanOrEqual(4);
    const second = start('--detach');
    expect(second.text).toContain('already running');
    expect(second.text).toContain(`export KUBECONFIG=${kubeconfig}`);
    expect(start('--down').text).toContain('down');
    expectNothingLeft();
    expect(start('--down').text).toContain('nothing was left running');
  }, 120_000);

  it.each([
    ['while the cluster starts', 'waiting for the API server'],
    ['while the table is shown', 'InForce'],
  ])(
    'Ctrl-C %s ends everything',
    async (_when, sign) => {
      const child = spawn(process.execPath, [SCRIPT], {
        env: environment(),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      let interrupted = false;
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (interrupted || !text.includes(sign)) return;
        if (sign === 'InForce' && !text.includes('Ctrl-C')) return;
        interrupted = true;
        child.kill('SIGINT');
      });
      const code = await new Promise((resolve) => child.once('exit', resolve));
      expect(interrupted).toBe(true);
      expect(code).toBe(130);
      expectNothingLeft();
    },
    120_000,
  );
});

describe('npm start --kubeconfig', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
  }, 120_000);

  afterAll(() => cluster.stop());

  it('names the cluster before it writes, tells the story there, and takes its webhook away again', () => {
    const { status, text } = start('--once', '--kubeconfig', cluster.kubeconfig);
    expect(text).toContain(`cluster: ${cluster.server}`);
    expect(text.indexOf(cluster.server)).toBeLessThan(text.indexOf('$ kubectl'));
    expect(status).toBe(0);
    const left = spawnSync(
      cluster.kubectl,
      ['--kubeconfig', cluster.kubeconfig, 'get', 'validatingwebhookconfigurations', '-o', 'name'],
      { encoding: 'utf8' },
    );
    expect(left.stdout).toBe('');
  }, 120_000);

  it('exits 1 and says why when there is no such cluster', () => {
    const { status, text } = start('--once', '--kubeconfig', join(temporary, 'absent'));
    expect(status).toBe(1);
    expect(text).toMatch(/absent/);
  }, 60_000);
});
