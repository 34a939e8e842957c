/** Rego values outside of Wasm, against the real opa. Replay a run with SEED=. */
import { describe, expect, it } from '@jest/globals';
import {
  compareValues,
  numberOf,
  parseValue,
  setOf,
  sortedEntries,
  writeValue,
  type RegoValue,
} from '../../../../src/policy/engine/values.ts';
import { seeded } from '../../random.ts';
import { opaEval } from '../opa-eval.ts';
import { randomValue } from '../rego-values.ts';

const SEED = Number(process.env['SEED'] ?? 20261124);

describe('a value', () => {
  it(`is read back as it was written (SEED=${String(SEED)})`, () => {
    const random = seeded(SEED);
    for (let run = 0; run < 3_000; run += 1) {
      const value = randomValue(random, true);
      const text = writeValue(value);
      expect(parseValue(text)).toEqual(value);
      expect(writeValue(parseValue(text))).toBe(text);
    }
  });

  it('that is JSON is written as JSON', () => {
    const random = seeded(SEED);
    for (let run = 0; run < 1_000; run += 1) {
      const text = writeValue(randomValue(random, false));
      expect(() => JSON.parse(text) as unknown).not.toThrow();
    }
  });

  it.each<[string, RegoValue]>([
    [' [ 1 ,\n2 ] ', [numberOf(1), numberOf(2)]],
    ['{1, 2}', { type: 'set', items: [numberOf(1), numberOf(2)] }],
    ['set()', { type: 'set', items: [] }],
    ['{}', { type: 'object', entries: [] }],
    ['{[1]: set()}', { type: 'object', entries: [[[numberOf(1)], { type: 'set', items: [] }]] }],
    ['{"__proto__": 1}', { type: 'object', entries: [['__proto__', numberOf(1)]] }],
    ['"\\u0000\\ud83d\\ude00"', '\u0000😀'],
    ['123456789012345678901234567890', { type: 'number', text: '123456789012345678901234567890' }],
    ['-1.50e+10', { type: 'number', text: '-1.50e+10' }],
  ])('%s is read', (text, value) => {
    expect(parseValue(text)).toEqual(value);
  });

  it.each([
    '',
    '[1',
    '[1 2]',
    '{"a":}',
    '{1,}',
    '{1:2,3}',
    '"a',
    '"\\x"',
    'nul',
    '1 2',
    'set(',
    '+1',
    '.5',
    '{:1}',
    '[,]',
  ])('%j is none', (text) => {
    expect(() => parseValue(text)).toThrow(SyntaxError);
  });
});

describe('the order of values', () => {
  it(`is opa's (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const alike = ['{"a":2}', '{"a":1}', '{"a":2,"b":0}', '{"a":1,"b":9}', '{"b":0}', '{1:1}', '{1:0,"a":0}'];
    const values = [
      ...alike.map(parseValue),
      ...Array.from({ length: 250 }, () => randomValue(random, true, 2)),
    ];
    const numbered = values.map(
      (value, at) => `[${writeValue(value).replaceAll('\ufeff', '\\ufeff')}, ${String(at)}]`,
    );
    const module = `package t\n\nsorted := [pair[1] | some pair in sort([${numbered.join(', ')}])]`;
    const order = (await opaEval(module, 'data.t.sorted')) as number[];
    const ours = values
      .map((value, at) => ({ value, at }))
      .sort((a, b) => compareValues(a.value, b.value) || a.at - b.at);
    expect(ours.map(({ at }) => at)).toEqual(order);
  });

  it('is one: total, antisymmetric, and zero only for what opa calls equal', () => {
    const random = seeded(SEED + 1);
    for (let run = 0; run < 2_000; run += 1) {
      const [a, b] = [randomValue(random, true, 2), randomValue(random, true, 2)];
      expect(Math.sign(compareValues(a, b)) + Math.sign(compareValues(b, a))).toBe(0);
      expect(compareValues(a, a)).toBe(0);
    }
  });

  it('makes a set: sorted, each once, 1 and 1.0 the same', () => {
    const one = { type: 'number', text: '1.0' } as const;
    const set = setOf(['b', numberOf(1), one, 'a', 'b', null]);
    expect(set.items).toEqual([null, numberOf(1), 'a', 'b']);
    expect(compareValues({ type: 'set', items: ['b', 'a'] }, setOf(['a', 'b']))).toBe(0);
  });

  it('sorts the keys of an object', () => {
    const entries = [
      ['b', null],
      [numberOf(2), null],
      ['a', null],
    ] as const;
    expect(sortedEntries({ type: 'object', entries }).map(([key]) => key)).toEqual([numberOf(2), 'a', 'b']);
  });
});
