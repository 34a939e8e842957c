/** The eslint rules of this house on lines that break them, judged as if they stood in the named file. */
import { expect, it } from '@jest/globals';
import { join } from 'node:path';
import { ESLint } from 'eslint';

const OURS = new Set([
  'no-restricted-syntax',
  'no-restricted-imports',
  'no-restricted-globals',
  'max-lines',
  'max-lines-per-function',
  'house/function-length',
]);
const cwd = join(import.meta.dirname, '../../..');
const eslint = new ESLint({
  cwd,
  ruleFilter: ({ ruleId }) => OURS.has(ruleId),
  // The files do not exist, so they belong to no project; none of these rules asks for types.
  overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
});

async function brokenBy(file: string, text: string): Promise<string[]> {
  const results = await eslint.lintText(text, { filePath: join(cwd, file) });
  return results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => ruleId ?? message));
}

const DECIDE = 'src/policy/policyrule/decide.ts';
const lines = (count: number): string => '  a();\n'.repeat(count);
const shown = (text: string): string =>
  text.length < 80 ? text : `${String(text.trimEnd().split('\n').length)} lines`;

const BROKEN: readonly (readonly [file: string, text: string, rule: string])[] = [
  [DECIDE, 'export const x = Date.now();', 'no-restricted-syntax'],
  [DECIDE, 'export const x = new Date();', 'no-restricted-syntax'],
  [DECIDE, 'export const x = Date();', 'no-restricted-syntax'],
  [DECIDE, 'export const x = Math.random();', 'no-restricted-syntax'],
  [DECIDE, 'export const x = async () => {};', 'no-restricted-syntax'],
  [DECIDE, "export const x = import('./y.ts');", 'no-restricted-syntax'],
  [DECIDE, 'export const x = (p: string) => new RegExp(p);', 'no-restricted-syntax'],
  [DECIDE, 'export const x = process.env;', 'no-restricted-globals'],
  [DECIDE, 'export const x = performance.now();', 'no-restricted-globals'],
  [DECIDE, 'export const x = crypto.randomUUID();', 'no-restricted-globals'],
  [DECIDE, "export const x = fetch('/');", 'no-restricted-globals'],
  [DECIDE, "import { x } from 'node:fs';", 'no-restricted-imports'],
  [DECIDE, "import { systemClock } from '../../runtime/clock.ts';", 'no-restricted-imports'],
  [DECIDE, "import { systemRandom } from '../../runtime/clock.ts';", 'no-restricted-imports'],
  [DECIDE, "import { sleep } from '../../runtime/clock.ts';", 'no-restricted-imports'],
  ['src/release/slo/admit.ts', 'export const x = Date.now();', 'no-restricted-syntax'],
  ['src/contracts/risk.ts', 'export const x = async () => {};', 'no-restricted-syntax'],
  ['src/release/slo/gather.ts', 'export const x = Date.now();', 'no-restricted-syntax'],
  ['src/runtime/queue.ts', 'export const x = Math.random();', 'no-restricted-syntax'],
  ['src/release/burn.ts', 'export const x = (p: string) => new RegExp(p);', 'no-restricted-syntax'],
  ['src/release/burn.ts', 'export const x = (p: string) => RegExp(p);', 'no-restricted-syntax'],
  ['src/release/burn.ts', 'export const x = (p: string) => new RegExp(`a${p}`);', 'no-restricted-syntax'],
  ['src/release/burn.ts', `export function x() {\n${lines(59)}}\n`, 'max-lines-per-function'],
  ['src/release/burn.ts', lines(401), 'max-lines'],
  ['src/main.ts', lines(121), 'max-lines'],
  ['test/unit/burn.test.ts', `it('x', () => {\n${lines(59)}});\n`, 'house/function-length'],
  ['test/unit/burn.test.ts', `// a remark\n${lines(400)}`, 'max-lines'],
];

const SOUND: readonly (readonly [file: string, text: string])[] = [
  [DECIDE, 'export const x = new Date(0);'],
  [DECIDE, "export const x = Date.parse('2026-11-25');"],
  [DECIDE, "import { timestamp, type Instant } from '../../runtime/clock.ts';"],
  ['src/runtime/clock.ts', 'export const x = Date.now();'],
  ['test/unit/burn.test.ts', 'export const x = Date.now();'],
  ['src/release/burn.ts', "export const x = new RegExp('a');"],
  ['src/release/burn.ts', `export function x() {\n${lines(58)}}\n`],
  ['src/release/burn.ts', lines(400)],
  ['test/unit/burn.test.ts', `describe('x', () => {\n${lines(90)}});\n`],
  ['test/unit/burn.test.ts', `describe.each([1])('x', () => {\n${lines(90)}});\n`],
];

it.each(BROKEN.map(([file, text, rule]) => ({ file, text, rule, line: shown(text) })))(
  '$file: $line breaks $rule',
  async ({ file, text, rule }) => {
    expect(await brokenBy(file, text)).toEqual([rule]);
  },
);

it.each(SOUND.map(([file, text]) => ({ file, text, line: shown(text) })))(
  '$file: $line is as it should be',
  async ({ file, text }) => {
    expect(await brokenBy(file, text)).toEqual([]);
  },
);

it('generated files are nobody’s style', async () => {
  expect(await eslint.isPathIgnored(join(cwd, 'src/policy/policyrule/crd.gen.ts'))).toBe(true);
});
