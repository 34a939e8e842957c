/** `cogniforge policy ...`: which command is meant, and `eval`, a rule's verdict on an object without a cluster. */
import { parseArgs } from 'node:util';
import { messageOf } from '../runtime/errors.ts';
import { isRecord } from '../runtime/json.ts';
import { clusterCommand } from './cluster-commands.ts';
import type { CommandIo } from './command-io.ts';
import { compile, type CompiledPolicy } from './compiler.ts';
import { documents } from './documents.ts';
import { createEngine } from './engine/engine.ts';
import { evalStream } from './eval-stream.ts';
import { jsonText } from './json-text.ts';
import { importCommand } from './gator/command.ts';
import { sourceOf } from './library.ts';
import { parameterCheck } from './parameters.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';
import { CompileError, describeProblem } from './problems.ts';
import { testCommand } from './testing/command.ts';
import { inputOf as inputFor, requestAbout, requestIn } from './testing/input.ts';
import { violationsOf, wordsOf } from './verdict.ts';

const USAGE = `usage: cogniforge policy eval --rule FILE --input FILE
       cogniforge policy eval < QUESTIONS.ndjson
       cogniforge policy test PATH... [--run REGEX] [--output text|json|junit]
       cogniforge policy import FILE...
       cogniforge policy apply --pack NAME [--file FILE]
       cogniforge policy selftest [--namespace NAME]`;
const DEADLINE_MS = 10_000;

/**
 * 0: no violation, no failed test; 1: at least one; 2: there is no verdict, `io.complain` is told why: bad usage, a file that
 * is none, a rule that does not compile (with file and line) or cannot be evaluated. Never throws.
 */
export async function policyCommand(args: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await dispatch(args, io);
  } catch (error) {
    io.complain(`cogniforge: ${messageOf(error)}`);
    return 2;
  }
}

function dispatch(args: readonly string[], io: CommandIo): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'apply':
    case 'selftest':
      return clusterCommand(args, io.env, io.print);
    case 'test':
      return testCommand(rest, io);
    case 'import':
      return importCommand(rest, io);
    case 'eval':
      return rest.length === 0 ? evalStream(io) : evaluate(rest, io);
    default:
      io.print(USAGE);
      return Promise.resolve(2);
  }
}

async function evaluate(args: readonly string[], { env, print }: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { rule: { type: 'string' }, input: { type: 'string' } },
  });
  if (positionals.length > 0 || values.rule === undefined || values.input === undefined) {
    print(USAGE);
    return 2;
  }
  const rule = ruleIn(values.rule);
  const objects = objectsIn(values.input);
  const parameters = parametersOf(rule, values.rule);
  const policy = await compiled(rule, values.rule, env['OPA_BIN']);
  const engine = createEngine({ workers: 1 });
  try {
    engine.load('rule', policy.wasm, policy.entrypoint);
    let violated = false;
    for (const object of objects) {
      const raw = await engine.evaluate('rule', {
        input: inputOf(rule, object, parameters),
        deadlineMs: DEADLINE_MS,
      });
      const violations = violationsOf(raw, policy.entrypoint, wordsOf(rule));
      violated ||= violations.length > 0;
      const name = nameOf(object);
      print(
        violations.length === 0
          ? `${name}: no violation of ${rule.metadata.name}`
          : violations.map(({ message }) => `${name}: [${rule.metadata.name}] ${message}`).join('\n'),
      );
    }
    return violated ? 1 : 0;
  } finally {
    await engine.close();
  }
}

function ruleIn(file: string): PolicyRule {
  const rule = objectsIn(file).find(({ kind }) => kind === 'PolicyRule');
  if (rule === undefined) throw new Error(`${file} holds no PolicyRule`);
  const { metadata, spec } = rule;
  if (!isRecord(metadata) || typeof metadata['name'] !== 'string')
    throw new Error(`${file}: the PolicyRule has no metadata.name`);
  if (!isRecord(spec) || isText(spec['rego']) === isText(spec['regoQuery']))
    throw new Error(
      `${file}: spec must have exactly one of rego (a whole package) and regoQuery (one query)`,
    );
  const { libs = [] } = spec;
  if (!Array.isArray(libs) || !libs.every(isText))
    throw new Error(`${file}: spec.libs must be a list of Rego packages`);
  return rule as unknown as PolicyRule;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

async function compiled(rule: PolicyRule, file: string, opaBin: string | undefined): Promise<CompiledPolicy> {
  try {
    return await compile(sourceOf(rule), opaBin === undefined ? {} : { opaBin });
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    const lines = error.problems.map(
      (problem) => `${file}: ${problem.file === undefined ? '' : 'spec.'}${describeProblem(problem)}`,
    );
    throw new Error(lines.join('\n'), { cause: error });
  }
}

function objectsIn(file: string): Record<string, unknown>[] {
  try {
    return documents(file);
  } catch (error) {
    const message = messageOf(error);
    throw new Error(message.includes(file) ? message : `${file}: ${message}`, { cause: error });
  }
}

/** With the defaults of their schema. */
function parametersOf({ spec }: PolicyRule, file: string): unknown {
  const schema = parameterCheck(spec.parametersSchema);
  const { parameters, problems } = schema.check(spec.parameters);
  const all = [...schema.problems, ...problems];
  if (all.length === 0) return parameters;
  throw new Error(all.map((problem) => `${file}: spec.${describeProblem(problem)}`).join('\n'));
}

/** An AdmissionReview is judged as the API server would send it, any other object as if it were being created. */
function inputOf(rule: PolicyRule, object: Record<string, unknown>, parameters: unknown): string {
  const reads = rule.spec.regoQuery === undefined ? 'review' : 'object';
  return jsonText(inputFor(reads, requestIn(object) ?? requestAbout(object), parameters));
}

function nameOf(object: Record<string, unknown>): string {
  const { metadata } = object;
  const name = isRecord(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : '(no name)';
  return `${String(object['kind'])} ${name}`;
}
