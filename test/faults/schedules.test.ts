import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startCluster, type Cluster } from '../cluster/controlplane.ts';
import { ALL_FAULTS, type Fault } from './plan.ts';
import { openArena } from './arena.ts';
import { dice, firstSeed } from './random.ts';
import { runSchedule, type Arena } from './schedule.ts';

const RUNS = Number(process.env['FAULT_RUNS'] ?? (process.env['SEED'] === undefined ? 200 : 1));
const FIRST = firstSeed(process.env, 1);
const AT_ONCE = 12;

let cluster: Cluster;
let arena: Arena;

beforeAll(async () => {
  cluster = await startCluster();
  arena = await openArena(cluster);
}, 120_000);

afterAll(() => cluster.stop());

it(
  `${String(RUNS)} random schedules end as declared, with the cache equal to the server`,
  async () => {
    const happened = new Map<Fault, number>(ALL_FAULTS.map((fault) => [fault, 0]));
    const failures: string[] = [];
    let next = FIRST;
    const worker = async (): Promise<void> => {
      while (next < FIRST + RUNS) {
        const seed = next++;
        try {
          for (const [fault, times] of await runSchedule(arena, seed, dice(seed)))
            happened.set(fault, (happened.get(fault) ?? 0) + times);
        } catch (error) {
          failures.push(`SEED=${String(seed)} npm run faults\n${String(error)}`);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    process.stderr.write(`faults that happened: ${JSON.stringify(Object.fromEntries(happened))}\n`);
    expect(failures).toEqual([]);
    // A fault that never comes is one that nothing is known about.
    if (RUNS >= 200) expect([...happened].filter(([, times]) => times === 0)).toEqual([]);
  },
  Math.max(300_000, RUNS * 1_000),
);
