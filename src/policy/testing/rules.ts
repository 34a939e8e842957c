/** The tests of PolicyRules that come from files. */
import { validate } from '../../runtime/validation/validate.ts';
import { describeProblem as describeField } from '../../runtime/validation/problem.ts';
import type { Loose } from '../gator/objects.ts';
import type { Selection } from '../gator/suite.ts';
import { inspect, type Workbench } from '../inspection.ts';
import { sourceOf } from '../library.ts';
import { crd } from '../policyrule/crd.gen.ts';
import type { PolicyRule } from '../policyrule/types.gen.ts';
import { describeProblem } from '../problems.ts';
import type { CaseResult, TestResult } from './report.ts';

/** Of the rules that have tests. Never throws: what is wrong with a rule is the failure of its tests. */
export async function runRules(
  rules: readonly Loose[],
  workbench: Workbench,
  selection: Selection,
): Promise<TestResult[]> {
  const results: TestResult[] = [];
  for (const given of rules) {
    const { object, problems } = validate(crd, given);
    const rule = object as unknown as PolicyRule;
    if (hasTests(given) && problems.length > 0) {
      results.push({ name: nameOf(given), cases: [], failure: problems.map(describeField).join('\n') });
    } else if (hasTests(given)) results.push(await runRule(rule, workbench, selection));
  }
  return results;
}

function hasTests({ spec }: Loose): boolean {
  const tests = typeof spec === 'object' && spec !== null && 'tests' in spec ? spec.tests : undefined;
  return tests !== undefined && tests !== null && !(Array.isArray(tests) && tests.length === 0);
}

function nameOf({ metadata }: Loose): string {
  const name =
    typeof metadata === 'object' && metadata !== null && 'name' in metadata ? metadata.name : undefined;
  return typeof name === 'string' ? name : '(no name)';
}

async function runRule(rule: PolicyRule, workbench: Workbench, selection: Selection): Promise<TestResult> {
  const { name } = rule.metadata;
  const all = rule.spec.tests ?? [];
  const names = all.map((test) => test.name);
  const wanted = selection.test(name, names) ? all.filter((test) => selection.one(name, test.name)) : [];
  const cases = (judged: ReadonlyMap<string, CaseResult>): CaseResult[] =>
    names.map((one) => judged.get(one) ?? { name: one, outcome: 'skipped' });
  if (wanted.length === 0) return { name, cases: cases(new Map()) };
  const chosen = { ...rule, spec: { ...rule.spec, tests: wanted } };
  const signal = new AbortController().signal;
  const { faults, results } = await inspect(chosen, sourceOf(rule), workbench, signal);
  const broken = [...faults.compile, ...faults.parameters];
  if (broken.length > 0) {
    const failure = broken
      .map((problem) => `${problem.file === undefined ? '' : 'spec.'}${describeProblem(problem)}`)
      .join('\n');
    return { name, cases: [], failure };
  }
  const judged = results.map(({ name: one, failure }): [string, CaseResult] => [
    one,
    failure === undefined
      ? { name: one, outcome: 'passed' }
      : { name: one, outcome: 'failed', message: failure },
  ]);
  return { name, cases: cases(new Map(judged)) };
}
