/** The `opa` program: where it is, and running it within bounds. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { CompileError, fail } from './problems.ts';

/**
 * OPA_BIN, else the PATH, else `fallback` (the tool cache). Nothing is ever downloaded. Throws CompileError when there
 * is none.
 */
export function findOpa(env: NodeJS.ProcessEnv = process.env, fallback?: string): string {
  const named = env['OPA_BIN'];
  if (named !== undefined && named !== '') {
    if (isExecutable(named)) return named;
    fail({
      code: 'no_opa',
      message: `OPA_BIN=${named} is not a program`,
      remedy: 'set it to the path of opa >= 1.0',
    });
  }
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = [
    ...folders.map((folder) => join(folder, 'opa')),
    ...(fallback === undefined ? [] : [fallback]),
  ];
  const opa = found.find(isExecutable);
  if (opa !== undefined) return opa;
  fail({
    code: 'no_opa',
    message: 'there is no opa on this machine',
    remedy: 'set OPA_BIN, or put opa into the PATH',
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface Run {
  cwd: string;
  signal?: AbortSignal | undefined;
  /** ms of wall time after which the program is killed */
  timeLimitMs?: number;
  /** what the message says the limit is, when this run has only the rest of it */
  statedLimitMs?: number;
  /** bytes of output, of both streams, after which it is killed */
  outputLimit?: number;
}

export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

export const TIME_LIMIT_MS = 30_000;
const OUTPUT_LIMIT = 64 * 2 ** 20;
/** Soft bound of Go's heap: a rule that explodes in the compiler slows itself down before it takes the machine. */
const MEMORY_LIMIT = '1GiB';

/** Compilers that run at the same time in this process; each takes a whole core. */
const slots = { free: Math.max(1, availableParallelism() - 1), waiting: [] as (() => void)[] };

/** Runs opa; a code other than 0 is an answer, not an error. Throws CompileError past a limit, the signal's reason when aborted. */
export async function runOpa(opa: string, args: readonly string[], run: Run): Promise<Output> {
  await takeSlot();
  try {
    run.signal?.throwIfAborted();
    return await spawned(opa, args, run);
  } finally {
    freeSlot();
  }
}

async function takeSlot(): Promise<void> {
  if (slots.free > 0) slots.free -= 1;
  else await new Promise<void>((resolve) => slots.waiting.push(resolve));
}

/** Hands the slot to who waits longest, so that nobody who comes later overtakes. */
function freeSlot(): void {
  const next = slots.waiting.shift();
  if (next === undefined) slots.free += 1;
  else next();
}

function spawned(opa: string, args: readonly string[], run: Run): Promise<Output> {
  const { cwd, signal, timeLimitMs = TIME_LIMIT_MS, outputLimit = OUTPUT_LIMIT } = run;
  return new Promise((resolve, reject) => {
    const child = spawn(opa, args, {
      cwd,
      env: { HOME: cwd, GOMEMLIMIT: MEMORY_LIMIT },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let failure: unknown;
    const kill = (reason: unknown): void => {
      failure ??= reason;
      child.kill('SIGKILL');
    };
    const onAbort = (): void => {
      kill(signal?.reason);
    };
    const timer = setTimeout(() => {
      kill(
        limitError(
          `does not compile within ${String((run.statedLimitMs ?? timeLimitMs) / 1000)} s`,
          'make the rule smaller',
        ),
      );
    }, timeLimitMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let size = 0;
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > outputLimit)
          kill(limitError('makes the compiler print without end', 'make the rule smaller'));
        else chunks[stream].push(chunk);
      });
    }
    child.once('error', (cause) => {
      failure ??= new CompileError([{ code: 'no_opa', message: `opa cannot be started: ${cause.message}` }], {
        cause,
      });
    });
    // Comes after `error` too, and after both streams have ended.
    child.once('close', (code) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (failure !== undefined)
        reject(failure instanceof Error ? failure : new Error('aborted', { cause: failure }));
      else resolve({ code: code ?? -1, stdout: text(chunks.stdout), stderr: text(chunks.stderr) });
    });
  });
}

function limitError(message: string, remedy: string): CompileError {
  return new CompileError([{ code: 'limit', message: `the rule ${message}`, remedy }]);
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}
