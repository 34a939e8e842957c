/**
 * `npm run generate [-- --check]`: crds/*.yaml -> src/<service>/<kind>/{types,crd}.gen.ts and docs/kinds; those and
 * src/kinds.ts -> what the chart holds of them. With --check nothing is written; exit 1 where a file differs or is left
 * over. Either way a schema or a CEL rule that cannot be checked locally ends the run with its place.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CHART_GLOBS, chartFiles } from './generate/chart.ts';
import { DOCS_GLOBS, docsFiles } from './generate/docs.ts';
import { readCrds } from './generate/crds.ts';
import { SECURITY_DOC, withRights } from './generate/rights.ts';
import { crdModule, folderOf, typesOf } from './generate/types.ts';
import { compileValidator } from '../src/runtime/validation/validate.ts';

const root = join(import.meta.dirname, '..');
const check = process.argv.includes('--check');
const crds = readCrds(join(root, 'crds'));

async function modules(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of crds) {
    compileValidator(entry.crd);
    const folder = folderOf(entry.service, entry.crd);
    files.set(`${folder}/types.gen.ts`, await typesOf(entry));
    files.set(`${folder}/crd.gen.ts`, crdModule(entry));
  }
  return files;
}

function current(globs: readonly string[]): Map<string, string> {
  const names = globSync([...globs], { cwd: root });
  return new Map(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
}

/** Makes the files of the globs those that are wanted, or says where they differ; returns how many do. */
function settle(want: ReadonlyMap<string, string>, globs: readonly string[]): number {
  const have = current(globs);
  const stale = [...want].filter(([name, text]) => have.get(name) !== text).map(([name]) => name);
  const orphaned = [...have.keys()].filter((name) => !want.has(name));
  for (const name of stale) {
    if (check) console.error(`${name}: differs from what it is made of; run npm run generate`);
    else {
      mkdirSync(join(root, dirname(name)), { recursive: true });
      writeFileSync(join(root, name), want.get(name) ?? '');
      console.log(`wrote ${name}`);
    }
  }
  for (const name of orphaned) {
    if (check) console.error(`${name}: no CRD in crds/ makes this file; run npm run generate`);
    else {
      rmSync(join(root, name));
      console.log(`removed ${name}`);
    }
  }
  return stale.length + orphaned.length;
}

const code = await modules();
let wrong = settle(code, ['src/**/*.gen.ts']);
// Imported only now: the kinds import what was just written.
const { permissions } = await import('../src/kinds.ts');
const chart = chartFiles(
  root,
  crds.map(({ file }) => file),
  permissions,
);
wrong += settle(chart, CHART_GLOBS);
const docs = docsFiles(root, crds);
wrong += settle(docs, DOCS_GLOBS);
wrong += settle(withRights(root, permissions), [SECURITY_DOC]);
if (check) {
  if (wrong > 0) process.exit(1);
  console.log(`${String(code.size + chart.size + docs.size)} generated files are up to date`);
}
