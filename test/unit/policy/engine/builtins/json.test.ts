/** json.* against the real opa. Replay a run with SEED=, a longer one with RUNS=. */
import { describe, it } from '@jest/globals';
import { numberOf, setOf, type RegoValue } from '../../../../../src/policy/engine/values.ts';
import { seeded } from '../../../random.ts';
import { pick, randomValue } from '../../rego-values.ts';
import { RUNS, SEED, call, expectSame, pickSome } from './both.ts';

function object(fields: Record<string, RegoValue>): RegoValue {
  return { type: 'object', entries: Object.entries(fields) };
}

describe('json', () => {
  it(`patch (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const keys: RegoValue[] = ['a', 'b', numberOf(0), numberOf(1), 'x/y', null];
    const value = (depth: number): RegoValue => {
      const kind = random();
      if (depth === 0 || kind < 0.2) return pick<RegoValue>(random, ['a', 'b', null, numberOf(1)]);
      const items = Array.from({ length: 1 + Math.floor(random() * 3) }, () => value(depth - 1));
      if (kind < 0.4) return items;
      if (kind < 0.5) return setOf(items);
      const names = setOf(pickSome(random, keys, 4)).items;
      return { type: 'object', entries: names.map((name) => [name, value(depth - 1)]) };
    };
    const segments = ['a', 'b', '0', '1', '2', '-', '00', '+1', 'x~1y', '~0', ''];
    const path = (): RegoValue => {
      const first = pick(random, random() < 0.8 ? ['a', 'b'] : segments);
      if (random() < 0.4) return [first, ...pickSome<RegoValue>(random, [...keys, '-', '0', ['a']], 2)];
      const rest = pickSome(random, segments.slice(0, random() < 0.8 ? 5 : 11), 2);
      return pick(random, ['', '/', '/', '//']) + [first, ...rest].join('/');
    };
    const operation = (): RegoValue => {
      const op = pick(random, ['add', 'remove', 'replace', 'move', 'copy', 'test']);
      const fields: Record<string, RegoValue> = { op, path: path() };
      if (random() < 0.95) fields['value'] = value(1);
      if (random() < 0.95) fields['from'] = path();
      return object(fields);
    };
    const calls = Array.from({ length: 2 * RUNS }, () =>
      call(
        'json.patch',
        random() < 0.9 ? object({ a: value(2), b: value(2) }) : value(2),
        Array.from({ length: random() < 0.8 ? 1 : 2 }, operation),
      ),
    ).filter(({ args: [, operations] }) => !touchesRoot(operations));
    const table: RegoValue[] = [
      [object({ op: 'test', path: 'a', value: numberOf(1) })],
      [object({ op: 'replace', path: '', value: 'new' })],
      [object({ op: 'nonsense', path: 'a' })],
      [object({ op: 'add', path: numberOf(1), value: null })],
      [object({ op: 'add', value: null })],
      [object({ path: 'a', value: null })],
      ['x'],
      [],
    ];
    await expectSame(
      [...calls, ...table.map((operations) => call('json.patch', object({ a: numberOf(1) }), operations))],
      RUNS / 4,
    );
  });

  it(`marshal_with_options (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const options = (): RegoValue => {
      const fields: Record<string, RegoValue> = {};
      if (random() < 0.4) fields['prefix'] = pick<RegoValue>(random, ['', '> ', '<&>', null]);
      if (random() < 0.4) fields['indent'] = pick<RegoValue>(random, ['', '  ', '\t', numberOf(2)]);
      if (random() < 0.4) fields['pretty'] = pick<RegoValue>(random, [true, true, false, 'yes']);
      if (random() < 0.05) fields['other'] = 'x';
      return object(fields);
    };
    const calls = Array.from({ length: RUNS }, () =>
      call('json.marshal_with_options', randomValue(random, true), options()),
    );
    await expectSame([...calls, call('json.marshal_with_options', ['<a href="x">&</a>\u2028'], object({}))]);
  });
});

/** OPA breaks down where something follows the removal of the whole document. */
function touchesRoot(operations: RegoValue | undefined): boolean {
  return (
    JSON.stringify(operations).includes('["path",""]') ||
    JSON.stringify(operations).includes('["from",""]') ||
    JSON.stringify(operations).includes('",[]]')
  );
}
