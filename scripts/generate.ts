/**
 * `npm run generate [-- --check]`: crds/*.yaml -> src/<service>/<kind>/{types,crd}.gen.ts.
 * With --check nothing is written; exit 1 where a file differs or is left over. Either way a schema or a CEL rule that
 * cannot be checked locally ends the run with its place.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readCrds } from './generate/crds.ts';
import { crdModule, folderOf, typesOf } from './generate/types.ts';
import { compileValidator } from '../src/runtime/validation/validate.ts';

const root = join(import.meta.dirname, '..');

async function wanted(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of readCrds(join(root, 'crds'))) {
    compileValidator(entry.crd);
    const folder = folderOf(entry.service, entry.crd);
    files.set(`${folder}/types.gen.ts`, await typesOf(entry));
    files.set(`${folder}/crd.gen.ts`, crdModule(entry));
  }
  return files;
}

function current(): Map<string, string> {
  const names = globSync('src/**/*.gen.ts', { cwd: root });
  return new Map(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
}

const [want, have] = [await wanted(), current()];
const stale = [...want].filter(([name, text]) => have.get(name) !== text).map(([name]) => name);
const orphaned = [...have.keys()].filter((name) => !want.has(name));

if (process.argv.includes('--check')) {
  for (const name of stale) console.error(`${name}: differs from crds/; run npm run generate`);
  for (const name of orphaned)
    console.error(`${name}: no CRD in crds/ makes this file; run npm run generate`);
  if (stale.length + orphaned.length > 0) process.exit(1);
  console.log(`${String(want.size)} generated files are up to date`);
} else {
  for (const name of stale) {
    mkdirSync(join(root, dirname(name)), { recursive: true });
    writeFileSync(join(root, name), want.get(name) ?? '');
    console.log(`wrote ${name}`);
  }
  for (const name of orphaned) {
    rmSync(join(root, name));
    console.log(`removed ${name}`);
  }
}
