/** A structural schema in words: tables of fields and the sentences of its CEL rules, in Markdown. */
import type { Schema } from '../../src/runtime/schema.ts';

/** One row for every field below `schema`, by its full path: `[]` is any item of a list, `.*` any value of a map. */
export function fieldTable(root: string, schema: Schema): string {
  const rows = fieldsOf(schema, root).map(({ path, field, required }) => [
    `${code(path)}${required ? ' **required**' : ''}`,
    typeOf(field),
    field.default === undefined ? '' : code(JSON.stringify(field.default)),
    cell(field.description ?? ''),
  ]);
  return tableOf(['field', 'type', 'default', 'what it is'], rows);
}

/** Where each CEL rule shows its problem, and its message, at any depth. Empty where there are none. */
export function ruleList(schema: Schema): string {
  return nodesOf(schema, '')
    .flatMap(({ path, node }) =>
      (node['x-kubernetes-validations'] ?? []).map(({ rule, message, fieldPath = '' }) => {
        const place = `${path}${fieldPath}`.replace(/^\./, '');
        const sentence = message === undefined ? code(rule) : cell(message);
        return `- ${place === '' ? 'the object' : code(place)}: ${sentence}`;
      }),
    )
    .join('\n');
}

interface Field {
  path: string;
  field: Schema;
  required: boolean;
}

/** Depth first, in the order of the CRD. */
function fieldsOf(schema: Schema, path: string): Field[] {
  const { properties = {}, required = [] } = schema;
  const own = Object.entries(properties).flatMap(([name, field]) => {
    const child = `${path}.${name}`;
    return [{ path: child, field, required: required.includes(name) }, ...fieldsOf(field, child)];
  });
  const inner = innerOf(schema);
  return [...own, ...(inner === undefined ? [] : fieldsOf(inner.node, `${path}${inner.mark}`))];
}

/** The schema itself and all below it, those of items and of values too: a rule may stand on any of them. */
function nodesOf(node: Schema, path: string): { path: string; node: Schema }[] {
  const inner = innerOf(node);
  return [
    { path, node },
    ...Object.entries(node.properties ?? {}).flatMap(([name, field]) => nodesOf(field, `${path}.${name}`)),
    ...(inner === undefined ? [] : nodesOf(inner.node, `${path}${inner.mark}`)),
  ];
}

function innerOf({ items, additionalProperties }: Schema): { node: Schema; mark: string } | undefined {
  if (items !== undefined) return { node: items, mark: '[]' };
  return typeof additionalProperties === 'object' ? { node: additionalProperties, mark: '.*' } : undefined;
}

/** What a field may hold: type, format, bounds, enum and pattern. */
function typeOf(field: Schema): string {
  const { items, additionalProperties, enum: words } = field;
  const orNull = field.nullable === true ? ' or null' : '';
  if (field['x-kubernetes-int-or-string'] === true) return `integer or string${orNull}`;
  if (items !== undefined) return `list${listWords(field)} of ${typeOf(items)}${orNull}`;
  if (typeof additionalProperties === 'object')
    return `map${inBrackets(sizeOf(field))} of ${typeOf(additionalProperties)}${orNull}`;
  if (words !== undefined) return words.map((word) => code(String(word))).join(', ') + orNull;
  const open = field['x-kubernetes-preserve-unknown-fields'] === true ? ' with any fields' : '';
  const details = [...(field.format === undefined ? [] : [field.format]), ...sizeOf(field)];
  const pattern = field.pattern === undefined ? '' : ` matching ${code(field.pattern)}`;
  return `${field.type ?? 'any'}${open}${inBrackets(details)}${pattern}${orNull}`;
}

function listWords(field: Schema): string {
  const keys = field['x-kubernetes-list-map-keys'] ?? [];
  const unique = field['x-kubernetes-list-type'] === 'set' ? ['no two alike'] : [];
  const keyed = keys.length === 0 ? [] : [`one for each ${keys.map(code).join(', ')}`];
  return inBrackets([...sizeOf(field), ...unique, ...keyed]);
}

function inBrackets(words: readonly string[]): string {
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}

function sizeOf(field: Schema): string[] {
  const { exclusiveMinimum, exclusiveMaximum, multipleOf } = field;
  return [
    ...range(field.minimum, field.maximum),
    ...(exclusiveMinimum === true ? ['the lower bound excluded'] : []),
    ...(exclusiveMaximum === true ? ['the upper bound excluded'] : []),
    ...(multipleOf === undefined ? [] : [`a multiple of ${String(multipleOf)}`]),
    ...range(field.minLength, field.maxLength, ' characters'),
    ...range(field.minItems, field.maxItems),
    ...range(field.minProperties, field.maxProperties, ' entries'),
  ];
}

function range(from: number | undefined, to: number | undefined, unit = ''): string[] {
  if (from !== undefined && to !== undefined) return [`${String(from)} to ${String(to)}${unit}`];
  if (from !== undefined) return [`at least ${String(from)}${unit}`];
  return to === undefined ? [] : [`at most ${String(to)}${unit}`];
}

export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** A span of code: a bar would end the cell even in there. */
export function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

/** Prose of a CRD in one cell: what Markdown would read as marks is kept as text, but for spans of code. */
export function cell(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .split('`')
    .map((part, at) => (at % 2 === 1 ? part : part.replaceAll(/[*<]/g, '\\$&')))
    .join('`')
    .replaceAll('|', '\\|');
}
