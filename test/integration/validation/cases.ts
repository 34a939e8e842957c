/** The objects that both judges are shown: creations, updates of stored objects, and updates of their status. */
import type { CustomResourceDefinition } from '../../../src/runtime/schema.ts';
import { storedVersion } from '../../../src/runtime/schema.ts';
import { ABSENT, goodPart, pick, placesOf, randomValue, valuesFor, withValue, type Json } from './objects.ts';
import { FORMAT_TEXTS, RULE_VALUES } from './semantics.ts';

export interface Case {
  name: string;
  object: Json;
  /** what is stored, for an update */
  old?: Json;
  subresource?: 'status';
}

type Random = () => number;

interface Maker {
  crd: CustomResourceDefinition;
  stored: readonly Json[];
  random: Random;
  create(fields: Json, metadata?: unknown): Json;
}

function makerOf(crd: CustomResourceDefinition, stored: readonly Json[], random: Random): Maker {
  const { group, names, scope } = crd.spec;
  const metadata = { name: 'made', ...(scope === 'Namespaced' ? { namespace: 'default' } : {}) };
  const apiVersion = `${group}/${storedVersion(crd).name}`;
  return {
    crd,
    stored,
    random,
    create: (fields, given) => ({ apiVersion, kind: names.kind, metadata: given ?? metadata, ...fields }),
  };
}

/** Every place of the part, with each value of its schema's list. */
function leafCases(maker: Maker, part: 'spec' | 'status'): Case[] {
  const schema = storedVersion(maker.crd).schema.openAPIV3Schema.properties?.[part];
  if (schema === undefined) return [];
  const bases = new Map<unknown, unknown>();
  return placesOf(schema).flatMap(({ steps, schema: leaf }) => {
    const [top] = steps;
    const base = (bases.get(top) ?? goodPart(maker.crd, part, maker.random, top)) as Json;
    bases.set(top, base);
    return valuesFor(leaf).map(([name, value]) => {
      const fields = { [part]: withValue(base, steps, value) };
      return caseOf(maker, `${part}.${steps.join('.')} = ${name}`, part, fields);
    });
  });
}

function caseOf(maker: Maker, name: string, part: 'spec' | 'status', fields: Json): Case {
  if (part === 'spec') return { name: `create ${name}`, object: maker.create(fields) };
  const [old = {}] = maker.stored;
  return { name: `status ${name}`, object: { ...old, ...fields }, old, subresource: 'status' };
}

/** Random parts, mostly good: creations and updates of what is stored. */
function randomCases(maker: Maker, count: number): Case[] {
  const schema = storedVersion(maker.crd).schema.openAPIV3Schema.properties?.['spec'] ?? {};
  return Array.from({ length: count }, (_, at) => {
    const spec = randomValue(schema, maker.random);
    if (at % 2 === 0) return { name: `create at random ${String(at)}`, object: maker.create({ spec }) };
    const old = pick(maker.random, maker.stored);
    return { name: `update at random ${String(at)}`, object: { ...old, spec }, old };
  });
}

/** One change to what is stored: what did not change is not judged again. */
function updateCases(maker: Maker, count: number): Case[] {
  const schema = storedVersion(maker.crd).schema.openAPIV3Schema.properties?.['spec'] ?? {};
  const places = placesOf(schema);
  return Array.from({ length: count }, () => {
    const old = pick(maker.random, maker.stored);
    const { steps, schema: leaf } = pick(maker.random, places);
    const [name, value] = pick(maker.random, valuesFor(leaf));
    const object = { ...old, spec: withValue((old['spec'] ?? {}) as Json, steps, value) };
    return { name: `update spec.${steps.join('.')} = ${name}`, object, old };
  });
}

const NAMES = [
  'a',
  'A',
  '',
  '-a',
  'a-',
  'a.b',
  'a..b',
  'a_b',
  'é',
  'a/b',
  'x'.repeat(128),
  'x'.repeat(129),
  'x'.repeat(253),
  'x'.repeat(254),
];

function metadataCases(maker: Maker): Case[] {
  const spec = goodPart(maker.crd, 'spec', maker.random);
  const { metadata } = maker.create({});
  const fixed = metadata as Json;
  const given: unknown[] = [
    ...NAMES.map((name) => ({ ...fixed, name })),
    ...NAMES.map((generateName) => ({ ...fixed, name: undefined, generateName })),
    { ...fixed, labels: { a: 'b', 'x.y/z': '' } },
    { ...fixed, labels: { 'a b': 'b' } },
    { ...fixed, labels: { a: 'b c', b: '-' } },
    { ...fixed, labels: { a: null } },
    { ...fixed, labels: { a: 1 } },
    { ...fixed, labels: ['a'] },
    { ...fixed, annotations: { 'A/B': 'x', 'a/b/c': 'y', '/x': 'z' } },
    { ...fixed, annotations: { a: 'x'.repeat(262_144) } },
    { ...fixed, annotations: { a: 'x'.repeat(262_143) } },
    { ...fixed, unknown: 1, creationTimestamp: null },
    { ...fixed, creationTimestamp: 'yesterday' },
    { ...fixed, generation: 'x' },
    null,
    'text',
    [],
  ];
  return given.map((value) => ({
    name: `create metadata ${JSON.stringify(value).slice(0, 60)}`,
    object: { ...maker.create({ spec }), metadata: value },
  }));
}

function wholeCases(maker: Maker): Case[] {
  const good = maker.create({ spec: goodPart(maker.crd, 'spec', maker.random) });
  const without = (field: string): Json => withValue(good, [field], ABSENT);
  return [
    { name: 'as it is', object: good },
    { name: 'no spec', object: without('spec') },
    { name: 'null spec', object: { ...good, spec: null } },
    { name: 'list spec', object: { ...good, spec: [] } },
    { name: 'unknown field', object: { ...good, unknown: 1 } },
    { name: 'wrong kind', object: { ...good, kind: 'Other' } },
    { name: 'wrong group', object: { ...good, apiVersion: 'other/v1' } },
    { name: 'a bad status is not looked at', object: { ...good, status: 'bad' } },
    ...maker.stored.map((old) => ({ name: 'update without a change', object: old, old })),
  ];
}

/** At least 300 for any schema of a few fields. */
export function casesOf(crd: CustomResourceDefinition, stored: readonly Json[], random: Random): Case[] {
  const maker = makerOf(crd, stored, random);
  const hasStatus = storedVersion(crd).subresources?.status !== undefined;
  return [
    ...wholeCases(maker),
    ...metadataCases(maker),
    ...leafCases(maker, 'spec'),
    ...(hasStatus ? leafCases(maker, 'status') : []),
    ...randomCases(maker, 80),
    ...updateCases(maker, 120),
  ];
}

/** For the CRD of all words: each rule with values on both sides of it, each format with texts at its edge. */
export function semanticCases(crd: CustomResourceDefinition, stored: readonly Json[]): Case[] {
  const maker = makerOf(crd, stored, () => 0.5);
  const [old = {}] = stored;
  const oldSpec = old['spec'] as Json;
  const rules = Object.entries(RULE_VALUES).flatMap(([field, values]) =>
    values.flatMap((value): Case[] => {
      const spec = { formats: {}, rules: { [field]: value } };
      const update = {
        ...old,
        spec: { ...oldSpec, rules: { ...(oldSpec['rules'] as Json | undefined), [field]: value } },
      };
      const label = `rules.${field} = ${JSON.stringify(value)}`;
      return [
        { name: `create ${label}`, object: maker.create({ spec }) },
        { name: `update ${label}`, object: update, old },
      ];
    }),
  );
  const names = Object.keys(
    storedVersion(crd).schema.openAPIV3Schema.properties?.['spec']?.properties?.['formats']?.properties ?? {},
  );
  // One object holds the text in every format at once: the fields that are named tell them apart.
  const formats = FORMAT_TEXTS.map((value) => ({
    name: `create formats = ${JSON.stringify(value)}`,
    object: maker.create({ spec: { formats: Object.fromEntries(names.map((name) => [name, value])) } }),
  }));
  return [...rules, ...formats];
}
