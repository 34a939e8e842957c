import { expect, it } from '@jest/globals';
import { Doubt } from '../../../src/runtime/cache/doubt.ts';

it('interrupts the watch under way, and the next one only when a further doubt is raised', () => {
  const doubt = new Doubt();
  const first = doubt.interruption();
  expect(first.aborted).toBe(false);
  const ticket = doubt.raise();
  expect(first.aborted).toBe(true);
  expect(doubt.interruption().aborted).toBe(true);
  doubt.settle(ticket);
  expect(doubt.pending).toBe(false);
  expect(doubt.interruption().aborted).toBe(false);
});

it('is not settled by a list that began before it was raised', () => {
  const doubt = new Doubt();
  const begun = doubt.ticket;
  const ticket = doubt.raise();
  doubt.settle(begun);
  expect(doubt.isSettled(ticket)).toBe(false);
  expect(doubt.pending).toBe(true);
  doubt.settle(doubt.ticket);
  expect(doubt.isSettled(ticket)).toBe(true);
});
