/** What a corpus is to the runner: one file under adapters/, named <service>-<name>.ts, that exports `adapter`. */
import { readFileSync } from 'node:fs';
import { parseJson } from '../../src/runtime/json.ts';

/**
 * `undecided`: the product gives no verdict on this case, and says so itself (a builtin it refuses, a mode it does not
 * have). `order`: the value is right but for the order of what has none, such as the members of a set; counted apart. A
 * wrong verdict, a crash and a time limit are `disagree`.
 */
export interface Judgement {
  verdict: 'agree' | 'order' | 'disagree' | 'undecided';
  why?: string;
}

export interface Adapter<Case extends { id: string } = { id: string }> {
  /** `policy/gatekeeper-library`, as in expected.json and deviations.json */
  name: string;
  /** the file or folder under CORPORA_DIR that it reads */
  path: string;
  /** Reads the cases and prepares whatever is cheaper to do for all at once. */
  load(path: string): Promise<readonly Case[]>;
  judge(one: Case): Judgement | Promise<Judgement>;
  close?(): Promise<void>;
}

export const agree: Judgement = { verdict: 'agree' };

export function disagree(why: string): Judgement {
  return { verdict: 'disagree', why };
}

export function undecided(why: string): Judgement {
  return { verdict: 'undecided', why };
}

/** The lines of a .ndjson file; integers beyond 2^53 keep their digits. */
export function readCases<Case>(file: string): Case[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parseJson(line) as Case);
}
