import { expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentTests } from './silent-tests.ts';

const ROOT = join(import.meta.dirname, '../../..');
const LONGEST_FILE = 400;

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const written = globSync('{src,scripts,test,bin}/**/*.{ts,js,mjs,go}', {
  cwd: ROOT,
  exclude: ['**/node_modules/**'],
}).filter((file) => !file.endsWith('.gen.ts'));
const tests = written.filter((file) => file.endsWith('.test.ts'));

it('the files of this repository are found', () => {
  expect(written).toEqual(
    expect.arrayContaining(['src/main.ts', 'bin/cogniforge.js', 'scripts/bootstrap.mjs']),
  );
  expect(tests).toContain('test/unit/house/files.test.ts');
});

it('no file has more than 400 lines', () => {
  const lengths = written.map((file) => ({ file, lines: read(file).trimEnd().split('\n').length }));
  expect(lengths.filter(({ lines }) => lines > LONGEST_FILE)).toEqual([]);
});

it('no test is left out in silence', () => {
  expect(tests.flatMap((file) => silentTests(file, read(file)))).toEqual([]);
});

it('every test file expects something', () => {
  expect(tests.filter((file) => !/\bexpect(Same)?\(/.test(read(file)))).toEqual([]);
});

it.each([
  ["it.only('x', () => {});", 'f:1: it.only'],
  ["describe.only('x', () => {});", 'f:1: describe.only'],
  ["describe('x', () => {\n  it.todo('y');\n});", 'f:2: it.todo'],
  ["it.failing('x', () => {});", 'f:1: it.failing'],
  ["it.only.each([1])('x', () => {});", 'f:1: it.only'],
  ["xit('x', () => {});", 'f:1: xit'],
  ["fdescribe('x', () => {});", 'f:1: fdescribe'],
  ["it.skip('x', () => {});", 'f:1: it.skip in silence'],
  ["(docker ? describe : describe.skip)('x', () => {});", 'f:1: describe.skip in silence'],
  // A comment is printed nowhere, and neither is what comes too late.
  ["// skipped: no Docker\nit.skip('x', () => {});", 'f:2: it.skip in silence'],
  ["it.skip('x', () => {});\nsay('skipped: no Docker');", 'f:1: it.skip in silence'],
])('%j is found', (text, what) => {
  expect(silentTests('f', text)).toEqual([expect.stringContaining(what)]);
});

it.each([
  "it('only', () => {});",
  "it.each([1])('x', () => {});",
  "say(`skipped: ${why}`);\nit.skip('x', () => {});",
  "process.stderr.write('f SKIPPED: no Docker');\n(docker ? describe : describe.skip)('x', () => {});",
  'const text = "it.only(1)";',
])('%j is not', (text) => {
  expect(silentTests('f', text)).toEqual([]);
});
