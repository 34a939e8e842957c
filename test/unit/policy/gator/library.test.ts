/**
 * Gatekeeper's policy library, imported: every template and constraint becomes a PolicyRule by `cogniforge policy import`,
 * and each case of its suites is judged by the rule as the suite says.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { compile } from '../../../../src/policy/compiler.ts';
import { documents } from '../../../../src/policy/documents.ts';
import { createEngine, type Engine } from '../../../../src/policy/engine/engine.ts';
import { importCommand } from '../../../../src/policy/gator/command.ts';
import type { Loose } from '../../../../src/policy/gator/objects.ts';
import { readAssertion, readSuite } from '../../../../src/policy/gator/suite.ts';
import { inspect, testEngine } from '../../../../src/policy/inspection.ts';
import { sourceOf } from '../../../../src/policy/library.ts';
import type { PolicyRule } from '../../../../src/policy/policyrule/types.gen.ts';
import type { OwnTest } from '../../../../src/policy/testing/own-tests.ts';
import { parseYaml } from '../../../../src/runtime/yaml.ts';
import { corporaDir } from '../../../corpora/runner.ts';
import { toolPath } from '../../../cluster/tools.ts';
import { asStored } from '../as-stored.ts';

interface Row {
  id: string;
  suite: string;
  test: string;
  case: string;
  template: string;
  constraint: string;
  objects: [string];
  inventory: string[];
}

const ROOT = join(corporaDir(process.env), 'policy', 'gatekeeper-library');
const there = existsSync(ROOT);
if (!there) process.stderr.write(`imported library skipped: ${ROOT} is not there (CORPORA_DIR)\n`);

const rows = there
  ? readFileSync(join(ROOT, 'cases.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row)
  : [];

interface Import {
  rule: PolicyRule | undefined;
  refused: string[];
}

const imports = new Map<string, Import>();
let engine: Engine;
let opaBin: string;

/** The only object of a file. */
function one(file: string): Loose {
  const [object, ...more] = documents(join(ROOT, file));
  if (object === undefined || more.length > 0) throw new Error(file);
  return object;
}

function nameOf(object: Loose): string {
  return (object['metadata'] as { name: string }).name;
}

(there ? describe : describe.skip)("Gatekeeper's library", () => {
  beforeAll(async () => {
    engine = createEngine();
    opaBin = await toolPath('opa');
    for (const { template, constraint } of rows) {
      const key = `${template} ${constraint}`;
      if (imports.has(key)) continue;
      const files = [template, constraint].map((file) => join(ROOT, file));
      imports.set(key, await imported(files));
    }
  }, 120_000);

  afterAll(() => engine.close());

  it('is imported but for what needs a builtin that is not there', () => {
    const all = [...imports.values()];
    // k8sallowedrepos alone calls it.
    const BUILTIN = 'builtin strings.any_prefix_match is not available';
    expect(all.flatMap(({ refused }) => refused).filter((line) => !line.includes(BUILTIN))).toEqual([]);
    expect(all.filter(({ rule }) => rule === undefined).length).toBeLessThanOrEqual(1);
    const rules = all.flatMap(({ rule }) => (rule === undefined ? [] : [rule]));
    expect(new Set(rules.map(({ spec }) => spec.regoVersion))).toEqual(new Set(['V0']));
    expect(rules.filter(({ spec }) => spec.parametersSchema !== undefined).length).toBeGreaterThan(20);
  });

  const suites = [...new Set(rows.map(({ suite }) => suite))];
  it.each(suites)(
    '%s: the rules judge every case as it says',
    async (suite) => {
      const wrong: string[] = [];
      for (const row of rows.filter((candidate) => candidate.suite === suite)) {
        const found = await judge(row);
        if (found !== undefined) wrong.push(`${row.id}: ${found}`);
      }
      expect(wrong).toEqual([]);
    },
    60_000,
  );
});

/** What the command prints, read back. */
async function imported(files: readonly string[]): Promise<Import> {
  const printed: string[] = [];
  const complaints: string[] = [];
  await importCommand(files, {
    env: { ...process.env, OPA_BIN: opaBin },
    print: (line) => printed.push(line),
    complain: (line) => complaints.push(line),
    stdin: Readable.from([]),
  });
  const [rule] = parseYaml(printed.join('\n')) as PolicyRule[];
  return { rule, refused: complaints.filter((line) => line.startsWith('refused:')) };
}

/** Why the imported rule judges otherwise than the suite says; undefined when it agrees, or was refused as told. */
async function judge(row: Row): Promise<string | undefined> {
  const found = imports.get(`${row.template} ${row.constraint}`);
  if (found?.rule === undefined)
    return (found?.refused ?? []).length > 0 ? undefined : 'nothing was imported';
  const { rule: whole } = found;
  const rule = asStored({ ...whole, spec: { ...whole.spec, tests: testsOf(row) } });
  const data = JSON.stringify({
    inventory: inventoryOf(row.inventory.flatMap((file) => documents(join(ROOT, file)))),
  });
  const withData = {
    ...testEngine(engine),
    evaluate: (id: string, input: string) => engine.evaluate(id, { input, data, deadlineMs: 10_000 }),
  };
  const workbench = { compile: compileOnce, engine: withData };
  const { faults, results } = await inspect(rule, sourceOf(rule), workbench, new AbortController().signal);
  const problems = [...faults.compile, ...faults.parameters, ...faults.tests].map(({ message }) => message);
  if (results.length !== rule.spec.tests?.length) problems.push('not every assertion was tested');
  return problems.length === 0 ? undefined : problems.join('; ');
}

const compiled = new Map<string, ReturnType<typeof compile>>();

function compileOnce(source: Parameters<typeof compile>[0]): ReturnType<typeof compile> {
  const key = JSON.stringify(source);
  const policy = compiled.get(key) ?? compile(source, { opaBin });
  compiled.set(key, policy);
  return policy;
}

/** Each assertion of the case, read from the suite itself, as a test of the rule. */
function testsOf({ suite, test, case: wanted, objects }: Row): OwnTest[] {
  const found = readSuite(one(suite))
    .tests.find(({ name }) => name === test)
    ?.cases.find(({ name }) => name === wanted);
  if (found === undefined || found.assertions.length === 0) throw new Error(`${suite} ${test} ${wanted}`);
  const object = one(objects[0]);
  const judged =
    object['kind'] === 'AdmissionReview'
      ? { review: object['request'] as Record<string, unknown> }
      : { object };
  return found.assertions.map((assertion, at) => {
    const { violations, message } = readAssertion(assertion);
    const expect = violations === 'yes' ? 'Violation' : violations === 'no' ? 'NoViolation' : violations;
    return { name: String(at), ...judged, expect, ...(message === undefined ? {} : { message }) };
  });
}

/** Written apart from the runner's, so that one judges the other. */
function inventoryOf(objects: readonly Loose[]): object {
  const inventory: { namespace: Tree; cluster: Tree } = { namespace: {}, cluster: {} };
  for (const object of objects) {
    const { namespace } = object['metadata'] as { namespace?: string };
    const scope = namespace === undefined ? inventory.cluster : (inventory.namespace[namespace] ??= {});
    const kinds = (scope[String(object['apiVersion'])] ??= {});
    const names = (kinds[String(object['kind'])] ??= {});
    names[nameOf(object)] = object as Tree;
  }
  return inventory;
}

interface Tree {
  [key: string]: Tree;
}
