/** The Kubernetes objects in a stream: what `kubectl apply -f` would send, before a cluster sees it. */
import { isRawJson, isRecord } from '../json.ts';
import type { Unstructured } from '../resource.ts';
import { parseYaml, type YamlOptions } from '../yaml.ts';

export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

type Check = readonly [what: string, holds: (value: unknown) => boolean];

const isString = (value: unknown): boolean => typeof value === 'string';
const STRING: Check = ['a string', isString];
const STRINGS: Check = [
  'a mapping of strings',
  // A null among them is an empty string to Go, and stays a null on the wire.
  (value) => isRecord(value) && Object.values(value).every((item) => item === null || isString(item)),
];
const INTEGER: Check = ['an integer', (value) => Number.isInteger(value) || isRawJson(value)];
const OBJECTS: Check = ['a list of mappings', (value) => Array.isArray(value) && value.every(isRecord)];

/** The fields of ObjectMeta, whose types kubectl knows for every kind. */
const METADATA: Readonly<Record<string, Check>> = {
  name: STRING,
  generateName: STRING,
  namespace: STRING,
  selfLink: STRING,
  uid: STRING,
  resourceVersion: STRING,
  generation: INTEGER,
  creationTimestamp: STRING,
  deletionTimestamp: STRING,
  deletionGracePeriodSeconds: INTEGER,
  labels: STRINGS,
  annotations: STRINGS,
  ownerReferences: OBJECTS,
  finalizers: ['a list of strings', (value) => Array.isArray(value) && value.every(isString)],
  managedFields: OBJECTS,
};

/**
 * In file order, the items of a list (any object with a list `items`) in its place. Throws YamlError for the text,
 * ManifestError for a document that is no Kubernetes object.
 */
export function parseManifests(source: string | Uint8Array, options: YamlOptions = {}): Unstructured[] {
  const documents = parseYaml(source, options);
  return documents.flatMap((document, index) => {
    const place = documents.length === 1 ? '' : `document ${String(index + 1)}: `;
    try {
      return objectsIn(document);
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      const file = options.file === undefined ? '' : `${options.file}: `;
      throw new ManifestError(`${file}${place}${error.message}`);
    }
  });
}

function objectsIn(document: unknown): Unstructured[] {
  if (!isRecord(document)) throw new ManifestError('expected a mapping with apiVersion and kind');
  const { items } = document;
  if (items === undefined) return [objectOf(document)];
  const { apiVersion, kind } = document;
  checkType(document);
  if (!Array.isArray(items)) throw new ManifestError('items must be a list of objects');
  return items.map((item: unknown, index) => {
    const path = `items[${String(index)}]`;
    if (!isRecord(item)) throw new ManifestError(`${path} must be a mapping`);
    if (item['items'] !== undefined) throw new ManifestError(`${path} is a list itself`);
    // The items of a ConfigMapList need not repeat what they are.
    const itemKind = item['kind'] ?? (kind === 'List' ? undefined : String(kind).replace(/List$/, ''));
    return objectOf({ ...item, apiVersion: item['apiVersion'] ?? apiVersion, kind: itemKind }, `${path}.`);
  });
}

function objectOf(object: Record<string, unknown>, path = ''): Unstructured {
  checkType(object, path);
  const metadata = object['metadata'] ?? {};
  if (!isRecord(metadata)) throw new ManifestError(`${path}metadata must be a mapping`);
  for (const [field, value] of Object.entries(metadata)) {
    const check = Object.hasOwn(METADATA, field) ? METADATA[field] : undefined;
    if (check !== undefined && value !== null && !check[1](value))
      throw new ManifestError(`${path}metadata.${field} must be ${check[0]}; is a value to be quoted?`);
  }
  return object as Unstructured;
}

function checkType(object: Record<string, unknown>, path = ''): void {
  for (const field of ['apiVersion', 'kind'])
    if (typeof object[field] !== 'string' || object[field] === '')
      throw new ManifestError(`${path}${field} must be a string that is not empty`);
}
