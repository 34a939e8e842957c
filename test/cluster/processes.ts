/** Child processes that do not outlive their purpose: ended by stop(), and by a watchdog when their parent is killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { startWatchdog } from './watchdog.ts';

export interface ProcessSpec {
  name: string;
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** a command that runs the command, as `nsenter ...` */
  within?: readonly string[];
  /** with a channel for send() */
  ipc?: boolean;
}

export interface Processes {
  /** in the order they were started */
  pids: () => number[];
  start(spec: ProcessSpec): ChildProcess;
  /** Takes a process in that one of ours has started. */
  adopt(name: string, pid: number): void;
  /** Throws, with the last lines of its log, when a process has ended by itself, and when the signal was given. */
  check(): void;
  /** SIGTERM, then SIGKILL; the last started first. */
  stop(): Promise<void>;
  /** Lets the processes live on after this one. */
  release(): void;
}

interface Running {
  name: string;
  pid: number | undefined;
  ended: () => boolean;
  end: () => Promise<void>;
}

const TERM_PATIENCE_MS = 5_000;

/** Logs go to `folder`/NAME.log. With `guarded`, a SIGKILL of this process ends the children and removes the folder. */
export function processGroup(folder: string, guarded: boolean, signal?: AbortSignal): Processes {
  const running: Running[] = [];
  const watchdog = guarded ? startWatchdog(folder) : undefined;
  const add = (one: Running): void => {
    running.push(one);
    if (one.pid !== undefined) watchdog?.watch(one.pid);
  };
  return {
    pids: () => running.flatMap(({ pid }) => pid ?? []),
    start(spec) {
      const child = spawnLogged(folder, spec);
      add({
        name: spec.name,
        pid: child.pid,
        ended: () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined,
        end: () => end(child),
      });
      return child;
    },
    adopt(name, pid) {
      add({ name, pid, ended: () => !alive(pid), end: () => endByPid(pid) });
    },
    check() {
      signal?.throwIfAborted();
      const gone = running.find(({ ended }) => ended());
      if (gone === undefined) return;
      throw new Error(
        `${gone.name} ended by itself; its log ${join(folder, `${gone.name}.log`)} ends with:\n${tail(folder, gone.name)}`,
      );
    },
    async stop() {
      for (const one of running.toReversed()) await one.end();
      watchdog?.stop();
      running.length = 0;
    },
    release() {
      watchdog?.stop();
    },
  };
}

function spawnLogged(folder: string, spec: ProcessSpec): ChildProcess {
  const log = openSync(join(folder, `${spec.name}.log`), 'a');
  const [command = spec.command, ...args] = [...(spec.within ?? []), spec.command, ...spec.args];
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log, ...(spec.ipc === true ? (['ipc'] as const) : [])],
    env: { ...process.env, ...spec.env },
  });
  closeSync(log);
  // A command that is not there is found by check(), as one that has ended.
  child.once('error', () => undefined);
  child.unref();
  return child;
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

/**
 * Tells a process from a later one that was given the same id: `ID@TICKS`, the ticks from boot to its start (proc(5),
 * stat, field 22). Undefined when there is none.
 */
export function identityOf(pid: number): string | undefined {
  if (!alive(pid)) return undefined;
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // The second field is a name that may hold blanks and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${String(pid)}@${fields[19] ?? ''}`;
  } catch {
    return process.platform === 'linux' ? undefined : String(pid);
  }
}

/** The id of the process that has this identity, if it still runs. */
export function pidOf(identity: string): number | undefined {
  const pid = Number.parseInt(identity, 10);
  return identityOf(pid) === identity ? pid : undefined;
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
