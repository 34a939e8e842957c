/** yaml.* against the real opa. Replay a run with SEED=, a longer one with RUNS=. */
import { describe, it } from '@jest/globals';
import { numberOf, type RegoValue } from '../../../../../src/policy/engine/values.ts';
import { seeded } from '../../../random.ts';
import { pick, randomValue } from '../../rego-values.ts';
import { RUNS, SEED, call, expectSame, pickSome } from './both.ts';

function object(fields: Record<string, RegoValue>): RegoValue {
  return { type: 'object', entries: Object.entries(fields) };
}

describe('yaml', () => {
  it(`marshal (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const pieces = [
      'a',
      'b: c',
      '\n',
      ' ',
      '- ',
      '#',
      ' #x',
      "'",
      '"',
      '\t',
      'é',
      '😀',
      '1',
      '0',
      ':',
      '\\',
      '\u0001',
      '\u00a0',
      '{',
      ',',
    ];
    const words =
      'true False null ~ yes No on y 1 0x1f 0o7 1_000 1e3 .5 .inf 1:30 2020-01-02 <<  = --- ... % @ ` a,b [ ] ? ?a :a -a - 012 +1 -.inf a10 a9 a2 b01 b1'.split(
        ' ',
      );
    const text = (): string => (random() < 0.4 ? pick(random, words) : pickSome(random, pieces, 5).join(''));
    const value = (depth: number): RegoValue => {
      const kind = random();
      if (depth === 0 || kind < 0.3) return text();
      if (kind < 0.45) return randomValue(random, false, 0);
      const length = Math.floor(random() * 4);
      if (kind < 0.7) return Array.from({ length }, () => value(depth - 1));
      return object(Object.fromEntries(Array.from({ length }, () => [text(), value(depth - 1)])));
    };
    const calls = Array.from({ length: 2 * RUNS }, () => call('yaml.marshal', value(3)));
    const numbers = [
      '1.0',
      '1e3',
      '1e21',
      '123456789.125',
      '18446744073709551615',
      '18446744073709551616',
      '-0',
      '1e400',
    ];
    await expectSame([
      ...calls,
      ...['a'.repeat(200), object({ ['k'.repeat(130)]: ['x'], 'a\nb': object({ c: 'd' }) })].map((one) =>
        call('yaml.marshal', one),
      ),
      ...numbers.map((digits) => call('yaml.marshal', [{ type: 'number', text: digits }])),
    ]);
  });

  it(`unmarshal of scalars (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const starts = ['', '-', '+', '0', '0x', '0o', '0b', '.', '1', '~', '<<'];
    const rest = ['0', '1', '7', '8', 'a', 'f', '_', '.', 'e', '-', '+', ':', 'inf', 'nan', 'true', '5'];
    const calls = Array.from({ length: RUNS }, () => {
      const scalar = pick(random, starts) + pickSome(random, rest, 4).join('');
      return [call('yaml.unmarshal', scalar), call('yaml.unmarshal', `a: ${scalar}\n${scalar}: b`)];
    }).flat();
    const table =
      'true True TRUE tRUE yes no on off y n null Null NULL ~ .inf -.Inf +.INF .nan 2020-01-02 2020-13-02 2020-1-2T3:4:5Z 0644 0o644 089 1_000 0x_1f 18446744073709551615 18446744073709551616 -9223372036854775809 1e400 0b101 -0b11 0777 1:30 !!str,1 !!int,1 !!int,a !!float,1 !!bool,yes !!binary,aGk= !!binary,? !x,1 !!null,~ x'.split(
        ' ',
      );
    await expectSame([...calls, ...table.map((text) => call('yaml.unmarshal', text.replace(',', ' ')))]);
  });

  it('unmarshal of structures, is_valid', async () => {
    const texts = [
      '',
      '# comment',
      '---\n---\na: 1',
      'a: 1\n---\nb: [',
      'a: 1\n---\nb: 2',
      'a: &x [1, 2]\nb: *x',
      'a: *x',
      'base: &b {x: 1, y: 2}\nd:\n  <<: *b\n  y: 3',
      'd: {y: 3, <<: {y: 4, z: 5}}',
      'd:\n  <<: [{a: 1}, {a: 2, b: 2}]\n  <<: {c: 3, a: 9}',
      '<<: 1',
      'a: 1\na: 2',
      '1: a\n"1": b',
      '1.5: a\ntrue: b\n0.1: c\n123456789.0: d\n.inf: e',
      'null: a',
      '? [1]\n: v',
      '? {a: 1}\n: v',
      'a: |\n  x\n  y\nb: >-\n  p\n  q',
      "\"\\u00e9\\n\": 'it''s'",
      '- 1\n- - 2\n  - a: 3',
      '{"a": [1, 2.50, 1e3], "b": null}',
      '  a:\nb: 1',
      'a: b: c',
      '[1, 2',
      'a: .nan',
      '!!set {a, b}',
      '&a [*a]',
      '%YAML 1.2\n---\na: 1',
    ];
    await expectSame([
      ...texts.map((text) => call('yaml.unmarshal', text)),
      ...texts.map((text) => call('yaml.is_valid', text)),
      call('yaml.is_valid', numberOf(1)),
    ]);
  });
});
