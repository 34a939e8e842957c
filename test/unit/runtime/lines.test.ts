import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Readable } from 'node:stream';
import { lines } from '../../../src/runtime/cache/lines.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { manualClock } from '../clock.ts';

const LIMITS = { maxLineBytes: 1_000, idleMs: 60_000 };

async function collect(body: Readable): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines(body, LIMITS, systemClock)) found.push(line);
  return found;
}

describe('lines', () => {
  it('finds the same lines however the bytes are cut, and drops a cut last line', async () => {
    const text = fc.array(
      fc.string({ unit: 'grapheme', maxLength: 20 }).map((s) => s.replaceAll('\n', ' ')),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 13 }), async (wanted, size) => {
        const bytes = Buffer.from(wanted.map((line) => `${line}\n`).join('') + 'cut');
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
        expect(await collect(Readable.from(chunks, { objectMode: true }))).toEqual(wanted);
      }),
    );
  });

  it('refuses a line longer than its limit', async () => {
    const body = Readable.from([Buffer.alloc(600, 'x'), Buffer.alloc(600, 'x')], { objectMode: true });
    await expect(collect(body)).rejects.toThrow('a line of more than 1000 bytes');
    expect(body.destroyed).toBe(true);
  });

  it('gives up a connection that is silent', async () => {
    const clock = manualClock();
    const body = new Readable({ read: () => undefined });
    const reading = (async () => {
      for await (const line of lines(body, LIMITS, clock)) expect(line).toBe('');
    })();
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(60_000);
    await expect(reading).rejects.toThrow('no byte for 60000 ms');
  });
});
