/** `cogniforge policy eval --rule FILE --input FILE`: a rule's verdict on an object, without a cluster. */
import { parseArgs } from 'node:util';
import { messageOf } from '../runtime/errors.ts';
import { isRecord, stringifyJson } from '../runtime/json.ts';
import { splitApiVersion } from '../runtime/resource.ts';
import { clusterCommand } from './cluster-commands.ts';
import { compile, type CompiledPolicy } from './compiler.ts';
import { documents } from './documents.ts';
import { createEngine } from './engine/engine.ts';
import { sourceOf } from './library.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';
import { CompileError, describeProblem } from './problems.ts';
import { violationsOf } from './verdict.ts';

const USAGE = 'usage: cogniforge policy eval --rule FILE --input FILE';
const DEADLINE_MS = 10_000;

/**
 * 0: no violation; 1: at least one; 2: there is no verdict, `complain` is told why: bad usage, a file that is none, a rule
 * that does not compile (with file and line) or cannot be evaluated. Never throws.
 */
export async function policyCommand(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  print: (line: string) => void,
  complain: (line: string) => void,
): Promise<number> {
  try {
    return await judge(args, env, print);
  } catch (error) {
    complain(`cogniforge: ${messageOf(error)}`);
    return 2;
  }
}

async function judge(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  print: (line: string) => void,
): Promise<number> {
  if (args[0] === 'apply' || args[0] === 'selftest') return clusterCommand(args, env, print);
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { rule: { type: 'string' }, input: { type: 'string' } },
  });
  if (positionals.join(' ') !== 'eval' || values.rule === undefined || values.input === undefined) {
    print(USAGE);
    return 2;
  }
  const rule = ruleIn(values.rule);
  const objects = objectsIn(values.input);
  const policy = await compiled(rule, values.rule, env['OPA_BIN']);
  const engine = createEngine({ workers: 1 });
  try {
    engine.load('rule', policy.wasm, policy.entrypoint);
    let violated = false;
    for (const object of objects) {
      const raw = await engine.evaluate('rule', { input: inputOf(rule, object), deadlineMs: DEADLINE_MS });
      const violations = violationsOf(raw, policy.entrypoint, {
        name: rule.metadata.name,
        ...(rule.spec.violationMessage === undefined ? {} : { violationMessage: rule.spec.violationMessage }),
      });
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

/** An AdmissionReview is judged as the API server would send it, any other object as if it were being created. */
function inputOf(rule: PolicyRule, object: Record<string, unknown>): string {
  const request =
    object['kind'] === 'AdmissionReview' && isRecord(object['request']) ? object['request'] : undefined;
  if (rule.spec.regoQuery !== undefined)
    return stringifyJson(request === undefined ? object : (request['object'] ?? request['oldObject']));
  const { group, version } = splitApiVersion(String(object['apiVersion']));
  const review = request ?? {
    operation: 'CREATE',
    kind: { group, version, kind: object['kind'] },
    name: nameOf(object),
    object,
  };
  return stringifyJson({ review, parameters: rule.spec.parameters ?? {} });
}

function nameOf(object: Record<string, unknown>): string {
  const { metadata } = object;
  const name = isRecord(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : '(no name)';
  return `${String(object['kind'])} ${name}`;
}
