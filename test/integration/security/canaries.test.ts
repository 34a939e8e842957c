/** The search itself: a canary is found in every form, or the test that finds none proves nothing. */
import { describe, expect, it } from '@jest/globals';
import { formsOf, hits, newCanary } from './canaries.ts';

const canary = newCanary();
const around = (text: string): string => `{"level":"info","msg":"x ${text} y"}\n`;
const lines = (text: string): string => text.replace(/.{20}/g, '$&\n');

const PLANTED: readonly (readonly [string, string])[] = [
  ['as it is', canary],
  ['as JSON', JSON.stringify(canary)],
  ['as JSON in JSON', JSON.stringify(JSON.stringify({ a: canary }))],
  ['in a URL', `https://x/?a=${encodeURIComponent(canary)}`],
  ['in a form', new URLSearchParams({ a: canary }).toString()],
  ['in base64', Buffer.from(canary).toString('base64')],
  ['in base64, one byte later', Buffer.from(`x${canary}`).toString('base64')],
  ['in base64, two bytes later, with more behind', Buffer.from(`xx${canary}xyz`).toString('base64')],
  ['in base64url', Buffer.from(`?>${canary}`).toString('base64url')],
  ['in base64 of JSON', Buffer.from(JSON.stringify({ a: canary })).toString('base64')],
  ['in base64 of several lines', lines(Buffer.from(canary.repeat(3)).toString('base64'))],
  [
    'in base64 of several lines, in JSON',
    JSON.stringify(lines(Buffer.from(canary.repeat(3)).toString('base64'))),
  ],
  ['cut after twelve characters', `${canary.slice(0, 12)}...`],
  ['cut before the last twelve', `...${canary.slice(-12)}`],
  ['in base64 of the first twelve', Buffer.from(`x${canary.slice(0, 12)}`).toString('base64')],
  ['in hexadecimal', Buffer.from(canary).toString('hex')],
];

describe('a planted canary', () => {
  it.each(PLANTED)('%s is found', (_how, text) => {
    const found = hits(
      new Map([['it', canary]]),
      new Map([
        ['log', around(text)],
        ['other', around('x')],
      ]),
    );
    expect(found.length).toBeGreaterThan(0);
    for (const hit of found) expect(hit).toMatch(/^it as .* in log$/);
  });

  it.each([...formsOf(canary)])('%s: is found by that form alone', (form, text) => {
    expect(hits(new Map([['it', canary]]), new Map([['log', around(text)]]))).toContain(
      `it as ${form} in log`,
    );
  });

  it('is not found where it is not: another canary in its place', () => {
    const sources = new Map(PLANTED.map(([how, text]) => [how, text]));
    expect(hits(new Map([['it', newCanary()]]), sources)).toEqual([]);
  });
});
