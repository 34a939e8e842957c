/** A CRD that uses every word of structural schemas and every sort of rule, for what our own kinds do not use yet. */
import type { CustomResourceDefinition, Schema, ValidationRule } from '../../../src/runtime/schema.ts';
import { crdOf } from './objects.ts';

const text: Schema = { type: 'string', maxLength: 40 };
const format = (name: string): Schema => ({ type: 'string', format: name, maxLength: 64 });

const formats: Schema = {
  type: 'object',
  properties: Object.fromEntries(
    [
      'date-time',
      'date',
      'duration',
      'byte',
      'ipv4',
      'ipv6',
      'cidr',
      'mac',
      'uri',
      'uuid',
      'uuid3',
      'uuid4',
      'uuid5',
      'hostname',
      'password',
      'k8s-short-name',
      'k8s-long-name',
      'int32',
    ].map((name) => [name.replaceAll('-', ''), format(name)]),
  ),
};

const numbers: Schema = {
  type: 'object',
  properties: {
    int32: { type: 'integer', format: 'int32' },
    int64: { type: 'integer', format: 'int64', minimum: -5 },
    float: { type: 'number', minimum: 0.5, maximum: 9.5 },
    open: { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 10, exclusiveMaximum: true },
    steps: { type: 'integer', multipleOf: 5 },
    fractions: { type: 'number', multipleOf: 0.25 },
    quota: { type: 'integer', enum: [1, 2, 3] },
    port: { 'x-kubernetes-int-or-string': true },
  },
};

const nulls: Schema = {
  type: 'object',
  properties: {
    nullable: { type: 'string', nullable: true },
    nullableDefault: { type: 'string', nullable: true, default: 'd' },
    plainDefault: { type: 'string', default: 'd' },
    nullableList: { type: 'array', items: { type: 'string', nullable: true } },
    listDefault: { type: 'array', items: { type: 'string', default: 'x' } },
    map: { type: 'object', additionalProperties: { type: 'string', default: 'm' } },
    nested: {
      type: 'object',
      default: {},
      properties: {
        inner: {
          type: 'object',
          default: { a: 1 },
          properties: { a: { type: 'integer' }, b: { type: 'integer', default: 2 } },
        },
      },
    },
    nullableEnum: { type: 'string', nullable: true, enum: ['a', 'b'] },
  },
};

const lists: Schema = {
  type: 'object',
  properties: {
    set: { type: 'array', maxItems: 5, 'x-kubernetes-list-type': 'set', items: text },
    numbers: { type: 'array', maxItems: 5, 'x-kubernetes-list-type': 'set', items: { type: 'integer' } },
    map: {
      type: 'array',
      maxItems: 5,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name', 'port'],
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: text, port: { type: 'integer', default: 80 }, value: text },
        'x-kubernetes-validations': [
          {
            rule: '!has(oldSelf.value) || (has(self.value) && self.value == oldSelf.value)',
            message: 'value is immutable',
          },
        ],
      },
    },
    byKey: {
      type: 'object',
      maxProperties: 3,
      additionalProperties: { type: 'array', maxItems: 4, 'x-kubernetes-list-type': 'set', items: text },
    },
  },
};

const open: Schema = {
  type: 'object',
  properties: {
    anything: { 'x-kubernetes-preserve-unknown-fields': true },
    object: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { known: { type: 'object', properties: { a: text } } },
    },
    pod: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    },
  },
};

/** Each is judged on its own small field, so that a broken one is told from the others. */
const RULES: Readonly<Record<string, readonly [schema: Schema, rule: ValidationRule]>> = {
  reason: [text, { rule: "self != 'bad'", message: 'not bad', reason: 'FieldValueForbidden' }],
  failing: [text, { rule: 'int(self) > 0', message: 'a number above 0' }],
  expressive: [text, { rule: 'size(self) < 4', messageExpression: "self + ' is longer than three'" }],
  pattern: [
    text,
    { rule: "self.matches('^[a-z]+$') && self.find('[0-9]+') == '' && self.findAll('[a-z]').size() > 1" },
  ],
  immutable: [text, { rule: 'self == oldSelf', message: 'immutable' }],
  optional: [
    text,
    { rule: "oldSelf.hasValue() ? self == oldSelf.value() : self.startsWith('a')", optionalOldSelf: true },
  ],
  quantity: [
    text,
    {
      rule: "isQuantity(self) && quantity(self).isLessThan(quantity('1Gi')) && sign(quantity(self).add(1)) == 1",
    },
  ],
  url: [text, { rule: "isURL(self) && url(self).getScheme() == 'https' && url(self).getHostname() != ''" }],
  ip: [text, { rule: 'isIP(self) && ip(self).family() == 4 && !ip(self).isLoopback()' }],
  cidr: [
    text,
    { rule: "isCIDR(self) && cidr(self).containsIP('192.0.2.1') && cidr(self).prefixLength() > 8" },
  ],
  named: [text, { rule: '!format.dns1123Label().validate(self).hasValue()' }],
  strings: [
    text,
    {
      rule: "self.lowerAscii().indexOf('y') < 0 && self.charAt(0) != 'x' && self.size() < 9",
    },
  ],
  time: [
    format('date-time'),
    { rule: "self > timestamp('2020-01-01T00:00:00Z') && self.getFullYear() < 2040" },
  ],
  wait: [format('duration'), { rule: "self <= duration('2h') && self > duration('0s')" }],
  bytes: [format('byte'), { rule: "self == b'hello' || size(self) < 3" }],
  either: [
    { 'x-kubernetes-int-or-string': true, maxLength: 40 },
    { rule: "type(self) == string ? self.endsWith('%') : self < 50" },
  ],
  list: [
    { type: 'array', maxItems: 5, items: { type: 'integer' } },
    {
      rule: 'self.isSorted() && self.sum() < 20 && (size(self) == 0 || self.min() >= 0 && self.max() < 15) && self.indexOf(13) == -1',
    },
  ],
  macros: [
    { type: 'array', maxItems: 5, items: text },
    {
      rule: "self.all(x, size(x) > 0) && self.exists_one(x, x == 'a') && self.map(x, x + '!').filter(y, y != 'b!').size() < 3",
    },
  ],
  unordered: [
    { type: 'array', maxItems: 5, 'x-kubernetes-list-type': 'set', items: text },
    { rule: 'self == oldSelf', message: 'the same members' },
  ],
  maybe: [
    { type: 'object', properties: { name: text, inner: { type: 'object', properties: { deep: text } } } },
    {
      rule: "self.?inner.deep.orValue('none') != 'bad' && self.?name.optMap(n, size(n)).orValue(0) < 6",
      fieldPath: '.inner.deep',
    },
  ],
  awkward: [
    { type: 'object', properties: { 'a-b': text, namespace: text, __x: text, 'a.b/c': text } },
    {
      rule: '!has(self.a__dash__b) || (has(self.__namespace__) && self.a__dash__b != self.__namespace__) && !has(self.__underscores__x)',
      fieldPath: '.a-b',
    },
  ],
  nullable: [
    { type: 'object', properties: { a: { ...text, nullable: true }, b: { ...text, nullable: true } } },
    { rule: 'self == oldSelf || !has(self.a)' },
  ],
  keyed: [
    { type: 'object', maxProperties: 4, additionalProperties: text },
    { rule: "self.all(k, k != 'tier' || self[k] != 'x')", fieldPath: '.tier' },
  ],
};

const rules: Schema = {
  type: 'object',
  properties: Object.fromEntries(
    Object.entries(RULES).map(([name, [schema, rule]]) => [
      name,
      { ...schema, 'x-kubernetes-validations': [rule] },
    ]),
  ),
};

export const semantics: CustomResourceDefinition = crdOf({
  type: 'object',
  required: ['formats'],
  minProperties: 1,
  properties: { formats, numbers, nulls, lists, open, rules },
});

/** What the rules above are about, good and bad, for the tests that have no bounds to try. */
export const RULE_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  nullable: [{ a: 'x' }, { a: 'x', b: null }, { a: null, b: 'x' }, { a: 'y' }, {}],
  reason: ['good', 'bad'],
  failing: ['1', '0', 'x'],
  expressive: ['abc', 'abcd', 'a\nbcd'],
  pattern: ['ab', 'a', 'a1', 'A'],
  immutable: ['one', 'two'],
  optional: ['abc', 'xyz'],
  quantity: ['1Mi', '1Gi', '1G', '-1', '-2', '1e3', '1E', '1.5k', '100m', '.5', '5.', 'x', '', '1Zi', '0'],
  url: [
    'https://example.com',
    'http://example.com',
    'https:///x',
    'https://a:b:c',
    'https://[::1]/',
    'https://a b/',
    'https://a/%zz',
    '/x',
    'x',
    'https://a.b:80/c?d#e',
  ],
  ip: ['192.0.2.1', '127.0.0.1', '::1', '01.2.3.4', '::ffff:1.2.3.4', '1.2.3'],
  cidr: ['192.0.2.0/24', '192.0.2.1/24', '0.0.0.0/0', '10.0.0.0/33', '2001:db8::/32', '192.0.2.0'],
  named: ['abc', 'Abc', 'a-', 'a'.repeat(40)],
  strings: ['abc', 'X-a', 'x', '日本', ''],
  time: [
    '2030-01-02T03:04:05Z',
    '2010-01-02T03:04:05Z',
    '2050-01-01T00:00:00+01:00',
    '2030-01-02T03:04:05.123456789Z',
    '2030-02-30T00:00:00Z',
    '2030-01-02t03:04:05z',
    '2030-01-02T03:04:60Z',
    '2030-01-02T24:00:00Z',
    '2030-01-02T03:04:05',
  ],
  wait: ['1h', '3h', '0s', '-1s', '1 hour', '2 days', '1.5h', 'PT1H', '90m', '1h 1d', '5', '', '1us', '.5s'],
  bytes: ['aGVsbG8=', 'aGk=', 'aGVsbG8h', 'aGVsbG8', '!!', ''],
  either: [10, 60, '10%', '10', 1.5],
  list: [[1, 2, 3], [3, 2, 1], [10, 14], [-1, 2], [1, 13], [], [15]],
  macros: [['a', 'b'], ['a', 'a'], ['', 'a'], ['a', 'c', 'd'], []],
  unordered: [['a', 'b'], ['b', 'a'], ['a', 'c'], ['a']],
  maybe: [
    {},
    { inner: { deep: 'bad' } },
    { inner: {} },
    { name: 'abcdefg' },
    { name: 'abc', inner: { deep: 'ok' } },
  ],
  awkward: [
    { 'a-b': 'x' },
    { 'a-b': 'x', namespace: 'y' },
    { 'a-b': 'x', namespace: 'y', __x: 'z' },
    { 'a.b/c': 'q' },
  ],
  keyed: [{ app: 'x' }, { tier: 'x' }, { tier: 'y' }],
};

/** Texts for every format, most of them at the edge of what is one. */
export const FORMAT_TEXTS: readonly string[] = [
  '2030-01-02T03:04:05Z',
  '2030-01-02T03:04:05',
  '2030-01-02t03:04:05.1z',
  '2030-01-02T03:04:05x5Z',
  '2030-01-02T23:59:59+99:99',
  '2030-02-29',
  '2028-02-29',
  '2030-1-2',
  '1h',
  '1 h',
  '1 hour 2 min',
  '1.5h',
  '1h30',
  '-1h',
  '1d',
  '1 fortnight',
  'h',
  '1e3s',
  '9999999h',
  'aGVsbG8=',
  'aGVsbG8',
  'a',
  '====',
  'aGVs bG8=',
  '1.2.3.4',
  '01.02.03.04',
  '1.2.3',
  '1.2.3.256',
  '::ffff:1.2.3.4',
  '::',
  '2001:db8::1',
  '1:2:3:4:5:6:7:8',
  '1::2::3',
  'fe80::1%eth0',
  '12345::',
  '1.2.3.0/24',
  '1.2.3.0/33',
  '1.2.3.0/024',
  '::/0',
  '::/129',
  '00:00:5e:00:53:01',
  '00-00-5e-00-53-01',
  '0000.5e00.5301',
  '00:00:5e:00:53',
  '00:00-5e:00:53:01',
  '02:00:5e:10:00:00:00:01',
  'https://example.com',
  'example.com',
  '/path',
  '//host/path',
  'mailto:a@b',
  'http://[::1]:80/',
  'http://[::1]x',
  'http://a b',
  'http://a/b c',
  'http://a/%zz',
  'http://a:80a/',
  '*',
  ':x',
  'http://u:p@h/',
  'http://u:p p@h/',
  'http://h?q=%zz',
  '#frag',
  'http://h<',
  'http://1.2.3.4:/',
  'http://%41/',
  'http://%e4/',
  '123e4567-e89b-12d3-a456-426614174000',
  '123E4567E89B12D3A456426614174000',
  '123e4567-e89b-32d3-a456-426614174000',
  '123e4567-e89b-42d3-8456-426614174000',
  '123e4567-e89b-52d3-c456-426614174000',
  '123e4567',
  'www.example.com',
  'a',
  'a.b',
  'a_b.com',
  '-a.com',
  'a-.com',
  'münchen.de',
  'a..b',
  'localhost',
  '1.com',
  'A.B',
  'a-b',
  'Ab',
  'a.b-c',
  'a.-b',
  '',
];
