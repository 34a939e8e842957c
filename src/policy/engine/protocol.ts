/** What the pool and its workers say to each other. */

/** deadline: too slow; memory: too much of it; trap: the module crashed; builtin: it called what nobody provides. */
export type EvaluationCode = 'deadline' | 'memory' | 'trap' | 'builtin' | 'unknown';

export interface WorkerSettings {
  /** bytes of memory a module may use */
  memoryMaximum: number;
}

export type Order =
  | { type: 'load'; id: string; module: WebAssembly.Module }
  | { type: 'unload'; id: string }
  | { type: 'evaluate'; id: string; input: string | undefined; data: string | undefined; nowMs: number };

/** An answer to `load` or `evaluate`; a worker has one order at a time. */
export type Answer =
  | { type: 'ready' }
  | { type: 'loaded' }
  | { type: 'result'; text: string }
  | { type: 'failed'; code: EvaluationCode; message: string };
