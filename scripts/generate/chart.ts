/** What the chart holds of the operator: its CRDs, its rights, and the table of the chart's values. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import type { Permission, Permissions } from '../../src/runtime/permissions.ts';
import { between } from './between.ts';
import { valuesTable } from './values.ts';

const CHART = 'charts/cogniforge';
/** Folders of which every file is generated. */
export const CHART_GLOBS = [`${CHART}/files/crds/*`, `${CHART}/files/rbac.yaml`, `${CHART}/README.md`];
/** By path in the checkout. `crds`: names of the files in crds/. */
export function chartFiles(
  root: string,
  crds: readonly string[],
  permissions: Permissions,
): Map<string, string> {
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const files = new Map<string, string>();
  for (const file of crds) files.set(`${CHART}/files/crds/${file}`, read(`crds/${file}`));
  files.set(`${CHART}/files/rbac.yaml`, rbacOf(permissions));
  const readme = `${CHART}/README.md`;
  files.set(
    readme,
    between(read(readme), 'values', 'values.yaml', valuesTable(read(`${CHART}/values.yaml`)), readme),
  );
  return files;
}

function rbacOf({ cluster, namespace }: Permissions): string {
  const plain = (permissions: readonly Permission[]): Permission[] =>
    JSON.parse(JSON.stringify(permissions)) as Permission[];
  return [
    '# Generated from src/kinds.ts by `npm run generate`. Do not edit.',
    dump({ cluster: plain(cluster), namespace: plain(namespace) }, { lineWidth: 110 }),
  ].join('\n');
}
