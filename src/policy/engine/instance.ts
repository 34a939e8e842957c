/** One policy, ready to be evaluated in this thread. */
import { createRequire } from 'node:module';
import {
  BuiltinError,
  type Exports,
  type Link,
  AbortError,
  builtinNames,
  importsOf,
  readText,
  storeText,
} from './host.ts';
import { jsonText } from './builtins/json-text.ts';
import { nodeCrypto } from './crypto.ts';
import type { EvaluationCode } from './protocol.ts';
import { parseValue } from './values.ts';

export interface Instance {
  /**
   * JSON text of the result set, `[{"result": ...}]` or `[]`. `input` and `data` are JSON texts; input may be absent.
   * Whatever it throws, the instance is not to be used again.
   */
  evaluate(input: string | undefined, data: string | undefined, nowMs: number): string;
  /** bytes of memory it holds */
  size(): number;
}

// The SDK's ES module leaves LoadedPolicy out, though its types promise it; its CommonJS module has it.
const { LoadedPolicy } = createRequire(import.meta.url)(
  '@open-policy-agent/opa-wasm',
) as typeof import('@open-policy-agent/opa-wasm');

const PAGE = 65_536;
const INITIAL_PAGES = 5;
const encoder = new TextEncoder();

/** `maximumBytes`: of the module's memory. */
export function createInstance(module: WebAssembly.Module, maximumBytes: number): Instance {
  const maximum = Math.max(INITIAL_PAGES, Math.floor(maximumBytes / PAGE));
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum });
  const link: Link = {
    memory,
    exports: undefined,
    builtins: new Map(),
    context: { nowMs: 0, crypto: nodeCrypto },
  };
  const instance = new WebAssembly.Instance(module, importsOf(link));
  const exports = instance.exports as unknown as Exports;
  link.exports = exports;
  link.builtins = builtinNames(memory, exports);
  // The SDK checks nothing here and its type wants the pair that WebAssembly.instantiate returns; it takes either.
  const policy = new LoadedPolicy({ instance, module }, memory, 2);
  let loadedData: string | undefined;
  return {
    evaluate(input, data, nowMs) {
      if (data !== loadedData) {
        policy.setData(encoder.encode(data ?? '{}').buffer);
        loadedData = data;
      }
      link.context = { nowMs, crypto: nodeCrypto };
      return evaluate(policy, memory, exports, input);
    },
    size: () => memory.buffer.byteLength,
  };
}

/**
 * The SDK's evaluate takes a falsy input for none, one that is no JSON for none too, and parses the result into doubles:
 * the same calls, without any of that.
 */
function evaluate(
  policy: InstanceType<typeof LoadedPolicy>,
  memory: WebAssembly.Memory,
  exports: Exports,
  input: string | undefined,
): string {
  // Rewinds the heap to where the data ends.
  exports.opa_heap_ptr_set(policy.dataHeapPtr as number);
  const context = exports.opa_eval_ctx_new();
  if (input !== undefined) {
    const value = exports.opa_json_parse(...storeText(memory, exports, input));
    if (value === 0) throw new SyntaxError('the input is not JSON');
    exports.opa_eval_ctx_set_input(context, value);
  }
  exports.opa_eval_ctx_set_data(context, policy.dataAddr);
  exports.opa_eval_ctx_set_entrypoint(context, 0);
  if (exports.eval(context) !== 0) throw new AbortError('the evaluation failed');
  return resultText(readText(memory, exports.opa_value_dump(exports.opa_eval_ctx_get_result(context))));
}

/**
 * The result set as JSON. `opa_json_dump` lists the members of a set as they lie in its hash table; `opa eval` prints them
 * in order, and so do we: what a user reads must not depend on the table.
 */
function resultText(dump: string): string {
  return jsonText(parseValue(dump), undefined);
}

/** What went wrong in an evaluation, in one of the words that callers act on. */
export function sortError(error: unknown): { code: EvaluationCode; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof BuiltinError) return { code: 'builtin', message };
  if (error instanceof AbortError)
    return { code: /malloc|memory/.test(message) ? 'memory' : 'trap', message };
  if (error instanceof RangeError && /grow|[Mm]emory/.test(message)) return { code: 'memory', message };
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError)
    return { code: 'trap', message };
  return { code: 'unknown', message };
}
