/** object.*, graph.*, net.cidr_*, numbers.* against the real opa. Replay a run with SEED=, a longer one with RUNS=. */
import { describe, it } from '@jest/globals';
import { numberOf, setOf, type RegoValue } from '../../../../../src/policy/engine/values.ts';
import { seeded } from '../../../random.ts';
import { pick, randomValue } from '../../rego-values.ts';
import { RUNS, SEED, call, expectSame, pickSome } from './both.ts';

/** Values from few, so that they meet. */
function small(random: () => number, depth: number): RegoValue {
  const kind = random();
  if (depth === 0 || kind < 0.4) {
    return pick<RegoValue>(random, ['a', 'b', numberOf(1), { type: 'number', text: '1.0' }, null, true]);
  }
  const items = Array.from({ length: Math.floor(random() * 3) }, () => small(random, depth - 1));
  if (kind < 0.6) return items;
  if (kind < 0.75) return setOf(items);
  const keys = setOf(pickSome<RegoValue>(random, ['a', 'b', 'c', numberOf(1)], 3)).items;
  return { type: 'object', entries: keys.map((key) => [key, small(random, depth - 1)]) };
}

function listOf(random: () => number): RegoValue[] {
  return Array.from({ length: Math.floor(random() * 5) }, () => small(random, 0));
}

const NETWORKS = [
  '10.0.0.0/8',
  '10.1.2.0/24',
  '10.1.3.0/24',
  '10.1.2.128/25',
  '10.1.2.3/32',
  '0.0.0.0/0',
  '0.0.0.0/1',
  '128.0.0.0/1',
  '255.255.255.255/32',
  '192.168.1.77/28',
  '2001:db8::/32',
  '2001:db8:1::/48',
  '2001:db8::8000/113',
  '2001:db8::/113',
  '::/0',
  '::/80',
  'fe80::1/128',
  '::ffff:10.1.2.0/120',
];

const BROKEN_NETWORKS = [
  '10.0.0.0/33',
  '10.0.0/8',
  '010.0.0.0/8',
  '::1%eth0/64',
  '::1/129',
  '1::2::3/8',
  '10.0.0.0/',
  '',
  ':::/1',
  '1:2:3:4:5:6:7::/64',
  '1:2:3:4:5:6:7:8::/64',
  '1.2.3.4/08',
  '::1.2.3.4/128',
  '::01.2.3.4/128',
  'g::/8',
  '12345::/8',
];

describe('collections', () => {
  it(`object.* (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const calls = Array.from({ length: RUNS }, () => [
      call('object.subset', small(random, 3), small(random, 3)),
      call('object.subset', listOf(random), random() < 0.5 ? listOf(random) : setOf(listOf(random))),
      call('object.subset', setOf(listOf(random)), setOf(listOf(random))),
      call('object.keys', randomValue(random, true, 2)),
    ]).flat();
    const [a, b] = [numberOf(1), numberOf(2)];
    await expectSame([
      ...calls,
      call('object.subset', [a, a, b], [a, b]),
      call('object.subset', [a, a], setOf([a, b])),
      call('object.subset', [b], setOf([])),
      call('object.subset', [], setOf([])),
    ]);
  });

  it(`graph.reachable_paths (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const vertices: RegoValue[] = ['a', 'b', 'c', 'd', numberOf(1), [null], 'missing'];
    const graph = (): RegoValue => {
      const keys = setOf(pickSome(random, vertices.slice(0, 6), 5)).items;
      const entries = keys.map((key): [RegoValue, RegoValue] => {
        const next = pickSome(random, vertices, 3);
        return [key, random() < 0.1 ? null : random() < 0.5 ? next : setOf(next)];
      });
      return { type: 'object', entries };
    };
    const calls = Array.from({ length: RUNS }, () => {
      const initial = pickSome(random, vertices, 3);
      return [
        call('graph.reachable_paths', graph(), random() < 0.5 ? initial : setOf(initial)),
        call('graph.reachable', graph(), initial),
      ];
    }).flat();
    await expectSame(calls);
  });

  it(`net.cidr_* (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const single = ['10.1.2.3', '200.1.1.1', '150.1.2.3', '2001:db8::1', '::ffff:10.1.2.3', '0.0.0.0'];
    const any = (): string =>
      pick(random, random() < 0.1 ? BROKEN_NETWORKS : random() < 0.3 ? single : NETWORKS);
    const several = (): RegoValue => {
      const list: RegoValue[] = Array.from({ length: Math.floor(random() * 4) }, any);
      const kind = random();
      if (kind < 0.2) return any();
      if (kind < 0.4) return setOf(list);
      if (kind < 0.6) return list.map((item) => [item, 'more']);
      if (kind < 0.8) return { type: 'object', entries: list.map((item, at) => [`k${String(at)}`, item]) };
      return list;
    };
    const mergeable = NETWORKS.filter((network) => !network.startsWith('::ffff'));
    const calls = Array.from({ length: RUNS }, () => {
      const list = random() < 0.1 ? [any()] : pickSome(random, [...mergeable, '10.1.2.3', '200.1.1.1'], 6);
      return [
        call('net.cidr_contains_matches', several(), several()),
        call('net.cidr_merge', random() < 0.5 ? list : setOf(list)),
        call('net.cidr_is_valid', any()),
      ];
    }).flat();
    const expandable = [
      '10.1.2.3/32',
      '255.255.255.250/29',
      '0.0.0.0/28',
      '::/124',
      '::ffff:1.2.3.4/126',
      'fe80:0:0:1::/122',
      '10.0.0.0/x',
    ];
    const valid = [...BROKEN_NETWORKS, ...NETWORKS, ...single].map((text) => call('net.cidr_is_valid', text));
    await expectSame([...calls, ...valid, ...expandable.map((text) => call('net.cidr_expand', text))]);
  });

  it(`numbers.range_step (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const bounds = [
      '0',
      '1',
      '-5',
      '10',
      '2.0',
      '1e1',
      '1.5',
      '9007199254740993',
      '9007199254740999',
      '1e30',
    ];
    const number = (texts: readonly string[]): RegoValue => ({ type: 'number', text: pick(random, texts) });
    const near = bounds.slice(0, 7);
    const calls = Array.from({ length: RUNS }, () =>
      call(
        'numbers.range_step',
        number(near),
        number(near),
        number(['1', '2', '3', '100', '0', '-1', '1.5']),
      ),
    );
    const big = (text: string): RegoValue => ({ type: 'number', text });
    await expectSame([
      ...calls,
      call('numbers.range_step', big('9007199254740993'), big('9007199254740999'), big('3')),
      call('numbers.range_step', big('1e30'), big('1000000000000000000000000000003'), big('2')),
    ]);
  });

  it(`crypto.* (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const text = (): string =>
      pickSome(random, ['a', 'é', '😀', '\u0000', ' ', 'longer text '.repeat(9)], 4).join('');
    const calls = Array.from({ length: 40 }, () => [
      ...['md5', 'sha1', 'sha256'].map((name) => call(`crypto.${name}`, text())),
      ...['md5', 'sha1', 'sha256', 'sha512'].map((name) => call(`crypto.hmac.${name}`, text(), text())),
      call('crypto.hmac.equal', text(), text()),
    ]).flat();
    await expectSame(calls);
  });
});
