import { describe, expect, it } from '@jest/globals';
import { parameterCheck } from '../../../src/policy/parameters.ts';
import { describeProblem } from '../../../src/policy/problems.ts';
import { parseJson, stringifyJson } from '../../../src/runtime/json.ts';

const SCHEMA = {
  type: 'object',
  required: ['repos'],
  properties: {
    repos: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^[a-z./]+$' } },
    limit: { type: 'integer', minimum: 1, maximum: 10, default: 5 },
    port: { 'x-kubernetes-int-or-string': true },
    free: { type: 'object', additionalProperties: true },
    nested: { type: 'object', default: {}, properties: { deep: { type: 'boolean', default: true } } },
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
  },
  'x-kubernetes-validations': [{ rule: 'self.limit >= size(self.repos)', message: 'too many repos' }],
};

function problemsOf(schema: unknown, parameters: unknown, prefix?: string): string[] {
  const { problems, check } = parameterCheck(schema);
  return [...problems, ...check(parameters, prefix).problems].map(describeProblem);
}

describe('parameters', () => {
  it.each<[string, object | undefined, RegExp[]]>([
    ['right', { repos: ['a/'] }, []],
    [
      'right, with everything',
      { repos: ['a'], limit: 2, port: 'http', free: { x: [1] }, set: ['a', 'b'] },
      [],
    ],
    ['absent', undefined, [/^parameters\.repos: is required \(accepted: array\)$/]],
    ['empty', {}, [/^parameters\.repos: is required/]],
    ['of a wrong type', { repos: 'a' }, [/^parameters\.repos: is of type string \(accepted: array\)$/]],
    ['an item', { repos: ['a', 'B'] }, [/^parameters\.repos\[1\]: "B" does not match .*RE2/]],
    [
      'out of bounds',
      { repos: ['a'], limit: 11 },
      [/^parameters\.limit: 11 breaks maximum \(accepted: integer from 1 up to 10\)$/],
    ],
    [
      'a word too many',
      { repos: ['a'], repoz: [] },
      [/^parameters\.repoz: is not known to spec\.parametersSchema \(accepted: repos, limit/],
    ],
    [
      'a word too many, deep',
      { repos: ['a'], nested: { dep: true } },
      [/^parameters\.nested\.dep: is not known/],
    ],
    [
      'prototype',
      parseJson('{"repos": ["a"], "__proto__": {}}') as object,
      [/^parameters\.__proto__: is not known/],
    ],
    ['twice in a set', { repos: ['a'], set: ['a', 'a'] }, [/^parameters\.set\[1\]: /]],
    ['against a rule in CEL', { repos: ['a', 'b'], limit: 1 }, [/^parameters: too many repos \(/]],
    ['two at once', { repos: [1], limit: 0 }, [/limit/, /repos\[0\]/]],
  ])('%s', (_name, parameters, expected) => {
    const found = problemsOf(SCHEMA, parameters).sort();
    expect(found).toHaveLength(expected.length);
    for (const [at, pattern] of expected.entries()) expect(found[at]).toMatch(pattern);
  });

  it('get the defaults of the schema, on every level', () => {
    const { parameters } = parameterCheck(SCHEMA).check({ repos: ['a'] });
    expect(parameters).toEqual({ repos: ['a'], limit: 5, nested: { deep: true } });
  });

  it('keep the digits of long numbers', () => {
    const schema = { type: 'object', properties: { n: { type: 'integer' } } };
    const { parameters, problems } = parameterCheck(schema).check(parseJson('{"n": 9007199254740993}'));
    expect([stringifyJson(parameters), problems]).toEqual(['{"n":9007199254740993}', []]);
  });

  it('are named by what stands before them', () => {
    expect(problemsOf(SCHEMA, {}, 'tests[3].')).toEqual([
      'tests[3].parameters.repos: is required (accepted: array)',
    ]);
  });

  it('are all right without a schema', () => {
    const { problems, check } = parameterCheck(undefined);
    expect([problems, check({ a: 1 })]).toEqual([[], { parameters: { a: 1 }, problems: [] }]);
  });
});

describe('a schema', () => {
  const field = (schema: unknown) => ({ type: 'object', properties: { x: schema } });

  it.each<[string, unknown, RegExp]>([
    ['is no object', 'x', /^parametersSchema: is no schema/],
    ['has no type', {}, /^parametersSchema\.type: is required/],
    ['is no object at its root', { type: 'string' }, /^parametersSchema\.type: parameters are an object/],
    ['has a field without a type', field({}), /^parametersSchema\.properties\.x\.type: is required/],
    [
      'has an unknown type',
      field({ type: 'int' }),
      /^parametersSchema\.properties\.x\.type: "int" .*integer/,
    ],
    [
      'has an unknown word',
      field({ type: 'string', anyOf: [] }),
      /^parametersSchema\.properties\.x\.anyOf: is no word/,
    ],
    ['has a word of an object', { type: 'object', toString: 1 }, /^parametersSchema\.toString: is no word/],
    [
      'has a list without items',
      field({ type: 'array' }),
      /^parametersSchema\.properties\.x\.items: is required/,
    ],
    [
      'has fields in a string',
      field({ type: 'string', properties: {} }),
      /^parametersSchema\.properties\.x\.properties: /,
    ],
    ['has a bad pattern', field({ type: 'string', pattern: '(' }), /x\.pattern: .*RE2/],
    [
      'has a pattern that only JavaScript knows',
      field({ type: 'string', pattern: '(?=a)' }),
      /x\.pattern: .*RE2/,
    ],
    ['has a bad bound', field({ type: 'integer', minimum: 'a' }), /x\.minimum: "a"/],
    ['has a bad item', field({ type: 'array', items: { type: 'x' } }), /x\.items\.type: "x"/],
    [
      'has a bad value',
      field({ type: 'object', additionalProperties: { type: 'x' } }),
      /x\.additionalProperties\.type/,
    ],
    [
      'forbids more fields',
      field({ type: 'object', additionalProperties: false }),
      /x\.additionalProperties: is no schema/,
    ],
    [
      'has a wrong default',
      field({ type: 'integer', default: 'a' }),
      /^parametersSchema\.properties\.x\.default: is of type string/,
    ],
    [
      'has a broken rule',
      { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.' }] },
      /^parametersSchema: /,
    ],
    [
      'is too deep',
      Array.from({ length: 40 }).reduce((inner) => field(inner), { type: 'string' }),
      /too large or too deep/,
    ],
    [
      'is too large',
      {
        type: 'object',
        properties: Object.fromEntries(Array.from({ length: 3_000 }, (_x, at) => [`f${String(at)}`, {}])),
      },
      /is required|too large/,
    ],
  ])('that %s is refused with its path', (_name, schema, why) => {
    expect(problemsOf(schema, { any: 'thing' })[0]).toMatch(why);
    expect(problemsOf(schema, {}).length).toBeLessThanOrEqual(20);
  });
});
