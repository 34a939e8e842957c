/** x-kubernetes-validations: when a rule runs, what it sees, where and how it complains; and what an update lets pass. */
import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { readCrds } from '../../../../scripts/generate/crds.ts';
import { parseJson } from '../../../../src/runtime/json.ts';
import type { Schema, ValidationRule } from '../../../../src/runtime/schema.ts';
import { compileValidator, validate } from '../../../../src/runtime/validation/validate.ts';
import { check, crdOf, judge, thing } from './thing.ts';

const text: Schema = { type: 'string' };
const ruled = (schema: Schema, ...rules: (string | ValidationRule)[]): Schema => ({
  ...schema,
  'x-kubernetes-validations': rules.map((rule) => (typeof rule === 'string' ? { rule } : rule)),
});
const object = (properties: Record<string, Schema>): Schema => ({ type: 'object', properties });
const listOf = (items: Schema, type?: 'set' | 'map', keys?: string[]): Schema => ({
  type: 'array',
  items,
  ...(type === undefined ? {} : { 'x-kubernetes-list-type': type }),
  ...(keys === undefined ? {} : { 'x-kubernetes-list-map-keys': keys }),
});
const BROKEN = ['Invalid spec.it'];

describe('every rule of every CRD of ours', () => {
  const crds = readCrds(join(import.meta.dirname, '../../../../crds'));
  it.each(crds.map(({ file, crd }) => [file, crd] as const))('%s compiles locally', (_file, crd) => {
    expect(() => compileValidator(crd)).not.toThrow();
  });
});

const SELF: readonly [string, Schema, unknown, string[]][] = [
  ['a string', ruled(text, "self == 'a'"), 'b', BROKEN],
  ['an integer is an int', ruled({ type: 'integer' }, 'type(self) == int && self / 2 == 1'), 3, []],
  ['beyond 2^53', ruled({ type: 'integer' }, 'self == 9007199254740993'), parseJson('9007199254740993'), []],
  ['a number is a double', ruled({ type: 'number' }, 'type(self) == double && self / 2.0 == 1.5'), 3, []],
  [
    'int-or-string is either',
    ruled({ 'x-kubernetes-int-or-string': true }, 'type(self) == int ? self < 5 : true'),
    7,
    BROKEN,
  ],
  [
    'a time',
    ruled({ ...text, format: 'date-time' }, 'self.getFullYear() == 2030'),
    '2030-01-02T03:04:05Z',
    [],
  ],
  [
    'a date',
    ruled({ ...text, format: 'date' }, "self < timestamp('2030-01-03T00:00:00Z')"),
    '2030-01-02',
    [],
  ],
  ['a duration', ruled({ ...text, format: 'duration' }, "self == duration('90m')"), '1h30m', []],
  ['bytes', ruled({ ...text, format: 'byte' }, "self == b'hi'"), 'aGk=', []],
  [
    'fields with awkward names',
    ruled(
      object({ 'a-b': text, namespace: text, a__b: text, 'c.d/e': text }),
      'self.a__dash__b == self.__namespace__ && self.a__underscores__b == self.c__dot__d__slash__e',
    ),
    { 'a-b': 'x', namespace: 'x', a__b: 'y', 'c.d/e': 'y' },
    [],
  ],
  [
    'the key of a map is not escaped',
    ruled({ type: 'object', additionalProperties: text }, "self['a-b'] == 'x'"),
    { 'a-b': 'x' },
    [],
  ],
  [
    'a null field is absent',
    ruled(object({ a: { ...text, nullable: true } }), '!has(self.a)'),
    { a: null },
    [],
  ],
  [
    'a null field cannot be read',
    ruled(object({ a: { ...text, nullable: true } }), 'self.a == null'),
    { a: null },
    BROKEN,
  ],
  ['a null item is null', ruled(listOf({ ...text, nullable: true }), 'self[0] == null'), [null], []],
  ['a null itself is not judged', { ...ruled(text, 'false'), nullable: true }, null, []],
  ['an absent field is not judged', ruled(text, 'false'), undefined, []],
  ['an error is a refusal', ruled(text, 'int(self) > 0'), 'x', BROKEN],
  ['no rule runs on a value of a wrong type', ruled(text, 'false'), 1, ['TypeInvalid spec.it']],
];

describe('self', () => {
  it.each(SELF)('%s', (_name, schema, value, problems) => {
    expect(judge(schema, value).problems).toEqual(problems);
  });

  it('of the root has names and types, whatever its schema says', () => {
    const crd = crdOf(object({}));
    const [version] = crd.spec.versions;
    const rule = {
      rule: "self.metadata.name == 'it' && self.kind == 'Thing' && self.apiVersion == 'test.dev/v1'",
    };
    const root = { ...version?.schema.openAPIV3Schema, 'x-kubernetes-validations': [rule] };
    const ours = {
      ...crd,
      spec: {
        ...crd.spec,
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: root } }],
      },
    };
    expect(check(ours, thing({}))).toEqual([]);
    expect(check(ours, thing({}, { name: 'other' }))).toEqual(['Invalid ']);
  });

  it('runs unless the problems are of a blocking sort', () => {
    const schema = object({
      a: { ...text, pattern: '^a$' },
      b: { ...text, maxLength: 1 },
      c: ruled(text, 'false'),
    });
    expect(judge(schema, { a: 'b', c: '' }).problems).toEqual(['Invalid spec.it.a', 'Invalid spec.it.c']);
    expect(judge(schema, { b: 'bb', c: '' }).problems).toEqual(['TooLong spec.it.b']);
  });
});

const immutable = ruled(text, 'self == oldSelf');
const optional = ruled(text, {
  rule: "oldSelf.hasValue() ? self == oldSelf.value() : self == 'first'",
  optionalOldSelf: true,
});

const TRANSITIONS: readonly [string, Schema, unknown, unknown, string[]][] = [
  ['a transition rule does not run on create', immutable, 'a', undefined, []],
  ['it does on update', immutable, 'a', 'b', BROKEN],
  ['not where there was no value', object({ a: immutable }), { a: 'a' }, {}, []],
  ['optional: without', optional, 'other', undefined, BROKEN],
  ['optional: without, good', optional, 'first', undefined, []],
  ['optional: with', optional, 'a', 'b', BROKEN],
  ['items of a list are not compared', listOf(immutable), ['a'], ['b'], []],
  [
    'items of a list map are, by key',
    listOf(object({ k: text, v: immutable }), 'map', ['k']),
    [
      { k: 'x', v: '1' },
      { k: 'y', v: '2' },
    ],
    [
      { k: 'y', v: '3' },
      { k: 'x', v: '1' },
    ],
    ['Invalid spec.it[1].v'],
  ],
  [
    'values of a map are, in brackets',
    { type: 'object', additionalProperties: immutable },
    { 'a.b': '1' },
    { 'a.b': '2' },
    ['Invalid spec.it[a.b]'],
  ],
  ['sets are equal in any order', ruled(listOf(text, 'set'), 'self == oldSelf'), ['a', 'b'], ['b', 'a'], []],
  [
    'but not with other members',
    ruled(listOf(text, 'set'), 'self == oldSelf'),
    ['a', 'b'],
    ['b', 'c'],
    BROKEN,
  ],
  [
    'list maps are, too',
    ruled(listOf(object({ k: text, v: text }), 'map', ['k']), 'self == oldSelf'),
    [{ k: 'a' }, { k: 'b', v: '1' }],
    [{ k: 'b', v: '1' }, { k: 'a' }],
    [],
  ],
  [
    'and not with another value',
    ruled(listOf(object({ k: text, v: text }), 'map', ['k']), 'self == oldSelf'),
    [{ k: 'a' }],
    [{ k: 'a', v: '1' }],
    BROKEN,
  ],
  ['lists are not', ruled(listOf(text), 'self == oldSelf'), ['a', 'b'], ['b', 'a'], BROKEN],
  [
    'a null field is not the same as none',
    ruled(object({ a: { ...text, nullable: true } }), 'self == oldSelf'),
    { a: null },
    {},
    BROKEN,
  ],
  [
    'a null field is the same as itself',
    ruled(object({ a: { ...text, nullable: true } }), 'self == oldSelf'),
    { a: null },
    { a: null },
    [],
  ],
  [
    'sets add up to a set',
    ruled(listOf(text, 'set'), 'size(self + oldSelf) == 3'),
    ['a', 'b'],
    ['b', 'c'],
    [],
  ],
];

describe('oldSelf', () => {
  it.each(TRANSITIONS)('%s', (_name, schema, value, old, problems) => {
    expect(judge(schema, value, old).problems).toEqual(problems);
  });
});

describe('a complaint', () => {
  const say = (schema: Schema, value: unknown): unknown[] =>
    validate(crdOf(object({ it: schema })), thing({ spec: { it: value } })).problems.map(
      ({ code, path, message }) => `${code} ${path}: ${message}`,
    );
  it.each<[string, Schema, unknown, string]>([
    ['the message', ruled(text, { rule: 'false', message: ' no ' }), '', 'FieldValueInvalid spec.it: no'],
    [
      'the rule where there is none',
      ruled(text, 'false'),
      '',
      'FieldValueInvalid spec.it: failed rule: false',
    ],
    [
      'the reason',
      ruled(text, { rule: 'false', message: 'no', reason: 'FieldValueForbidden' }),
      '',
      'FieldValueForbidden spec.it: no',
    ],
    [
      'the message expression',
      ruled(text, { rule: 'false', message: 'no', messageExpression: "self + '?'" }),
      'x',
      'FieldValueInvalid spec.it: x?',
    ],
    [
      'not one of two lines',
      ruled(text, { rule: 'false', message: 'no', messageExpression: 'self' }),
      'a\nb',
      'FieldValueInvalid spec.it: no',
    ],
    [
      'not one that fails',
      ruled(text, { rule: 'false', message: 'no', messageExpression: 'string(int(self))' }),
      'a',
      'FieldValueInvalid spec.it: no',
    ],
    [
      'not an empty one',
      ruled(text, { rule: 'false', message: 'no', messageExpression: 'self' }),
      ' ',
      'FieldValueInvalid spec.it: no',
    ],
    [
      'not one beyond 5 KiB',
      ruled(text, { rule: 'false', message: 'no', messageExpression: 'self' }),
      'x'.repeat(5121),
      'FieldValueInvalid spec.it: no',
    ],
    [
      'the field path',
      ruled(object({ a: object({ 'b.c': text }) }), { rule: 'false', message: 'no', fieldPath: ".a['b.c']" }),
      {},
      'FieldValueInvalid spec.it.a.b.c: no',
    ],
  ])('has %s', (_name, schema, value, sentence) => {
    expect(say(schema, value)).toEqual([sentence]);
  });
});

const short: Schema = { ...text, maxLength: 1 };
const never = ruled(text, 'false');

const UNCHANGED: readonly [string, Schema, unknown, unknown, string[]][] = [
  [
    'a value that became too long',
    object({ a: short, b: text }),
    { a: 'xx', b: 'new' },
    { a: 'xx', b: 'old' },
    [],
  ],
  ['but a change of it', object({ a: short }), { a: 'xxx' }, { a: 'xx' }, ['TooLong spec.it.a']],
  [
    'a field that became required',
    { ...object({ a: text, b: text }), required: ['a'] },
    { b: 'x' },
    { b: 'x' },
    [],
  ],
  [
    'but not beside a change',
    { ...object({ a: text, b: text }), required: ['a'] },
    { b: 'y' },
    { b: 'x' },
    ['Required spec.it.a'],
  ],
  [
    'an item of a list map, by key',
    listOf(object({ k: text, v: short }), 'map', ['k']),
    [{ k: 'b' }, { k: 'a', v: 'xx' }],
    [{ k: 'a', v: 'xx' }],
    [],
  ],
  ['not an item of a list that changed', listOf(short), ['xx', 'y'], ['xx'], ['TooLong spec.it[0]']],
  [
    'nor an object in it',
    listOf(object({ v: short })),
    [{ v: 'xx' }, {}],
    [{ v: 'xx' }],
    ['TooLong spec.it[0].v'],
  ],
  ['a list as a whole', listOf(short), ['xx'], ['xx'], []],
  ['a rule', object({ a: never, b: text }), { a: 'x', b: 'new' }, { a: 'x', b: 'old' }, []],
  [
    'but a transition rule',
    object({ a: ruled(text, "oldSelf == ''"), b: text }),
    { a: 'x' },
    { a: 'x' },
    ['Invalid spec.it.a'],
  ],
  [
    'nor an evaluation that fails',
    object({ a: ruled(text, 'int(self) > 0') }),
    { a: 'x' },
    { a: 'x' },
    ['Invalid spec.it.a'],
  ],
  [
    'twins that were there before, anywhere',
    object({ a: listOf(text, 'set') }),
    { a: ['y', 'y'] },
    { a: ['x', 'x'] },
    [],
  ],
  [
    'but not new twins',
    object({ a: listOf(text, 'set') }),
    { a: ['y', 'y'] },
    { a: ['x'] },
    ['Duplicate spec.it.a[1]'],
  ],
  [
    'a value of a type that is wrong now, to a rule that reads it',
    object({ a: ruled({ type: 'integer' }, 'self > 0') }),
    { a: 'x' },
    { a: 'x' },
    ['Invalid spec.it.a'],
  ],
];

describe('what did not change is not refused', () => {
  it.each(UNCHANGED)('%s', (_name, schema, value, old, problems) => {
    expect(judge(schema, value, old).problems).toEqual(problems);
  });
});

describe('a rule that cannot be compiled locally is refused with its place', () => {
  it.each<[string, string | ValidationRule, RegExp]>([
    ['a syntax error', 'self ==', /Thing\.spec: rule "self ==" cannot be compiled locally/],
    ['an unknown function', 'semver(self.a) == self.a', /no function semver of 1 arguments/],
    ['an unknown method', 'self.a.reversed()', /no method reversed of 0 arguments/],
    ['a method with other arguments', 'self.a.find()', /no method find of 0 arguments/],
    ['an unknown variable', 'object.a', /undeclared reference to object/],
    ['an unknown field', "self.b == ''", /undefined field b/],
    ['an unknown field of an item', "self.l.all(x, x.z == '')", /undefined field z/],
    ['two variables', 'self.l.all(i, x, true)', /no method all|undeclared/],
    ['optional entries of a list', '[?self.?a].size() == 0', /optional entries/],
    ['optional entries of a map', '{?"a": self.?a}.size() == 0', /optional entries/],
    [
      'a message expression',
      { rule: 'true', messageExpression: 'nonsense' },
      /undeclared reference to nonsense/,
    ],
    ['a field path', { rule: 'true', fieldPath: '.b' }, /no field b/],
  ])('%s', (_name, rule, message) => {
    const schema = ruled(object({ a: text, l: listOf(object({ y: text })) }), rule);
    expect(() => compileValidator(crdOf(schema))).toThrow(message);
  });
});
