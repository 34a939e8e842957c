/** The rules that hold for each field of a CRD, wherever it stands. */
import type { Schema } from '../../../src/runtime/schema.ts';

export interface Complaint {
  rule: string;
  /** of a field `spec.match.kinds[].apiGroups`, else of the CRD `metadata.name` */
  path: string;
  what: string;
  remedy: string;
}

/** Words of an enum that are not in CamelCase, each with the standard that writes it so. */
const STANDARD_WORDS: ReadonlyMap<string, string> = new Map([
  ...['CREATE', 'UPDATE', 'DELETE', 'CONNECT'].map(
    (word) => [word, 'admission.k8s.io/v1 Operation'] as const,
  ),
  ['*', 'admissionregistration.k8s.io/v1 ScopeType, Gatekeeper match: any'],
]);

/** Formats that the API server checks and that bound the length of a text. It ignores the ones it does not know. */
const BOUNDED_FORMATS = new Set(['date-time', 'date', 'uuid', 'ipv4', 'ipv6', 'cidr', 'mac']);

/** A required field of such a name tells the items of a list apart. */
const NATURAL_KEYS = ['name', 'type', 'id', 'identity'];

type Found = Pick<Complaint, 'rule' | 'what' | 'remedy'>;

interface Field {
  /** the name of a property; undefined for an item of a list or a map */
  name: string | undefined;
  schema: Schema;
}

export function fieldProblems(root: Schema): Complaint[] {
  return Object.entries(root.properties ?? {})
    .filter(([name]) => name !== 'metadata')
    .flatMap(([name, schema]) => below(name, { name, schema }))
    .concat(rulesOf(root).map((found) => ({ ...found, path: '(root)' })));
}

function below(path: string, field: Field): Complaint[] {
  const { properties = {}, items, additionalProperties } = field.schema;
  const values = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  return [
    ...RULES.flatMap((rule) => rule(field)).map((found) => ({ ...found, path })),
    ...Object.entries(properties).flatMap(([name, schema]) => below(`${path}.${name}`, { name, schema })),
    ...(items === undefined ? [] : below(`${path}[]`, { name: undefined, schema: items })),
    ...(values === undefined ? [] : below(`${path}.*`, { name: undefined, schema: values })),
  ];
}

const RULES: readonly ((field: Field) => Found[])[] = [
  described,
  named,
  bounded,
  worded,
  listed,
  ({ schema }) => rulesOf(schema),
];

function described({ schema }: Field): Found[] {
  return (schema.description ?? '').trim() === ''
    ? [{ rule: 'described', what: 'no description', remedy: 'say what it means and in which unit' }]
    : [];
}

function named({ name }: Field): Found[] {
  return name === undefined || /^[a-z][a-zA-Z0-9]*$/.test(name)
    ? []
    : [{ rule: 'camel-case', what: 'not in camelCase', remedy: 'rename it' }];
}

function bounded({ schema }: Field): Found[] {
  const need = missingBound(schema);
  return need === undefined ? [] : [{ rule: 'bounded', what: 'no bound', remedy: need }];
}

/** What would bound the field; undefined when it is bounded. */
function missingBound(schema: Schema): string | undefined {
  if (schema.enum !== undefined) return undefined;
  if (schema['x-kubernetes-int-or-string'] === true)
    return schema.maxLength === undefined ? 'set maxLength' : undefined;
  switch (schema.type) {
    case 'string':
      return schema.maxLength === undefined && !BOUNDED_FORMATS.has(schema.format ?? '')
        ? 'set maxLength, enum or a format that the API server checks'
        : undefined;
    case 'integer':
    case 'number':
      return schema.maximum === undefined && schema.format === undefined
        ? 'set maximum or format'
        : undefined;
    case 'array':
      return schema.maxItems === undefined ? 'set maxItems' : undefined;
    case 'object':
      return missingBoundOfObject(schema);
    case 'boolean':
      return undefined;
    default:
      return 'set a type';
  }
}

function missingBoundOfObject(schema: Schema): string | undefined {
  const open =
    schema.additionalProperties !== undefined || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (open) return schema.maxProperties === undefined ? 'set maxProperties' : undefined;
  return schema.properties === undefined ? 'name its properties: the API server drops all others' : undefined;
}

function worded({ schema }: Field): Found[] {
  return (schema.enum ?? []).flatMap((word) =>
    typeof word !== 'string' || /^[A-Z][A-Za-z0-9]*$/.test(word) || STANDARD_WORDS.has(word)
      ? []
      : [
          {
            rule: 'enum-words',
            what: `${word} is not in CamelCase`,
            remedy: 'rename it, or name its standard',
          },
        ],
  );
}

function listed({ schema }: Field): Found[] {
  if (schema.type !== 'array') return [];
  const { items = {}, 'x-kubernetes-list-type': type, 'x-kubernetes-list-map-keys': keys = [] } = schema;
  const found = (what: string, remedy: string): Found[] => [{ rule: 'list-type', what, remedy }];
  if (type === undefined) return found('no x-kubernetes-list-type', 'map with keys, set or atomic');
  const natural = NATURAL_KEYS.find(
    (key) => items.required?.includes(key) === true && items.properties?.[key] !== undefined,
  );
  if (type !== 'map')
    return natural === undefined
      ? []
      : found(
          `its items have the key ${natural}`,
          `x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [${natural}]`,
        );
  if (keys.length === 0) return found('a map without keys', 'set x-kubernetes-list-map-keys');
  return keys
    .filter((key) => items.required?.includes(key) !== true && items.properties?.[key]?.default === undefined)
    .flatMap((key) => found(`the key ${key} may be missing in an item`, 'require it, or give it a default'));
}

/** The CEL rules of a place: without a message the user would be shown the expression. */
function rulesOf({ 'x-kubernetes-validations': rules = [] }: Schema): Found[] {
  return rules
    .filter(
      ({ message = '', messageExpression = '' }) => message.trim() === '' && messageExpression.trim() === '',
    )
    .map(({ rule }) => ({
      rule: 'cel-message',
      what: `the rule ${rule} has no message`,
      remedy: 'say what would be accepted',
    }));
}
