import { describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { GRACE_MS, untilTerminated } from '../../../src/runtime/termination.ts';
import { manualClock } from '../clock.ts';

function terminated() {
  const signals = new EventEmitter();
  const clock = manualClock();
  const exits: string[] = [];
  const signal = untilTerminated({ signals, clock, graceMs: GRACE_MS, exit: (why) => exits.push(why) });
  return { signals, clock, exits, signal };
}

describe('untilTerminated', () => {
  it.each(['SIGINT', 'SIGTERM'])('asks for the end at the first %s', (name) => {
    const { signals, signal, exits } = terminated();
    expect(signal.aborted).toBe(false);
    signals.emit(name);
    expect(signal.aborted).toBe(true);
    expect(exits).toEqual([]);
  });

  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
  ])('after %s does not wait at %s', (first, second) => {
    const { signals, exits } = terminated();
    signals.emit(first);
    signals.emit(second);
    expect(exits).toEqual([`${second} while ending`]);
  });

  it('cuts an end short that does not come within 30 s', () => {
    const { signals, clock, exits } = terminated();
    clock.advance(GRACE_MS * 10);
    signals.emit('SIGTERM');
    clock.advance(GRACE_MS - 1);
    expect(exits).toEqual([]);
    clock.advance(1);
    expect(exits).toEqual(['still ending after 30 s']);
  });
});
