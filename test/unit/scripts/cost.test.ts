/** What each part of the image costs. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { costOf, costTable, partsOf } from '../../../scripts/image/cost.ts';

it.each([
  ['usr/bin/node', 'node'],
  ['usr/bin/opa', 'opa'],
  ['usr/bin/helm', 'helm'],
  ['usr/bin/git', 'git'],
  ['usr/bin/git-upload-pack', 'git'],
  ['usr/bin/gitlab', 'gitlab'],
  ['usr/lib/git-core/git-remote-http', 'git'],
  ['usr/share/git-core/templates/description', 'git'],
  ['usr/lib/x86_64-linux-gnu/libc.so.6', 'C and C++ libraries'],
  ['lib64/ld-linux-x86-64.so.2', 'C and C++ libraries'],
  ['etc/ssl/certs/ca-certificates.crt', 'certificate authorities, users and groups'],
  ['app/dist/main.js', 'our compiled JavaScript'],
  ['app/crds/policyrules.yaml', 'our command, CRDs, licence and lock file'],
  ['app/node_modules/ajv/dist/ajv.js', 'node_modules/ajv'],
  ['app/node_modules/@a/b/node_modules/c/index.js', 'node_modules/@a/b'],
  ['app/dist/node_modules/ajv.js', 'our compiled JavaScript'],
  ['home/nonroot/x', 'other files'],
])('%s belongs to %s', (name, owner) => {
  expect(partsOf([{ name, bytes: 7 }])).toEqual([{ name: owner, bytes: 7 }]);
});

it('three packages have rows of their own, the rest one', () => {
  const files = [5, 40, 30, 20, 1].map((bytes, at) => ({ name: `app/node_modules/p${String(at)}/x`, bytes }));
  expect(partsOf([...files, { name: 'app/node_modules/p0/y', bytes: 20 }])).toEqual([
    { name: 'node_modules/p1', bytes: 40 },
    { name: 'node_modules/p2', bytes: 30 },
    { name: 'node_modules/p0', bytes: 25 },
    { name: 'node_modules, 2 more packages', bytes: 21 },
  ]);
});

describe('layers', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cogniforge-cost-'));
    for (const [name, bytes] of [
      ['low/usr/bin/node', 2_000_000],
      ['high/usr/bin/opa', 1_500_000],
      ['high/etc/passwd', 40_000],
    ] as const) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), Buffer.alloc(bytes));
    }
    // A link has no bytes of its own.
    symlinkSync('node', join(folder, 'low', 'usr', 'bin', 'nodejs'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('keep their order, and the rows add up to the archive', () => {
    const layers = ['low', 'high'].map((title) => ({ title, folder: join(folder, title) }));
    const parts = costOf(layers, 3_640_000);
    expect(parts).toEqual([
      { name: 'node', bytes: 2_000_000 },
      { name: 'opa', bytes: 1_500_000 },
      { name: 'certificate authorities, users and groups', bytes: 40_000 },
      { name: 'headers, padding and manifests of the archive', bytes: 100_000 },
    ]);
    expect(costTable(parts).split('\n')).toEqual([
      '| part | MB |',
      '|---|---|',
      '| node | 2.0 |',
      '| opa | 1.5 |',
      '| certificate authorities, users and groups | 0.0 |',
      '| headers, padding and manifests of the archive | 0.1 |',
      '| **the image, uncompressed** | **3.6** |',
    ]);
  });
});

describe('the README', () => {
  const LIMIT_MB = 220;
  const [, section = ''] =
    /^## What each part of the image costs\n([^]*?)^## /m.exec(readFileSync('README.md', 'utf8')) ?? [];
  const whole = Number(/^\| \*\*the image, uncompressed\*\* \| \*\*([\d.]+)\*\* \|$/m.exec(section)?.[1]);
  const parts = [...section.matchAll(/^\| ([^|]+) \| ([\d.]+) \|$/gm)].map(([, name = '', size]) => ({
    name,
    size: Number(size),
  }));

  it('shows a table that adds up, below the limit', () => {
    expect(parts.map(({ name }) => name)).toEqual(expect.arrayContaining(['node', 'opa']));
    const sum = parts.reduce((total, { size }) => total + size, 0);
    expect(Math.abs(sum - whole)).toBeLessThan(0.05 * (parts.length + 1));
    expect(whole).toBeLessThan(LIMIT_MB);
  });

  it('names packages that are dependencies', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: object };
    const named = parts.map(({ name }) => name).filter((name) => name.startsWith('node_modules/'));
    expect(named).toHaveLength(3);
    expect(Object.keys(packages)).toEqual(expect.arrayContaining(named));
  });

  it('adds the variants up', () => {
    const variants = [...section.matchAll(/^\| (.+) \| ([\d.]+) \| .+ \|$/gm)];
    expect(variants).toHaveLength(2);
    const sums = variants.map(([, name = '', size]) => {
      const more = [...name.matchAll(/\(([\d.]+)\)/g)].reduce((total, [, one]) => total + Number(one), whole);
      return [Number(size), Number(more.toFixed(1))];
    });
    for (const [stated, sum] of sums) expect(stated).toBe(sum);
  });
});
