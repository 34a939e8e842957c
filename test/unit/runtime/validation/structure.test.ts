/** Each word of a structural schema on both sides of its bound, and the places where kube-openapi goes its own way. */
import { describe, expect, it } from '@jest/globals';
import type { Schema } from '../../../../src/runtime/schema.ts';
import { describeProblem } from '../../../../src/runtime/validation/problem.ts';
import { compileValidator, validate } from '../../../../src/runtime/validation/validate.ts';
import { check, crdOf, judge, thing } from './thing.ts';

const text: Schema = { type: 'string' };
const list = (items: Schema, more: Schema = {}): Schema => ({ type: 'array', items, ...more });
const INT_OR_STRING: Schema = { 'x-kubernetes-int-or-string': true };

const SCHEMAS: readonly [string, Schema, unknown, string[]][] = [
  ['string', text, 1, ['TypeInvalid spec.it']],
  ['integer', { type: 'integer' }, 1.5, ['TypeInvalid spec.it']],
  ['integer: within a billionth of one is one', { type: 'integer' }, 1000000000.5, []],
  ['integer: a float beyond 2^53 is none', { type: 'integer' }, 1e300, ['TypeInvalid spec.it']],
  ['integer of format int32 is not bounded', { type: 'integer', format: 'int32' }, 2 ** 40, []],
  ['number takes an integer', { type: 'number' }, 1, []],
  ['boolean', { type: 'boolean' }, 'true', ['TypeInvalid spec.it']],
  ['object', { type: 'object' }, [], ['TypeInvalid spec.it']],
  ['array', list(text), {}, ['TypeInvalid spec.it']],
  ['int-or-string takes an integer', INT_OR_STRING, 1, []],
  ['int-or-string takes a string', INT_OR_STRING, '1', []],
  ['int-or-string takes no fraction', INT_OR_STRING, 1.5, ['TypeInvalid spec.it']],
  ['no type', { 'x-kubernetes-preserve-unknown-fields': true }, [1, 'a', null], []],
  ['a list passes for a string of a format', { type: 'string', format: 'date-time' }, [], []],
  ['but not for one without', { type: 'string', format: 'unknown' }, [], ['TypeInvalid spec.it']],
  ['enum', { ...text, enum: ['a'] }, 'b', ['NotSupported spec.it']],
  ['enum of numbers', { type: 'integer', enum: [1, 2] }, 2, []],
  ['minLength', { ...text, minLength: 2 }, '😀', ['Invalid spec.it']],
  ['maxLength counts code points', { ...text, maxLength: 2 }, '😀😀', []],
  ['maxLength', { ...text, maxLength: 2 }, '😀😀a', ['TooLong spec.it']],
  ['pattern', { ...text, pattern: '^a+$' }, 'ab', ['Invalid spec.it']],
  [
    'pattern is not looked at in a text of a wrong length',
    { ...text, maxLength: 1, pattern: '^a+$' },
    'bb',
    ['TooLong spec.it'],
  ],
  ['pattern is RE2: \\z ends the text', { ...text, pattern: '^a\\z' }, 'a', []],
  ['pattern is RE2: (?i) anywhere', { ...text, pattern: '^a(?i)b$' }, 'aB', []],
  ['pattern is RE2: $ is no end of a line', { ...text, pattern: '^a$' }, 'a\n', ['Invalid spec.it']],
  [
    'pattern is RE2: no catastrophe',
    { ...text, pattern: '^(a+)+$' },
    `${'a'.repeat(5000)}b`,
    ['Invalid spec.it'],
  ],
  ['minimum', { type: 'integer', minimum: 2 }, 1, ['Invalid spec.it']],
  ['minimum itself', { type: 'integer', minimum: 2 }, 2, []],
  ['minimum of an integer loses its fraction', { type: 'number', minimum: 0.5 }, 0, []],
  ['but not that of a fraction', { type: 'number', minimum: 0.5 }, 0.4, ['Invalid spec.it']],
  ['exclusiveMinimum', { type: 'number', minimum: 2, exclusiveMinimum: true }, 2, ['Invalid spec.it']],
  ['maximum', { type: 'integer', maximum: 2 }, 3, ['Invalid spec.it']],
  ['exclusiveMaximum', { type: 'number', maximum: 2, exclusiveMaximum: true }, 2, ['Invalid spec.it']],
  ['multipleOf', { type: 'integer', multipleOf: 5 }, 12, ['Invalid spec.it']],
  ['multipleOf a fraction', { type: 'number', multipleOf: 0.25 }, 1.5, []],
  ['minItems', list(text, { minItems: 1 }), [], ['Invalid spec.it']],
  ['maxItems', list(text, { maxItems: 1 }), ['a', 'b'], ['TooMany spec.it']],
  [
    'minProperties',
    { type: 'object', additionalProperties: text, minProperties: 1 },
    {},
    ['Invalid spec.it'],
  ],
  [
    'maxProperties',
    { type: 'object', additionalProperties: text, maxProperties: 1 },
    { a: '', b: '' },
    ['TooMany spec.it'],
  ],
  ['items', list(text), ['a', 1], ['TypeInvalid spec.it[1]']],
  [
    'additionalProperties',
    { type: 'object', additionalProperties: text },
    { 'a/b~c': 1 },
    ['TypeInvalid spec.it.a/b~c'],
  ],
  ['a digit as a key', { type: 'object', additionalProperties: text }, { 0: 1 }, ['TypeInvalid spec.it.0']],
  ['set', list(text, { 'x-kubernetes-list-type': 'set' }), ['a', 'b', 'a', 'a'], ['Duplicate spec.it[2]']],
  ['map', mapOf(['k']), [{ k: 'a' }, { k: 'b' }, { k: 'a' }], ['Duplicate spec.it[2]']],
  ['map without its key', mapOf(['k']), [{}, {}], ['Duplicate spec.it[1]']],
  [
    'map of two keys',
    mapOf(['k', 'l']),
    [{ k: 'a', l: 'b' }, { k: 'a' }, { k: 'a', l: 'b' }],
    ['Duplicate spec.it[2]'],
  ],
  ['map of strings', mapOf(['k'], text), ['a'], ['Invalid spec.it[0]']],
  [
    'sets inside maps',
    { type: 'object', additionalProperties: list(text, { 'x-kubernetes-list-type': 'set' }) },
    { k: ['a', 'a'] },
    ['Duplicate spec.it[k][1]'],
  ],
];

describe('a schema', () => {
  it.each(SCHEMAS)('%s', (_name, schema, value, problems) => {
    expect(judge(schema, value).problems).toEqual(problems);
  });
});

function mapOf(keys: string[], items: Schema = { type: 'object', properties: { k: text, l: text } }): Schema {
  return list(items, { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys });
}

describe('required', () => {
  const crd = crdOf({ type: 'object', required: ['a'], properties: { a: text } });
  it('names the field', () => {
    expect(check(crd, thing({ spec: {} }))).toEqual(['Required spec.a']);
  });
  it('is about own fields only', () => {
    const constructor = crdOf({
      type: 'object',
      required: ['constructor'],
      properties: { constructor: text },
    });
    expect(check(constructor, thing({ spec: {} }))).toEqual(['Required spec.constructor']);
  });
});

it('each pattern is its own', () => {
  const schema: Schema = {
    type: 'object',
    properties: { a: { ...text, pattern: '^a$' }, b: { ...text, pattern: '^b$' } },
  };
  expect(judge(schema, { a: 'a', b: 'b' }).problems).toEqual([]);
  expect(judge(schema, { a: 'b', b: 'a' }).problems).toEqual(['Invalid spec.it.a', 'Invalid spec.it.b']);
});

describe('an embedded resource', () => {
  const schema: Schema = {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    'x-kubernetes-preserve-unknown-fields': true,
  };
  it.each<[unknown, string[]]>([
    [{ apiVersion: 'v1', kind: 'Pod' }, []],
    [{}, ['Required spec.it.apiVersion', 'Required spec.it.kind']],
    [{ apiVersion: 1, kind: '' }, ['Invalid spec.it.apiVersion', 'Invalid spec.it.kind']],
    [{ apiVersion: 'a/b/c', kind: 'a_b' }, ['Invalid spec.it.apiVersion', 'Invalid spec.it.kind']],
    [
      { apiVersion: 'v1', kind: 'Pod', metadata: { labels: { 'a b': '' } } },
      ['Invalid spec.it.metadata.labels'],
    ],
    [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 1 } }, ['TypeInvalid spec.it.metadata.name']],
  ])('%j', (value, problems) => {
    expect(judge(schema, value).problems).toEqual(problems);
  });
  it('has the metadata of an object', () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', unknown: 1 }, spec: { x: 1 } };
    expect(judge(schema, pod).it).toEqual({ ...pod, metadata: { name: 'a' } });
  });
});

describe('metadata', () => {
  const crd = crdOf({ type: 'object' });
  const namespaced = crdOf({ type: 'object' }, { scope: 'Namespaced' });
  it.each<[unknown, string[]]>([
    [{ name: 'a.b-c' }, []],
    [{ name: 'A' }, ['Invalid metadata.name']],
    [{ name: 'x'.repeat(253) }, []],
    [{ name: 'x'.repeat(254) }, ['Invalid metadata.name']],
    [{}, ['Required metadata.name']],
    [null, ['Required metadata.name']],
    ['text', ['TypeInvalid metadata']],
    [{ name: 1 }, ['TypeInvalid metadata.name']],
    [{ generateName: 'a-' }, []],
    [{ generateName: 'A-' }, ['Invalid metadata.generateName', 'Invalid metadata.name']],
    [{ generateName: 'x'.repeat(254) }, ['Invalid metadata.generateName']],
    [{ name: 'a', namespace: 'b' }, ['Forbidden metadata.namespace']],
    [{ name: 'a', labels: { 'x.y/z': 'v', a: '' } }, []],
    [{ name: 'a', labels: { 'a/b/c': 'v' } }, ['Invalid metadata.labels']],
    [{ name: 'a', labels: { a: '-' } }, ['Invalid metadata.labels']],
    [{ name: 'a', labels: { a: 1 } }, ['TypeInvalid metadata.labels']],
    [{ name: 'a', annotations: { 'A/B': 'anything at all' } }, []],
    [{ name: 'a', annotations: { a: 'x'.repeat(262_143) } }, []],
    [{ name: 'a', annotations: { a: 'x'.repeat(262_144) } }, ['TooLong metadata.annotations']],
    [{ name: 'a', creationTimestamp: 'yesterday' }, ['TypeInvalid metadata.creationTimestamp']],
  ])('%j', (metadata, problems) => {
    expect(check(crd, thing({}, metadata))).toEqual(problems);
  });
  it('may have a namespace where the kind does', () => {
    expect(check(namespaced, thing({}, { name: 'a', namespace: 'b' }))).toEqual([]);
    expect(check(namespaced, thing({}, { name: 'a', namespace: 'b.c' }))).toEqual([
      'Invalid metadata.namespace',
    ]);
  });
  it('keeps its name', () => {
    expect(check(crd, thing({}, { name: 'b' }), thing({}, { name: 'a' }))).toEqual(['Invalid metadata.name']);
  });
  it('is of the expected kind', () => {
    expect(check(crd, { ...thing({}), kind: 'Other' })).toEqual(['Invalid kind']);
    expect(check(crd, { ...thing({}), apiVersion: 'test.dev/v2' })).toEqual(['Invalid apiVersion']);
    expect(check(crd, [])).toEqual(['Invalid ']);
  });
});

describe('a problem', () => {
  it.each<[Schema, unknown, string]>([
    [
      { ...text, enum: ['A', 'B'] },
      'C',
      'FieldValueNotSupported spec.it: "C" is not supported; accepted: "A", "B"',
    ],
    [
      { type: 'integer', minimum: 1, maximum: 5 },
      9,
      'FieldValueInvalid spec.it: 9 breaks maximum; accepted: integer from 1 up to 5',
    ],
    [text, 5, 'FieldValueTypeInvalid spec.it: is of type integer; accepted: string'],
    [
      { ...text, maxLength: 2 },
      'abc',
      'FieldValueTooLong spec.it: is 3 characters long; accepted: at most 2',
    ],
    [
      { ...text, format: 'date' },
      'x',
      'FieldValueTypeInvalid spec.it: "x" is no date; accepted: a date such as 2030-01-02',
    ],
  ])('says what is wrong and what would be accepted: %j', (schema, value, sentence) => {
    const crd = crdOf({ type: 'object', properties: { it: schema } });
    const { problems } = validate(crd, thing({ spec: { it: value } }));
    expect(problems.map(describeProblem)).toEqual([sentence]);
  });
});

describe('a schema that cannot be checked locally is refused when it is compiled', () => {
  it.each<[string, object, RegExp]>([
    ['an unknown word', { oneOf: [] }, /Thing\.spec: local validation does not know the schema word oneOf/],
    [
      'additionalProperties without a schema',
      { additionalProperties: true },
      /Thing\.spec: additionalProperties/,
    ],
    ['a format', { type: 'string', format: 'email' }, /Thing\.spec: the schema cannot be checked locally/],
    ['a pattern', { type: 'string', pattern: '(?=a)' }, /invalid|Perl|perl/i],
  ])('%s', (_name, schema, message) => {
    expect(() => compileValidator(crdOf(schema))).toThrow(message);
  });
});
