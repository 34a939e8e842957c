/** Object metadata: what Go's ObjectMeta takes in, and what apimachinery/pkg/api/validation says of it. */
import { isInt64, viewOf, isObject } from './numbers.ts';
import {
  LABEL_ACCEPTED,
  labelProblems,
  labelValueProblems,
  prefixOf,
  QUALIFIED_ACCEPTED,
  qualifiedNameProblems,
  subdomainProblems,
  SUBDOMAIN_ACCEPTED,
} from './names.ts';
import type { Problem } from './problem.ts';
import { copyOf } from './prune.ts';

export type Metadata = Record<string, unknown>;

const isString = (value: unknown): boolean => typeof value === 'string';
const isTime = (value: unknown): boolean =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value);
const isInteger = (value: unknown): boolean => isInt64(viewOf(value));
const isStringMap = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every((item) => item === null || isString(item));
const isListOf = (test: (item: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(test);

const FIELDS: Readonly<Record<string, readonly [accepts: (value: unknown) => boolean, accepted: string]>> = {
  name: [isString, 'a string'],
  generateName: [isString, 'a string'],
  namespace: [isString, 'a string'],
  selfLink: [isString, 'a string'],
  uid: [isString, 'a string'],
  resourceVersion: [isString, 'a string'],
  generation: [isInteger, 'an integer'],
  creationTimestamp: [isTime, 'a time such as 2030-01-02T03:04:05Z'],
  deletionTimestamp: [isTime, 'a time such as 2030-01-02T03:04:05Z'],
  deletionGracePeriodSeconds: [isInteger, 'an integer'],
  labels: [isStringMap, 'a map of strings'],
  annotations: [isStringMap, 'a map of strings'],
  finalizers: [isListOf(isString), 'a list of strings'],
  ownerReferences: [isListOf(isObject), 'a list of objects'],
  managedFields: [isListOf(isObject), 'a list of objects'],
};

/** Known fields of their type; a null is "not set". A wrong type is a problem, an unknown field is left out. */
export function readMetadata(value: unknown, path: string): { metadata: Metadata; problems: Problem[] } {
  const problems: Problem[] = [];
  if (value === undefined || value === null) return { metadata: {}, problems };
  if (!isObject(value)) return { metadata: {}, problems: [wrongType(path, 'an object')] };
  const metadata: Metadata = {};
  for (const [field, [accepts, accepted]] of Object.entries(FIELDS)) {
    const given = value[field];
    if (!Object.hasOwn(value, field) || given === undefined || given === null) continue;
    if (accepts(given)) metadata[field] = withoutNulls(given);
    else problems.push(wrongType(`${path}.${field}`, accepted));
  }
  return { metadata, problems };
}

/** Go reads a null in a map of strings as the empty string. */
function withoutNulls(value: unknown): unknown {
  if (!isObject(value)) return copyOf(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, item ?? '']));
}

function wrongType(path: string, accepted: string): Problem {
  return { code: 'FieldValueTypeInvalid', path, message: 'has the wrong type', accepted };
}

function problemsOf(path: string, messages: readonly string[], accepted: string): Problem[] {
  return messages.map((message) => ({ code: 'FieldValueInvalid', path, message, accepted }));
}

/** With the name that the API server would make up, or one like it: it judges what it made, too. */
export function named(metadata: Metadata): Metadata {
  const generateName = text(metadata['generateName']);
  if (text(metadata['name']) !== '' || generateName === '') return metadata;
  return { ...metadata, name: `${generateName.slice(0, MOST_PREFIX)}${GENERATED}` };
}

const MOST_PREFIX = 58;
const GENERATED = 'x7k2p';

/** Of an object that is to be created and has its name. */
export function createProblems(metadata: Metadata, namespaced: boolean): Problem[] {
  const name = text(metadata['name']);
  const generateName = text(metadata['generateName']);
  const namespace = text(metadata['namespace']);
  const problems: Problem[] = [];
  const prefixProblems = generateName === '' ? [] : subdomainProblems(prefixOf(generateName));
  problems.push(...problemsOf('metadata.generateName', prefixProblems, SUBDOMAIN_ACCEPTED));
  if (name === '') {
    const message = 'is required, or metadata.generateName';
    problems.push({
      code: 'FieldValueRequired',
      path: 'metadata.name',
      message,
      accepted: SUBDOMAIN_ACCEPTED,
    });
  } else problems.push(...problemsOf('metadata.name', subdomainProblems(name), SUBDOMAIN_ACCEPTED));
  if (namespaced && namespace !== '') {
    problems.push(...problemsOf('metadata.namespace', labelProblems(namespace), LABEL_ACCEPTED));
  } else if (!namespaced && namespace !== '') {
    const message = 'must not be set: the kind is cluster-scoped';
    problems.push({ code: 'FieldValueForbidden', path: 'metadata.namespace', message });
  }
  return [...problems, ...commonProblems(metadata, 'metadata')];
}

/** Of an object that is to replace another. */
export function updateProblems(metadata: Metadata, old: Metadata): Problem[] {
  const changed = ['name', 'namespace'].filter((field) => text(metadata[field]) !== text(old[field]));
  return [
    ...changed.flatMap((field) =>
      problemsOf(`metadata.${field}`, ['must not be changed'], `"${text(old[field])}"`),
    ),
    ...commonProblems(metadata, 'metadata'),
  ];
}

/** Labels and annotations. */
export function commonProblems(metadata: Metadata, path: string): Problem[] {
  const problems: Problem[] = [];
  for (const [key, value] of mapEntries(metadata['labels'])) {
    problems.push(...keyed(`${path}.labels`, key, qualifiedNameProblems(key), QUALIFIED_ACCEPTED));
    const accepted = "at most 63 letters, digits, '-', '_' and '.'";
    problems.push(...keyed(`${path}.labels`, value, labelValueProblems(value), accepted));
  }
  let size = 0;
  for (const [key, value] of mapEntries(metadata['annotations'])) {
    size += bytes.encode(key).length + bytes.encode(value).length;
    const messages = qualifiedNameProblems(key.toLowerCase());
    problems.push(...keyed(`${path}.annotations`, key, messages, QUALIFIED_ACCEPTED));
  }
  if (size > MOST_ANNOTATIONS) {
    const message = `are ${String(size)} bytes long`;
    const accepted = `at most ${String(MOST_ANNOTATIONS)} bytes of keys and values`;
    problems.push({ code: 'FieldValueTooLong', path: `${path}.annotations`, message, accepted });
  }
  return problems;
}

const MOST_ANNOTATIONS = 256 * 1024;
const bytes = new TextEncoder();

function keyed(path: string, key: string, messages: readonly string[], accepted: string): Problem[] {
  return problemsOf(
    path,
    messages.map((message) => `"${key}" ${message}`),
    accepted,
  );
}

function mapEntries(value: unknown): [string, string][] {
  return isObject(value) ? Object.entries(value).map(([key, item]) => [key, text(item)]) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
