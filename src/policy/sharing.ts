/**
 * Rules are many, texts are few: what differs between the rules of a team is mostly `parameters` and `match`, which are
 * input and not code. Equal sources are compiled once and loaded once.
 */
import type { CompiledPolicy, PolicySource } from './compiler.ts';
import type { TestEngine } from './inspection.ts';

type Compile = (source: PolicySource, signal: AbortSignal) => Promise<CompiledPolicy>;

interface Compilation {
  result: Promise<CompiledPolicy>;
  end: AbortController;
  waiting: number;
}

/**
 * Compiles a source once for all who ask while it is compiled, and not again for as long as anybody holds the result. A
 * compilation ends early when all who asked have given it up. Failures are not remembered.
 */
export function compileShared(compile: Compile): Compile {
  const known = new Map<string, WeakRef<CompiledPolicy>>();
  const underWay = new Map<string, Compilation>();
  const forgotten = new FinalizationRegistry<string>((key) => {
    if (known.get(key)?.deref() === undefined) known.delete(key);
  });
  const begin = (key: string, source: PolicySource): Compilation => {
    const end = new AbortController();
    const result = compile(source, end.signal);
    const compilation = { result, end, waiting: 0 };
    underWay.set(key, compilation);
    const over = (): void => {
      if (underWay.get(key) === compilation) underWay.delete(key);
    };
    result.then((policy) => {
      known.set(key, new WeakRef(policy));
      forgotten.register(policy, key);
      over();
    }, over);
    return compilation;
  };
  return async (source, signal) => {
    signal.throwIfAborted();
    const key = JSON.stringify(source);
    const held = known.get(key)?.deref();
    if (held !== undefined) return held;
    const compilation = underWay.get(key) ?? begin(key, source);
    compilation.waiting += 1;
    try {
      return await unlessAborted(compilation.result, signal);
    } finally {
      compilation.waiting -= 1;
      if (compilation.waiting === 0) {
        compilation.end.abort();
        // Whoever comes now must not wait for what was just given up.
        if (underWay.get(key) === compilation) underWay.delete(key);
      }
    }
  };
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}

/** Rules of one compiled policy share one module of the engine. */
export class SharedModules implements TestEngine {
  readonly #engine: TestEngine;
  readonly #policies = new Map<string, CompiledPolicy>();
  readonly #modules = new Map<CompiledPolicy, { id: string; users: number }>();

  constructor(engine: TestEngine) {
    this.#engine = engine;
  }

  /** `id`: of a rule's version. Throws what the engine throws. */
  load(id: string, policy: CompiledPolicy): void {
    const module = this.#modules.get(policy);
    if (module === undefined) {
      this.#engine.load(id, policy);
      this.#modules.set(policy, { id, users: 1 });
    } else module.users += 1;
    this.#policies.set(id, policy);
  }

  unload(id: string): void {
    const policy = this.#policies.get(id);
    const module = policy === undefined ? undefined : this.#modules.get(policy);
    if (policy === undefined || module === undefined) return;
    this.#policies.delete(id);
    module.users -= 1;
    if (module.users > 0) return;
    this.#modules.delete(policy);
    this.#engine.unload(module.id);
  }

  /** The engine's id of a rule's module; the rule's own id where none is loaded, for the engine to say so. */
  moduleOf(id: string): string {
    const policy = this.#policies.get(id);
    return (policy === undefined ? undefined : this.#modules.get(policy)?.id) ?? id;
  }

  evaluate(id: string, input: string, deadlineMs: number, signal?: AbortSignal): Promise<unknown> {
    return this.#engine.evaluate(this.moduleOf(id), input, deadlineMs, signal);
  }
}
