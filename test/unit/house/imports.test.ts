/** Every rule of .dependency-cruiser.mjs on a tree that breaks it: a rule that matches nothing guards nothing. */
import { expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
const CONFIG = join(ROOT, '.dependency-cruiser.mjs');
const { default: config } = (await import(CONFIG)) as { default: { forbidden: { name: string }[] } };

/** `rule: from -> to`, as the cruise reports it. */
type Finding = string;

interface Case {
  rule: string;
  files: Readonly<Record<string, string>>;
  found: readonly Finding[];
}

const from = (file: string): string => `import { x } from '${file}';\nexport const y = x;\n`;
const typeFrom = (file: string): string => `import type { X } from '${file}';\nexport type Y = X;\n`;

/** What the broken files lean on; nothing in it breaks a rule. */
const SOUND: Readonly<Record<string, string>> = {
  'tsconfig.json': JSON.stringify({
    compilerOptions: { module: 'nodenext', target: 'es2024', verbatimModuleSyntax: true },
  }),
  'package.json': JSON.stringify({
    name: 'tree',
    type: 'module',
    dependencies: { ajv: '1.0.0', pino: '1.0.0' },
    devDependencies: { jest: '1.0.0' },
  }),
  ...Object.fromEntries(
    ['ajv', 'pino', 'jest', 'stray'].flatMap((name) => [
      [`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' })],
      [`node_modules/${name}/index.js`, 'exports.x = 1;\n'],
    ]),
  ),
  'src/main.ts': from('./kinds.ts') + `export { x as z } from './runtime/client.ts';\n`,
  'src/kinds.ts': from('./policy/policyrule/kind.ts'),
  'src/runtime/client.ts':
    from('pino') + `export { request } from 'node:https';\nexport const x = 1;\nexport type X = 1;\n`,
  'src/runtime/conditions.ts': 'export const x = 1;\n',
  'src/contracts/risk.ts': from('../runtime/conditions.ts') + 'export const x = 1;\nexport type X = 1;\n',
  'src/release/burn-rate.ts':
    from('ajv') + typeFrom('node:http').replaceAll('Y', 'Z') + 'export const x = 1;\n',
  'src/policy/opa.ts': from('node:child_process') + 'export const x = 1;\nexport type X = 1;\n',
  'src/policy/problems.ts': 'export const x = 1;\n',
  'src/policy/policyrule/kind.ts':
    from('./decide.ts') + `export { y as z } from './gather.ts';\nexport const x = 1;\n`,
  'src/policy/policyrule/gather.ts': from('../opa.ts') + 'export const x = 1;\n',
  'src/policy/policyrule/decide.ts':
    from('../problems.ts') +
    `export { x as c } from '../../runtime/conditions.ts';\nexport { x as r } from '../../contracts/risk.ts';\n` +
    typeFrom('../../runtime/client.ts') +
    `export type { X as O } from '../opa.ts';\nexport const x = 1;\n`,
  'test/unit/risk.test.ts': from('../../src/contracts/risk.ts') + `export { x as j } from 'jest';\n`,
};

const CASES: readonly Case[] = [
  {
    rule: 'no-cycles',
    files: {
      'src/release/a.ts': typeFrom('./b.ts') + 'export type X = 1;\n',
      'src/release/b.ts': typeFrom('./a.ts') + 'export type X = 1;\n',
    },
    found: ['src/release/a.ts -> src/release/b.ts'],
  },
  {
    rule: 'no-orphans',
    files: { 'src/release/forgotten.ts': 'export const x = 1;\n' },
    found: ['src/release/forgotten.ts -> src/release/forgotten.ts'],
  },
  {
    rule: 'resolvable',
    files: {
      'src/runtime/lost.ts': from('./nowhere.ts'),
      'src/runtime/stray.ts': from('stray'),
    },
    found: ['src/runtime/lost.ts -> ./nowhere.ts', 'src/runtime/stray.ts -> node_modules/stray/index.js'],
  },
  {
    rule: 'src-stands-alone',
    files: {
      'src/runtime/tested.ts': typeFrom('../../test/clock.ts'),
      'test/clock.ts': 'export const x = 1;\nexport type X = 1;\n',
      'src/cli.ts': from('../scripts/start.ts') + 'export type X = 1;\n',
      'scripts/start.ts': 'export const x = 1;\n',
    },
    found: ['src/cli.ts -> scripts/start.ts', 'src/runtime/tested.ts -> test/clock.ts'],
  },
  {
    rule: 'src-without-dev-dependencies',
    files: { 'src/runtime/developed.ts': from('jest') },
    found: ['src/runtime/developed.ts -> node_modules/jest/index.js'],
  },
  {
    rule: 'runtime-knows-no-kind',
    files: {
      'src/runtime/knowing.ts': typeFrom('../policy/opa.ts'),
      'src/runtime/contracted.ts': from('../contracts/risk.ts'),
    },
    found: [
      'src/runtime/contracted.ts -> src/contracts/risk.ts',
      'src/runtime/knowing.ts -> src/policy/opa.ts',
    ],
  },
  {
    rule: 'contracts-know-no-service',
    files: { 'src/contracts/knowing.ts': typeFrom('../policy/opa.ts') },
    found: ['src/contracts/knowing.ts -> src/policy/opa.ts'],
  },
  {
    rule: 'services-apart',
    files: {
      'src/release/nosy.ts': typeFrom('../policy/opa.ts'),
      'src/release/slo/kind.ts': from('../../policy/policyrule/kind.ts'),
    },
    found: [
      'src/release/nosy.ts -> src/policy/opa.ts',
      'src/release/slo/kind.ts -> src/policy/policyrule/kind.ts',
    ],
  },
  {
    rule: 'downwards',
    files: {
      'src/release/service.ts': typeFrom('../settings.ts'),
      'src/settings.ts': 'export type X = 1;\n',
    },
    found: ['src/release/service.ts -> src/settings.ts'],
  },
  {
    rule: 'main-by-kinds',
    files: { 'src/main.ts': from('./kinds.ts') + `export type { X as P } from './policy/opa.ts';\n` },
    found: ['src/main.ts -> src/policy/opa.ts'],
  },
  {
    rule: 'kinds-below-main',
    files: { 'src/kinds.ts': `${from('./policy/policyrule/kind.ts')}export type { X } from './cli.ts';\n` },
    found: ['src/kinds.ts -> src/cli.ts'],
  },
  {
    rule: 'pure-without-io',
    files: {
      'src/release/canary/decide.ts': from('node:crypto'),
      'src/release/canary/admit.ts': from('pino'),
      'src/contracts/loud.ts': from('node:fs'),
      'src/release/late.ts': `export const x = await import('node:net');\n`,
    },
    found: [
      'src/contracts/loud.ts -> fs',
      'src/release/canary/admit.ts -> node_modules/pino/index.js',
      'src/release/canary/decide.ts -> crypto',
      'src/release/late.ts -> net',
    ],
  },
  {
    rule: 'pure-on-pure-runtime',
    files: {
      'src/release/slo/admit.ts': from('../../runtime/client.ts'),
      // A type among values: the import stays when the types are gone.
      'src/release/mixed.ts': `import { type X, x } from '../runtime/client.ts';\nexport const y: X = x;\n`,
    },
    found: [
      'src/release/mixed.ts -> src/runtime/client.ts',
      'src/release/slo/admit.ts -> src/runtime/client.ts',
    ],
  },
  {
    rule: 'pure-on-pure-siblings',
    files: {
      'src/policy/policyexception/decide.ts': `export { y } from './gather.ts';\n`,
      'src/policy/policyexception/gather.ts': from('../opa.ts'),
      'src/policy/match.ts': from('./opa.ts'),
    },
    found: [
      'src/policy/match.ts -> src/policy/opa.ts',
      'src/policy/policyexception/decide.ts -> src/policy/policyexception/gather.ts',
    ],
  },
  {
    rule: 'pure-runtime-on-pure-runtime',
    files: {
      'src/runtime/backoff.ts': from('node:os'),
      'src/runtime/json.ts': from('./client.ts'),
    },
    found: ['src/runtime/backoff.ts -> os', 'src/runtime/json.ts -> src/runtime/client.ts'],
  },
];

/** What our rules say about a tree of these files. */
function cruise(files: Readonly<Record<string, string>>): Finding[] {
  const tree = mkdtempSync(join(tmpdir(), 'cogniforge-imports-'));
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, file)), { recursive: true });
      writeFileSync(join(tree, file), text);
    }
    const cli = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const args = [cli, '--config', CONFIG, '--output-type', 'json', '.'];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: tree, encoding: 'utf8' });
    if (stdout === '') throw new Error(`dependency-cruiser gave nothing: ${stderr}`);
    const { summary } = JSON.parse(stdout) as {
      summary: { violations: { from: string; to: string; rule: { name: string } }[] };
    };
    return summary.violations.map(({ from, to, rule }) => `${rule.name}: ${from} -> ${to}`).sort();
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

it('a sound tree breaks no rule', () => {
  expect(cruise(SOUND)).toEqual([]);
});

// One tree for all: what a case finds besides its own would show as well.
it('each rule finds what breaks it, and nothing else', () => {
  const broken = CASES.reduce((tree, { files }) => ({ ...tree, ...files }), SOUND);
  const expected = CASES.flatMap(({ rule, found }) => found.map((finding) => `${rule}: ${finding}`));
  expect(cruise(broken)).toEqual(expected.sort());
});

it('every rule has its case', () => {
  expect(CASES.map(({ rule }) => rule)).toEqual(config.forbidden.map(({ name }) => name));
});
