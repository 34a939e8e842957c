/** Good and bad objects of a CRD, made from its schema: every leaf at, below and above each of its bounds, and at random. */
import { parseJson } from '../../../src/runtime/json.ts';
import type { CustomResourceDefinition, Schema } from '../../../src/runtime/schema.ts';
import { storedVersion } from '../../../src/runtime/schema.ts';
import { validate } from '../../../src/runtime/validation/validate.ts';
import { RE2JS } from 're2js';

export type Json = Record<string, unknown>;
type Random = () => number;
type Step = string | number;

/** Text for strings of any schema; what a pattern or format wants is found among these. */
const TEXTS = [
  'a',
  'A',
  'x',
  'Deployment',
  'apps',
  '*',
  'default',
  'web-1',
  '10Gi',
  '2030-01-02T03:04:05Z',
  '2030-01-02',
  '1h30m',
  '30d',
  'aGVsbG8=',
  '192.0.2.1',
  '2001:db8::1',
  '192.0.2.0/24',
  'https://example.com/a',
  '123e4567-e89b-12d3-a456-426614174000',
  'www.example.com',
  '00:00:5e:00:53:01',
  'v1',
];

export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

function randomText(schema: Schema, random: Random): string {
  const fits = (text: string): boolean =>
    text.length >= (schema.minLength ?? 0) &&
    text.length <= (schema.maxLength ?? Infinity) &&
    (schema.pattern === undefined || RE2JS.compile(schema.pattern).matcher(text).find()) &&
    (schema.format === undefined || formatFits(schema, text));
  const suffix = random().toString(36).slice(2, 6);
  const found = [...TEXTS, `a${suffix}`, `A${suffix}`].filter(fits);
  return found.length > 0 ? pick(random, found) : 'a'.repeat(schema.minLength ?? 1);
}

function formatFits(schema: Schema, text: string): boolean {
  const holder = { type: 'object', properties: { it: schema } } as const;
  return validate(crdOf(holder), objectOf({ spec: { it: text } })).problems.length === 0;
}

const holders = new WeakMap<object, CustomResourceDefinition>();

/** A CRD whose spec has the schema. */
export function crdOf(spec: Schema): CustomResourceDefinition {
  const key = spec.properties?.['it'] ?? spec;
  const known = holders.get(key);
  if (known !== undefined) return known;
  const crd: CustomResourceDefinition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.test.cogniforge.dev' },
    spec: {
      group: 'test.cogniforge.dev',
      scope: 'Cluster',
      names: { kind: 'Thing', listKind: 'ThingList', plural: 'things', singular: 'thing' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        },
      ],
    },
  };
  holders.set(key, crd);
  return crd;
}

export function objectOf(fields: Json, name = 'thing'): Json {
  return { apiVersion: 'test.cogniforge.dev/v1', kind: 'Thing', metadata: { name }, ...fields };
}

/** A value that mostly fits. `full`: every optional field, one item in every list. */
export function randomValue(schema: Schema, random: Random, full = false): unknown {
  if (schema.enum !== undefined) return pick(random, schema.enum);
  if (schema['x-kubernetes-int-or-string'] === true) {
    return random() < 0.5 ? Math.floor(random() * 100) : randomText(schema, random);
  }
  switch (schema.type) {
    case 'object':
      return randomObject(schema, random, full);
    case 'array': {
      const { items = {}, minItems = 0, maxItems = 3 } = schema;
      const count = Math.min(maxItems, Math.max(minItems, full ? 1 : Math.floor(random() * 3)));
      return Array.from({ length: count }, () => randomValue(items, random, full));
    }
    case 'string':
      return randomText(schema, random);
    case 'boolean':
      return random() < 0.5;
    case 'integer':
      return Math.floor(numberIn(schema, random));
    case 'number':
      return numberIn(schema, random);
    default:
      return { any: randomText({}, random) };
  }
}

function numberIn({ minimum = -1000, maximum = minimum + 5000 }: Schema, random: Random): number {
  return minimum + random() * (maximum - minimum);
}

function randomObject(schema: Schema, random: Random, full: boolean): Json {
  const { properties = {}, required = [], additionalProperties } = schema;
  const object: Json = {};
  if (schema['x-kubernetes-embedded-resource'] === true) {
    Object.assign(object, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pod' } });
  }
  for (const [name, field] of Object.entries(properties)) {
    if (full || required.includes(name) || random() < 0.4) object[name] = randomValue(field, random, full);
  }
  if (typeof additionalProperties === 'object') {
    for (const key of ['app', 'tier'].slice(0, full ? 1 : Math.floor(random() * 3))) {
      object[key] = randomValue(additionalProperties, random, full);
    }
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) object['anything'] = { deep: [1, null, 'x'] };
  return object;
}

/** A place in an object: a leaf, a list or an object of the schema. */
export interface Place {
  steps: readonly Step[];
  schema: Schema;
}

/** Every place of a full object. */
export function placesOf(schema: Schema, steps: readonly Step[] = []): Place[] {
  const { properties = {}, items, additionalProperties } = schema;
  return [
    ...(steps.length === 0 ? [] : [{ steps, schema }]),
    ...Object.entries(properties).flatMap(([name, field]) => placesOf(field, [...steps, name])),
    ...(items === undefined ? [] : placesOf(items, [...steps, 0])),
    ...(typeof additionalProperties === 'object' ? placesOf(additionalProperties, [...steps, 'app']) : []),
  ];
}

export const ABSENT = Symbol('absent');

/** What is put in a place, by name: around each bound of the schema, and of every wrong sort. */
export function valuesFor(schema: Schema): [name: string, value: unknown][] {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, maxProperties, items } = schema;
  const around = (
    name: string,
    limit: number | undefined,
    make: (size: number) => unknown,
  ): [string, unknown][] =>
    limit === undefined
      ? []
      : ([-1, 0, 1] as const)
          .filter((delta) => limit + delta >= 0 || name.endsWith('imum'))
          .map((delta) => [`${name}${delta < 0 ? '-1' : delta > 0 ? '+1' : ''}`, make(limit + delta)]);
  const listOf = (size: number): unknown[] =>
    Array.from({ length: size }, (_, at) => (items?.type === 'string' ? `x${String(at)}` : {}));
  return [
    ['absent', ABSENT],
    ['null', null],
    ['empty string', ''],
    ['empty list', []],
    ['empty object', {}],
    ['string', 'some-text'],
    ['number', 12],
    ['fraction', 12.5],
    ['boolean', true],
    ['list', ['x', 'x', null]],
    ['object', { unknown: { deep: 1 }, app: 'x' }],
    ['beyond 2^53', parseJson('9007199254740993')],
    ['beyond int64', parseJson('9223372036854775808')],
    ['1e300', 1e300],
    ['negative', -1],
    ...(schema.type === 'object'
      ? ([['prototype', JSON.parse('{"__proto__":{"a":1},"constructor":2}')]] as const)
      : []),
    ...around('minimum', minimum, (value) => value),
    ...around('maximum', maximum, (value) => value),
    ...around('minLength', minLength, (size) => 'é'.repeat(size)),
    ...around('maxLength', maxLength, (size) => 'x'.repeat(size)),
    ...around('wide maxLength', maxLength, (size) => '😀'.repeat(size)).slice(1),
    ...around('minItems', minItems, listOf),
    ...around('maxItems', maxItems, listOf),
    ...around('maxProperties', maxProperties, (size) =>
      Object.fromEntries(Array.from({ length: size }, (_, at) => [`k${String(at)}`, 'v'])),
    ),
  ].map(([name, value]) => [String(name), value]);
}

/** A copy with a value at the place; objects and lists on the way are made where they are missing. */
export function withValue(object: Json, steps: readonly Step[], value: unknown): Json {
  const [step, ...rest] = steps;
  if (step === undefined) return value as Json;
  const holder: unknown = typeof step === 'number' ? [...(object as unknown as unknown[])] : { ...object };
  const fields = holder as Record<Step, unknown>;
  if (rest.length > 0)
    fields[step] = withValue((fields[step] ?? (typeof rest[0] === 'number' ? [] : {})) as Json, rest, value);
  else if (value !== ABSENT) fields[step] = value;
  else if (Array.isArray(holder)) holder.splice(Number(step), 1);
  else Reflect.deleteProperty(fields, step);
  return holder as Json;
}

/**
 * A part of the object (spec or status) that is good and has the field: what is complained about is left out, and where
 * the complaint is about the whole, some optional field.
 */
export function goodPart(
  crd: CustomResourceDefinition,
  part: 'spec' | 'status',
  random: Random,
  keep?: Step,
): unknown {
  const schema = storedVersion(crd).schema.openAPIV3Schema.properties?.[part] ?? {};
  const fixed = new Set<Step | undefined>([keep, ...(schema.required ?? [])]);
  for (let tries = 0; tries < 100; tries += 1) {
    let candidate = randomValue(schema, random, true) as Json;
    for (let cuts = 0; cuts < 100; cuts += 1) {
      const [problem] = judged(crd, part, candidate).problems;
      if (problem === undefined) return candidate;
      const steps = stepsOf(problem.path).slice(1);
      const [top = pick(random, Object.keys(candidate))] = steps;
      const cut = steps.length > 1 ? steps : [top];
      if (cut.length === 1 && fixed.has(top)) {
        if (steps.length > 0) break;
        continue;
      }
      candidate = withValue(candidate, cut, ABSENT);
    }
  }
  throw new Error(`no good ${part} of ${crd.spec.names.kind} with ${String(keep)} was found`);
}

/** `spec.kinds[0].name` as steps. */
function stepsOf(path: string): Step[] {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, at, name = '']) =>
    at === undefined ? name : Number(at),
  );
}

function judged(crd: CustomResourceDefinition, part: 'spec' | 'status', value: unknown) {
  const version = storedVersion(crd);
  const { group, names } = crd.spec;
  const object = {
    apiVersion: `${group}/${version.name}`,
    kind: names.kind,
    metadata: { name: 'good' },
    [part]: value,
  };
  return validate(crd, object, undefined, part === 'status' ? { subresource: 'status' } : {});
}
