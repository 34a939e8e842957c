/** Removes what a cluster leaves when its processes are gone: its folder and its control groups. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { controlGroupOf, removeControlGroup } from './node/controlgroup.ts';
import { endByPid } from './processes.ts';

/** The processes must have ended. */
export async function removeTraces(folder: string): Promise<void> {
  await removeControlGroup(controlGroupOf(folder));
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** As removeTraces, but the logs stay, for whoever looks for the reason. */
export async function removeAllButLogs(folder: string): Promise<void> {
  await removeControlGroup(controlGroupOf(folder));
  for (const name of readdirSync(folder))
    if (!name.endsWith('.log')) rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 5 });
}

/** `node remove.ts FOLDER PID...`, as the watchdog calls it. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, ...pids] = process.argv.slice(2);
  if (folder === undefined) throw new Error('usage: remove.ts FOLDER PID...');
  for (const pid of pids.toReversed()) await endByPid(Number(pid));
  await removeTraces(folder);
}
