/** What each part of the image costs: every byte of the archive belongs to one row. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Layer } from './archive.ts';

export interface Part {
  name: string;
  bytes: number;
}

/** So many packages have a row of their own. */
const NAMED_PACKAGES = 3;

/** The first that matches says whose a file is; a group of the pattern names it further. */
const OWNERS: readonly (readonly [pattern: RegExp, name: (match: string) => string])[] = [
  [/^usr\/(?:bin|libexec|lib|share)\/(git)(?:[-/]|$)/, (name) => name],
  [/^usr\/bin\/([^/]+)$/, (name) => name],
  [/^app\/node_modules\/((?:@[^/]+\/)?[^/]+)\//, (name) => `node_modules/${name}`],
  [/^app\/(dist)\//, () => 'our compiled JavaScript'],
  [/^app\/()/, () => 'our command, CRDs, licence and lock file'],
  [/^etc\/()/, () => 'certificate authorities, users and groups'],
  [/\.so[.\d]*$()/, () => 'C and C++ libraries'],
];

/**
 * Parts in the order of the layers, the largest first within one, and last what the archive adds to its files (headers,
 * padding, manifests). The sum is `archiveBytes`.
 */
export function costOf(layers: readonly Layer[], archiveBytes: number): Part[] {
  const parts = layers.flatMap(({ folder }) => partsOf(filesIn(folder)));
  const rest = archiveBytes - parts.reduce((sum, { bytes }) => sum + bytes, 0);
  return [...parts, { name: 'headers, padding and manifests of the archive', bytes: rest }];
}

function filesIn(folder: string): Part[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => ({ name, found: lstatSync(join(folder, name)) }))
    .filter(({ found }) => found.isFile())
    .map(({ name, found }) => ({ name, bytes: found.size }));
}

/** The files of one layer, summed by owner. */
export function partsOf(files: readonly Part[]): Part[] {
  const sums = new Map<string, number>();
  for (const { name, bytes } of files) {
    const owner = ownerOf(name);
    sums.set(owner, (sums.get(owner) ?? 0) + bytes);
  }
  const parts = [...sums].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes);
  const packages = parts.filter(({ name }) => name.startsWith('node_modules/'));
  const small = packages.slice(NAMED_PACKAGES);
  if (small.length === 0) return parts;
  const bytes = small.reduce((sum, part) => sum + part.bytes, 0);
  return [
    ...parts.filter((part) => !small.includes(part)),
    { name: `node_modules, ${String(small.length)} more packages`, bytes },
  ];
}

function ownerOf(file: string): string {
  for (const [pattern, name] of OWNERS) {
    const match = pattern.exec(file);
    if (match !== null) return name(match[1] ?? '');
  }
  return 'other files';
}

/** In Markdown, in MB of 10^6 bytes. */
export function costTable(parts: readonly Part[]): string {
  const sum = parts.reduce((total, { bytes }) => total + bytes, 0);
  return [
    '| part | MB |',
    '|---|---|',
    ...parts.map(({ name, bytes }) => `| ${name} | ${megabytes(bytes)} |`),
    `| **the image, uncompressed** | **${megabytes(sum)}** |`,
  ].join('\n');
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
