/** The runner itself: a runner that counts wrong would hide everything. */
import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Adapter, Judgement } from './adapter.ts';
import { run, scoreLine, whyAbsent, whyShort, type Score } from './runner.ts';

const VERDICTS: Readonly<Record<string, Judgement['verdict'] | undefined>> = {
  right: 'agree',
  wrong: 'disagree',
  open: 'undecided',
  mixed: 'order',
};

let closed = 0;
const made: Adapter = {
  name: 'made/up',
  path: 'made/up.ndjson',
  load: () => Promise.resolve(['right', 'wrong', 'open', 'mixed', 'crash', 'right2'].map((id) => ({ id }))),
  judge({ id }) {
    if (id === 'crash') throw new Error('crashed');
    return { verdict: VERDICTS[id] ?? 'agree', why: `why ${id}` };
  },
  close() {
    closed += 1;
    return Promise.resolve();
  },
};

describe('the runner', () => {
  it('counts each verdict apart, a crash as a failure', async () => {
    const score = await run(made, '/nowhere', {});
    const counted: Score = {
      total: 6,
      agreed: 2,
      undecided: [{ id: 'open', why: 'why open' }],
      order: [{ id: 'mixed', why: 'why mixed' }],
      deviations: [],
      failures: [
        { id: 'wrong', why: 'why wrong' },
        { id: 'crash', why: 'crashed' },
      ],
    };
    expect(score).toEqual(counted);
    expect(closed).toBe(1);
    expect(scoreLine('made/up', score)).toBe(
      'corpus made/up 2/6 (undecided 1, deviations 0, in another order 1)',
    );
  });

  it('takes a disagreement with a proof for a deviation, and no proof that is not needed', async () => {
    const score = await run(made, '/nowhere', { 'made/up': { wrong: 'clause 7 of the specification' } });
    expect(score.deviations).toEqual([{ id: 'wrong', why: 'clause 7 of the specification' }]);
    expect(score.failures.map(({ id }) => id)).toEqual(['crash']);
    expect(score.agreed).toBe(2);
    for (const id of ['right', 'open', 'gone'])
      await expect(run(made, '/nowhere', { 'made/up': { [id]: 'x' } })).rejects.toThrow(
        `${id} is no deviation`,
      );
    const unproven = await run(made, '/nowhere', { 'made/up': { wrong: '' } });
    expect(unproven.failures.map(({ id }) => id)).toEqual(['wrong', 'crash']);
  });

  it('falls short below what was reached before, and where nothing is recorded', async () => {
    const score = await run(made, '/nowhere', {});
    expect(whyShort('made/up', score, { 'made/up': 2 })).toBeUndefined();
    expect(whyShort('made/up', score, { 'made/up': 3 })).toContain('2 agree, 3 did before');
    expect(whyShort('made/up', score, {})).toContain('expected.json says nothing');
  });

  it('says what is not there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cogniforge-corpora-'));
    expect(whyAbsent(made, join(folder, 'none'))).toContain('CORPORA_DIR');
    expect(whyAbsent(made, folder)).toContain('made/up.ndjson is not there');
    expect(whyAbsent({ ...made, path: '.' }, folder)).toBeUndefined();
    rmSync(folder, { recursive: true });
  });
});
