/** Each string format at its edge; the API server's own answers to such texts are in the integration test. */
import { describe, expect, it } from '@jest/globals';
import { durationNanoseconds, goDuration } from '../../../../src/runtime/validation/go-duration.ts';
import { ipText, parseIp } from '../../../../src/runtime/validation/go-ip.ts';
import { parseRequestUri } from '../../../../src/runtime/validation/go-url.ts';
import { formatOf, UNSUPPORTED_FORMATS } from '../../../../src/runtime/validation/formats.ts';

const CASES: Readonly<Record<string, readonly [good: readonly string[], bad: readonly string[]]>> = {
  'date-time': [
    [
      '2030-01-02T03:04:05Z',
      '2030-01-02t03:04:05.12z',
      '2030-01-02T03:04:05+99:99',
      '2030-01-02T03:04:05x1Z',
    ],
    [
      '2030-01-02T03:04:05',
      '2030-02-29T00:00:00Z',
      '2030-01-02T24:00:00Z',
      '2030-01-02T03:04:60Z',
      '2030-01-02',
      '',
    ],
  ],
  date: [
    ['2030-01-02', '2028-02-29', '2000-02-29'],
    ['2030-02-29', '1900-02-29', '2030-13-01', '2030-1-2', '2030-01-00'],
  ],
  duration: [
    ['1h30m', '-1.5s', '0', '1 hour', '3 days and 2 minutes', '2w', 'PT1H'],
    ['', '5', 'h', '1 fortnight', '1.5'],
  ],
  byte: [
    ['aGVsbG8=', 'aGk='],
    ['aGVsbG8', '====', 'aGVs bG8=', ''],
  ],
  ipv4: [
    ['1.2.3.4', '01.02.03.04', '::ffff:1.2.3.4'],
    ['1.2.3', '1.2.3.256', '::1'],
  ],
  ipv6: [
    ['::', '2001:db8::1', '1:2:3:4:5:6:7:8', '::1.2.3.4'],
    ['1::2::3', '12345::', 'fe80::1%eth0', '1.2.3.4', '1:2:3:4:5:6:7'],
  ],
  cidr: [
    ['1.2.3.0/24', '::/0', '1.2.3.4/8', '01.2.3.4/8'],
    ['1.2.3.0/33', '1.2.3.0', '::/129', '/8'],
  ],
  mac: [
    ['00:00:5e:00:53:01', '00-00-5e-00-53-01', '0000.5e00.5301', '02:00:5e:10:00:00:00:01'],
    ['00:00:5e:00:53', '00:00-5e:00:53:01', ''],
  ],
  uri: [
    ['https://example.com/a', '/path', 'mailto:a@b', 'http://[::1]:80/', '*'],
    ['example.com', '', 'http://a b', 'http://a/%zz', 'http://a:b/', ':x', '#f', 'http://[1.2.3.4]/'],
  ],
  uuid: [['123e4567-e89b-12d3-a456-426614174000', '123E4567E89B12D3A456426614174000'], ['123e4567']],
  uuid3: [['123e4567-e89b-32d3-a456-426614174000'], ['123e4567-e89b-42d3-a456-426614174000']],
  uuid4: [['123e4567-e89b-42d3-8456-426614174000'], ['123e4567-e89b-42d3-c456-426614174000']],
  uuid5: [['123e4567-e89b-52d3-8456-426614174000'], ['123e4567-e89b-42d3-8456-426614174000']],
  hostname: [
    ['a', 'www.example.com', 'münchen.de'],
    ['a..b', '-a.com', 'a_b.com', ''],
  ],
  password: [['', 'x'], []],
  'k8s-short-name': [
    ['a', 'a-1', 'x'.repeat(63)],
    ['A', 'a-', 'a.b', 'x'.repeat(64), ''],
  ],
  'k8s-long-name': [
    ['a', 'a.b-1'],
    ['A', 'a..b', 'x'.repeat(254)],
  ],
};

describe.each(Object.entries(CASES))('%s', (name, [good, bad]) => {
  it.each([...good.map((text) => [text, true] as const), ...bad.map((text) => [text, false] as const)])(
    '%j is one: %s',
    (text, expected) => {
      expect(formatOf(name)?.test(text)).toBe(expected);
    },
  );
});

it('a format that the API server does not check is a hint', () => {
  expect(['int32', 'int64', 'double', 'anything'].map(formatOf)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

it.each([...UNSUPPORTED_FORMATS])('%s is refused, not passed over', (name) => {
  expect(() => formatOf(name)).toThrow('cannot be checked locally');
});

it.each<[string, bigint | undefined]>([
  ['1h30m', 5_400_000_000_000n],
  ['1.5us', 1500n],
  ['.5s', 500_000_000n],
  ['-0.1ns', 0n],
  ['2562047h47m16.854775807s', 9223372036854775807n],
  ['2562047h47m16.854775808s', undefined],
  ['-2562047h47m16.854775808s', -(2n ** 63n)],
  ['1d', undefined],
])('Go reads the duration %s', (text, nanoseconds) => {
  expect(goDuration(text)).toBe(nanoseconds);
});

it.each<[string, bigint | undefined]>([
  ['1 day', 86_400_000_000_000n],
  ['2 hours 3 min', 7_380_000_000_000n],
  ['5 sec', 5_000_000_000n],
  ['soon', undefined],
])('strfmt reads the duration %s', (text, nanoseconds) => {
  expect(durationNanoseconds(text)).toBe(nanoseconds);
});

it.each([
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['::', '::'],
  ['1.2.3.4', '1.2.3.4'],
])('the one spelling of %s is %s', (text, canonical) => {
  const ip = parseIp(text);
  expect(ip === undefined ? undefined : ipText(ip)).toBe(canonical);
});

it.each([
  ['https://u:p@h:80/a?b=c', 'https', 'h:80', '/a', 'b=c'],
  ['http://[::1]:80/', 'http', '[::1]:80', '/', ''],
  ['/a b', '', '', '/a%20b', ''],
  ['//h/a', '', '', '//h/a', ''],
  ['HTTP://h', 'http', 'h', '', ''],
])('the parts of %s', (text, scheme, host, escapedPath, rawQuery) => {
  expect(parseRequestUri(text)).toEqual({ scheme, host, escapedPath, rawQuery, text });
});
