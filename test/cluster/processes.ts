/** Child processes that do not outlive their purpose: ended by stop(), and by a watchdog when their parent is killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

export interface ProcessSpec {
  name: string;
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
}

export interface Processes {
  pids: () => number[];
  start(spec: ProcessSpec): void;
  /** Throws, with the last lines of its log, when a process has ended by itself, and when the signal was given. */
  check(): void;
  /** SIGTERM, then SIGKILL; the last started first. */
  stop(): Promise<void>;
  /** Lets the processes live on after this one. */
  release(): void;
}

interface Running {
  spec: ProcessSpec;
  child: ChildProcess;
}

const TERM_PATIENCE_MS = 5_000;

/** Logs go to `folder`/NAME.log. With `guarded`, a SIGKILL of this process ends the children too. */
export function processGroup(folder: string, guarded: boolean, signal?: AbortSignal): Processes {
  const running: Running[] = [];
  const watchdog = guarded ? startWatchdog() : undefined;
  return {
    pids: () => running.flatMap(({ child }) => (child.pid === undefined ? [] : [child.pid])),
    start(spec) {
      const log = openSync(join(folder, `${spec.name}.log`), 'a');
      const child = spawn(spec.command, spec.args, {
        detached: true,
        stdio: ['ignore', log, log],
        env: { ...process.env, ...spec.env },
      });
      closeSync(log);
      child.unref();
      running.push({ spec, child });
      if (child.pid !== undefined) watchdog?.watch(child.pid);
    },
    check() {
      signal?.throwIfAborted();
      for (const { spec, child } of running) {
        if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
          throw new Error(
            `${spec.name} ended by itself; its log ${join(folder, `${spec.name}.log`)} ends with:\n${tail(folder, spec.name)}`,
          );
        }
      }
    },
    async stop() {
      for (const { child } of running.toReversed()) await end(child);
      watchdog?.stop();
      running.length = 0;
    },
    release() {
      watchdog?.stop();
    },
  };
}

/** The last lines of a log: what a person would look at first. */
export function tail(folder: string, name: string, lines = 15): string {
  try {
    return readFileSync(join(folder, `${name}.log`), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(-lines)
      .join('\n');
  } catch {
    return '(no log)';
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
  });
  child.ref();
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), TERM_PATIENCE_MS);
  await gone;
  clearTimeout(killer);
}

/**
 * A shell that reads process ids from our end of a pipe. The pipe closes when we die, however we die; then it kills
 * what it knows. It has a session of its own, so that what kills our group does not kill it first.
 */
function startWatchdog(): { watch(pid: number): void; stop(): void } {
  const script =
    'pids=; while read -r pid; do [ "$pid" = done ] && exit 0; pids="$pids $pid"; done; [ -n "$pids" ] && kill -9 $pids 2>/dev/null';
  const shell = spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
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

/** Ends a process that another run started, by its id. Resolves when it is gone. */
export async function endByPid(pid: number): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGTERM', TERM_PATIENCE_MS],
    ['SIGKILL', 2_000],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    for (let waited = 0; waited < patienceMs; waited += 50) {
      if (!alive(pid)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie answers signals too, until its parent has looked.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && process.platform !== 'linux';
  }
}

/** Ports nobody listens on at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            resolve(server);
          });
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
