/** A contender is a process of its own, on one core where `taskset` exists, that prints one JSON line when it is done. */
import { spawn, spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';

export interface ContenderCommand {
  name: string;
  command: string;
  args: readonly string[];
}

const PATIENCE_MS = 300_000;

let pinning: boolean | undefined;

/** Whether contenders are pinned: the last core is theirs, the control plane has the others and what is left of it. */
export function pinned(): boolean {
  pinning ??= process.platform === 'linux' && spawnSync('taskset', ['--version']).status === 0;
  return pinning;
}

/** Runs a contender until it has reported and ended. Throws when it ends without a report. */
export async function measure<Report>(contender: ContenderCommand, args: readonly string[]): Promise<Report> {
  const whole = [contender.command, ...contender.args, ...args];
  const [command = '', ...rest] = pinned() ? ['taskset', '-c', String(cpus().length - 1), ...whole] : whole;
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-2_000);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const timeout = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  let report: Report | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return;
    report = JSON.parse(line) as Report;
    child.kill('SIGTERM');
  });
  const code = await ended;
  clearTimeout(timeout);
  if (report === undefined)
    throw new Error(`${contender.name} ended (${String(code)}) without a report: ${stderr}`);
  return report;
}
