/** What goes wrong, as data: drawn from a seed, carried out by the proxy. */
import type { Dice } from './random.ts';

/** What a request is to the runtime: each sort can fail in its own ways. */
export type RequestSort = 'list' | 'watch' | 'read' | 'write';

const ANY = ['serverError', 'tooManyRequests', 'tokenRotated', 'connectionDropped'] as const;
const READ = ['bodyCut', 'staleReply'] as const;

/** Each sort of request with the faults it can meet; a fault that comes twice is drawn twice as often. */
export const FAULTS = {
  list: [...ANY, ...READ, 'staleReply', 'staleReply', 'continueExpired', 'continueExpired'],
  read: [...ANY, ...READ],
  write: [...ANY, 'responseLost', 'responseLost'],
  watch: [
    ...ANY,
    'goneAtConnect',
    'goneAtConnect',
    'goneInStream',
    'goneInStream',
    'goneInStream',
    'droppedMidLine',
    'halfOpen',
    'garbageLine',
    'hugeLine',
    'duplicates',
    'endedAtOnce',
  ],
} as const;

export type Fault = (typeof FAULTS)[RequestSort][number];

export const ALL_FAULTS: readonly Fault[] = [...new Set(Object.values(FAULTS).flat())];

export interface PlannedFault {
  fault: Fault;
  /** for a watch: after this many events */
  afterEvents: number;
}

export interface Plan {
  /** What happens to the next request of this sort; undefined: nothing. */
  next(sort: RequestSort): PlannedFault | undefined;
}

/** Nothing goes wrong. */
export const calm: Plan = { next: () => undefined };

/** The k-th request of a sort meets the same fault in every run of a seed, whatever the other sorts do meanwhile. */
export function planOf(dice: Dice, probability: Readonly<Record<RequestSort, number>>): Plan {
  const sorts = new Map(
    (Object.keys(FAULTS) as RequestSort[]).map((sort) => [sort, dice.split(sort)] as const),
  );
  return {
    next(sort) {
      const own = sorts.get(sort);
      if (own?.chance(probability[sort]) !== true) return undefined;
      return { fault: own.pick<Fault>(FAULTS[sort]), afterEvents: own.integer(0, 4) };
    },
  };
}

/** These faults, one after the other, each on the next request of its sort; then nothing. */
export function sequence(
  ...faults: readonly { sort: RequestSort; fault: Fault; afterEvents?: number }[]
): Plan {
  const left = [...faults];
  return {
    next(sort) {
      const at = left.findIndex((entry) => entry.sort === sort);
      const [entry] = at < 0 ? [] : left.splice(at, 1);
      return entry === undefined ? undefined : { fault: entry.fault, afterEvents: entry.afterEvents ?? 0 };
    },
  };
}
