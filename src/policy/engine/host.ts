/**
 * What the Wasm module of a policy imports: memory, abort, and the builtins that OPA leaves to its host.
 *
 * The SDK's own dispatcher is not used: it hands sets over as arrays and long integers as doubles, and its sprintf,
 * which prints neither as OPA does, wins over one that is passed in.
 */
import { hostBuiltins, type BuiltinContext } from './builtins/index.ts';
import { parseValue, writeValue } from './values.ts';

/** The functions of OPA's Wasm ABI 1.2+ that are called here. https://www.openpolicyagent.org/docs/latest/wasm/ */
export interface Exports {
  opa_malloc(size: number): number;
  opa_json_dump(value: number): number;
  opa_value_dump(value: number): number;
  opa_value_parse(text: number, size: number): number;
  opa_json_parse(text: number, size: number): number;
  opa_heap_ptr_set(address: number): void;
  opa_eval_ctx_new(): number;
  opa_eval_ctx_set_input(context: number, value: number): void;
  opa_eval_ctx_set_data(context: number, value: number): void;
  opa_eval_ctx_set_entrypoint(context: number, entrypoint: number): void;
  opa_eval_ctx_get_result(context: number): number;
  eval(context: number): number;
  builtins(): number;
}

/** A builtin that the module calls and nobody provides, or that broke. */
export class BuiltinError extends Error {
  override readonly name = 'BuiltinError';
}

/** What the module itself gave up with. */
export class AbortError extends Error {
  override readonly name = 'AbortError';
}

/** The module's side of the imports, known once it is instantiated. */
export interface Link {
  memory: WebAssembly.Memory;
  exports: Exports | undefined;
  /** names by number */
  builtins: ReadonlyMap<number, string>;
  context: BuiltinContext;
}

export function importsOf(link: Link): WebAssembly.Imports {
  const call = (builtin: number, _context: number, ...args: number[]): number =>
    callBuiltin(link, builtin, args);
  return {
    env: {
      memory: link.memory,
      opa_abort: (address: number) => {
        throw new AbortError(readText(link.memory, address));
      },
      // print statements are erased by the compiler; what else a module may print is nobody's business
      opa_println: () => undefined,
      opa_builtin0: call,
      opa_builtin1: call,
      opa_builtin2: call,
      opa_builtin3: call,
      opa_builtin4: call,
    },
  };
}

/** Address of the result; 0 is undefined, which is what an error of a builtin means in Rego. */
function callBuiltin(link: Link, builtin: number, args: readonly number[]): number {
  const name = link.builtins.get(builtin) ?? String(builtin);
  const run = hostBuiltins.get(name);
  const { exports } = link;
  if (run === undefined || exports === undefined) throw new BuiltinError(`builtin ${name} is not available`);
  const values = args.map((address) => parseValue(readText(link.memory, exports.opa_value_dump(address))));
  const result = run(values, link.context);
  return result === undefined ? 0 : storeValue(link, exports, writeValue(result));
}

function storeValue({ memory }: Link, exports: Exports, text: string): number {
  const [address, size] = storeText(memory, exports, text);
  const value = exports.opa_value_parse(address, size);
  if (value === 0) throw new BuiltinError('a builtin returned what the module cannot read');
  return value;
}

/** Address and size of the text as UTF-8 in the module's heap. */
export function storeText(memory: WebAssembly.Memory, exports: Exports, text: string): [number, number] {
  const bytes = encoder.encode(text);
  const address = exports.opa_malloc(bytes.length);
  // Only now: malloc may have grown the memory, which replaces its buffer.
  new Uint8Array(memory.buffer).set(bytes, address);
  return [address, bytes.length];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A C string. */
export function readText(memory: WebAssembly.Memory, address: number): string {
  const bytes = new Uint8Array(memory.buffer);
  return decoder.decode(bytes.subarray(address, bytes.indexOf(0, address)));
}

/** Names of the builtins that the module will call, by number. */
export function builtinNames(memory: WebAssembly.Memory, exports: Exports): Map<number, string> {
  const table = JSON.parse(readText(memory, exports.opa_json_dump(exports.builtins()))) as Record<
    string,
    number
  >;
  return new Map(Object.entries(table).map(([name, number]) => [number, name]));
}
