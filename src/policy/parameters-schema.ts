/**
 * Whether what a user wrote as a schema of parameters is one: a structural schema in the sense of Kubernetes, made of the
 * words that the local validation knows.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
import { RE2JS } from 're2js';
import { isRecord } from '../runtime/json.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Problem } from './problems.ts';

/** Parts and levels of a schema: far more than a rule has parameters, far less than the stack holds. */
const MAX_PARTS = 2_000;
const MAX_DEPTH = 32;

const TYPES: readonly unknown[] = ['object', 'array', 'string', 'integer', 'number', 'boolean'];

const isText = (value: unknown): boolean => typeof value === 'string';
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isNumber = (value: unknown): boolean => typeof value === 'number';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

type Word = readonly [holds: (value: unknown) => boolean, accepted: string];

const TEXT: Word = [isText, 'a string'];
const FLAG: Word = [isFlag, 'true or false'];
const NUMBER: Word = [isNumber, 'a number'];
const COUNT: Word = [isCount, 'an integer of at least 0'];
const ANYTHING: Word = [() => true, 'any value'];
const RULES: Word = [
  (value) => Array.isArray(value) && value.every((rule) => isRecord(rule) && isText(rule['rule'])),
  'a list of objects with a rule in CEL',
];

/** Every word that may stand in a schema, but for those that hold schemas. */
const WORDS: Readonly<Record<string, Word>> = {
  type: [(value) => TYPES.includes(value), TYPES.join(', ')],
  description: TEXT,
  title: TEXT,
  format: TEXT,
  example: ANYTHING,
  externalDocs: ANYTHING,
  default: ANYTHING,
  pattern: [isPattern, 'an RE2 expression'],
  enum: [(value) => Array.isArray(value) && value.length > 0, 'a list of at least one value'],
  required: [isTexts, 'a list of names of fields'],
  minimum: NUMBER,
  maximum: NUMBER,
  multipleOf: [(value) => isNumber(value) && Number(value) > 0, 'a number above 0'],
  exclusiveMinimum: FLAG,
  exclusiveMaximum: FLAG,
  nullable: FLAG,
  minLength: COUNT,
  maxLength: COUNT,
  minItems: COUNT,
  maxItems: COUNT,
  minProperties: COUNT,
  maxProperties: COUNT,
  'x-kubernetes-int-or-string': FLAG,
  'x-kubernetes-preserve-unknown-fields': FLAG,
  'x-kubernetes-embedded-resource': FLAG,
  'x-kubernetes-list-type': [
    (value) => isText(value) && /^(atomic|set|map)$/.test(String(value)),
    'atomic, set, map',
  ],
  'x-kubernetes-list-map-keys': [isTexts, 'a list of names of fields'],
  'x-kubernetes-map-type': [
    (value) => isText(value) && /^(atomic|granular)$/.test(String(value)),
    'atomic, granular',
  ],
  'x-kubernetes-validations': RULES,
};

const NESTED: ReadonlySet<string> = new Set(['properties', 'items', 'additionalProperties']);

function isPattern(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  try {
    RE2JS.compile(value);
    return true;
  } catch {
    return false;
  }
}

/** What keeps `schema` from being a structural schema; `path` is what its root is called. Empty when it is one. */
export function schemaProblems(schema: unknown, path: string): Problem[] {
  const problems: Problem[] = [];
  const count = { parts: 0 };
  visit(schema, path, 0, count, problems);
  if (isRecord(schema) && problems.length === 0 && schema['type'] !== 'object')
    problems.push(wrong(`${path}.type`, 'parameters are an object', 'type: object'));
  return problems;
}

function visit(
  schema: unknown,
  path: string,
  depth: number,
  count: { parts: number },
  problems: Problem[],
): void {
  count.parts += 1;
  if (depth > MAX_DEPTH || count.parts > MAX_PARTS) {
    // Once is enough: everything that follows is beyond the limit as well.
    if (count.parts <= MAX_PARTS + 1)
      problems.push(wrong(path, 'the schema is too large or too deep', `at most ${String(MAX_PARTS)} parts`));
    count.parts = MAX_PARTS + 1;
    return;
  }
  if (!isRecord(schema)) {
    problems.push(wrong(path, 'is no schema', 'an object such as {type: string}'));
    return;
  }
  problems.push(...ownProblems(schema, path));
  const { properties = {}, items, additionalProperties } = schema;
  if (!isRecord(properties)) problems.push(wrong(`${path}.properties`, 'is no object', 'schemas by field'));
  else {
    for (const [name, field] of Object.entries(properties))
      visit(field, `${path}.properties.${name}`, depth + 1, count, problems);
  }
  if (items !== undefined) visit(items, `${path}.items`, depth + 1, count, problems);
  if (additionalProperties !== undefined && additionalProperties !== true)
    visit(additionalProperties, `${path}.additionalProperties`, depth + 1, count, problems);
}

function ownProblems(schema: Record<string, unknown>, path: string): Problem[] {
  const problems = Object.entries(schema).flatMap(([word, value]) => {
    if (NESTED.has(word)) return [];
    const known = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    if (known === undefined)
      return [wrong(`${path}.${word}`, 'is no word of a schema that is known here', ALL)];
    const [holds, accepted] = known;
    return holds(value) ? [] : [wrong(`${path}.${word}`, `${shown(value)} has no meaning here`, accepted)];
  });
  const { type } = schema;
  const open =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (type === undefined && !open) problems.push(wrong(`${path}.type`, 'is required', TYPES.join(', ')));
  const elsewhere = (['properties', 'additionalProperties'] as const).find(
    (word) => schema[word] !== undefined,
  );
  if (elsewhere !== undefined && type !== undefined && type !== 'object')
    problems.push(wrong(`${path}.${elsewhere}`, `means nothing to type ${shown(type)}`, 'type: object'));
  if (type === 'array' && schema['items'] === undefined)
    problems.push(wrong(`${path}.items`, 'is required', 'the schema of the items'));
  return problems;
}

const ALL = [...Object.keys(WORDS), ...NESTED].sort().join(', ');

function shown(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? 'this' : text.slice(0, 80);
}

function wrong(file: string, message: string, accepted: string): Problem {
  return { file, code: 'bad_schema', message, remedy: `accepted: ${accepted}` };
}

/** For a schema that passed, and yet cannot be compiled: an unknown format, a CEL rule that is none. */
export function uncompilable(file: string, error: unknown): Problem {
  return { file, code: 'bad_schema', message: messageOf(error) };
}
