import { describe, expect, it } from '@jest/globals';
import { ApiError, errorOf, isApiError, messageOf, retryAfter } from '../../../src/runtime/errors.ts';

describe('errorOf', () => {
  it.each([
    [400, undefined, 'invalid', false],
    [401, undefined, 'unauthorized', true],
    [403, undefined, 'forbidden', false],
    [404, undefined, 'notFound', false],
    [405, undefined, 'invalid', false],
    [406, undefined, 'invalid', false],
    [408, undefined, 'transient', true],
    [409, 'Conflict', 'conflict', false],
    [409, undefined, 'conflict', false],
    [409, 'AlreadyExists', 'alreadyExists', false],
    [410, 'Expired', 'gone', false],
    [410, 'Gone', 'gone', false],
    [413, undefined, 'invalid', false],
    [415, undefined, 'invalid', false],
    [422, 'Invalid', 'invalid', false],
    [429, 'TooManyRequests', 'throttled', true],
    [500, undefined, 'transient', true],
    [502, undefined, 'transient', true],
    [503, undefined, 'transient', true],
    [504, 'Timeout', 'transient', true],
  ] as const)('%d %s is %s, worth a second try: %s', (code, reason, kind, retriable) => {
    const error = errorOf(code, reason === undefined ? undefined : { reason }, 'GET /x');
    expect(error).toMatchObject({ kind, code, retriable });
    expect(isApiError(error, kind)).toBe(true);
    expect(isApiError(error, kind === 'gone' ? 'conflict' : 'gone')).toBe(false);
  });

  it('says what was asked and what the server said', () => {
    const status = { message: 'things "a" not found' };
    expect(errorOf(404, status, 'GET /things/a').message).toBe('GET /things/a: things "a" not found');
    expect(errorOf(500, undefined, 'GET /x').message).toBe('GET /x: HTTP 500');
  });

  it('prefers the header to the Status for the time to wait', () => {
    const status = { details: { retryAfterSeconds: 3 } };
    expect(errorOf(429, status, 'x', 7_000).retryAfterMs).toBe(7_000);
    expect(errorOf(429, status, 'x').retryAfterMs).toBe(3_000);
    expect(errorOf(429, {}, 'x').retryAfterMs).toBeUndefined();
  });
});

describe('retryAfter', () => {
  const NOW = Date.UTC(2026, 0, 1, 0, 0, 0);
  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5_000],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['Infinity', undefined],
    [undefined, undefined],
  ])('%j: %s', (header, expected) => {
    expect(retryAfter(header, NOW)).toBe(expected);
  });
});

describe('what was thrown', () => {
  it('is told apart from other errors, and has a text whatever it is', () => {
    expect(isApiError(new Error('x'))).toBe(false);
    expect(isApiError({ kind: 'gone' }, 'gone')).toBe(false);
    expect(isApiError(new ApiError('gone', 'x'))).toBe(true);
    expect([messageOf(new Error('a')), messageOf('b'), messageOf(undefined)]).toEqual([
      'a',
      'b',
      'undefined',
    ]);
    const cause = new Error('why');
    expect(new ApiError('transient', 'x', { cause }).cause).toBe(cause);
  });
});
