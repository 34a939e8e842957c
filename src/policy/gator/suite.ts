/**
 * A Suite of `gator verify`: what is tested, with paths relative to its own file.
 * https://open-policy-agent.github.io/gatekeeper/website/docs/gator/#writing-test-suites
 */
import { RE2JS } from 're2js';
import type { Count, Expectation } from '../testing/expectation.ts';
import { groupOf, listOf, refuse, textOf, within, type Loose } from './objects.ts';

export interface Suite {
  name: string;
  skip: boolean;
  tests: readonly SuiteTest[];
}

export interface SuiteTest {
  name: string;
  skip: boolean;
  template: string | undefined;
  constraint: string | undefined;
  /** the constraint is expected to be refused by the schema of its template */
  invalid: boolean;
  /** path of an expansion, which is not supported */
  expansion: string | undefined;
  cases: readonly SuiteCase[];
}

export interface SuiteCase {
  name: string;
  skip: boolean;
  object: string | undefined;
  inventory: readonly string[];
  assertions: readonly unknown[];
}

export function isSuite(object: Loose): boolean {
  return object['kind'] === 'Suite' && groupOf(object) === 'test.gatekeeper.sh';
}

export function readSuite(object: Loose): Suite {
  return {
    name: textOf(within(object, 'metadata')['name']) ?? '',
    skip: object['skip'] === true,
    tests: listOf(object['tests']).map((entry) => {
      const test = within(entry);
      return {
        ...named(test),
        template: textOf(test['template']),
        constraint: textOf(test['constraint']),
        invalid: test['invalid'] === true,
        expansion: textOf(test['expansion']),
        cases: listOf(test['cases']).map((one) => caseOf(within(one))),
      };
    }),
  };
}

function caseOf(one: Loose): SuiteCase {
  return {
    ...named(one),
    object: textOf(one['object']),
    inventory: listOf(one['inventory']).map(String),
    assertions: listOf(one['assertions']),
  };
}

function named({ name, skip }: Loose): { name: string; skip: boolean } {
  return { name: typeof name === 'string' ? name : JSON.stringify(name ?? '(no name)'), skip: skip === true };
}

/** Throws GatorError. A bare yes or no is a boolean to a reader of YAML 1.1, and a word to gator. */
export function readAssertion(assertion: unknown): Expectation {
  const { violations, message } = within(assertion);
  if (message !== undefined && typeof message !== 'string')
    refuse('assertions[].message', `${JSON.stringify(message)} is no text`, 'put it in quotes');
  return { violations: countOf(violations), ...(message === undefined ? {} : { message }) };
}

function countOf(violations: unknown): Count {
  if (violations === undefined || violations === null || violations === true || violations === 'yes')
    return 'yes';
  if (violations === false || violations === 'no') return 'no';
  if (typeof violations === 'number' && Number.isSafeInteger(violations) && violations >= 0)
    return violations;
  return refuse(
    'assertions[].violations',
    `is ${JSON.stringify(violations)}`,
    'accepted: yes, no, a number from 0',
  );
}

/** Whether a test, and a case of it, is to be run. */
export interface Selection {
  test: (name: string, cases: readonly string[]) => boolean;
  one: (test: string, name: string) => boolean;
}

/**
 * `--run` as gator has it: `x` runs the tests and the cases in whose name it is found; `x//y` the cases like y of the tests
 * like x. RE2. Throws what is wrong with it.
 */
export function selectionOf(run: string | undefined): Selection {
  if (run === undefined || run === '') return { test: () => true, one: () => true };
  const [first = '', second, ...more] = run.split('//');
  if (more.length > 0) refuse('--run', 'has more than one //');
  const like = (pattern: string) => {
    const compiled = RE2JS.compile(pattern);
    return (name: string): boolean => compiled.matcher(name).find();
  };
  const left = like(first);
  if (second === undefined) {
    return {
      test: (name, cases) => left(name) || cases.some(left),
      one: (test, name) => left(test) || left(name),
    };
  }
  const right = like(second);
  return { test: left, one: (test, name) => left(test) && right(name) };
}
