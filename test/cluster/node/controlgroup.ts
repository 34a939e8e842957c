/**
 * The control group all pods of one cluster live below: two clusters on one machine, or one beside a kubelet that was
 * there before, never take each other's pods for orphans of their own.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';
const PATIENCE_MS = 5_000;

/** Its name, for the cluster whose data is in `folder`. */
export function controlGroupOf(folder: string): string {
  return `cogniforge-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
}

/** One in each hierarchy of version 1, or one with the kubelet's controllers in version 2. */
export function createControlGroup(name: string): void {
  for (const root of hierarchies()) {
    enableControllers(root);
    mkdirSync(join(root, name), { recursive: true });
    // In version 1 a new cpuset is empty, and a process cannot live in an empty one.
    for (const file of ['cpuset.cpus', 'cpuset.mems'])
      if (basename(root).includes('cpuset'))
        writeFileSync(join(root, name, file), readFileSync(join(root, file)));
  }
}

/** Version 2 gives a group the controllers that its parent passes on. Where that is refused the kubelet says so. */
function enableControllers(root: string): void {
  const list = join(root, 'cgroup.controllers');
  if (root !== MOUNT || !existsSync(list)) return;
  for (const controller of readFileSync(list, 'utf8').trim().split(' '))
    try {
      writeFileSync(join(root, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      continue;
    }
}

/** Resolves when it is gone; a process that is being killed may hold it for a moment. Nothing when there is none. */
export async function removeControlGroup(name: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const left = hierarchies().filter((root) => !removed(join(root, name)));
    if (left.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(`the control group ${name} is still in use in ${left.join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Children first: a group with a group in it is not removed. */
function removed(folder: string): boolean {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) removed(join(folder, entry.name));
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function hierarchies(): string[] {
  if (existsSync(join(MOUNT, 'cgroup.controllers'))) return [MOUNT];
  if (!existsSync(MOUNT)) return [];
  return readdirSync(MOUNT)
    .map((entry) => join(MOUNT, entry))
    .filter((path) => lstatSync(path).isDirectory() && existsSync(join(path, 'cgroup.procs')));
}
