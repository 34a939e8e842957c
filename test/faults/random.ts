/**
 * Seeded randomness for fault runs: the same seed gives the same run.
 * SplitMix32: a counter with the golden ratio's increment, mixed by the MurmurHash3 finaliser's shape (Steele, Lea and
 * Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, narrowed to 32 bits).
 */

export interface Dice {
  /** In [0, 1). */
  next(): number;
  /** A whole number in [low, high]. */
  integer(low: number, high: number): number;
  /** True this often. */
  chance(probability: number): boolean;
  /** One of them; throws on an empty list. */
  pick<T>(from: readonly T[]): T;
  /** Independent dice for a part of the run: what one part draws does not shift the others. */
  split(name: string): Dice;
}

const GOLDEN = 0x9e3779b9;

export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + GOLDEN) >>> 0;
    return mix(state) / 2 ** 32;
  };
  const integer = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick(from) {
      const one = from[integer(0, from.length - 1)];
      if (one === undefined) throw new Error('nothing to pick from');
      return one;
    },
    split: (name) => dice(hash(name, seed)),
  };
}

function mix(word: number): number {
  let z = word;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

function hash(text: string, seed: number): number {
  let value = mix((seed >>> 0) ^ GOLDEN);
  for (const character of text) value = mix((value ^ (character.codePointAt(0) ?? 0)) + GOLDEN);
  return value;
}

/** The first seed of a run: SEED where it is set, so that a failure can be replayed; its own otherwise. */
export function firstSeed(env: NodeJS.ProcessEnv, otherwise: number): number {
  const given = env['SEED'];
  if (given === undefined || given === '') return otherwise;
  const seed = Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`SEED=${given}: a whole number is wanted`);
  return seed;
}
