/**
 * Evaluates policies in worker threads, within a real deadline: a thread that does not answer in time is terminated and
 * replaced, which is the only way to stop a Wasm loop. The queue is here and a thread has one evaluation at a time, so
 * nothing but the culprit is lost with it.
 */
import { type Clock, type Timer, systemClock } from '../../runtime/clock.ts';
import { parseJson } from '../../runtime/json.ts';
import type { Entrypoint } from '../verdict.ts';
import type { Answer, EvaluationCode } from './protocol.ts';
import { Thread } from './thread.ts';

export type { EvaluationCode } from './protocol.ts';

export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
  readonly code: EvaluationCode;

  constructor(code: EvaluationCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface EngineOptions {
  /** evaluations at the same time; one more thread waits to take the place of one that is terminated */
  workers?: number;
  /** bytes of memory a module may use */
  memoryMaximum?: number;
  clock?: Clock;
}

export interface Evaluation {
  /** JSON text; absent is undefined, which is not null */
  input?: string;
  /** JSON text of the base documents; keep the same string as long as it is the same */
  data?: string;
  /** ms of evaluation, waiting for a thread not counted */
  deadlineMs: number;
  /** while it waits for a thread, aborting takes it out of the queue */
  signal?: AbortSignal;
}

export interface EngineStats {
  threads: number;
  busy: number;
  queued: number;
  /** threads that had to be replaced since the start */
  replaced: number;
}

export interface Engine {
  /** Makes a policy known; the same id must not be loaded twice. Throws WebAssembly.CompileError. */
  load(id: string, wasm: Uint8Array<ArrayBuffer>, entrypoint: Entrypoint): void;
  /** Evaluations that were asked for before still run. */
  unload(id: string): void;
  /** The document at the policy's entry point, undefined when it has no value. Throws EvaluationError. */
  evaluate(id: string, evaluation: Evaluation): Promise<unknown>;
  stats(): EngineStats;
  /** Ends all threads; what is under way fails. */
  close(): Promise<void>;
}

interface Policy {
  id: string;
  module: WebAssembly.Module;
  unloaded: boolean;
}

interface Job {
  policy: Policy;
  evaluation: Evaluation;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/** What a busy thread is doing. */
interface Work {
  job: Job;
  phase: 'load' | 'evaluate';
  timer: Timer;
}

const MEMORY_MAXIMUM = 64 * 2 ** 20;
/** To instantiate a module takes some ms; this is for a machine in trouble. */
const LOAD_LIMIT_MS = 10_000;
/** Threads that end before they are ready, in a row, until those who wait are told. */
const FAILED_STARTS = 3;
const RESTART_MS = 200;

export function createEngine(options: EngineOptions = {}): Engine {
  return new Pool(options);
}

class Pool implements Engine {
  readonly #workers: number;
  readonly #memoryMaximum: number;
  readonly #clock: Clock;
  readonly #policies = new Map<string, Policy>();
  readonly #threads = new Map<Thread, Work | undefined>();
  readonly #queue: Job[] = [];
  readonly #ending = new Set<Promise<void>>();
  #replaced = 0;
  #failedStarts = 0;
  #closed = false;

  constructor({ workers = 2, memoryMaximum = MEMORY_MAXIMUM, clock = systemClock }: EngineOptions) {
    this.#workers = Math.max(1, workers);
    this.#memoryMaximum = memoryMaximum;
    this.#clock = clock;
    for (let thread = 0; thread <= this.#workers; thread += 1) this.#start();
  }

  load(id: string, wasm: Uint8Array<ArrayBuffer>, _entrypoint: Entrypoint): void {
    if (this.#policies.has(id)) throw new Error(`policy ${id} is loaded already`);
    this.#policies.set(id, { id, module: new WebAssembly.Module(wasm), unloaded: false });
  }

  unload(id: string): void {
    const policy = this.#policies.get(id);
    if (policy === undefined) return;
    this.#policies.delete(id);
    policy.unloaded = true;
    for (const [thread, work] of this.#threads) if (work?.job.policy !== policy) forget(thread, policy);
  }

  evaluate(id: string, evaluation: Evaluation): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const policy = this.#policies.get(id);
      if (policy === undefined || this.#closed) {
        reject(
          new EvaluationError(
            'unknown',
            this.#closed ? 'the engine is closed' : `policy ${id} is not loaded`,
          ),
        );
        return;
      }
      const { signal } = evaluation;
      if (signal?.aborted === true) {
        reject(abortError(signal));
        return;
      }
      const job: Job = { policy, evaluation, resolve, reject };
      const leave = (): void => {
        const at = this.#queue.indexOf(job);
        if (at < 0 || signal === undefined) return;
        this.#queue.splice(at, 1);
        reject(abortError(signal));
      };
      signal?.addEventListener('abort', leave, { once: true });
      const settle = (): void => signal?.removeEventListener('abort', leave);
      job.resolve = (value) => {
        settle();
        resolve(value);
      };
      job.reject = (error) => {
        settle();
        reject(error);
      };
      this.#queue.push(job);
      this.#dispatch();
    });
  }

  stats(): EngineStats {
    const busy = this.#busy();
    return { threads: this.#threads.size, busy, queued: this.#queue.length, replaced: this.#replaced };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const error = new EvaluationError('unknown', 'the engine is closed');
    for (const job of this.#queue.splice(0)) job.reject(error);
    for (const [thread, work] of this.#threads) {
      work?.timer.cancel();
      work?.job.reject(error);
      this.#end(thread);
    }
    await Promise.all(this.#ending);
  }

  #busy(): number {
    return [...this.#threads.values()].filter((work) => work !== undefined).length;
  }

  #start(): void {
    const thread: Thread = new Thread(
      { memoryMaximum: this.#memoryMaximum },
      {
        answered: (answer) => {
          this.#answered(thread, answer);
        },
        ended: (error) => {
          this.#endedByItself(thread, error);
        },
      },
    );
    this.#threads.set(thread, undefined);
  }

  /** Gives waiting evaluations to idle threads, to one that has the policy loaded where there is one. */
  #dispatch(): void {
    while (this.#queue.length > 0 && this.#busy() < this.#workers) {
      const idle = [...this.#threads]
        .filter(([thread, work]) => thread.ready && work === undefined)
        .map(([thread]) => thread);
      const [first] = this.#queue;
      const thread = idle.find(({ loaded }) => loaded.has(first?.policy.id ?? '')) ?? idle[0];
      if (thread === undefined || first === undefined) return;
      this.#queue.shift();
      if (thread.loaded.has(first.policy.id)) this.#order(thread, first, 'evaluate');
      else this.#order(thread, first, 'load');
    }
  }

  #order(thread: Thread, job: Job, phase: Work['phase']): void {
    const { policy, evaluation } = job;
    const limit = phase === 'load' ? LOAD_LIMIT_MS : evaluation.deadlineMs;
    const work: Work = {
      job,
      phase,
      timer: this.#clock.after(limit, () => {
        this.#expire(thread, work, limit);
      }),
    };
    this.#threads.set(thread, work);
    if (phase === 'load') {
      thread.send({ type: 'load', id: policy.id, module: policy.module });
      return;
    }
    const { input, data } = evaluation;
    thread.send({ type: 'evaluate', id: policy.id, input, data, nowMs: this.#clock.now() });
  }

  /** A stalled event loop runs timers before it reads the mail: the answer may be here already. */
  #expire(thread: Thread, work: Work, limit: number): void {
    setImmediate(() => {
      if (this.#threads.get(thread) !== work) return;
      const what = work.phase === 'load' ? 'loading took' : 'the evaluation took';
      work.job.reject(new EvaluationError('deadline', `${what} more than ${String(limit)} ms`));
      this.#end(thread);
      this.#replace();
    });
  }

  #answered(thread: Thread, answer: Answer): void {
    if (answer.type === 'ready') {
      thread.ready = true;
      this.#failedStarts = 0;
      this.#dispatch();
      return;
    }
    const work = this.#threads.get(thread);
    if (work === undefined) return;
    work.timer.cancel();
    const { job } = work;
    if (answer.type === 'loaded') {
      thread.loaded.add(job.policy.id);
      this.#order(thread, job, 'evaluate');
      return;
    }
    this.#threads.set(thread, undefined);
    if (job.policy.unloaded) forget(thread, job.policy);
    this.#dispatch();
    if (answer.type === 'failed') job.reject(new EvaluationError(answer.code, answer.message));
    else settle(job, answer.text);
  }

  #endedByItself(thread: Thread, error: Error | undefined): void {
    const work = this.#threads.get(thread);
    this.#threads.delete(thread);
    work?.timer.cancel();
    const outOfMemory = error !== undefined && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const message = error?.message ?? 'the worker ended';
    work?.job.reject(new EvaluationError(outOfMemory ? 'memory' : 'unknown', message));
    if (thread.ready) {
      this.#replace();
      return;
    }
    this.#failedStarts += 1;
    if (this.#failedStarts >= FAILED_STARTS) {
      const failure = new EvaluationError('unknown', `no worker can be started: ${message}`);
      for (const job of this.#queue.splice(0)) job.reject(failure);
    }
    this.#clock.after(RESTART_MS, () => {
      this.#replace();
    });
  }

  #end(thread: Thread): void {
    this.#threads.delete(thread);
    const ending = thread.terminate().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #replace(): void {
    if (this.#closed) return;
    this.#replaced += 1;
    this.#start();
    this.#dispatch();
  }
}

function forget(thread: Thread, { id }: Policy): void {
  if (thread.loaded.delete(id)) thread.send({ type: 'unload', id });
}

function settle(job: Job, text: string): void {
  try {
    const [first] = parseJson(text) as { result?: unknown }[];
    job.resolve(first?.result);
  } catch (cause) {
    job.reject(
      new EvaluationError('unknown', 'the module answered with something else than JSON', { cause }),
    );
  }
}

function abortError({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
