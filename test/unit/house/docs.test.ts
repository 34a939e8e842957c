/** The pages of docs/kinds tell all of a CRD and nothing that it does not hold; what they show as a resource is one. */
import { describe, expect, it } from '@jest/globals';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readCrds } from '../../../scripts/generate/crds.ts';
import { docsFiles } from '../../../scripts/generate/docs.ts';
import { compile } from '../../../src/policy/compiler.ts';
import { sourceOf } from '../../../src/policy/library.ts';
import type { PolicyRule } from '../../../src/policy/policyrule/types.gen.ts';
import { isRecord } from '../../../src/runtime/json.ts';
import { storedVersion, type Schema } from '../../../src/runtime/schema.ts';
import { validate } from '../../../src/runtime/validation/validate.ts';
import { parseYaml } from '../../../src/runtime/yaml.ts';
import { toolPath } from '../../cluster/tools.ts';
import { fences } from './markdown.ts';

const ROOT = join(import.meta.dirname, '../../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const crds = readCrds(join(ROOT, 'crds'));

/** Dotted paths of every property: `[]` for the items of a list, `.*` for the values of a map. */
function paths(schema: Schema, prefix: string): string[] {
  const values = schema.additionalProperties;
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
      `${prefix}.${name}`,
      ...paths(field, `${prefix}.${name}`),
    ]),
    ...(schema.items === undefined ? [] : paths(schema.items, `${prefix}[]`)),
    ...(typeof values === 'object' ? paths(values, `${prefix}.*`) : []),
  ];
}

function messages(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(messages);
  if (!isRecord(node)) return [];
  const rules = (node['x-kubernetes-validations'] ?? []) as { message: string }[];
  return [...rules.map(({ message }) => message), ...Object.values(node).flatMap(messages)];
}

describe.each(crds)('the page of $file', ({ crd }) => {
  const { singular, kind } = crd.spec.names;
  const page = read(`docs/kinds/${singular}.md`);
  const version = storedVersion(crd);
  const { spec, status } = version.schema.openAPIV3Schema.properties ?? {};

  it('has a row for every field of spec and status, and for no other', () => {
    const rows = [
      ...page.matchAll(/^\| `((?:spec|status)\.[^`]+)`(?: \*\*required\*\*)? \| \S.* \| .* \| \S.* \|$/gm),
    ].map(([, path]) => path);
    expect(rows).toEqual([...paths(spec ?? {}, 'spec'), ...paths(status ?? {}, 'status')]);
  });

  it('tells its columns and the message of every rule', () => {
    const columns = [...page.matchAll(/^\| (\S+) \| \w+ \| `(\.[^`]+)` \| \S.* \|$/gm)];
    expect(columns.map(([, name, jsonPath]) => ({ name, jsonPath }))).toEqual(
      (version.additionalPrinterColumns ?? []).map(({ name, jsonPath }) => ({ name, jsonPath })),
    );
    for (const message of messages(version.schema)) expect(page).toContain(`: ${message}`);
  });

  it('shows an example of that kind as it stands in its file, and is in the list', () => {
    const [, file = '', example = ''] =
      /^`(deploy\/examples\/[^`]+)`:\n\n```yaml\n([^]*?)\n```$/m.exec(page) ?? [];
    expect(read(file).trimEnd()).toBe(example);
    expect(parseYaml(example)).toContainEqual(expect.objectContaining({ kind }));
    expect(read('docs/kinds/README.md')).toContain(`| [${kind}](${singular}.md) |`);
  });
});

it.each(globSync('docs/kinds/parts/*.md', { cwd: ROOT }))('%s is taken over as it is', (part) => {
  expect(read(part.replace('/parts/', '/'))).toContain(`\n\n${read(part).trim()}\n\n`);
});

const shown = globSync(['*.md', '{docs,deploy,charts}/**/*.md'], { cwd: ROOT }).flatMap((file) =>
  fences(read(file))
    .filter(({ language }) => language === 'yaml' || language === 'yml')
    .flatMap(({ line, text }) =>
      parseYaml(text, { file })
        .filter(isRecord)
        .map((object) => ({ place: `${file}:${String(line)}`, object })),
    )
    .filter(({ object }) => String(object['apiVersion']).startsWith('cogniforge.dev/')),
);

it('resources are shown', () => {
  expect(shown.length).toBeGreaterThan(1);
});

it.each(shown)('what $place shows would be accepted', async ({ object }) => {
  const entry = crds.find(({ crd }) => crd.spec.names.kind === object['kind']);
  if (entry === undefined) throw new Error(`no kind ${String(object['kind'])}`);
  const { object: stored, problems } = validate(entry.crd, object);
  expect(problems).toEqual([]);
  if (object['kind'] !== 'PolicyRule') return;
  const rule = stored as unknown as PolicyRule;
  await expect(compile(sourceOf(rule), { opaBin: await toolPath('opa') })).resolves.toBeDefined();
});

it('there are the pages that are made, and no other', () => {
  const pages = globSync('docs/kinds/*.md', { cwd: ROOT });
  expect([...docsFiles(ROOT, crds).keys()].sort()).toEqual(pages.sort());
});

describe('no page is made', () => {
  const [first] = crds;
  if (first === undefined) throw new Error('no CRD');

  it('of a kind without an example', () => {
    const unknown = structuredClone(first);
    unknown.crd.spec.names.kind = 'Unheard';
    expect(() => docsFiles(ROOT, [unknown])).toThrow(/deploy\/examples holds no Unheard/);
  });

  it('where a part is about no kind', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cogniforge-docs-'));
    try {
      const files = { 'deploy/examples/a.yaml': 'kind: PolicyRule\n', 'docs/kinds/parts/gone.md': 'words\n' };
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
      }
      expect(() => docsFiles(folder, [first])).toThrow(/parts\/gone\.md is about no kind/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
