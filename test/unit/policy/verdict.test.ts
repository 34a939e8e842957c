/** What a Rego value means as a verdict. */
import { describe, expect, it } from '@jest/globals';
import { violationsOf, type Entrypoint } from '../../../src/policy/verdict.ts';

const RULE = { name: 'r', violationMessage: 'own words' };

function messages(raw: unknown, entrypoint: Entrypoint = 'violation'): string[] {
  return violationsOf(raw, entrypoint, RULE).map(({ message }) => message);
}

describe.each<Entrypoint>(['violation', 'deny', 'warn'])('%s', (entrypoint) => {
  it.each<[string, unknown, string[]]>([
    ['undefined', undefined, []],
    ['null', null, []],
    ['false', false, []],
    ['an empty text', '', []],
    ['an empty set', [], []],
    ['an empty object', {}, []],
    ['true', true, ['own words']],
    ['a text', 'bad', ['bad']],
    ['a number', 7, ['own words']],
    ['texts', ['a', 'b'], ['a', 'b']],
    ['an empty text in a set', [''], ['own words']],
    ['Gatekeeper’s object', [{ msg: 'm' }], ['m']],
    ['message instead of msg', [{ message: 'm' }], ['m']],
    ['both: msg wins', [{ msg: 'a', message: 'b' }], ['a']],
    ['an object without words', [{ details: { a: 1 } }], ['own words']],
    ['an empty object in a set', [{}], ['own words']],
    ['msg that is empty', [{ msg: '' }], ['own words']],
    ['msg that is null', [{ msg: null }], ['own words']],
    ['msg that is no text', [{ msg: { a: [1] } }], ['{"a":[1]}']],
    ['null in a set', [null], ['own words']],
    ['false in a set', [false], ['own words']],
    ['a list in a set', [['a']], ['own words']],
    ['one object', { msg: 'm' }, ['m']],
    ['a partial object', { first: { x: 1 }, second: true }, ['first', 'second']],
  ])('%s', (_name, raw, expected) => {
    expect(messages(raw, entrypoint)).toEqual(expected);
  });
});

describe('allow', () => {
  it.each<[string, unknown, boolean]>([
    ['true', true, true],
    ['false', false, false],
    ['undefined', undefined, false],
    ['null', null, false],
    ['a text', 'yes', false],
    ['a number', 1, false],
    ['an empty set', [], false],
    ['a set', ['a'], true],
    ['an empty object', {}, false],
    ['an object', { a: 1 }, true],
  ])('%s', (_name, raw, allows) => {
    expect(messages(raw, 'allow')).toEqual(allows ? [] : ['own words']);
  });
});

describe('words', () => {
  it('name the rule where it has no message of its own', () => {
    expect(violationsOf([{}], 'violation', { name: 'r' })).toEqual([{ message: 'r is violated' }]);
    expect(violationsOf(false, 'allow', { name: 'r' })).toEqual([{ message: 'r does not allow this' }]);
  });

  it('come once, unless their details differ', () => {
    const raw = [{ msg: 'm' }, { msg: 'm' }, { msg: 'm', details: { a: 1 } }, { msg: 'm', details: {} }];
    expect(violationsOf(raw, 'violation', RULE)).toEqual([
      { message: 'm' },
      { message: 'm', details: { a: 1 } },
    ]);
  });

  it('carry nothing that breaks a terminal, a header or JSON', () => {
    expect(messages(['a\u0000b\u001b[31m\u007f\u0085\ud800c\nd\te'])).toEqual([
      'a\ufffdb\ufffd[31m\ufffd\ufffd\ufffdc\nd\te',
    ]);
  });

  it('are cut, never within a character', () => {
    const [message = ''] = messages([`${'x'.repeat(2_046)}😀${'y'.repeat(100)}`]);
    expect(message).toHaveLength(2_048);
    expect(message.isWellFormed()).toBe(true);
    expect(message.endsWith('…')).toBe(true);
    expect(messages(['x'.repeat(2_048)])).toEqual(['x'.repeat(2_048)]);
  });

  it('leave out details that nobody reads', () => {
    const details = { list: 'x'.repeat(5_000) };
    expect(violationsOf([{ msg: 'm', details }], 'violation', RULE)).toEqual([
      { message: 'm', details: { omitted: `${String(JSON.stringify(details).length)} characters` } },
    ]);
  });

  it('end with a count after fifty', () => {
    const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `m${String(at)}`);
    expect(messages(many(50))).toEqual(many(50));
    const cut = messages(many(120));
    expect(cut).toHaveLength(50);
    expect(cut.at(-1)).toBe('and 71 more violations of r');
  });

  it('survive keys that JavaScript has its own ideas of', () => {
    const raw = JSON.parse('{"__proto__": 1, "constructor": {"a": 1}}') as unknown;
    expect(messages(raw)).toEqual(['__proto__', 'constructor']);
    expect(messages([JSON.parse('{"__proto__": {"msg": "no"}}')])).toEqual(['own words']);
  });
});
