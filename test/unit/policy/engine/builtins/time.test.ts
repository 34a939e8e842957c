/** time.* against the real opa. Replay a run with SEED=, a longer one with RUNS=. */
import { describe, expect, it } from '@jest/globals';
import { hostBuiltins } from '../../../../../src/policy/engine/builtins/index.ts';
import { nodeCrypto } from '../../../../../src/policy/engine/crypto.ts';
import { numberOf, type RegoValue } from '../../../../../src/policy/engine/values.ts';
import { seeded } from '../../../random.ts';
import { pick } from '../../rego-values.ts';
import { RUNS, SEED, call, expectSame, pickSome } from './both.ts';

const ZONES = [
  '',
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'Europe/London',
  'Europe/Dublin',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Pacific/Apia',
  'Etc/GMT+5',
];
const FIELDS = Array.from(
  { length: 1 },
  () =>
    '2006 06 January Jan 01 1 Monday Mon 02 2 _2 002 __2 15 3 03 4 04 5 05 PM pm -0700 -07:00 -07 -070000 -07:00:00 Z0700 Z07:00 Z07 Z070000 Z07:00:00 .000 .999 ,000000000 .999999999 .0',
).flatMap((list) => list.split(' '));
const LAYOUTS = [
  'ANSIC',
  'UnixDate',
  'RubyDate',
  'RFC822',
  'RFC822Z',
  'RFC850',
  'RFC1123',
  'RFC1123Z',
  'RFC3339',
  'RFC3339Nano',
];

function instant(random: () => number): RegoValue {
  const span = random() < 0.3 ? 9.2e18 : 2e18;
  const ns = BigInt(Math.floor((random() * 2 - 1) * span));
  const rounded = random() < 0.3 ? (ns / 1_000_000_000n) * 1_000_000_000n : ns;
  return numberOf(BigInt.asIntN(64, rounded));
}

function layout(random: () => number): string {
  if (random() < 0.2) return pick(random, LAYOUTS);
  return pickSome(random, FIELDS, 6).join(pick(random, ['', ' ', '-', ':', ' x ', '_', '  ']));
}

const STAMPS = [
  '2020-01-02T03:04:05Z',
  '2020-01-02T03:04:05.123456789+02:00',
  '2020-01-02t03:04:05Z',
  '2020-01-02T3:04:05Z',
  '2020-01-02T03:04:05',
  '2020-13-02T03:04:05Z',
  '0001-01-01T00:00:00Z',
  '2020-01-02T03:04:60Z',
  '',
];

describe('time', () => {
  it(`format, date, clock, weekday (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const calls = Array.from({ length: RUNS }, () => {
      const at = [instant(random), pick(random, ZONES)];
      return [
        call('time.format', [...at, layout(random)]),
        call('time.date', at),
        call('time.clock', at),
        call('time.weekday', random() < 0.5 ? (at[0] ?? null) : at),
      ];
    }).flat();
    const odd: RegoValue[] = [
      [],
      [numberOf(1), 'Nope/Zone'],
      [numberOf(1), 'europe/berlin'],
      [numberOf(1), '+01:00'],
      [numberOf(1), numberOf(1)],
      [numberOf(1), 'UTC', numberOf(1)],
      [numberOf(1), 'UTC', ''],
      { type: 'number', text: '1.5' },
      { type: 'number', text: '1e18' },
      { type: 'number', text: '1e19' },
      { type: 'number', text: '9223372036854775808' },
      'now',
    ];
    await expectSame([...calls, ...odd.map((value) => call('time.format', value))]);
  });

  it(`names of zones since 1970 (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const zones = [
      ...ZONES,
      'Asia/Tokyo',
      'Africa/Lagos',
      'America/St_Johns',
      'Asia/Dubai',
      'Asia/Shanghai',
      'Pacific/Auckland',
      'Africa/Johannesburg',
      'America/Halifax',
      'US/Pacific',
      'EST',
      'CET',
    ];
    const calls = Array.from({ length: RUNS }, () =>
      call('time.format', [
        numberOf(BigInt(Math.floor(random() * 4e9)) * 1_000_000_000n),
        pick(random, zones),
        'MST -07',
      ]),
    );
    await expectSame(calls);
  });

  it(`add_date, diff (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const small = (most: number): RegoValue => numberOf(Math.floor((random() * 2 - 1) * most));
    const calls = Array.from({ length: RUNS }, () => {
      const [a, b] = [instant(random), instant(random)];
      const near = numberOf(BigInt(Math.floor(random() * 4e6)) * 1_000_000_000n + 1_585_000_000_000_000_000n);
      const zone = pick(random, ZONES);
      return [
        call('time.add_date', [a, zone], small(20), small(30), small(400)),
        call('time.add_date', [near, zone], numberOf(0), numberOf(0), small(10)),
        call('time.diff', [a, zone], [b, pick(random, ZONES)]),
        call('time.diff', [near, zone], a),
      ];
    }).flat();
    const largest = numberOf(2n ** 63n - 1n);
    await expectSame([
      ...calls,
      call('time.add_date', largest, numberOf(1), numberOf(0), numberOf(0)),
      call('time.add_date', largest, numberOf(10 ** 9), numberOf(0), numberOf(0)),
      call('time.add_date', numberOf(0), { type: 'number', text: '1.5' }, numberOf(0), numberOf(0)),
    ]);
  });

  it(`parse_ns of what was formatted, and of what is broken (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const context = { nowMs: 0, crypto: nodeCrypto };
    const either = (): string => (random() < 0.4 ? pick(random, LAYOUTS) : layout(random));
    const texts = Array.from({ length: RUNS }, () => {
      const [written, read] = [either(), either()];
      const same = random() < 0.75;
      const zone = pick(random, ZONES);
      const text = hostBuiltins.get('time.format')?.([[instant(random), zone, written]], context) as string;
      const at = Math.floor(random() * text.length);
      const broken = text.slice(0, at) + pick(random, ['', ' ', '9', '-', 'x']) + text.slice(at + 1);
      return call('time.parse_ns', same ? written : read, random() < 0.3 ? broken : text);
    });
    const table: [string, string][] = [
      ['2006-01-02 MST', '2020-05-06 CEST'],
      ['2006-01-02 MST', '2020-05-06 GMT+3'],
      ['2006-01-02 MST', '2020-05-06 +03'],
      ['2006-01-02 MST', '2020-05-06 +99'],
      ['2006-01-02 MST', '2020-05-06 abc'],
      ['2006-01-02 MST', '2020-05-06 WITA'],
      ['2006-01-02 MST', '2020-05-06 ABCDE'],
      ['2006-01-02', '2021-02-29'],
      ['2006-01-02', '2020-02-29'],
      ['2006-002', '2020-366'],
      ['2006-002', '2021-366'],
      ['2006-002 01', '2021-060 03'],
      ['2006-002 01', '2021-060 02'],
      ['06', '+5'],
      ['06', '-5'],
      ['15:04:05', '10:11:12.5'],
      ['15:04:05', '10:11:12,123456789123'],
      ['15:04:05.000', '10:11:12.5'],
      ['05.00', '12.+1'],
      ['05.00', '12.-1'],
      ['3PM', '12AM'],
      ['3PM', '13PM'],
      ['3:04pm', '0:30pm'],
      ['15', '24'],
      ['Jan', 'mAr'],
      ['January', 'Jan'],
      ['2006-01-02T15:04:05Z07:00', '2020-01-01T00:00:00+24:00'],
      ['2006-01-02T15:04:05Z07:00', '2020-01-01T00:00:00+25:00'],
      ['2006-01-02T15:04:05Z07:00', '2300-01-01T00:00:00Z'],
      ['2006-01-02T15:04:05Z07:00', '1600-01-01T00:00:00Z'],
      ['', ''],
      ['  x', 'x'],
      [' ', ''],
    ];
    const all = [...texts, ...table.map(([form, text]) => call('time.parse_ns', form, text))];
    await expectSame([...all, ...STAMPS.map((text) => call('time.parse_rfc3339_ns', text))]);
  });

  it(`parse_duration_ns (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const numbers = [
      '1',
      '0',
      '15',
      '1.5',
      '.5',
      '2.',
      '0.000000001',
      '123456789',
      '1.2.3',
      '',
      '.',
      '99999999999999999999',
    ];
    const parts = 'h m s ms us µs μs ns d w y x'.split(' ');
    const calls = Array.from({ length: RUNS }, () => {
      const length = Math.floor(random() * 4);
      const pieces = Array.from(
        { length },
        () => pick(random, random() < 0.8 ? numbers.slice(0, 8) : numbers) + pick(random, parts),
      );
      return call('time.parse_duration_ns', pick(random, ['', '', '-', '+']) + pieces.join(''));
    });
    const table = [
      '0',
      '-0',
      '',
      '-',
      '9223372036854775807ns',
      '9223372036854775808ns',
      '-9223372036854775808ns',
      '2562047h47m16.854775807s',
      '1d2h',
      '0.0000001d',
      '1e3s',
      '300y',
      '1 s',
      '1.99999999999999999999s',
    ];
    await expectSame([...calls, ...table.map((text) => call('time.parse_duration_ns', text))]);
  });

  it('stands still during a review, and tells ns', () => {
    const now = hostBuiltins.get('time.now_ns');
    expect(now?.([], { nowMs: 1_764_000_000_123.75, crypto: nodeCrypto })).toEqual(
      numberOf(1_764_000_000_123_000_000n),
    );
  });
});
