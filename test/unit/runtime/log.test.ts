/** A canary in every place a credential can get to a log from; none may be read in what comes out. */
import { describe, expect, it } from '@jest/globals';
import { Writable } from 'node:stream';
import fc from 'fast-check';
import { ApiError } from '../../../src/runtime/errors.ts';
import { createLog, type Level } from '../../../src/runtime/log.ts';

const CANARY = 'c4n4ry-5ecret';
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl';
const PEM = `-----BEGIN EC PRIVATE KEY-----\nMHc${CANARY}\n-----END EC PRIVATE KEY-----`;

function logged(level: Level = 'info') {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString('utf8'));
      done();
    },
  });
  return { log: createLog(level, sink), text: () => lines.join(''), lines };
}

describe('a line', () => {
  it('is one JSON object with level, time, message and fields', () => {
    const { log, lines } = logged();
    log.warn('it happened', { key: 'n/a', inMs: 5 });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown,
      key: 'n/a',
      inMs: 5,
      msg: 'it happened',
    });
  });

  it('is left out below the level', () => {
    const { log, lines } = logged('warn');
    log.info('x');
    log.debug('x');
    expect(lines).toEqual([]);
  });

  it('shows an error by message and stack', () => {
    const { log, lines } = logged();
    log.error('x', { error: new TypeError('broken') });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      error: 'broken',
      stack: expect.stringContaining('log.test') as unknown,
    });
  });
});

describe('no credential is written', () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    data: { password: CANARY, [CANARY]: 'x' },
    stringData: { any: CANARY },
    metadata: {
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"data":"${CANARY}"}` },
    },
  };
  const error = new ApiError(
    'transient',
    `PUT https://user:${CANARY}@host/x: Authorization: Bearer ${CANARY}`,
  );
  const places: [string, Record<string, unknown>][] = [
    ['a token field', { token: CANARY }],
    ['a header, whatever its case', { request: { headers: { Authorization: `Bearer ${CANARY}` } } }],
    ['a user of a kubeconfig', { users: [{ user: { 'client-key-data': CANARY, token: CANARY } }] }],
    ['a Secret', { object: secret }],
    ['a Secret deep inside', { a: { b: { c: { d: [secret] } } } }],
    ['the keys of the webhook', { bundle: { 'tls.key': CANARY, 'ca.key': CANARY, caKey: CANARY } }],
    ['an OAuth answer', { access_token: CANARY, refresh_token: CANARY, client_secret: CANARY }],
    ['an error', { error }],
    ['an error in another field', { cause: error }],
    ['text', { text: `curl -H "Authorization: Bearer ${CANARY}" https://x` }],
    ['basic authentication in text', { text: `Basic ${CANARY}` }],
    ['a URL with a password', { url: `https://me:${CANARY}@git.example.com/x` }],
    ['a key in PEM', { text: `here: ${PEM} and on` }],
    ['a key in PEM that was cut', { text: PEM.slice(0, -20) }],
    ['a query', { path: `/login?token=${CANARY}&x=1` }],
    ['thrown text', { error: `password: ${CANARY}` }],
  ];

  it.each(places)('%s', (_place, fields) => {
    const { log, text } = logged();
    log.info('canary', fields);
    log.child(fields).info('child');
    expect(text().split('\n')).toHaveLength(3);
    expect(text()).not.toContain(CANARY);
    expect(text()).toContain('[redacted]');
  });

  it('in the message itself', () => {
    const { log, text } = logged();
    log.info(`refused: Bearer ${CANARY}; ${JWT}; token=${CANARY}`);
    expect(text()).not.toContain(CANARY);
    expect(text()).not.toContain(JWT.split('.')[2]);
  });

  it('but what is no secret stays readable', () => {
    const { log, text } = logged();
    log.info('renewing', {
      secret: 'cogniforge-webhook-tls',
      key: 'default/a',
      error: new Error('no answer in time'),
    });
    expect(text()).toContain('cogniforge-webhook-tls');
    expect(text()).toContain('default/a');
    expect(text()).toContain('no answer in time');
    expect(text()).not.toContain('redacted');
  });
});

describe('whatever is logged', () => {
  it('nothing throws: cycles, getters that throw, depth, size', () => {
    const { log, lines } = logged();
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const trap = Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw new Error('trap');
      },
    });
    let deep: unknown = 'bottom';
    for (let at = 0; at < 10_000; at += 1) deep = [deep];
    log.info('x', { cycle, trap, deep, big: 10n, long: 'x'.repeat(1_000_000) });
    expect(lines).toHaveLength(1);
    expect((lines[0] ?? '').length).toBeLessThan(100_000);
  });

  it('is one line of JSON', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.dictionary(fc.string(), fc.anything()),
        (message, fields) => {
          const { log, lines } = logged();
          log.info(message, fields);
          expect(lines).toHaveLength(1);
          expect(() => JSON.parse(lines[0] ?? '') as unknown).not.toThrow();
          expect((lines[0] ?? '').trimEnd()).not.toContain('\n');
        },
      ),
    );
  });
});
