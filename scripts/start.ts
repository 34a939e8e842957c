/**
 * `npm start`: a real control plane, the operator, and the story of a refused Deployment.
 *
 *   --once             ends after the story: 0 when every step of it happened, 1 when one did not
 *   --kubeconfig FILE  uses an existing cluster instead of starting one; its API server must reach this machine
 *   --address HOST     where it does so (default: this machine's own address on the way to the API server)
 *   --detach, --down   leaves everything running in the background; ends it
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tailOf } from '../test/cluster/operator.ts';
import { alive, endByPid } from '../test/cluster/processes.ts';
import { kubectlOf, raise, removeWebhook, type Stage } from './start/stage.ts';
import { tellStory } from './start/story.ts';

/** What `--down` must know about what `--detach` left behind. */
interface LeftRunning {
  pids: number[];
  kubeconfig: string;
  kubectl: string;
  /** data of our own cluster; absent on somebody else's */
  folder?: string;
}

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const STATE = join(tmpdir(), `cogniforge-start-${String(process.getuid?.() ?? 0)}.json`);
const TABLE_EVERY_MS = 2_000;
const STORY_READING_MS = 15_000;
const CLEAR = '\u001b[2J\u001b[H';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    detach: { type: 'boolean', default: false },
    down: { type: 'boolean', default: false },
    kubeconfig: { type: 'string' },
    address: { type: 'string' },
  },
});

process.exit(values.down ? await down() : await start());

async function start(): Promise<number> {
  const before = leftRunning();
  if (before?.pids.every(alive) === true) {
    say(`already running (end it with: npm start -- --down)\n${hint(before.kubeconfig, before.kubectl)}`);
    return 0;
  }
  if (before !== undefined) await down();
  const interrupt = new AbortController();
  const steps: (() => Promise<void>)[] = [];
  const { kubeconfig, address, detach } = values;
  const { signal } = interrupt;
  const undo = (step: () => Promise<void>): unknown => steps.push(step);
  const raising = raise({ say, root: ROOT, kubeconfig, address, detach, signal, undo });
  const undoAll = once(async () => {
    await raising.catch(() => undefined);
    for (const step of steps.toReversed()) await step();
  });
  // From the first moment: a Ctrl-C while the cluster starts must not leave its data behind either.
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      interrupt.abort();
      void undoAll().then(() => process.exit(128 + constants.signals[name]));
    });
  }
  try {
    return await perform(await raising, undoAll);
  } catch (error) {
    if (!signal.aborted) say(error instanceof Error ? error.message : String(error));
    await undoAll();
    return signal.aborted ? 128 + constants.signals.SIGINT : 1;
  }
}

async function perform(stage: Stage, undoAll: () => Promise<void>): Promise<number> {
  const told = tellStory(stage.run, ROOT, say);
  if (!told) say(`\nthe story failed; the operator's log is ${stage.logFile}:\n${tailOf(stage.logFile)}`);
  if (values.once || !told) {
    await undoAll();
    return told ? 0 : 1;
  }
  say(`\n${hint(stage.kubeconfig, stage.kubectl)}`);
  if (values.detach) {
    const { pids, kubeconfig, kubectl, folder } = stage;
    const left: LeftRunning = { pids, kubeconfig, kubectl, ...(folder === undefined ? {} : { folder }) };
    writeFileSync(STATE, JSON.stringify(left), { mode: 0o600 });
    say('left running; end it with: npm start -- --down');
    return 0;
  }
  say('Ctrl-C ends everything.\n');
  // Time to read how the story went before a terminal is cleared for the table.
  if (process.stdout.isTTY) await new Promise((resolve) => setTimeout(resolve, STORY_READING_MS));
  return showTable(stage);
}

/** The resources of every kind, anew whenever more than their age has changed; ends with the process. */
async function showTable({ run, kubeconfig, kubectl }: Stage): Promise<never> {
  let shown = '';
  for (;;) {
    const table = run('get', 'cogniforge', '--all-namespaces').text.trimEnd();
    const withoutAge = table.replace(/\S+$/gm, '');
    if (process.stdout.isTTY)
      say(`${CLEAR}${hint(kubeconfig, kubectl)}\nCtrl-C ends everything.\n\n${table}`);
    else if (withoutAge !== shown) say(`${new Date().toISOString()}\n${table}`);
    shown = withoutAge;
    await new Promise((resolve) => setTimeout(resolve, TABLE_EVERY_MS));
  }
}

function hint(kubeconfig: string, kubectl: string): string {
  return `to look around:\nexport KUBECONFIG=${kubeconfig} PATH=${dirname(kubectl)}:$PATH`;
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}

function leftRunning(): LeftRunning | undefined {
  return existsSync(STATE) ? (JSON.parse(readFileSync(STATE, 'utf8')) as LeftRunning) : undefined;
}

async function down(): Promise<number> {
  const left = leftRunning();
  if (left === undefined) {
    say('nothing was left running');
    return 0;
  }
  for (const pid of left.pids.toReversed()) if (alive(pid)) await endByPid(pid);
  if (left.folder === undefined) removeWebhook(kubectlOf(left.kubectl, left.kubeconfig));
  else rmSync(left.folder, { recursive: true, force: true });
  rmSync(STATE);
  say('down');
  return 0;
}
