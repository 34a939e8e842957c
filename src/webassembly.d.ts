/** TypeScript has these only with the DOM library, whose other names do not exist in Node. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: BufferSource);
  }
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class CompileError extends Error {}
  class RuntimeError extends Error {}
  type Imports = Record<string, Record<string, unknown>>;
  type BufferSource = ArrayBufferView<ArrayBuffer> | ArrayBuffer;
}
