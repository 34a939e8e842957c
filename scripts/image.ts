/**
 * `npm run image [-- --output FILE] [--tag TAG]`: the operator's image as an archive, without a Docker engine, and its bill
 * of materials (CycloneDX) beside it.
 *
 * Prints what each part costs. For `ctr -n k8s.io images import FILE`, `docker load -i FILE`, `kind load image-archive FILE`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeImage } from './image/archive.ts';
import { RUN } from './image/contents.ts';
import { costOf, costTable, megabytes } from './image/cost.ts';
import { buildLayers } from './image/filesystem.ts';
import { writeBom } from './image/sbom.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const NAME = 'ghcr.io/cogniforge/cogniforge';
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
const { values } = parseArgs({
  options: {
    output: { type: 'string', default: join('build', 'cogniforge-image.tar') },
    tag: { type: 'string', default: version },
  },
});

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const scratch = mkdtempSync(join(tmpdir(), 'cogniforge-image-'));
try {
  const target = resolve(values.output);
  mkdirSync(dirname(target), { recursive: true });
  const npmBom = join(scratch, 'npm.json');
  const { layers, components } = await buildLayers(ROOT, scratch, npmBom, say);
  const bom = target.replace(/(\.tar)?$/, '.sbom.json');
  writeBom(npmBom, components, bom);
  const reference = `${NAME}:${values.tag}`;
  const digest = await writeImage(
    {
      reference,
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      layers,
      config: {
        ...RUN,
        Labels: {
          'org.opencontainers.image.version': version,
          'org.opencontainers.image.licenses': 'Apache-2.0',
        },
      },
    },
    target,
    scratch,
  );
  for (const { title } of layers) say(`layer  ${title}`);
  say(`\n${costTable(costOf(layers, sizeOf(target)))}\n`);
  for (const file of [target, bom]) say(`${megabytes(sizeOf(file)).padStart(6)} MB  ${file}`);
  say(`${reference}@${digest}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function sizeOf(file: string): number {
  return statSync(file).size;
}
