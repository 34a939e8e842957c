/** Whether a version of a rule may be put in force: it compiles, its parameters are right, and it passes its own tests. */
import type { CompiledPolicy, PolicySource } from './compiler.ts';
import type { Engine } from './engine/engine.ts';
import { parameterCheck, type Parameters } from './parameters.ts';
import { CompileError, type Problem } from './problems.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';
import { runOwnTests, type TestResult } from './testing/own-tests.ts';

/** What evaluates the tests: the engine's workers, never the thread that serves. */
export interface TestEngine {
  load(id: string, policy: CompiledPolicy): void;
  unload(id: string): void;
  evaluate(id: string, input: string, deadlineMs: number, signal?: AbortSignal): Promise<unknown>;
}

/** The engine as the tests of a rule use it. */
export function testEngine(engine: Engine): TestEngine {
  return {
    load: (id, { wasm, entrypoint }) => {
      engine.load(id, wasm, entrypoint);
    },
    unload: (id) => {
      engine.unload(id);
    },
    evaluate: (id, input, deadlineMs, signal) =>
      engine.evaluate(id, { input, deadlineMs, ...(signal === undefined ? {} : { signal }) }),
  };
}

export interface Workbench {
  compile: (source: PolicySource, signal: AbortSignal) => Promise<CompiledPolicy>;
  engine: TestEngine;
}

export interface Faults {
  compile: readonly Problem[];
  /** of parametersSchema, parameters and the parameters of tests */
  parameters: readonly Problem[];
  /** each names its test */
  tests: readonly Problem[];
}

export interface Inspection {
  /** absent when the rule does not compile */
  policy: CompiledPolicy | undefined;
  /** with the defaults of the schema */
  parameters: Parameters;
  faults: Faults;
  /** of all tests, the failed ones too; none when the tests could not be run */
  results: readonly TestResult[];
}

export const NO_FAULTS: Faults = { compile: [], parameters: [], tests: [] };

/** For a rule that has not passed through the CRD's defaults. */
const DEADLINE_MS = 1_000;

let serial = 0;

/**
 * Never throws for what is in the rule; throws the signal's reason when it is aborted. `known`: the rule's module, where
 * its source has not changed since it was compiled.
 */
export async function inspect(
  rule: PolicyRule,
  source: PolicySource,
  { compile, engine }: Workbench,
  signal: AbortSignal,
  known?: CompiledPolicy,
): Promise<Inspection> {
  const schema = parameterCheck(rule.spec.parametersSchema);
  const checked = schema.check(rule.spec.parameters);
  const parameters = [...schema.problems, ...checked.problems];
  let policy: CompiledPolicy;
  try {
    policy = known ?? (await compile(source, signal));
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    const faults = { compile: error.problems, parameters, tests: [] };
    return { policy: undefined, parameters: checked.parameters, faults, results: [] };
  }
  const runnable = parameters.length === 0 && (rule.spec.tests ?? []).length > 0;
  const results = runnable ? await runIn(engine, rule, policy, schema.check, signal) : [];
  const tests = results.flatMap((result, at) => problemOf(result, at));
  return { policy, parameters: checked.parameters, faults: { compile: [], parameters, tests }, results };
}

export function isGood({ compile, parameters, tests }: Faults): boolean {
  return compile.length + parameters.length + tests.length === 0;
}

export function allOf({ compile, parameters, tests }: Faults): Problem[] {
  return [...parameters, ...compile, ...tests];
}

/** Runs the rule's tests under a name of their own, so that what is served is not touched. */
async function runIn(
  engine: TestEngine,
  rule: PolicyRule,
  policy: CompiledPolicy,
  check: ReturnType<typeof parameterCheck>['check'],
  signal: AbortSignal,
): Promise<TestResult[]> {
  serial += 1;
  const id = `tests of ${rule.metadata.name}#${String(serial)}`;
  const { timeoutMilliseconds = DEADLINE_MS } = rule.spec as Partial<PolicyRule['spec']>;
  engine.load(id, policy);
  try {
    const results = await runOwnTests(rule, policy, check, (input) =>
      engine.evaluate(id, input, timeoutMilliseconds, signal),
    );
    // An evaluation that was given up is no verdict on the rule.
    signal.throwIfAborted();
    return results;
  } finally {
    engine.unload(id);
  }
}

function problemOf({ name, failure }: TestResult, at: number): Problem[] {
  if (failure === undefined) return [];
  return [
    { file: `tests[${String(at)}]`, code: 'test_failed', message: `${JSON.stringify(name)}: ${failure}` },
  ];
}
