/** Runs a corpus, counts, and holds the count against what was reached before. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Adapter, Judgement } from './adapter.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const ADAPTERS = join(HERE, 'adapters');
const REPORT = join(HERE, 'report.json');
/** Cases under judgement at the same time. */
const PARALLEL = 2;

export interface Finding {
  id: string;
  why: string;
}

export interface Score {
  total: number;
  agreed: number;
  undecided: Finding[];
  order: Finding[];
  /** disagreements that deviations.json proves to be right */
  deviations: Finding[];
  failures: Finding[];
}

/** deviations.json: corpus -> case -> why the product is right and the corpus is not, with what proves it. */
export type Deviations = Readonly<Record<string, Readonly<Record<string, string>>>>;

export function corporaDir(env: NodeJS.ProcessEnv): string {
  return resolve(env['CORPORA_DIR'] ?? join(HERE, '..', '..', '..', 'shared', 'corpora'));
}

export async function adapters(): Promise<Adapter[]> {
  const files = readdirSync(ADAPTERS).filter((file) => /^[a-z]+-[a-z-]+\.ts$/.test(file));
  return Promise.all(
    files.sort().map(async (file) => {
      const module = (await import(pathToFileURL(join(ADAPTERS, file)).href)) as { adapter: Adapter };
      return module.adapter;
    }),
  );
}

/** Why a corpus cannot be run here; undefined when it can. */
export function whyAbsent({ path }: Adapter, dir: string): string | undefined {
  if (!existsSync(dir)) return `${dir} is not there (CORPORA_DIR)`;
  return existsSync(join(dir, path)) ? undefined : `${join(dir, path)} is not there`;
}

/** Throws when a deviation is listed for a case that is not there, or that agrees: the list must not outlive its reasons. */
export async function run(adapter: Adapter, dir: string, deviations: Deviations): Promise<Score> {
  const score: Score = { total: 0, agreed: 0, undecided: [], order: [], deviations: [], failures: [] };
  const proofs = new Map(Object.entries(deviations[adapter.name] ?? {}));
  try {
    const cases = await adapter.load(join(dir, adapter.path));
    score.total = cases.length;
    const judged = await judgeAll(adapter, cases);
    for (const [index, { verdict, why = '' }] of judged.entries()) {
      const id = cases[index]?.id ?? '';
      const proof = verdict === 'disagree' ? proofs.get(id) : undefined;
      if (verdict === 'agree') score.agreed += 1;
      else if (verdict === 'undecided') score.undecided.push({ id, why });
      else if (verdict === 'order') score.order.push({ id, why });
      else if (proof !== undefined && proof !== '') score.deviations.push({ id, why: proof });
      else score.failures.push({ id, why });
      if (proof !== undefined) proofs.delete(id);
    }
  } finally {
    await adapter.close?.();
  }
  const [stale] = proofs.keys();
  if (stale !== undefined) throw new Error(`deviations.json: ${adapter.name} ${stale} is no deviation`);
  return score;
}

async function judgeAll(adapter: Adapter, cases: readonly { id: string }[]): Promise<Judgement[]> {
  const judgements: Judgement[] = [];
  const waiting = [...cases.entries()].reverse();
  const worker = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [index, one] = next;
      try {
        judgements[index] = await adapter.judge(one);
      } catch (error) {
        judgements[index] = {
          verdict: 'disagree',
          why: error instanceof Error ? error.message : String(error),
        };
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return judgements;
}

export function scoreLine(name: string, { agreed, total, undecided, deviations, order }: Score): string {
  const apart = `undecided ${String(undecided.length)}, deviations ${String(deviations.length)}${order.length === 0 ? '' : `, in another order ${String(order.length)}`}`;
  return `corpus ${name} ${String(agreed)}/${String(total)} (${apart})`;
}

/** What must be reached at least: a ratchet. undefined: it is. */
export function whyShort(
  name: string,
  { agreed }: Score,
  expected: Readonly<Record<string, number>>,
): string | undefined {
  const wanted = expected[name];
  if (wanted === undefined) return `expected.json says nothing of ${name}; ${String(agreed)} agree`;
  return agreed < wanted
    ? `${String(agreed)} agree, ${String(wanted)} did before (expected.json)`
    : undefined;
}

export function readDeviations(): Deviations {
  return JSON.parse(readFileSync(join(HERE, 'deviations.json'), 'utf8')) as Deviations;
}

/**
 * Cases that agree, by corpus. A ratchet: raised by whoever makes more of them agree, never lowered to make a run pass.
 */
export function readExpected(): Record<string, number> {
  return JSON.parse(readFileSync(join(HERE, 'expected.json'), 'utf8')) as Record<string, number>;
}

/** Adds to report.json what was found, in place of what it said of these corpora before. */
export function writeReport(scores: Readonly<Record<string, Score>>): void {
  const before = existsSync(REPORT)
    ? (JSON.parse(readFileSync(REPORT, 'utf8')) as Record<string, Score>)
    : {};
  writeFileSync(REPORT, `${JSON.stringify({ ...before, ...scores }, null, 2)}\n`);
}
