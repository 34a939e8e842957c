/** What ends a cluster whose parent can no longer do it, because it was killed. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Watchdog {
  watch(pid: number): void;
  /** Nothing is to be ended any more. */
  stop(): void;
}

/**
 * It reads process ids from our end of a pipe. The pipe closes when we die, however we die; then the processes are
 * killed and what the cluster has left is removed. A shell, because it waits all the time and seldom has to act.
 */
const SCRIPT = `
pids=
while read -r pid; do
  [ "$pid" = done ] && exit 0
  pids="$pids $pid"
done
[ -n "$pids" ] && kill -9 $pids 2>/dev/null
exec "$@" $pids
`;

/** It has a session of its own, so that what kills our group does not kill it first. */
export function startWatchdog(folder: string): Watchdog {
  const remove = [process.execPath, fileURLToPath(new URL('remove.ts', import.meta.url)), folder];
  const shell = spawn('sh', ['-c', SCRIPT, 'watchdog', ...remove], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    // The folder we were started in may be removed before we are needed.
    cwd: '/',
  });
  shell.unref();
  shell.stdin.on('error', () => undefined);
  (shell.stdin as unknown as { unref?: () => void }).unref?.();
  return {
    watch: (pid) => {
      shell.stdin.write(`${String(pid)}\n`);
    },
    stop: () => {
      shell.stdin.end('done\n');
    },
  };
}
