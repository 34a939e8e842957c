import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { conditionOf, conditionsOf, withCondition, type Statement } from '../../../src/runtime/conditions.ts';
import { parseJson, stringifyJson } from '../../../src/runtime/json.ts';
import type { Condition } from '../../../src/runtime/resource.ts';

const T0 = Date.parse('2026-01-01T00:00:00.900Z');
const LATER = T0 + 3_600_000;
const ready: Statement = { type: 'Ready', status: 'True', reason: 'InForce', message: 'fine' };
const failing: Statement = { type: 'Ready', status: 'False', reason: 'Broken', message: 'not fine' };
const stalled: Statement = { type: 'Stalled', status: 'True', reason: 'Broken', message: 'edit it' };

describe('conditionsOf', () => {
  it('names the generation and the time, in whole seconds', () => {
    expect(conditionsOf(undefined, [ready], 3, T0)).toEqual([
      { ...ready, observedGeneration: 3, lastTransitionTime: '2026-01-01T00:00:00Z' },
    ]);
  });

  it('moves lastTransitionTime with the status alone', () => {
    const before = conditionsOf(undefined, [ready], 3, T0);
    const reworded = conditionsOf(before, [{ ...ready, reason: 'Else', message: 'other' }], 4, LATER);
    expect(reworded).toMatchObject([
      { reason: 'Else', message: 'other', observedGeneration: 4, lastTransitionTime: '2026-01-01T00:00:00Z' },
    ]);
    expect(conditionsOf(before, [failing], 4, LATER)).toMatchObject([
      { status: 'False', lastTransitionTime: '2026-01-01T01:00:00Z' },
    ]);
  });

  it('says the same thing again in the same words', () => {
    const before = conditionsOf(undefined, [failing, stalled], 3, T0);
    expect(conditionsOf(before, [failing, stalled], 3, LATER)).toEqual(before);
  });

  it('keeps Stalled and Reconciling only while they are stated', () => {
    const before = conditionsOf(undefined, [failing, stalled], 3, T0);
    expect(conditionsOf(before, [ready], 4, LATER).map(({ type }) => type)).toEqual(['Ready']);
  });

  it('states a message of any length and any characters as it comes back from the server', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      // 32,768 is cut between the halves of the last character, or not.
      fc.constantFrom(
        `x${'\u{1f600}'.repeat(20_000)}`,
        '\u{1f600}'.repeat(20_000),
        '\ud83d',
        'é'.repeat(40_000),
      ),
    );
    fc.assert(
      fc.property(text, (message) => {
        const [made] = conditionsOf(undefined, [{ ...ready, message }], 1, T0);
        const stored = Buffer.from(stringifyJson(made)).toString('utf8');
        // Go reads half a character as U+FFFD; so does this decoder of well-formed text.
        expect(parseJson(stored)).toEqual(made);
        expect(made?.message.isWellFormed()).toBe(true);
        expect(Array.from(made?.message ?? '').length).toBeLessThanOrEqual(32_768);
      }),
    );
  });
});

describe('withCondition', () => {
  const others: Condition[] = conditionsOf(
    undefined,
    [{ ...ready, type: 'Synced' }, failing, { ...ready, type: 'Applied' }],
    1,
    T0,
  );

  it('states one and leaves the others as they are', () => {
    const after = withCondition(others, ready, 2, LATER);
    expect(after.map(({ type }) => type)).toEqual(['Applied', 'Ready', 'Synced']);
    expect(conditionOf(after, 'Synced')).toEqual(conditionOf(others, 'Synced'));
    expect(conditionOf(after, 'Ready')).toMatchObject({ status: 'True', observedGeneration: 2 });
  });

  it('does not move when it is stated again', () => {
    const once = withCondition(others, ready, 2, LATER);
    expect(withCondition(once, ready, 2, LATER + 60_000)).toEqual(once);
  });
});
