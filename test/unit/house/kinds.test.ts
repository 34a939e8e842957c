/** What belongs to every kind. */
import { describe, expect, it } from '@jest/globals';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { readCrds } from '../../../scripts/generate/crds.ts';
import { kinds as listed } from '../../../src/kinds.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** In the same order as they are read when a kind is learnt. */
const FILES = ['kind.ts', 'gather.ts', 'decide.ts', 'admit.ts', 'types.gen.ts', 'crd.gen.ts'];

/**
 * Kinds without a fault run of their own. The only reason that counts: without effects, a finalizer and an act of its
 * own a kind writes nothing but its status, which the runs of test/faults/subject.ts cover for all kinds alike.
 */
const WRITES_ONLY_STATUS: readonly string[] = ['PolicyRule'];

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const textsOf = (pattern: string): string[] => globSync(pattern, { cwd: ROOT }).map(read);

const kinds = readCrds(join(ROOT, 'crds')).map(({ crd: { spec }, service }) => ({
  kind: spec.names.kind,
  folder: `${service}/${spec.names.singular}`,
  apiVersion: `${spec.group}/${spec.versions.find(({ storage }) => storage)?.name ?? ''}`,
}));

it('every folder with a generated CRD is a kind of crds/', () => {
  const folders = globSync('src/*/*/crd.gen.ts', { cwd: ROOT }).map((file) =>
    file.split('/').slice(1, 3).join('/'),
  );
  expect(folders.sort()).toEqual(kinds.map(({ folder }) => folder).sort());
  expect(folders).not.toEqual([]);
});

it('the list in src/kinds.ts holds every kind of crds/, with its service', () => {
  const list = listed.map(({ type, service }) => `${service}/${type.kind.toLowerCase()}`);
  expect(list.sort()).toEqual(kinds.map(({ folder }) => folder).sort());
});

describe.each(kinds)('$kind', ({ kind, folder, apiVersion }) => {
  it.each(FILES)(`has src/${folder}/%s`, (file) => {
    expect(existsSync(join(ROOT, 'src', folder, file))).toBe(true);
  });

  it('has a table test of its decision', () => {
    const test = read(`test/unit/${folder}/decide.test.ts`);
    expect(test).toContain(`src/${folder}/decide.ts`);
    expect(test).toMatch(/\bdecide\(/);
  });

  it('has an example manifest', () => {
    const examples = textsOf('deploy/examples/**/*.yaml').flatMap((text) => loadAll(text));
    expect(examples).toContainEqual(expect.objectContaining({ kind, apiVersion }));
  });

  it('is named in the README', () => {
    expect(read('README.md')).toMatch(new RegExp(`\\b${kind}\\b`));
  });

  it('is named in the docs, where there are any besides the decisions', () => {
    const docs = globSync('docs/**/*.md', { cwd: ROOT, exclude: ['docs/decisions/**'] }).map(read);
    if (docs.length > 0) expect(docs).toContainEqual(expect.stringMatching(new RegExp(`\\b${kind}\\b`)));
  });

  if (WRITES_ONLY_STATUS.includes(kind)) {
    it('writes only its status, so that the fault runs of the runtime are its own', () => {
      const effects = [...read(`src/${folder}/decide.ts`).matchAll(/\beffects\b.*/g)].map(([line]) => line);
      expect(effects).toEqual(['effects: [],']);
      expect(read(`src/${folder}/kind.ts`)).not.toMatch(/\b(finalizer|act)\b/);
      expect(existsSync(join(ROOT, 'src', folder, 'act.ts'))).toBe(false);
    });
  } else {
    it('has a fault run', () => {
      expect(textsOf('test/faults/**/*.ts')).toContainEqual(expect.stringContaining(`src/${folder}/`));
    });
  }
});

it('who is listed without a fault run is a kind', () => {
  expect(kinds.map(({ kind }) => kind)).toEqual(expect.arrayContaining([...WRITES_ONLY_STATUS]));
});
