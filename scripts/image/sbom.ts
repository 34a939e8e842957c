/** The image's bill of materials in CycloneDX: what npm knows of the application, and the programs beside it. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Component {
  type: 'application' | 'library';
  name: string;
  version: string;
  /** https://github.com/package-url/purl-spec */
  purl: string;
}

/** Reads an installed `node_modules`; throws with what the tool says. The same installation gives the same text. */
export function npmBom(root: string, app: string, file: string): void {
  const tool = join(root, 'node_modules', '@cyclonedx', 'cyclonedx-npm', 'bin', 'cyclonedx-npm-cli.js');
  const flags = ['--omit', 'dev', '--output-reproducible', '--output-file', file, join(app, 'package.json')];
  const { status, stderr } = spawnSync(process.execPath, [tool, ...flags], { cwd: app, encoding: 'utf8' });
  if (status !== 0) throw new Error(`cyclonedx-npm failed:\n${stderr}`);
}

/** Writes `target`: the bill of `file` and the components. */
export function writeBom(file: string, components: readonly Component[], target: string): void {
  const bom = JSON.parse(readFileSync(file, 'utf8')) as { components?: object[] };
  const own = components.map((component) => ({ ...component, 'bom-ref': component.purl }));
  const all = { ...bom, components: [...(bom.components ?? []), ...own] };
  writeFileSync(target, `${JSON.stringify(all, undefined, 2)}\n`);
}
