/** What a run of tests found, and how it is told: to people, to programs, to a CI server. */
import { plain } from '../verdict.ts';

export interface CaseResult {
  name: string;
  outcome: 'passed' | 'failed' | 'skipped';
  /** why it failed */
  message?: string;
}

/** A test of a gator suite, or the tests of a PolicyRule. */
export interface TestResult {
  name: string;
  cases: readonly CaseResult[];
  /** why none of its cases could be run */
  failure?: string;
  /** it passed as a whole: it has no cases and needs none */
  passed?: true;
}

export interface SuiteResult {
  file: string;
  /** of the suite, '' where it has none */
  name: string;
  tests: readonly TestResult[];
}

export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

export type Format = 'text' | 'json' | 'junit';

export const FORMATS: readonly Format[] = ['text', 'json', 'junit'];

export function totalsOf(suites: readonly SuiteResult[]): Totals {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const test of suites.flatMap(({ tests }) => tests)) {
    for (const { outcome } of casesOf(test)) totals[outcome] += 1;
  }
  return totals;
}

/** A test that failed or passed as a whole counts like a case of its own name. */
function casesOf(test: TestResult): readonly CaseResult[] {
  if (test.failure !== undefined) return [{ name: test.name, outcome: 'failed', message: test.failure }];
  return test.passed === true ? [{ name: test.name, outcome: 'passed' }] : test.cases;
}

export function render(suites: readonly SuiteResult[], format: Format): string {
  if (format === 'json') return JSON.stringify({ ...totalsOf(suites), suites }, null, 2);
  return format === 'junit' ? junit(suites) : text(suites);
}

const MARKS = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' } as const;

function text(suites: readonly SuiteResult[]): string {
  const lines = suites.flatMap((suite) => [
    suite.file,
    ...suite.tests.flatMap((test) => [
      `  ${printable(test.name)}`,
      ...casesOf(test).map(({ name, outcome, message }) => {
        const why = message === undefined ? '' : `: ${indented(message)}`;
        return `    ${MARKS[outcome]}  ${printable(name)}${why}`;
      }),
    ]),
  ]);
  const { passed, failed, skipped } = totalsOf(suites);
  const count = `${String(passed)} passed, ${String(failed)} failed, ${String(skipped)} skipped`;
  return [
    ...lines,
    '',
    `${count} in ${String(suites.length)} ${suites.length === 1 ? 'file' : 'files'}`,
  ].join('\n');
}

function indented(message: string): string {
  return plain(message).replaceAll('\n', '\n          ');
}

function printable(name: string): string {
  return plain(name.replace(/\s+/g, ' '));
}

/** The dialect that Jenkins, GitLab and GitHub's actions read. */
function junit(suites: readonly SuiteResult[]): string {
  const { passed, failed, skipped } = totalsOf(suites);
  const all = `tests="${String(passed + failed + skipped)}" failures="${String(failed)}" skipped="${String(skipped)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${all}>`,
    ...suites.flatMap((suite) => {
      const own = totalsOf([suite]);
      const tests = own.passed + own.failed + own.skipped;
      const counts = `tests="${String(tests)}" failures="${String(own.failed)}" skipped="${String(own.skipped)}"`;
      return [
        `  <testsuite name="${xml(suite.file)}" ${counts}>`,
        ...suite.tests.flatMap((test) => casesOf(test).map((one) => junitCase(test.name, one))),
        '  </testsuite>',
      ];
    }),
    '</testsuites>',
  ].join('\n');
}

function junitCase(test: string, { name, outcome, message = '' }: CaseResult): string {
  const head = `    <testcase classname="${xml(test)}" name="${xml(name)}"`;
  if (outcome === 'passed') return `${head}/>`;
  if (outcome === 'skipped') return `${head}><skipped/></testcase>`;
  return `${head}><failure message="${xml(message)}">${xml(message)}</failure></testcase>`;
}

/** XML 1.0 has no place for most control characters, nor for what is no character at all. */
function xml(value: string): string {
  return plain(value)
    .replace(/[\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')
    .replaceAll('\t', '&#9;');
}
