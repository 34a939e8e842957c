/** The builtins that OPA's Wasm modules leave to their host. A new one is one line here. */
import type { RegoValue } from '../values.ts';
import { sprintf } from './sprintf.ts';

export interface BuiltinContext {
  /** the time of the review, ms since the epoch; stands still during an evaluation */
  nowMs: number;
}

/** Undefined is what Rego makes of an error in a builtin. Throws only for faults of our own. */
export type Builtin = (args: readonly RegoValue[], context: BuiltinContext) => RegoValue | undefined;

export const hostBuiltins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([['sprintf', sprintf]]);
