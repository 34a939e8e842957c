/** Runs the tests of a Suite: template and constraint become a policy, each case is judged by it. */
import { isRecord } from '../../runtime/json.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { CompiledPolicy, PolicySource } from '../compiler.ts';
import { jsonText } from '../json-text.ts';
import { matches, type Labels } from '../match.ts';
import { parameterCheck } from '../parameters.ts';
import { unmet } from '../testing/expectation.ts';
import { inputOf, matchable, requestAbout, requestIn } from '../testing/input.ts';
import type { CaseResult, SuiteResult, TestResult } from '../testing/report.ts';
import { CompileError, describeProblem } from '../problems.ts';
import { violationsOf } from '../verdict.ts';
import { readConstraint, type Constraint } from './constraint.ts';
import { GatorError, refuse, textOf, within, type Loose } from './objects.ts';
import { readAssertion, type Selection, type Suite, type SuiteCase, type SuiteTest } from './suite.ts';
import { readTemplate } from './template.ts';

/** What running needs from outside. */
export interface Host {
  /** the objects of a file, whose path is relative to the suite's own */
  read(path: string): readonly Loose[];
  compile(source: PolicySource): Promise<CompiledPolicy>;
  /** JSON texts in, the document at the entry point out */
  evaluate(policy: CompiledPolicy, input: string, data: string): Promise<unknown>;
}

/** Never throws: what goes wrong is a failure of the test or the case that it is about. */
export async function runSuite(
  file: string,
  suite: Suite,
  host: Host,
  selection: Selection,
): Promise<SuiteResult> {
  const tests: TestResult[] = [];
  for (const test of suite.tests) {
    const { name, cases } = test;
    const skipped =
      suite.skip ||
      test.skip ||
      !selection.test(
        name,
        cases.map((one) => one.name),
      );
    if (skipped) tests.push({ name, cases: cases.map((one) => ({ name: one.name, outcome: 'skipped' })) });
    else tests.push(await runTest(test, host, selection));
  }
  return { file, name: suite.name, tests };
}

interface Bound {
  policy: CompiledPolicy;
  constraint: Constraint;
}

async function runTest(test: SuiteTest, host: Host, selection: Selection): Promise<TestResult> {
  const { name, cases, invalid } = test;
  let bound: Bound;
  try {
    bound = await bind(test, host);
  } catch (error) {
    if (invalid && error instanceof InvalidConstraint) return { name, cases: [], passed: true };
    return { name, cases: [], failure: messageOf(error) };
  }
  if (invalid) return { name, cases: [], failure: 'the constraint is valid, expected it to be refused' };
  const results: CaseResult[] = [];
  for (const one of cases) {
    const skipped = one.skip || !selection.one(name, one.name);
    results.push(skipped ? { name: one.name, outcome: 'skipped' } : await runCase(one, bound, host));
  }
  return { name, cases: results };
}

/** What `invalid: true` expects. */
class InvalidConstraint extends GatorError {}

async function bind(test: SuiteTest, host: Host): Promise<Bound> {
  if (test.expansion !== undefined) {
    refuse(
      'expansion',
      'is not supported: what an expansion makes is not judged here',
      'take it out of the test, or skip it',
    );
  }
  const template = readTemplate(only(test.template, 'template', host));
  let policy: CompiledPolicy;
  try {
    policy = await host.compile(template.source);
  } catch (error) {
    throw new GatorError(`${String(test.template)} does not compile: ${wordsOf(error)}`, { cause: error });
  }
  const object = only(test.constraint, 'constraint', host);
  try {
    return { policy, constraint: readConstraint(object, template) };
  } catch (error) {
    if (error instanceof GatorError) throw new InvalidConstraint(error.message, { cause: error });
    throw error;
  }
}

function wordsOf(error: unknown): string {
  return error instanceof CompileError ? error.problems.map(describeProblem).join('\n') : messageOf(error);
}

function only(path: string | undefined, what: string, host: Host): Loose {
  if (path === undefined) refuse(what, 'is required', 'the path of its file, relative to the suite');
  const objects = host.read(path);
  const [object] = objects;
  if (object === undefined || objects.length > 1)
    refuse(path, `holds ${String(objects.length)} objects`, 'accepted: exactly one');
  return object;
}

async function runCase(one: SuiteCase, bound: Bound, host: Host): Promise<CaseResult> {
  const { name } = one;
  try {
    const message = await failureOf(one, bound, host);
    return message === undefined ? { name, outcome: 'passed' } : { name, outcome: 'failed', message };
  } catch (error) {
    return { name, outcome: 'failed', message: messageOf(error) };
  }
}

async function failureOf(one: SuiteCase, bound: Bound, host: Host): Promise<string | undefined> {
  if (one.assertions.length === 0) refuse('assertions', 'there are none', 'a case asserts something');
  const expectations = one.assertions.map(readAssertion);
  const object = only(one.object, 'object', host);
  const inventory = one.inventory.flatMap((path) => host.read(path));
  const messages = await messagesOf(object, inventory, bound, host);
  if (messages === undefined) {
    const failure = expectations
      .map((expectation) => unmet(expectation, []))
      .find((text) => text !== undefined);
    return failure === undefined ? undefined : `${failure}: the constraint does not match the object`;
  }
  return expectations.map((expectation) => unmet(expectation, messages)).find((text) => text !== undefined);
}

/** undefined: the constraint does not match the object. */
async function messagesOf(
  object: Loose,
  inventory: readonly Loose[],
  { policy, constraint }: Bound,
  host: Host,
): Promise<string[] | undefined> {
  const request = requestOf(object);
  if (!selects(constraint, request, inventory)) return undefined;
  const { parameters } = parameterCheck(constraint.schema).check(constraint.parameters);
  const input = jsonText(inputOf('review', request, parameters));
  const raw = await host.evaluate(policy, input, jsonText({ inventory: inventoryOf(inventory) }));
  const found = violationsOf(raw, policy.entrypoint, { name: constraint.name }, Infinity);
  return found.map(({ message }) => message);
}

/** gator reviews a bare object without an operation. */
function requestOf(object: Loose): Loose {
  if (object['kind'] !== 'AdmissionReview') return requestAbout(object, '');
  const request = requestIn(object);
  if (request === undefined) refuse('AdmissionReview', 'has no request');
  const { operation, object: fresh, oldObject } = request;
  if (!isRecord(fresh) && !isRecord(oldObject))
    refuse('AdmissionReview', 'its request has neither object nor oldObject');
  if (operation === 'DELETE' && !isRecord(oldObject))
    refuse('AdmissionReview', 'its request deletes and has no oldObject');
  return request;
}

function selects({ match }: Constraint, request: Loose, inventory: readonly Loose[]): boolean {
  const { namespaceSelector, ...rest } = match;
  // The operations are those of the webhook; gator asks no webhook.
  const asked = matchable(request, 'CREATE');
  const others = { ...rest, operations: ['CREATE' as const] };
  if (!matches(others, asked, undefined)) return false;
  if (namespaceSelector === undefined) return true;
  const labels = labelsOf(asked.namespace, inventory);
  if (labels === undefined && asked.namespace !== undefined && asked.kind.kind !== 'Namespace')
    refuse(
      `Namespace ${asked.namespace}`,
      'namespaceSelector asks for its labels',
      'add it to the inventory of the case',
    );
  return matches({ ...others, namespaceSelector }, asked, labels);
}

function labelsOf(namespace: string | undefined, inventory: readonly Loose[]): Labels | undefined {
  const found = inventory.find(
    (object) => object['kind'] === 'Namespace' && within(object, 'metadata')['name'] === namespace,
  );
  return found === undefined ? undefined : (within(found, 'metadata', 'labels') as Labels);
}

/** data.inventory as Gatekeeper lays it out: namespace, group and version, kind, name. */
function inventoryOf(objects: readonly Loose[]): Loose {
  const inventory = { namespace: emptyTree(), cluster: emptyTree() };
  for (const object of objects) {
    const { name, namespace } = within(object, 'metadata');
    const [apiVersion, kind] = [textOf(object['apiVersion']), textOf(object['kind'])];
    if (apiVersion === undefined || kind === undefined)
      refuse('inventory', 'an object has no apiVersion or kind');
    const home = textOf(namespace);
    const scope = home === undefined ? inventory.cluster : below(inventory.namespace, home);
    below(below(scope, apiVersion), kind)[textOf(name) ?? ''] = object;
  }
  return inventory;
}

type Tree = Record<string, unknown>;

/** Without a prototype: a key may be any text. */
function emptyTree(): Tree {
  return Object.create(null) as Tree;
}

function below(tree: Tree, key: string): Tree {
  tree[key] ??= emptyTree();
  return tree[key] as Tree;
}
