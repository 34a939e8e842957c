/** `cogniforge policy eval --rule FILE --input FILE`: a rule's verdict on an object, without a cluster. */
import { parseArgs } from 'node:util';
import { isRecord, stringifyJson } from '../runtime/json.ts';
import { splitApiVersion } from '../runtime/resource.ts';
import { clusterCommand } from './cluster-commands.ts';
import { compile } from './compiler.ts';
import { documents } from './documents.ts';
import { createEngine } from './engine/engine.ts';
import { sourceOf } from './library.ts';
import type { PolicyRule } from './policyrule/types.gen.ts';
import { violationsOf } from './verdict.ts';

const USAGE = 'usage: cogniforge policy eval --rule FILE --input FILE';
const DEADLINE_MS = 10_000;

/** 0: no violation; 1: at least one; 2: bad usage, or a rule that does not compile (thrown as an error with its place). */
export async function policyCommand(
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
  const [rule] = documents(values.rule) as unknown as PolicyRule[];
  if (rule?.kind !== 'PolicyRule') throw new Error(`${values.rule} holds no PolicyRule`);
  const opaBin = env['OPA_BIN'];
  const policy = await compile(sourceOf(rule), opaBin === undefined ? {} : { opaBin });
  const engine = createEngine({ workers: 1 });
  try {
    engine.load('rule', policy.wasm, policy.entrypoint);
    let violated = false;
    for (const object of documents(values.input)) {
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
