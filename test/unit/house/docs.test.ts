/** The pages of docs/kinds tell all of a CRD, and nothing that it does not hold. */
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { docsFiles } from '../../../scripts/generate/docs.ts';
import { readCrds } from '../../../scripts/generate/crds.ts';
import { storedVersion, type Schema } from '../../../src/runtime/schema.ts';

const crds = readCrds('crds');

/** Dotted paths of every property, `[]` for the items of a list. */
function paths(schema: Schema, prefix: string): string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    `${prefix}${name}`,
    ...paths(field, `${prefix}${name}.`),
  ]);
  const items = schema.items === undefined ? [] : paths(schema.items, prefix.replace(/\.$/, '[].'));
  return [...own, ...items];
}

describe.each(crds)('the page of $file', ({ crd }) => {
  const { singular, kind } = crd.spec.names;
  const page = readFileSync(`docs/kinds/${singular}.md`, 'utf8');
  const { spec, status } = storedVersion(crd).schema.openAPIV3Schema.properties ?? {};

  it('has a row for every field of spec and status, and for no other', () => {
    const rows = [...page.matchAll(/^\| `([^`]+)`(?: \*\*required\*\*)? \| .* \| .* \| \S.* \|$/gm)].map(
      ([, path]) => path,
    );
    const wanted = [...paths(spec ?? {}, ''), ...paths(status ?? {}, '')];
    // A map's values have no name of their own.
    expect(rows.filter((path) => path?.includes('*') === false)).toEqual(wanted);
  });

  it('shows an example of that kind, and is in the list', () => {
    expect(page).toMatch(new RegExp(`^kind: ${kind}$`, 'm'));
    expect(readFileSync('docs/kinds/README.md', 'utf8')).toContain(`| [${kind}](${singular}.md) |`);
  });
});

it('cannot be made of a kind without an example', () => {
  const [first] = crds;
  if (first === undefined) throw new Error('no CRD');
  const unknown = structuredClone(first);
  unknown.crd.spec.names.kind = 'Unheard';
  expect(() => docsFiles('.', [unknown])).toThrow(/deploy\/examples holds no Unheard/);
});
