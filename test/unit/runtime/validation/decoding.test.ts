/** What the API server makes of an object before it judges it. */
import { describe, expect, it } from '@jest/globals';
import { parseJson, stringifyJson } from '../../../../src/runtime/json.ts';
import type { Schema } from '../../../../src/runtime/schema.ts';
import { validate } from '../../../../src/runtime/validation/validate.ts';
import { check, crdOf, judge, thing, type Json } from './thing.ts';

const text: Schema = { type: 'string' };
const object = (properties: Record<string, Schema>, more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  ...more,
});
const OPEN: Schema = { 'x-kubernetes-preserve-unknown-fields': true };

describe('pruning', () => {
  it.each<[string, Schema, unknown, unknown]>([
    ['an unknown field', object({ a: text }), { a: 'x', b: 'y' }, { a: 'x' }],
    ['deep inside', object({ a: object({ b: text }) }), { a: { b: 'x', c: 1 } }, { a: { b: 'x' } }],
    ['in lists', { type: 'array', items: object({ a: text }) }, [{ a: 'x', b: 1 }], [{ a: 'x' }]],
    ['in maps', { type: 'object', additionalProperties: object({ a: text }) }, { k: { b: 1 } }, { k: {} }],
    [
      'not where unknown fields are preserved',
      object({ a: text }, OPEN),
      { a: 'x', b: { c: 1 } },
      { a: 'x', b: { c: 1 } },
    ],
    [
      'but in the known fields of such an object',
      object({ a: object({}) }, OPEN),
      { a: { b: 1 } },
      { a: {} },
    ],
    [
      '__proto__ is a field like any other',
      object({ a: text }),
      JSON.parse('{"a":"x","__proto__":{"b":1}}'),
      { a: 'x' },
    ],
    ['constructor, too', object({ a: text }), { constructor: 1 }, {}],
  ])('%s', (_name, schema, value, made) => {
    expect(judge(schema, value)).toEqual({ it: made, problems: [] });
  });

  it('preserves a field that is called __proto__', () => {
    const { it: made } = judge({ type: 'object', ...OPEN }, JSON.parse('{"__proto__":{"b":1}}'));
    expect(stringifyJson(made)).toBe('{"__proto__":{"b":1}}');
  });

  it('leaves the given object alone', () => {
    const given = Object.freeze(thing({ spec: Object.freeze({ it: Object.freeze({ b: 1 }) }) }));
    validate(crdOf(object({ it: object({ a: { type: 'string', default: 'd' } }) })), given);
    expect(given['spec']).toEqual({ it: { b: 1 } });
  });
});

describe('nulls', () => {
  const withDefault: Schema = { type: 'string', default: 'd' };
  it.each<[string, Schema, unknown, unknown, string[]]>([
    ['not nullable: as if absent', object({ a: text }), { a: null }, {}, []],
    [
      'not nullable, required',
      object({ a: text }, { required: ['a'] }),
      { a: null },
      {},
      ['Required spec.it.a'],
    ],
    ['not nullable, with a default', object({ a: withDefault }), { a: null }, { a: 'd' }, []],
    ['nullable', object({ a: { ...text, nullable: true } }), { a: null }, { a: null }, []],
    [
      'nullable, with a default',
      object({ a: { ...withDefault, nullable: true } }),
      { a: null },
      { a: null },
      [],
    ],
    [
      'nullable and an enum: an enum has no null',
      { ...text, nullable: true, enum: ['a'] },
      null,
      null,
      ['NotSupported spec.it'],
    ],
    ['in a list', { type: 'array', items: text }, ['a', null], ['a', null], ['TypeInvalid spec.it[1]']],
    [
      'in a list of nullable items',
      { type: 'array', items: { ...text, nullable: true } },
      [null],
      [null],
      [],
    ],
    ['in a list whose items have a default', { type: 'array', items: withDefault }, [null], ['d'], []],
    ['in a map', { type: 'object', additionalProperties: text }, { k: null }, {}, []],
    [
      'in a map whose values have a default',
      { type: 'object', additionalProperties: withDefault },
      { k: null },
      { k: 'd' },
      [],
    ],
    ['of an unknown field that is preserved', { type: 'object', ...OPEN }, { a: null }, { a: null }, []],
  ])('%s', (_name, schema, value, made, problems) => {
    expect(judge(schema, value)).toEqual({ it: made, problems });
  });
});

describe('defaults', () => {
  it.each<[string, Schema, unknown, unknown]>([
    ['of a field', object({ a: { ...text, default: 'd' } }), {}, { a: 'd' }],
    ['not over a value', object({ a: { ...text, default: 'd' } }), { a: '' }, { a: '' }],
    ['not where the parent is absent', object({ a: { ...text, default: 'd' } }), undefined, undefined],
    [
      'where the parent has a default',
      { ...object({ a: { ...text, default: 'd' } }), default: {} },
      undefined,
      { a: 'd' },
    ],
    [
      'beside what a default brings',
      { ...object({ a: text, b: { ...text, default: 'e' } }), default: { a: 'd' } },
      undefined,
      { a: 'd', b: 'e' },
    ],
    [
      'a nullable default for an absent field',
      object({ a: { ...text, nullable: true, default: 'd' } }),
      {},
      { a: 'd' },
    ],
    [
      'in each item',
      { type: 'array', items: object({ a: { ...text, default: 'd' } }) },
      [{}, { a: 'x' }],
      [{ a: 'd' }, { a: 'x' }],
    ],
    ['after pruning', object({ a: { ...object({}), default: {} } }), { b: 1 }, { a: {} }],
  ])('%s', (_name, schema, value, made) => {
    expect(judge(schema, value).it).toEqual(made);
  });

  it('are copies', () => {
    const schema = object({ it: object({ a: { type: 'array', items: text, default: ['x'] } }) });
    const made = validate(crdOf(schema), thing({ spec: { it: {} } })).object as {
      spec: { it: { a: string[] } };
    };
    made.spec.it.a.push('y');
    expect(validate(crdOf(schema), thing({ spec: { it: {} } })).object['spec']).toEqual({ it: { a: ['x'] } });
  });
});

describe('numbers that JavaScript does not hold', () => {
  it.each([
    ['9007199254740993', [], '9007199254740993'],
    ['9223372036854775807', [], '9223372036854775807'],
    ['-9223372036854775808', [], '-9223372036854775808'],
    ['9223372036854775808', ['TypeInvalid spec.it'], '9223372036854776000'],
  ])('%s in an integer', (source, problems, made) => {
    const judged = judge({ type: 'integer' }, parseJson(source));
    expect(judged.problems).toEqual(problems);
    expect(stringifyJson(judged.it)).toBe(made);
  });

  it('are refused where no float64 holds them', () => {
    expect(judge({ type: 'number' }, parseJson(`1${'0'.repeat(400)}`)).problems).toEqual(['Invalid ']);
  });
});

describe('spec and status are written apart', () => {
  const status = object({ phase: { type: 'string', maxLength: 3 } }, { default: { phase: 'new' } });
  const crd = crdOf(object({ a: { type: 'string', maxLength: 3 } }), { status });
  const old = thing({ spec: { a: 'x' }, status: { phase: 'old' } });
  const made = (...args: Parameters<typeof validate> extends [unknown, ...infer Rest] ? Rest : never): Json =>
    validate(crd, ...args).object;

  it('a status given on create counts for nothing', () => {
    const object = thing({ spec: {}, status: { phase: 'too long' } });
    expect(check(crd, object)).toEqual([]);
    expect(made(object)['status']).toEqual({ phase: 'new' });
  });
  it('an update keeps the old status', () => {
    const object = thing({ spec: { a: 'y' }, status: { phase: 'too long' } });
    expect(check(crd, object, old)).toEqual([]);
    expect(made(object, old)).toMatchObject({ spec: { a: 'y' }, status: { phase: 'old' } });
  });
  it('an update of the status keeps the old spec', () => {
    const object = thing({ spec: { a: 'too long' }, status: { phase: 'now' } });
    expect(check(crd, object, old, { subresource: 'status' })).toEqual([]);
    expect(made(object, old, { subresource: 'status' })).toMatchObject({
      spec: { a: 'x' },
      status: { phase: 'now' },
    });
  });
  it('and is judged', () => {
    const object = thing({ spec: {}, status: { phase: 'too long' } });
    expect(check(crd, object, old, { subresource: 'status' })).toEqual(['TooLong status.phase']);
  });
});
