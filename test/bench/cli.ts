/** `npm run bench -- NAME [--samples N] [--json FILE] [--page FILE]`: one line a figure; exits 1 when a bench could not be run. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { lineOf } from './figures.ts';
import { runtime, type BenchOptions, type BenchResult } from './runtime.ts';
import { sizing } from './sizing.ts';

const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<BenchResult>>> = {
  runtime,
  sizing,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    samples: { type: 'string', default: '5' },
    json: { type: 'string' },
    page: { type: 'string' },
  },
});
const name = positionals[0] ?? '';
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(
    `usage: npm run bench -- NAME [--samples N] [--json FILE] [--page FILE]; NAME: ${Object.keys(BENCHES).join(', ')}\n`,
  );
  process.exit(2);
}
const { figures, raw, written } = await bench({
  samples: Number(values.samples),
  say: (line) => process.stderr.write(`${line}\n`),
});
for (const figure of figures) process.stdout.write(`${lineOf(name, figure)}\n`);
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ figures, raw }, undefined, 2));
if (values.page !== undefined && written !== undefined)
  writeFileSync(values.page, written(readFileSync(values.page, 'utf8')));
