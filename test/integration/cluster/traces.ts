/** What a cluster is made of on the machine, looked for from outside. */
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlGroupOf } from '../../cluster/node/controlgroup.ts';
import { alive } from '../../cluster/processes.ts';

/** Command lines of processes that name a file in the folder, or whose control group is that of its pods. */
export function processesOf(folder: string): string[] {
  return found(folder).map(({ command }) => command);
}

/** Ends what a test that failed has left. */
export function killProcessesOf(folder: string): void {
  for (const { pid } of found(folder)) process.kill(pid, 'SIGKILL');
}

function found(folder: string): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => ({ pid: Number(entry), command: read(`/proc/${entry}/cmdline`).replaceAll('\0', ' ') }))
    .filter(
      ({ pid, command }) =>
        (command.includes(folder) || read(`/proc/${String(pid)}/cgroup`).includes(controlGroupOf(folder))) &&
        pid !== process.pid &&
        alive(pid),
    );
}

/** Folders of the control group. */
export function controlGroupsOf(folder: string): string[] {
  const root = '/sys/fs/cgroup';
  const hierarchies = existsSync(root) ? ['.', ...readdirSync(root)] : [];
  return hierarchies
    .map((hierarchy) => join(root, hierarchy, controlGroupOf(folder)))
    .filter((path) => existsSync(path));
}

/** Resolves when `holds`, or after `patienceMs`: the expectation that follows says which. */
export async function eventually(holds: () => boolean, patienceMs: number): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !holds() && Date.now() < deadline;)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'cogniforge-test-'));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
