/** `npm run corpora [-- NAME...]`: all corpora, or those whose name is or begins with NAME. */
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

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const names = process.argv.slice(2);
const all = await adapters();
const wanted = all.filter(
  ({ name }) => names.length === 0 || names.some((given) => name === given || name.startsWith(`${given}/`)),
);
if (wanted.length === 0) {
  say(`no corpus ${names.join(', ')}; there are: ${all.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const dir = corporaDir(process.env);
const deviations = readDeviations();
const expected = readExpected();
const scores: Record<string, Score> = {};
let failed = false;
for (const adapter of wanted) {
  const absent = whyAbsent(adapter, dir);
  if (absent !== undefined) {
    say(`corpus ${adapter.name} skipped: ${absent}`);
    continue;
  }
  const score = await run(adapter, dir, deviations);
  scores[adapter.name] = score;
  say(scoreLine(adapter.name, score));
  const short = whyShort(adapter.name, score, expected);
  if (short !== undefined) say(`  SHORT: ${short}`);
  failed ||= short !== undefined;
}
writeReport(scores);
if (Object.values(scores).some(({ failures }) => failures.length > 0))
  say('what does not agree stands in test/corpora/report.json');
process.exit(failed ? 1 : 0);
