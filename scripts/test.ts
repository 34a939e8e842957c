/** `npm test [-- PART...]`: every part in order, or those named; the last line is `N passed, N failed, N skipped`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missing, thisMachine } from '../test/cluster/node/requirements.ts';
import { toolPath } from '../test/cluster/tools.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

interface Score {
  passed: number;
  failed: number;
  skipped: number;
}

interface Part {
  name: string;
  run: (folder: string, env: NodeJS.ProcessEnv) => Score;
}

const PARTS: readonly Part[] = [
  { name: 'lint', run: lint },
  ...['unit', 'integration', 'faults', 'corpora']
    // A part appears with its first test; from then on one that runs no test is a failure.
    .filter((name) => name === 'unit' || hasTests(name))
    .map((name) => ({ name, run: (folder: string, env: NodeJS.ProcessEnv) => jest(name, folder, env) })),
];

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

// Built before the tests, so that no test's time limit has to hold a build of Kubernetes.
const opa = await toolPath('opa', say);
const tools = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl', 'helm'];
const ofNode =
  missing(thisMachine()).length === 0 ? ['kube-scheduler', 'kubelet', 'kube-proxy', 'coredns'] : [];
for (const name of [...tools, ...ofNode]) await toolPath(name, say);
const env = { ...process.env, OPA_BIN: opa };
const total: Score = { passed: 0, failed: 0, skipped: 0 };
const folder = mkdtempSync(join(tmpdir(), 'cogniforge-test-'));
for (const { name, run } of wanted(process.argv.slice(2))) {
  say(`\n== ${name}`);
  const started = Date.now();
  const score = run(folder, env);
  if (score.passed + score.failed + score.skipped === 0) score.failed = 1;
  say(`== ${name}: ${sentence(score)} in ${String(Math.round((Date.now() - started) / 1000))} s`);
  for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += score[key];
}
rmSync(folder, { recursive: true, force: true });
say(`\n${sentence(total)}`);
process.exit(total.failed === 0 ? 0 : 1);

function sentence({ passed, failed, skipped }: Score): string {
  return `${String(passed)} passed, ${String(failed)} failed, ${String(skipped)} skipped`;
}

function wanted(names: readonly string[]): readonly Part[] {
  const unknown = names.find((name) => !PARTS.some((part) => part.name === name));
  if (unknown !== undefined) {
    say(`no part ${unknown}; there are: ${PARTS.map(({ name }) => name).join(', ')}`);
    process.exit(2);
  }
  return names.length === 0 ? PARTS : PARTS.filter(({ name }) => names.includes(name));
}

function hasTests(part: string): boolean {
  const listed = spawnSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', `test/${part}/**.test.ts`],
    { cwd: ROOT, encoding: 'utf8' },
  );
  return listed.stdout.trim() !== '';
}

function lint(): Score {
  const { status } = spawnSync('npm', ['run', '--silent', 'lint'], { cwd: ROOT, stdio: 'inherit' });
  return status === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

function jest(part: string, folder: string, env: NodeJS.ProcessEnv): Score {
  const report = join(folder, `${part}.json`);
  spawnSync(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'),
      `--testPathPatterns=test/${part}/`,
      // Each integration file has a control plane of its own: two cores hold one at a time.
      part === 'unit' ? '--maxWorkers=2' : '--runInBand',
      // A test that failed may have left a server open: the failure is counted, and must not become a hang.
      '--forceExit',
      '--json',
      `--outputFile=${report}`,
    ],
    { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'], env },
  );
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
  const result = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
  return {
    passed: result['numPassedTests'] ?? 0,
    failed: (result['numFailedTests'] ?? 0) + (result['numRuntimeErrorTestSuites'] ?? 0),
    skipped: (result['numPendingTests'] ?? 0) + (result['numTodoTests'] ?? 0),
  };
}
