/** Gatekeeper's policy library: each template compiled and evaluated as the Rego of a PolicyRule. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CompileError, compile, type CompiledPolicy } from '../../../src/policy/compiler.ts';
import { createEngine, type Engine } from '../../../src/policy/engine/engine.ts';
import { violationsOf } from '../../../src/policy/verdict.ts';
import { stringifyJson } from '../../../src/runtime/json.ts';
import { splitApiVersion, type Unstructured } from '../../../src/runtime/resource.ts';
import { parseManifests } from '../../../src/runtime/yaml/objects.ts';
import { toolPath } from '../../cluster/tools.ts';
import { agree, disagree, readCases, undecided, type Adapter } from '../adapter.ts';

interface Row {
  id: string;
  template: string;
  constraint: string;
  objects: [string];
  inventory: string[];
  assertions: { violations: 'yes' | 'no' | number; message?: string }[];
}

interface Case extends Row {
  policy: CompiledPolicy | CompileError;
  read: (file: string) => Unstructured[];
}

interface Template {
  spec: { targets: [{ rego?: string; libs?: string[]; code?: { engine: string; source: Source }[] }] };
}

interface Source {
  rego: string;
  libs?: string[];
}

const DEADLINE_MS = 10_000;
let engine: Engine | undefined;

export const adapter: Adapter<Case> = {
  name: 'policy/gatekeeper-library',
  path: 'policy/gatekeeper-library',
  async load(path) {
    const rows = readCases<Row>(join(path, 'cases.ndjson'));
    const read = (file: string): Unstructured[] =>
      parseManifests(readFileSync(join(path, file)), { file: join(path, file) });
    engine = createEngine({ workers: 2 });
    const policies = new Map<string, CompiledPolicy | CompileError>();
    for (const template of new Set(rows.map((row) => row.template))) {
      const policy = await compiled(sourceOf(read(template)));
      policies.set(template, policy);
      if (!(policy instanceof CompileError)) engine.load(template, policy.wasm, policy.entrypoint);
    }
    return rows.map((row) => {
      const policy = policies.get(row.template);
      if (policy === undefined) throw new Error(row.template);
      return { ...row, policy, read };
    });
  },
  async judge({ template, constraint, objects, inventory, assertions, policy, read }) {
    if (policy instanceof CompileError) return undecided(policy.message);
    if (engine === undefined) throw new Error('load comes first');
    const [object] = read(objects[0]);
    const [bound] = read(constraint) as unknown as { spec?: { parameters?: unknown } }[];
    if (object === undefined || bound === undefined) throw new Error('a file without its object');
    const input = { parameters: bound.spec?.parameters ?? {}, review: reviewOf(object) };
    const raw = await engine.evaluate(template, {
      input: stringifyJson(input),
      data: stringifyJson({ inventory: inventoryOf(inventory.flatMap(read)) }),
      deadlineMs: DEADLINE_MS,
    });
    const messages = violationsOf(raw, policy.entrypoint, { name: template }).map(({ message }) => message);
    const broken = assertions.find((assertion) => !holds(assertion, messages));
    return broken === undefined ? agree : disagree(`${stringifyJson(broken)}: ${stringifyJson(messages)}`);
  },
  async close() {
    await engine?.close();
    engine = undefined;
  },
};

function sourceOf(template: readonly Unstructured[]): Source {
  const [{ spec } = { spec: undefined }] = template as unknown as Partial<Template>[];
  const target = spec?.targets[0];
  const source = target?.code?.find((code) => code.engine === 'Rego')?.source;
  if (source !== undefined) return source;
  if (target?.rego === undefined) throw new Error('a template without Rego');
  return { rego: target.rego, libs: target.libs ?? [] };
}

async function compiled({ rego, libs = [] }: Source): Promise<CompiledPolicy | CompileError> {
  try {
    const opaBin = await toolPath('opa');
    return await compile({ kind: 'rego', rego, libs, regoVersion: 'V0' }, { opaBin });
  } catch (error) {
    if (error instanceof CompileError) return error;
    throw error;
  }
}

function reviewOf(object: Unstructured): unknown {
  if (object.kind === 'AdmissionReview') return object['request'];
  const { group, version } = splitApiVersion(object.apiVersion);
  const { name, namespace } = object.metadata;
  return {
    operation: '',
    kind: { group, version, kind: object.kind },
    name,
    ...(namespace === undefined ? {} : { namespace }),
    object,
  };
}

function inventoryOf(objects: readonly Unstructured[]): unknown {
  const inventory = { namespace: {}, cluster: {} };
  for (const object of objects) {
    const { namespace, name } = object.metadata;
    const scope = namespace === undefined ? inventory.cluster : at(inventory.namespace, namespace);
    at(at(scope, object.apiVersion), object.kind)[name] = object;
  }
  return inventory;
}

function at(tree: Record<string, unknown>, key: string): Record<string, unknown> {
  tree[key] ??= {};
  return tree[key] as Record<string, unknown>;
}

function holds({ violations, message }: Row['assertions'][number], messages: readonly string[]): boolean {
  // RE2 by the corpus' word; its patterns are plain words, to which every dialect gives the same meaning.
  const pattern = new RegExp(message ?? '');
  const count = messages.filter((text) => pattern.test(text)).length;
  return violations === 'yes' ? count > 0 : violations === 'no' ? count === 0 : count === violations;
}
