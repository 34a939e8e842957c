/**
 * `docs/kinds/<singular>.md` of a CRD: what the kind is for, every field with its type, bounds, default and description, the
 * rules across fields, and an example. What is written by hand about a kind stands in docs/kinds/parts/<singular>.md and is
 * taken over as it is.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isRecord } from '../../src/runtime/json.ts';
import {
  storedVersion,
  type CustomResourceDefinition,
  type CustomResourceVersion,
  type PrinterColumn,
  type Schema,
} from '../../src/runtime/schema.ts';
import { parseYaml } from '../../src/runtime/yaml.ts';
import type { CrdFile } from './crds.ts';
import { cell, code, fieldTable, ruleList, tableOf } from './fields.ts';

export const DOCS_GLOBS = ['docs/kinds/*.md'];
/** The first thing a newcomer applies is also what a page shows. */
const FIRST = 'deploy/examples/quickstart/';

/** Path and text of every page. Throws where a kind has no example in deploy/examples, or a part has no kind. */
export function docsFiles(root: string, crds: readonly CrdFile[]): Map<string, string> {
  const read = (file: string): string => readFileSync(join(root, file), 'utf8');
  const find = (pattern: string): string[] => globSync(pattern, { cwd: root }).sort();
  const all = find('deploy/examples/**/*.yaml');
  const examples = [...all.filter((file) => file.startsWith(FIRST)), ...all].map((file) => ({
    file,
    text: read(file),
  }));
  const guides = new Map(
    find('docs/kinds/parts/*.md').map((file) => [basename(file, '.md'), read(file).trim()]),
  );
  const pages = new Map([['docs/kinds/README.md', indexOf(crds)]]);
  for (const { crd } of crds) {
    const { singular } = crd.spec.names;
    pages.set(`docs/kinds/${singular}.md`, pageOf(crd, exampleOf(examples, crd), guides.get(singular) ?? ''));
    guides.delete(singular);
  }
  for (const left of guides.keys()) throw new Error(`docs/kinds/parts/${left}.md is about no kind of crds/`);
  return pages;
}

interface Example {
  file: string;
  text: string;
}

function exampleOf(files: readonly Example[], { spec }: CustomResourceDefinition): Example {
  const { kind } = spec.names;
  const found = files.find(({ file, text }) =>
    parseYaml(text, { file }).some((object) => isRecord(object) && object['kind'] === kind),
  );
  if (found === undefined)
    throw new Error(`deploy/examples holds no ${kind}: every kind is shown by an example`);
  return found;
}

function pageOf(crd: CustomResourceDefinition, example: Example, guide: string): string {
  const { names } = crd.spec;
  const { openAPIV3Schema: schema } = storedVersion(crd).schema;
  const { spec = {}, status = {} } = schema.properties ?? {};
  const rules = ruleList(schema);
  return [
    `# ${names.kind}`,
    `<!-- Generated from crds/${names.plural}.yaml by npm run generate; what is written by hand comes from docs/kinds/parts/${names.singular}.md. -->`,
    purposeOf(schema, spec),
    ...(guide === '' ? [] : [guide]),
    '## Names',
    ...namesOf(crd),
    '## Example',
    `\`${example.file}\`:\n\n\`\`\`yaml\n${example.text.trimEnd()}\n\`\`\``,
    '## spec',
    fieldTable('spec', spec),
    ...(rules === ''
      ? []
      : [`Rules across fields; what breaks one is refused with these words:\n\n${rules}`]),
    '## status',
    'Written by the operator only.',
    `${fieldTable('status', status)}\n`,
  ].join('\n\n');
}

function purposeOf({ description = '' }: Schema, spec: Schema): string {
  return spec.description === undefined
    ? description
    : `${description} Its \`spec\`: ${lowerFirst(spec.description)}`;
}

function namesOf(crd: CustomResourceDefinition): string[] {
  const { names, scope, group } = crd.spec;
  const { name, additionalPrinterColumns: columns = [], schema } = storedVersion(crd);
  const { shortNames = [], categories = [], plural } = names;
  const facts = [
    ['apiVersion', code(`${group}/${name}`)],
    ['kind', code(names.kind)],
    ['scope', scope === 'Cluster' ? 'the cluster: no namespace' : 'a namespace'],
    ['plural', code(plural)],
    ['short name', shortNames.map(code).join(', ')],
    ['categories', categories.map(code).join(', ')],
  ].filter(([, value]) => value !== '');
  if (columns.length === 0) return [tableOf(['', ''], facts)];
  const rows = columns.map((column) => [
    cell(column.name),
    column.type,
    code(column.jsonPath),
    cell(`${meaningOf(column, schema)}${(column.priority ?? 0) > 0 ? ' Only with -o wide.' : ''}`),
  ]);
  return [
    tableOf(['', ''], facts),
    `\`kubectl get ${shortNames[0] ?? plural}\` shows:`,
    tableOf(['column', 'type', 'from', 'what it is'], rows),
  ];
}

/** The column's own words, or those of the field or condition that it shows. */
function meaningOf(
  { description, jsonPath }: PrinterColumn,
  { openAPIV3Schema }: CustomResourceVersion['schema'],
): string {
  if (description !== undefined) return description;
  if (jsonPath === '.metadata.creationTimestamp') return 'Time since it was created.';
  const [, condition, part] =
    /^\.status\.conditions\[\?\(@\.type==["'](\w+)["']\)\]\.(\w+)$/.exec(jsonPath) ?? [];
  if (condition !== undefined && part !== undefined) return `The ${part} of condition ${condition}.`;
  const names = jsonPath.split('.').slice(1);
  return descriptionAt(openAPIV3Schema, names) ?? '';
}

function descriptionAt(schema: Schema, [name, ...deeper]: readonly string[]): string | undefined {
  if (name === undefined) return schema.description;
  const field = schema.properties?.[name];
  return field === undefined ? undefined : descriptionAt(field, deeper);
}

function indexOf(crds: readonly CrdFile[]): string {
  const rows = crds.map(({ crd, service }) => {
    const { kind, singular, shortNames = [] } = crd.spec.names;
    const { description = '' } = storedVersion(crd).schema.openAPIV3Schema;
    return [
      `[${kind}](${singular}.md)`,
      service,
      crd.spec.scope,
      shortNames.map(code).join(', '),
      cell(description),
    ];
  });
  return [
    '# The kinds',
    '<!-- Generated from crds/ by npm run generate. -->',
    tableOf(['kind', 'service', 'scope', 'short name', 'what it is'], rows),
    'All of them at once: `kubectl get cogniforge --all-namespaces`.\n',
  ].join('\n\n');
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
