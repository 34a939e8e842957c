/** Gatekeeper's policy library: its suites, run as `cogniforge policy test` runs them. */
import { join } from 'node:path';
import { documents } from '../../../src/policy/documents.ts';
import { runSuite } from '../../../src/policy/gator/runner.ts';
import { readSuite, selectionOf } from '../../../src/policy/gator/suite.ts';
import { openBench } from '../../../src/policy/testing/command.ts';
import type { SuiteResult } from '../../../src/policy/testing/report.ts';
import { toolPath } from '../../cluster/tools.ts';
import { agree, disagree, readCases, undecided, type Adapter, type Judgement } from '../adapter.ts';

interface Row {
  id: string;
  suite: string;
  test: string;
  case: string;
}

interface Case extends Row {
  result: SuiteResult;
}

export const adapter: Adapter<Case> = {
  name: 'policy/gatekeeper-library',
  path: 'policy/gatekeeper-library',
  async load(path) {
    const rows = readCases<Row>(join(path, 'cases.ndjson'));
    const bench = openBench(await toolPath('opa'));
    const results = new Map<string, SuiteResult>();
    try {
      for (const file of new Set(rows.map(({ suite }) => suite))) {
        const [suite = {}] = documents(join(path, file));
        const host = bench.host(join(path, file, '..'));
        results.set(file, await runSuite(file, readSuite(suite), host, selectionOf(undefined)));
      }
    } finally {
      await bench.close();
    }
    return rows.map((row) => {
      const result = results.get(row.suite);
      if (result === undefined) throw new Error(row.suite);
      return { ...row, result };
    });
  },
  judge,
};

/** A test that failed as a whole gave no verdict on its cases. */
function judge({ result, test: name, case: wanted }: Case): Judgement {
  const test = result.tests.find((one) => one.name === name);
  if (test?.failure !== undefined) return undecided(test.failure);
  const found = test?.cases.find((one) => one.name === wanted);
  return found?.outcome === 'passed' ? agree : disagree(found?.message ?? found?.outcome ?? 'not run');
}
