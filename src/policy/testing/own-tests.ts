/** `spec.tests` of a rule: what the rule says of each case, against what the case expects. */
import { messageOf } from '../../runtime/errors.ts';
import type { CompiledPolicy } from '../compiler.ts';
import { jsonText } from '../json-text.ts';
import { matches } from '../match.ts';
import type { ParameterCheck } from '../parameters.ts';
import type { PolicyRule } from '../policyrule/types.gen.ts';
import { describeProblem } from '../problems.ts';
import { violationsOf, wordsOf } from '../verdict.ts';
import { unmet, type Count } from './expectation.ts';
import { inputOf, matchable, requestAbout } from './input.ts';

export type OwnTest = NonNullable<PolicyRule['spec']['tests']>[number];

export interface TestResult {
  name: string;
  /** why it failed; absent when it passed */
  failure?: string;
}

/** Evaluates the rule on an input, as JSON text, within the rule's own time limit. */
export type Evaluate = (input: string) => Promise<unknown>;

/**
 * One after the other, so that a rule with many tests takes one worker at a time from admission. A test that takes too long
 * is the last: the others would too.
 */
export async function runOwnTests(
  rule: PolicyRule,
  policy: CompiledPolicy,
  check: ParameterCheck,
  evaluate: Evaluate,
): Promise<TestResult[]> {
  const results: TestResult[] = [];
  const tests = rule.spec.tests ?? [];
  for (const [at, test] of tests.entries()) {
    const { name } = test;
    try {
      const failure = await failureOf({ rule, policy, check, evaluate }, test, `tests[${String(at)}].`);
      results.push(failure === undefined ? { name } : { name, failure });
    } catch (error) {
      results.push({ name, failure: `could not be evaluated: ${messageOf(error)}` });
      if (!isDeadline(error)) continue;
      const failure = `not run, because ${name} took too long`;
      return [...results, ...tests.slice(at + 1).map((rest) => ({ name: rest.name, failure }))];
    }
  }
  return results;
}

function isDeadline(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'deadline';
}

interface Bench {
  rule: PolicyRule;
  policy: CompiledPolicy;
  check: ParameterCheck;
  evaluate: Evaluate;
}

async function failureOf(bench: Bench, test: OwnTest, path: string): Promise<string | undefined> {
  const { rule, policy, check, evaluate } = bench;
  const { match, regoQuery } = rule.spec;
  const { operations } = match;
  const usual = operations.includes('CREATE') ? 'CREATE' : (operations[0] ?? 'CREATE');
  const request = test.review ?? requestAbout(test.object ?? {}, usual);
  const done = operations.find((operation) => operation === request['operation']);
  const asked = done ?? (request['operation'] === undefined ? usual : undefined);
  const selected = asked !== undefined && matches(match, matchable(request, asked), undefined);
  const checked = test.parameters === undefined ? check(rule.spec.parameters) : check(test.parameters, path);
  if (checked.problems.length > 0)
    return checked.problems.map((problem) => `spec.${describeProblem(problem)}`).join('; ');
  const reads = regoQuery === undefined ? 'review' : 'object';
  const raw = selected ? await evaluate(jsonText(inputOf(reads, request, checked.parameters))) : undefined;
  const found = selected ? violationsOf(raw, policy.entrypoint, wordsOf(rule), Infinity) : [];
  const failure = unmet(
    { violations: countOf(test.expect), message: test.message },
    found.map(({ message }) => message),
  );
  if (failure === undefined || selected) return failure;
  return `${failure}: spec.match does not select ${test.object === undefined ? 'the review' : 'the object'}`;
}

/** What the schema of the CRD has admitted. */
export function countOf(expect: OwnTest['expect']): Count {
  if (typeof expect === 'number') return expect;
  return expect === 'NoViolation' ? 'no' : 'yes';
}
