/** json.match_schema, json.verify_schema against the real opa. Replay a run with SEED=, a longer one with RUNS=. */
import { describe, it } from '@jest/globals';
import { numberOf, parseValue, type RegoValue } from '../../../../../src/policy/engine/values.ts';
import { seeded } from '../../../random.ts';
import { pick } from '../../rego-values.ts';
import { RUNS, SEED, call, expectSame, type Call } from './both.ts';

/** Go takes members of objects as they come: which finding is first says nothing. */
const FUNCTIONS = `match(document, schema) := [result[0], {finding | some finding in result[1]}] if {
  result := json.match_schema(document, schema)
}

match_count(document, schema) := count(json.match_schema(document, schema)[1])`;

type Random = () => number;

function object(fields: readonly (readonly [string, RegoValue])[]): RegoValue {
  return { type: 'object', entries: [...new Map(fields)] };
}

function document(random: Random, depth: number): RegoValue {
  const kind = random() * (depth === 0 ? 0.6 : 1);
  if (kind < 0.15) return pick<RegoValue>(random, [null, true, false]);
  if (kind < 0.4)
    return pick(random, ['', 'a', 'ab', 'abc', '1', 'é😀', '2020-01-02', '::1', 'x@y.z', 'http://a/b']);
  if (kind < 0.6)
    return { type: 'number', text: pick(random, ['0', '1', '2', '3', '1.0', '1.5', '-1', '1e2', '10']) };
  const items = Array.from({ length: Math.floor(random() * 4) }, () => document(random, depth - 1));
  return kind < 0.8 ? items : object(items.map((item) => [pick(random, ['a', 'b', 'c', 'dd']), item]));
}

const TYPES: readonly RegoValue[] = [
  ...['string', 'number', 'integer', 'object', 'array', 'null'],
  ['boolean', 'string'],
  ['number', 'object'],
];
const FORMATS = ['date', 'ipv6', 'email', 'uri', 'hostname', 'nonsense', 'regex', 'json-pointer'];

/** One keyword and its value. */
function keyword(random: Random, depth: number): readonly [string, RegoValue] {
  const small = (): RegoValue => numberOf(Math.floor(random() * 4));
  const number = (): RegoValue => ({
    type: 'number',
    text: pick(random, ['0', '1', '1.5', '2', '1e1', '-1', '1000000']),
  });
  const sub = (): RegoValue => (random() < 0.1 ? pick(random, [true, false]) : schema(random, depth - 1));
  const several = (): RegoValue => Array.from({ length: 1 + Math.floor(random() * 2) }, sub);
  const named = (): RegoValue =>
    object([
      [pick(random, ['a', 'b', 'c']), sub()],
      [pick(random, ['a', 'b', 'dd']), sub()],
    ]);
  const simple: (readonly [string, () => RegoValue])[] = [
    ['type', () => pick(random, TYPES)],
    ['minLength', small],
    ['maxLength', small],
    ['pattern', () => pick(random, ['a', '^[ab]+$', '\\d'])],
    ['format', () => pick(random, FORMATS)],
    ['minimum', number],
    ['maximum', number],
    ['exclusiveMinimum', () => (random() < 0.3 ? true : number())],
    ['exclusiveMaximum', number],
    ['multipleOf', () => ({ type: 'number', text: pick(random, ['1', '2', '0.5', '0.1']) })],
    ['required', () => pick<RegoValue>(random, [['a'], ['a', 'b'], []])],
    ['minProperties', small],
    ['maxItems', small],
    ['uniqueItems', () => random() < 0.9],
    ['enum', () => [document(random, 1), 'other']],
    ['const', () => document(random, 1)],
    ['dependencies', () => object([['a', ['b', 'c']]])],
    ['$ref', () => pick(random, ['#/definitions/x', '#', '#/definitions/none', '#/definitions/y'])],
    ['additionalProperties', () => random() < 0.3],
  ];
  const nested: (readonly [string, () => RegoValue])[] = [
    ['properties', named],
    ['patternProperties', () => object([[pick(random, ['^a', 'd+', '.']), sub()]])],
    ['additionalProperties', sub],
    ['propertyNames', sub],
    ['items', () => (random() < 0.5 ? sub() : several())],
    ['additionalItems', sub],
    ['contains', sub],
    ['oneOf', several],
    ['anyOf', several],
    ['allOf', several],
    ['not', sub],
    ['if', sub],
    ['then', sub],
    ['else', sub],
    ['dependencies', () => object([['a', sub()]])],
  ];
  const [name, value] = pick(random, depth > 0 && random() < 0.5 ? nested : simple);
  return [name, value()];
}

function schema(random: Random, depth: number): RegoValue {
  return object(Array.from({ length: 1 + Math.floor(random() * 2) }, () => keyword(random, depth)));
}

function withDefinitions(random: Random, made: RegoValue): RegoValue {
  const root = made as { type: 'object'; entries: readonly (readonly [string, RegoValue])[] };
  const drafts = ['http://json-schema.org/draft-04/schema#', 'http://json-schema.org/draft-07/schema#'];
  const named = random() < 0.2 ? ([['$schema', pick(random, drafts)]] as const) : [];
  return object([
    ...root.entries,
    ['definitions', parseValue('{"x":{"type":"string"},"y":{"minimum":2}}')],
    ...named,
  ]);
}

/** A reference to the whole from its own root never ends, in OPA neither. */
function endless(made: RegoValue): boolean {
  return JSON.stringify(made).includes('["$ref","#"]');
}

const SCHEMAS = [
  '{}',
  '{"type":"object"}',
  '{"type":"objekt"}',
  '{"type":["string","string"]}',
  '{"type":1}',
  '{"type":[1]}',
  '{"properties":[]}',
  '{"properties":{"a":1}}',
  '{"additionalProperties":1}',
  '{"patternProperties":1}',
  '{"patternProperties":{"(":{}}}',
  '{"propertyNames":1}',
  '{"dependencies":[]}',
  '{"dependencies":{"a":1}}',
  '{"dependencies":{"a":[1]}}',
  '{"items":1}',
  '{"items":[1]}',
  '{"additionalItems":1}',
  '{"multipleOf":0}',
  '{"multipleOf":"a"}',
  '{"minimum":"a"}',
  '{"maximum":"a"}',
  '{"exclusiveMinimum":true}',
  '{"exclusiveMinimum":"a"}',
  '{"$schema":"http://json-schema.org/draft-04/schema#","exclusiveMinimum":1}',
  '{"$schema":"http://json-schema.org/draft-07/schema#","exclusiveMinimum":true,"minimum":1}',
  '{"$schema":1}',
  '{"minLength":-1}',
  '{"minLength":1.5}',
  '{"minLength":1.0}',
  '{"minLength":2,"maxLength":1}',
  '{"minProperties":2,"maxProperties":1}',
  '{"pattern":"("}',
  '{"pattern":1}',
  '{"format":1}',
  '{"required":1}',
  '{"required":[1]}',
  '{"required":["a","a"]}',
  '{"uniqueItems":1}',
  '{"contains":1}',
  '{"enum":1}',
  '{"enum":[1,1.0]}',
  '{"oneOf":1}',
  '{"anyOf":[1]}',
  '{"not":1}',
  '{"if":1}',
  '{"definitions":1}',
  '{"definitions":{"a":1}}',
  '{"title":1}',
  '{"$ref":1}',
  '{"$id":1}',
  '{"not json',
  '[]',
  '1',
  'true',
];

describe('schemas', () => {
  it(`match (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const calls: Call[] = [];
    while (calls.length < 2 * RUNS) {
      const made = withDefinitions(random, schema(random, 2));
      if (endless(made)) continue;
      calls.push(call('match', document(random, 2), made), call('match_count', document(random, 2), made));
    }
    await expectSame(calls, calls.length / 4, FUNCTIONS);
  });

  it('match, of recursion, identifiers and texts', async () => {
    const tree =
      '{"type":"object","properties":{"next":{"$ref":"#"},"n":{"type":"integer"}},"required":["n"]}';
    const ids =
      '{"$id":"http://example.com/root.json","definitions":{"a":{"$id":"a.json","type":"string"},"b":{"$id":"#b","minimum":3}},"properties":{"x":{"$ref":"a.json"},"y":{"$ref":"#b"},"z":{"$ref":"#/definitions/a"}}}';
    const documents = [
      '{"n":1,"next":{"n":2,"next":{"n":"x"}}}',
      '{"next":{}}',
      '[1]',
      '{"n":1,"next":{"n":2}}',
    ];
    const cases: [string, string][] = [
      ...documents.map((text): [string, string] => [text, tree]),
      ['{"x":1,"y":1,"z":1}', ids],
      ['{"x":"","y":3,"z":""}', ids],
      ['{"a":1', tree],
      ['{"a":1}', '{"type":"strin"}'],
      ['\t{"a" :\r\n1}', '{"type":"object"}'],
      ['{1}', '{}'],
      ['"text"', '{"type":"string"}'],
    ];
    const calls = cases.flatMap(([text, one]) => [call('match', text, one)]);
    const values = documents.map((text) => call('match', parseValue(text), parseValue(tree)));
    await expectSame([...calls, ...values, call('match', null, tree)], 8, FUNCTIONS);
  });

  it('verify, in the words of opa', async () => {
    const values = SCHEMAS.filter((text) => /^[{[].*[}\]]$/.test(text)).map((text) =>
      call('json.verify_schema', parseValue(text)),
    );
    await expectSame([
      ...SCHEMAS.map((text) => call('json.verify_schema', text)),
      ...values,
      call('json.verify_schema', null),
    ]);
  });

  it('formats', async () => {
    const texts: Record<string, string[]> = {
      date: ['2020-01-02', '2020-1-2', '2020-02-30'],
      time: ['10:11:12', '10:11:12Z', '10:11:12+02:00', '25:00:00'],
      'date-time': [
        '2020-01-02T03:04:05Z',
        '2020-01-02',
        '10:11:12',
        '2020-01-02T03:04:05.5+01:00',
        '2020-01-02 03:04:05',
      ],
      hostname: ['a.b', 'a_b', '-a', 'a-', '', 'a..b', 'A1.example'],
      email: ['a@b', 'a@b.c', 'a', 'A B <a@b.c>', '<a@b>', 'a b@c', '@b', 'a@', 'a..b@c', 'é@ü.de', '"q"@b'],
      ipv4: ['1.2.3.4', '1.2.3', '::1.2.3.4', '01.2.3.4'],
      ipv6: ['::1', '1.2.3.4', '1::2::3', '::ffff:1.2.3.4'],
      uri: ['http://a/b', '/a', 'a:b', 'http://a b/', 'x\\y:z', 'a%zz'],
      'uri-reference': ['/a', 'a\\b', '%zz', ''],
      'uri-template': ['/a/{b}', '/a/{b', '/a/}b', 'http://a/{b}{c}'],
      uuid: ['123e4567-e89b-12d3-a456-426614174000', '123E4567-E89B-12D3-A456-426614174000', '123'],
      regex: ['a(b)', '(', ''],
      'json-pointer': ['', '/a/~0', 'a', '/~2'],
      'relative-json-pointer': ['0', '1#', '01', '2/a'],
      other: ['anything'],
    };
    const calls = Object.entries(texts).flatMap(([format, list]) =>
      list.map((text) => call('match', [text], object([['items', object([['format', format]])]]))),
    );
    await expectSame(calls, calls.length / 2, FUNCTIONS);
  });
});
