import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deepEqual, parseJson, stringifyJson } from '../../../src/runtime/json.ts';

describe('lossless JSON', () => {
  it.each([
    '9007199254740993',
    '-9223372036854775808',
    '18446744073709551615',
    '0.1',
    '12345678901234567890123',
  ])('keeps %s', (number) => {
    expect(stringifyJson(parseJson(`{"n":${number},"s":"${number}"}`))).toBe(
      `{"n":${number},"s":"${number}"}`,
    );
  });

  it('reads any JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(deepEqual(JSON.parse(stringifyJson(parseJson(text))), JSON.parse(text))).toBe(true);
      }),
    );
  });

  it('keeps __proto__ an ordinary key, also beside a long number', () => {
    const value = parseJson('{"__proto__":{"polluted":true},"n":9007199254740993}');
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('what is no JSON', () => {
  it.each([
    ['c4n4ry', 'unexpected character'],
    ['{"token": c4n4ry}', 'unexpected character'],
    [`{"padding": "${'x'.repeat(100)}", "token": c4n4ry, "padding": "${'x'.repeat(100)}"}`, 'unexpected'],
    ['{"token": "x", 12345678901234567890: c4n4ry}', 'position 15'],
    ['{"token": "x" "c4n4ry"}', 'position 14'],
    ['[1]c4n4ry', 'position 3'],
    ['{"token": "c4n4ry', 'position 17'],
    ['{"token": "c4n4ry",', 'position 19'],
    ['', 'end of JSON'],
  ])('%s is refused without being quoted', (text, words) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
    expect(() => parseJson(text)).toThrow(words);
    expect(() => parseJson(text)).not.toThrow(/c4n|4ry/);
  });

  it('is never quoted, whatever it is', () => {
    const canary = 'c4n4ry';
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, at) => {
        const cut = at % (text.length + 1);
        const broken = text.slice(0, cut) + canary + text.slice(cut);
        try {
          parseJson(broken);
        } catch (error) {
          expect(String(error)).not.toContain(canary);
        }
      }),
    );
  });
});

describe('deepEqual', () => {
  it.each<[unknown, unknown, boolean]>([
    [{ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, true],
    [{ a: 1, b: undefined }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [null, {}, false],
    [parseJson('9007199254740993'), parseJson('9007199254740993'), true],
    [parseJson('9007199254740993'), parseJson('9007199254740992'), false],
  ])('%j and %j: %s', (a, b, expected) => {
    expect(deepEqual(a, b)).toBe(expected);
    expect(deepEqual(b, a)).toBe(expected);
  });
});
