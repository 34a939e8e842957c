/** Random Rego values. */
import { setOf, type RegoValue } from '../../../src/policy/engine/values.ts';

const STRINGS = [
  '',
  'a',
  'B',
  'é',
  '😀',
  'a b',
  'tab\t',
  'new\nline',
  'quo"te',
  "'",
  'back\\slash',
  '`',
  '\u0001',
  '\u007f',
  '\u0085',
  '\u00a0',
  '\u200b',
  '\ufeff',
  '%d',
  '日本語',
];
const NUMBERS = [
  '0',
  '1',
  '-1',
  '7',
  '42',
  '-300',
  '65',
  '128512',
  '1.5',
  '-2.25',
  '0.1',
  '1.0',
  '100.0',
  '1e3',
  '1e21',
  '123456789.125',
  '5e-324',
  '1e-7',
  '2.5',
  '3.5',
  '9007199254740993',
  '-9223372036854775808',
  '9223372036854775807',
  '9223372036854775808',
  '123456789012345678901234567890',
  '-123456789012345678901234567890',
];

export function pick<T>(random: () => number, list: readonly T[]): T {
  const chosen = list[Math.floor(random() * list.length)];
  if (chosen === undefined) throw new Error('nothing to pick from');
  return chosen;
}

/** `sets`: also sets, and keys that are no strings; without them the value is JSON. */
export function randomValue(random: () => number, sets: boolean, depth = 3): RegoValue {
  const kind = random() * (depth === 0 ? 0.7 : 1);
  if (kind < 0.08) return null;
  if (kind < 0.16) return random() < 0.5;
  if (kind < 0.42) return pick(random, STRINGS);
  if (kind < 0.7) return { type: 'number', text: pick(random, NUMBERS) };
  const items = Array.from({ length: Math.floor(random() * 4) }, () => randomValue(random, sets, depth - 1));
  if (kind < 0.8) return items;
  if (kind < 0.9 && sets) return setOf(items);
  const keys = setOf(
    items.map((item, at) => (sets && random() < 0.5 ? item : `${pick(random, STRINGS)}${String(at)}`)),
  );
  return {
    type: 'object',
    entries: keys.items.map((key) => [key, randomValue(random, sets, depth - 1)] as const),
  };
}
