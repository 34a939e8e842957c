/** What a text means; that kubectl agrees is proven by test/integration/yaml.test.ts and the corpus gitops/yaml. */
import { describe, expect, it } from '@jest/globals';
import { stringifyJson } from '../../../src/runtime/json.ts';
import { parseYaml, parseYamlDocument, YamlError, type YamlOptions } from '../../../src/runtime/yaml.ts';
import { ManifestError, parseManifests } from '../../../src/runtime/yaml/objects.ts';

function json(text: string | Uint8Array): string {
  return parseYaml(text)
    .map((document) => stringifyJson(document))
    .join(' ');
}

function errorOf(text: string | Uint8Array, options: YamlOptions = {}): YamlError {
  try {
    parseYaml(text, options);
  } catch (error) {
    if (error instanceof YamlError) return error;
    throw error;
  }
  throw new Error(`was read: ${String(text)}`);
}

describe('scalars', () => {
  it.each([
    ['[y, Yes, ON, true, n, No, off, FALSE, yEs]', '[true,true,true,true,false,false,false,false,"yEs"]'],
    ['[~, null, NULL, nULL, ]', '[null,null,null,"nULL"]'],
    ['[0644, 0o17, 0O7, 00, 08, 09.5, 0o8]', '[420,15,7,0,8,9.5,"0o8"]'],
    ['[0b101, -0b11, 0b-1, 0b+1, 0B-1, 0b2, 0x1F, -0xff, 0xG]', '[5,-3,-1,1,"0B-1","0b2",31,-255,"0xG"]'],
    ['[1_000, 1__0, 1_, -_1, _1, 0x_1F, 1_000.5]', '[1000,10,1,-1,"_1",31,1000.5]'],
    ['[1e3, 1E+3, 1.5e-3, 1e, 1e400, 5., 1.e2]', '[1000,1000,0.0015,"1e","1e400",5,100]'],
    ['[.5, .5_0, ._5, .5_, +.5, -.5, .5e400]', '[0.5,0.5,"._5",".5_",0.5,-0.5,".5e400"]'],
    ['[-0, -0.0, +1]', '[0,0,1]'],
    ['[1:30, -12:00, 190:20:30]', '["1:30","-12:00","190:20:30"]'],
    ['[2001-12-14, 2001-12-14T21:59:43Z]', '["2001-12-14","2001-12-14T21:59:43Z"]'],
    [
      '[9007199254740993, -9223372036854775808, 9223372036854775807]',
      '[9007199254740993,-9223372036854775808,9223372036854775807]',
    ],
    // Beyond int64 the API machinery has a double.
    [
      '[9223372036854775808, 18446744073709551616, 4611686018427387905.0]',
      '[9223372036854776000,18446744073709552000,4611686018427388000]',
    ],
    [`["yes", '0644', "\\x41\\u00e9\\U0001F600"]`, '["yes","0644","Aé😀"]'],
    ['[!!str 0644, !!int "0644", !!float 3, !!bool yes, ! 12, !mine 12]', '["0644",420,3,true,"12","12"]'],
    ['[!!binary aGVsbG8=, !!timestamp 2001-1-2, !!null ~]', '["hello","2001-1-2",null]'],
  ])('%s', (text, expected) => {
    expect(json(text)).toBe(expected);
  });

  it.each([
    '.inf',
    '-.INF',
    '.nan',
    '!!int 1.5',
    '!!bool 1',
    '!!float 18446744073709551615',
    '!!timestamp 2001-02-29',
    '!!timestamp 2001-1-1 25:00:00',
    '!!binary a',
    '!!binary //8=',
    '"\\ud800"',
    '"\\/"',
  ])('refuses %s', (text) => {
    expect(errorOf(`a: ${text}`).line).toBe(1);
  });
});

describe('mappings', () => {
  it.each([
    [
      '{1: a, 0x10: b, true: c, 1.50: d, 1e6: e, .inf: f, 2001-01-01: g}',
      ['1', '16', 'true', '1.5', '1e+06', '.inf', '2001-01-01'],
    ],
    ['{+18446744073709551615: a}', ['1.8446744e+19']],
    [
      '{0.1: a, 1e39: b, 16777217.0: c, 0.00001: d, -0.0: e, 123456.0: f}',
      ['0.1', '.inf', '1.6777216e+07', '1e-05', '-0', '123456'],
    ],
  ])('makes strings of the keys of %s as Go does', (text, keys) => {
    expect(Object.keys(parseYamlDocument(text) as object).sort()).toEqual([...keys].sort());
  });

  it('lets the last of equal keys win, also over and under a merge', () => {
    expect(json('a: 1\na: 2')).toBe('{"a":2}');
    expect(json('b: &b {x: 1}\nc: {x: 10, <<: *b}\nd: {<<: *b, x: 10}')).toBe(
      '{"b":{"x":1},"c":{"x":1},"d":{"x":10}}',
    );
    expect(json('{<<: [{x: 1}, {x: 2, z: 3}]}')).toBe('{"x":1,"z":3}');
    expect(json('a: {"<<": 1}')).toBe('{"a":{"<<":1}}');
  });

  it.each([
    '~: a',
    '[a]: b',
    '{a: b}: c',
    '18446744073709551615: a',
    '<<: 1',
    '<<: [1]',
    'a: *no',
    'a: &a [*a]',
  ])('refuses %s', (text) => {
    expect(errorOf(text).line).toBe(1);
  });

  it('keeps __proto__ an ordinary key', () => {
    const value = parseYamlDocument('__proto__: {polluted: 1}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(value['polluted']).toBeUndefined();
  });

  it('copies what an alias names', () => {
    const { a, b } = parseYamlDocument('a: &x {k: [1]}\nb: *x') as Record<string, { k: number[] }>;
    expect(b).toEqual(a);
    expect(b?.k).not.toBe(a?.k);
  });
});

describe('streams', () => {
  it.each([
    ['# nothing\n', ''],
    ['', ''],
    ['---\n---\na: 1\n---\n', '{"a":1}'],
    ['a: 1\n--- # next\nb: 2', '{"a":1} {"b":2}'],
    ['a: 1\n...\n: [ ignored', '{"a":1}'],
    ['\ufeffa: 1\r\nb: |\r\n  x\r\n  y\r\n---\r\nc: 3\r\n', '{"a":1,"b":"x\\ny\\n"} {"c":3}'],
    ['{"a": "\\/", "b": [1]}{"c":\n2}\n', '{"a":"/","b":[1]} {"c":2}'],
    ['  {"a": "}"}\n---\nb: 0o17\n', '{"a":"}"} {"b":15}'],
    ['{a: 1}\n---\nb: 2\n', '{"a":1} {"b":2}'],
    ['a: |+\n  x\n\n---\nb: 1\n', '{"a":"x\\n\\n"} {"b":1}'],
    // kubectl does not look at indentation between brackets and quotes.
    ['a: [\n1, # ]\n{b: "]"\n}\n]\nc: "x\n  y\n\nz"\n', '{"a":[1,{"b":"]"}],"c":"x y\\nz"}'],
    ['a: [ # {\n# ]\n"[", # [\n{b: c}\n]\nd:\n- e\n', '{"a":["[",{"b":"c"}],"d":["e"]}'],
    ["a: [\n\"\\\"[\",\n'it''s [',\n]\nd:\n- e\n", '{"a":["\\"[","it\'s ["],"d":["e"]}'],
    ['a: "x \\\r\n  y"\r\n', '{"a":"x y"}'],
    ['a: |2\n  \tx\n', '{"a":"\\tx\\n"}'],
    ["a:\n- - k: 'x\ny''\n'\n  - {\n}\n", `{"a":[[{"k":"x y' "},{}]]}`],
  ])('%j', (text, expected) => {
    expect(json(text)).toBe(expected);
  });

  it.each<[string | Uint8Array, number, number, RegExp]>([
    ['a: 1\n---\nb:\n\tc: 1\n', 4, 1, /tab/],
    ['a: 1\n---\nb: {c: 1\n', 4, 1, /flow collection/],
    ['a: 1\n--- b\n', 2, 1, /separator/],
    ['%YAML 1.2\n---\na: 1\n', 2, 1, /directives/],
    ['a:\n  b: .nan\n', 2, 6, /no number/],
    ['a: [\nx,\n{b: .nan}]\n', 3, 5, /no number/],
    ['a: [x?]\n', 1, 5, /quotes/],
    ['a: [x:, y]\n', 1, 5, /quotes/],
    ['{"a": 1}{"b": 1} c\n', 1, 18, /JSON/],
    ['a: \u0007\n', 1, 4, /U\+0007/],
    ['a: b\u2028c\n', 1, 5, /U\+2028/],
    ['a: &a [*a]\n', 1, 9, /contains itself/],
    ['a: [:x]\n', 1, 5, /quotes/],
    ['a: |\n\n  \tx\n', 3, 3, /tab/],
    [`${'k'.repeat(1025)}: 1\n`, 1, 1, /1024/],
    ['a: {"x\n  y": 1}\n', 1, 6, /one line/],
    ['a: &a.b c\n', 1, 5, /anchor/],
    ['a: [!x, y]\n', 1, 7, /comma/],
    ['a: "x\\\n\n  y"\n', 1, 6, /escaped line break/],
    ['\ufeff{"a": "\\/"}\n', 1, 9, /escape/],
    [Buffer.from([0x61, 0x3a, 0x20, 0xff]), 1, 1, /UTF-8/],
  ])('refuses %j at line %i, column %i', (text, line, column, reason) => {
    const error = errorOf(text, { file: 'x.yaml' });
    expect([error.line, error.column]).toEqual([line, column]);
    expect(error.reason).toMatch(reason);
    expect(error.message).toContain(`x.yaml: line ${String(line)}, column ${String(column)}: `);
  });

  it('reads one document where one is expected', () => {
    expect(parseYamlDocument('# none')).toBeUndefined();
    expect(() => parseYamlDocument('a: 1\n---\na: 2')).toThrow('expected one document, there are 2');
  });
});

describe('bounds', () => {
  it('refuses aliases that expand beyond measure, and takes many that do not', () => {
    const laughs = Array.from(
      { length: 9 },
      (_, level) =>
        `a${String(level)}: &a${String(level)} [${Array<string>(9)
          .fill(level === 0 ? 'x' : `*a${String(level - 1)}`)
          .join(', ')}]`,
    );
    expect(errorOf(laughs.join('\n')).reason).toMatch(/aliases/);
    expect(json(`a: &a {k: v}\nb: [${Array<string>(5000).fill('*a').join(', ')}]`).length).toBe(50_021);
  });

  it('refuses depth and length', () => {
    const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    expect(json(nested(499))).toBe(nested(499));
    expect(errorOf(nested(501)).reason).toMatch(/500 levels/);
    expect(errorOf(nested(1_000_000)).reason).toMatch(/500 levels/);
    expect(errorOf(`{"a":${nested(501)}}`).reason).toMatch(/500 levels/);
    const chain = Array.from(
      { length: 600 },
      (_, at) => `a${String(at + 1)}: &a${String(at + 1)} [*a${String(at)}]`,
    );
    expect(errorOf(`a0: &a0 x\n${chain.join('\n')}`).reason).toMatch(/500 levels/);
    expect(errorOf('a: 1', { maxLength: 3 }).reason).toMatch(/more than 3/);
  });

  it('reads what is large or odd in time', () => {
    expect(json(JSON.stringify({ a: 'x\\"'.repeat(1_000_000) })).length).toBeGreaterThan(4_000_000);
    expect(json(`a: |\n${'\n'.repeat(50_000)}  x\n`).length).toBe(100_011);
    const margins = Array.from({ length: 3000 }, (_, at) => `a${String(at)}: [\n]\n`);
    expect(json(margins.slice(0, 100).join('')).length).toBe(891);
    expect(errorOf(margins.join('')).reason).toMatch(/indented deeper/);
    expect(json(`a: [\n${'x,\n'.repeat(5000)}]\n`).length).toBe(20_007);
  });
});

describe('manifests', () => {
  const read = (text: string): string => stringifyJson(parseManifests(text, { file: 'x.yaml' }));

  it('takes lists apart', () => {
    expect(
      read(
        'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A}\n---\napiVersion: g/v1\nkind: BList\nitems: [{metadata: {name: b}}]',
      ),
    ).toBe('[{"apiVersion":"v1","kind":"A"},{"metadata":{"name":"b"},"apiVersion":"g/v1","kind":"B"}]');
    expect(read('apiVersion: v1\nkind: List\nitems: []')).toBe('[]');
  });

  it.each([
    ['metadata: {labels: {a: yes}}', 'metadata.labels must be a mapping of strings'],
    ['metadata: {annotations: {a: 1}}', 'metadata.annotations'],
    ['metadata: {name: 1}', 'metadata.name must be a string'],
    ['metadata: {namespace: 1}', 'metadata.namespace'],
    ['metadata: {finalizers: x}', 'metadata.finalizers'],
    ['metadata: {generation: x}', 'metadata.generation'],
    ['metadata: x', 'metadata must be a mapping'],
    ['items: {}', 'items must be a list'],
    ['items: [{apiVersion: v1, kind: List, items: []}]', 'is a list itself'],
    ['items: [x]', 'items[0] must be a mapping'],
  ])('refuses an object with %s', (text, reason) => {
    expect(() => read(`apiVersion: v1\nkind: A\n${text}`)).toThrow(reason);
  });

  it.each(['- a', 'x', 'kind: A', 'apiVersion: v1', 'apiVersion: 1\nkind: A', 'apiVersion: v1\nkind: ""'])(
    'refuses %j',
    (text) => {
      expect(() => read(text)).toThrow(ManifestError);
    },
  );

  it('takes null where Go has an empty value', () => {
    expect(read('apiVersion: v1\nkind: A\nmetadata: {labels: {a: }, creationTimestamp: }')).toContain(
      '"a":null',
    );
  });
});
