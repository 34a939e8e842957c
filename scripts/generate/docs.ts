/** `docs/kinds/<singular>.md` of a CRD: every field with its type, bounds, default and description, and an example. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRecord } from '../../src/runtime/json.ts';
import { parseYaml } from '../../src/runtime/yaml.ts';
import { storedVersion, type CustomResourceDefinition, type Schema } from '../../src/runtime/schema.ts';
import type { CrdFile } from './crds.ts';

export const DOCS_GLOBS = ['docs/kinds/*.md'];

/** Path and text of every page. Throws where a kind has no example in deploy/examples. */
export function docsFiles(root: string, crds: readonly CrdFile[]): Map<string, string> {
  const examples = globSync('deploy/examples/**/*.yaml', { cwd: root }).sort();
  const pages = new Map(
    crds.map(({ crd }) => {
      const { singular } = crd.spec.names;
      const part = join(root, 'docs', 'kinds', 'parts', `${singular}.md`);
      const guide = existsSync(part) ? readFileSync(part, 'utf8').trim() : '';
      return [`docs/kinds/${singular}.md`, pageOf(crd, exampleOf(root, examples, crd), guide)] as const;
    }),
  );
  return new Map([...pages, ['docs/kinds/README.md', indexOf(crds)]]);
}

function exampleOf(root: string, files: readonly string[], { spec }: CustomResourceDefinition): string {
  const { kind } = spec.names;
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    const about = parseYaml(text, { file }).some((object) => isRecord(object) && object['kind'] === kind);
    if (about) return `From \`${file}\`:\n\n\`\`\`yaml\n${text.trim()}\n\`\`\``;
  }
  throw new Error(`deploy/examples holds no ${kind}: every kind is shown by an example`);
}

function pageOf(crd: CustomResourceDefinition, example: string, guide: string): string {
  const { names, scope, group } = crd.spec;
  const version = storedVersion(crd);
  const schema = version.schema.openAPIV3Schema;
  const { spec: wanted = {}, status = {} } = schema.properties ?? {};
  const short = (names.shortNames ?? []).map((name) => `\`${name}\``).join(', ');
  const columns = (version.additionalPrinterColumns ?? []).map(({ name }) => name).join(', ');
  return [
    `# ${names.kind}`,
    schema.description ?? '',
    `\`${group}/${version.name}\`, ${scope === 'Cluster' ? 'cluster-scoped' : 'namespaced'}, short name ${short}. \`kubectl get\` shows: ${columns}.`,
    `<!-- generated from crds/${names.plural}.yaml by npm run generate; the guide is docs/kinds/parts/${names.singular}.md -->`,
    ...(guide === '' ? [] : [guide]),
    '## Example',
    example,
    '## spec',
    table(wanted),
    ...rulesOf(wanted),
    '## status',
    'Written by the operator only.',
    table(status),
    '',
  ].join('\n\n');
}

function indexOf(crds: readonly CrdFile[]): string {
  const rows = crds.map(({ crd, service }) => {
    const { kind, singular, shortNames = [] } = crd.spec.names;
    const { description = '' } = storedVersion(crd).schema.openAPIV3Schema;
    return `| [${kind}](${singular}.md) | ${service} | ${crd.spec.scope} | ${shortNames.join(', ')} | ${cell(description)} |`;
  });
  const head = ['| kind | service | scope | short name | what it is |', '|---|---|---|---|---|'];
  return ['# Kinds\n', ...head, ...rows, ''].join('\n');
}

function table(schema: Schema): string {
  const rows = fieldsOf(schema, '').map(
    ({ path, field, required }) =>
      `| \`${path}\`${required ? ' **required**' : ''} | ${cell(typeOf(field))} | ${defaultOf(field)} | ${cell(field.description ?? '')} |`,
  );
  return ['| field | type | default | what it is |', '|---|---|---|---|', ...rows].join('\n');
}

interface Field {
  path: string;
  field: Schema;
  required: boolean;
}

/** Every field below, depth first, in the order of the CRD. */
function fieldsOf(schema: Schema, prefix: string): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const required = schema.required?.includes(name) === true;
    return [{ path, field, required }, ...below(field, path)];
  });
}

function below(field: Schema, path: string): Field[] {
  const { items, additionalProperties } = field;
  if (items !== undefined) return fieldsOf(items, `${path}[]`);
  if (typeof additionalProperties === 'object') return fieldsOf(additionalProperties, `${path}.*`);
  return fieldsOf(field, path);
}

function typeOf(field: Schema): string {
  const { items, additionalProperties } = field;
  if (field['x-kubernetes-int-or-string'] === true) return 'integer or string';
  if (items !== undefined) {
    const count = bounds(field, 'minItems', 'maxItems').slice(2);
    return `list${count === '' ? '' : ` (${count})`} of ${typeOf(items)}`;
  }
  if (typeof additionalProperties === 'object') return `map of ${typeOf(additionalProperties)}`;
  if (field.enum !== undefined) return field.enum.map((value) => `\`${String(value)}\``).join(', ');
  const shape = field.format === undefined ? '' : ` (${field.format})`;
  const pattern = field.pattern === undefined ? '' : ` matching \`${field.pattern}\``;
  const size = bounds(field, 'minimum', 'maximum') + bounds(field, 'minLength', 'maxLength', ' characters');
  return `${field.type ?? 'any'}${shape}${size}${pattern}`;
}

function bounds(
  field: Schema,
  least: 'minItems' | 'minimum' | 'minLength',
  most: 'maxItems' | 'maximum' | 'maxLength',
  unit = '',
): string {
  const [from, to] = [field[least], field[most]];
  if (from === undefined && to === undefined) return '';
  if (from === undefined) return `, at most ${String(to)}${unit}`;
  return to === undefined ? `, at least ${String(from)}${unit}` : `, ${String(from)} to ${String(to)}${unit}`;
}

function defaultOf(field: Schema): string {
  return field.default === undefined ? '' : `\`${cell(JSON.stringify(field.default))}\``;
}

/** The messages of the CEL rules, at any depth. */
function rulesOf(schema: Schema): string[] {
  const messages = fieldsOf({ properties: { spec: schema } }, '').flatMap(({ path, field }) => {
    const rules = field['x-kubernetes-validations'] ?? [];
    return rules.map(({ message = '' }) => `- \`${path}\`: ${message}`);
  });
  return messages.length === 0 ? [] : [`Also checked when it is applied:\n\n${messages.join('\n')}`];
}

/** In a table a bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();
}
