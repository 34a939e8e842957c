/**
 * Suites of others. One test a corpus; it fails when fewer cases agree than expected.json records, which only ever rises.
 * Every figure is printed, on stderr because a part's standard output is not shown.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  adapters,
  corporaDir,
  readDeviations,
  readExpected,
  run,
  scoreLine,
  whyAbsent,
  whyShort,
  writeReport,
  type Score,
} from './runner.ts';

const dir = corporaDir(process.env);
const expected = readExpected();
const deviations = readDeviations();
const all = await adapters();
const scores: Record<string, Score> = {};
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** The largest compiles 906 cases. */
const LIMIT_MS = 300_000;

describe('corpora', () => {
  afterAll(() => {
    writeReport(scores);
  });

  for (const adapter of all) {
    const absent = whyAbsent(adapter, dir);
    if (absent !== undefined) {
      say(`corpus ${adapter.name} skipped: ${absent}`);
      it.skip(adapter.name, () => undefined);
      continue;
    }
    it(
      adapter.name,
      async () => {
        const score = await run(adapter, dir, deviations);
        scores[adapter.name] = score;
        say(scoreLine(adapter.name, score));
        expect(whyShort(adapter.name, score, expected)).toBeUndefined();
      },
      LIMIT_MS,
    );
  }

  it('are all known to expected.json, and none that is gone', () => {
    expect(Object.keys(expected).sort()).toEqual(all.map(({ name }) => name).sort());
  });
});
