/** strings.*, regex.*, semver.*, units.*, encodings against the real opa. Replay a run with SEED=, a longer one with RUNS=. */
import { describe, it } from '@jest/globals';
import { numberOf, setOf, type RegoValue } from '../../../../../src/policy/engine/values.ts';
import { seeded } from '../../../random.ts';
import { pick, randomValue } from '../../rego-values.ts';
import { RUNS, SEED, call, expectSame, pickSome } from './both.ts';

const PIECES = ['', 'a', 'b', 'ab', 'ba', 'aa', 'é', '😀', 'ñ', '-', ' ', '日本'];

function text(random: () => number, pieces: readonly string[] = PIECES, most = 5): string {
  return pickSome(random, pieces, most).join('');
}

function texts(random: () => number): RegoValue {
  const list = Array.from({ length: Math.floor(random() * 4) }, () => text(random, PIECES, 3));
  const kind = random();
  if (kind < 0.3) return text(random, PIECES, 2);
  if (kind < 0.6) return list;
  return kind < 0.95 ? setOf(list) : [numberOf(1), ...list];
}

describe('texts', () => {
  it(`strings.*, indexof_n (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const calls = Array.from({ length: RUNS }, () => [
      call('strings.any_prefix_match', texts(random), texts(random)),
      call('strings.any_suffix_match', texts(random), texts(random)),
      call('strings.count', text(random), text(random, PIECES, 1)),
      call('strings.split_n', text(random), text(random, PIECES, 1), numberOf(Math.floor(random() * 9) - 4)),
      call('indexof_n', text(random), text(random, PIECES, 2)),
      call('strings.reverse', text(random)),
    ]).flat();
    await expectSame(calls);
  });

  it(`units.* (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const parts = ['0', '1', '5', '99', '.', '-', '+', 'e', 'E', '1e3', '0.001', '123456789.123456789'];
    const ends = [
      ...Array.from('kKmMgGtTpPeE'),
      'ki',
      'Ki',
      'kib',
      'MiB',
      'mb',
      'MI',
      'b',
      'x',
      ' ',
      '"',
      '',
    ];
    const calls = Array.from({ length: RUNS }, () => {
      const amount = text(random, parts, 3) + pick(random, ends);
      return [call('units.parse', amount), call('units.parse_bytes', amount)];
    }).flat();
    const corners = [
      '1e9999999',
      '1e-99999',
      '7.5000000000000000000001e',
      '-1.5k',
      '3.',
      '.5ki',
      '0x1',
      '1_0',
    ];
    const odd = [
      '0.1e',
      '1e30',
      '99999999999999999999999999999kb',
      '123.456789012345678m',
      '18446744073709551615',
    ];
    await expectSame([
      ...calls,
      ...[...corners, ...odd].flatMap((one) => [call('units.parse', one), call('units.parse_bytes', one)]),
    ]);
  });

  it(`semver.* (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const numbers = ['0', '1', '2', '10', '01', '9223372036854775807', '9223372036854775808', ''];
    const tails = [
      '',
      '-alpha',
      '-alpha.1',
      '-alpha.beta',
      '-1',
      '-01',
      '-1.2.3',
      '-rc-1',
      '+b.1',
      '-a+b',
      '-',
      '+',
    ];
    const long = ['-99999999999999999999', '-9223372036854775807', '-a..b', '-0a', '+é'];
    const version = (): string => {
      const core = Array.from({ length: random() < 0.95 ? 3 : 2 }, () =>
        pick(random, random() < 0.9 ? numbers.slice(0, 4) : numbers),
      );
      return (random() < 0.1 ? 'v' : '') + core.join('.') + pick(random, random() < 0.8 ? tails : long);
    };
    const calls = Array.from({ length: RUNS }, () => [
      call('semver.compare', version(), version()),
      call('semver.is_valid', version()),
    ]).flat();
    await expectSame([...calls, call('semver.is_valid', numberOf(1))]);
  });

  it(`hex, base64url, urlquery, glob.quote_meta (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const pieces = [
      'a',
      'B',
      '0f',
      '%',
      '%20',
      '%e2%98%83',
      '%C3%28',
      '+',
      '&',
      '=',
      ';',
      '~',
      "'()*!",
      '\u0000',
      '☃',
    ];
    const values = (): RegoValue => {
      const list = Array.from({ length: Math.floor(random() * 3) }, () => text(random, pieces, 2));
      const kind = random();
      return kind < 0.4 ? text(random, pieces) : kind < 0.7 ? list : kind < 0.95 ? setOf(list) : numberOf(1);
    };
    const calls = Array.from({ length: RUNS }, () => {
      const keys = setOf(
        Array.from({ length: Math.floor(random() * 3) }, () => text(random, pieces, 2)),
      ).items;
      return [
        call('hex.encode', text(random, pieces)),
        call('hex.decode', text(random, ['0f', 'A9', 'c3a9', '9', 'x', 'f09f9880'], 3)),
        call('base64url.encode_no_pad', text(random, pieces)),
        call('urlquery.encode', text(random, pieces)),
        call('urlquery.decode', text(random, pieces, 3)),
        call(
          'urlquery.decode_object',
          text(
            random,
            pieces.filter((piece) => !['%', '%C3%28'].includes(piece)),
            7,
          ),
        ),
        call('urlquery.encode_object', { type: 'object', entries: keys.map((key) => [key, values()]) }),
        call('glob.quote_meta', text(random, ['*', '?', '\\', '[', ']', '{', '}', '!', ',', 'a', '-'], 6)),
      ];
    }).flat();
    await expectSame(calls);
  });

  it(`regex.* (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const atoms = [
      'a',
      'b',
      '.',
      '[ab]',
      '(a)',
      '(?P<n>b+)',
      'a*',
      '\\b',
      '^',
      '$',
      '|',
      'é',
      '(',
      'x?',
      '\\d{2}',
    ];
    const templates = ['$1', '${n}', '$n', '$$', '<$0>', '$1x', '${1}x', '$', '${', '$2', '$01', 'é', '${n'];
    const subject = (): string => text(random, ['a', 'b', 'ab', 'é', '😀', '12', ' '], 7);
    // re2js refuses a name that two groups have; Go does not.
    const pattern = (): string => {
      const made = text(random, atoms, 4);
      return made.split('(?P<n>').length > 2 ? 'a' : made;
    };
    const glob = (): string =>
      text(random, ['a', 'b', '.', '[a-c]', '*', '+', '.*', '\\*', '[', ']', '[b-]'], 5);
    const calls = Array.from({ length: RUNS }, () => [
      call('regex.find_n', pattern(), subject(), numberOf(Math.floor(random() * 5) - 1)),
      call('regex.split', pattern(), subject()),
      call('regex.replace', subject(), pattern(), text(random, templates, 3)),
      call('regex.find_all_string_submatch_n', pattern(), subject(), numberOf(-1)),
      call('regex.globs_match', glob(), glob()),
      call(
        'regex.template_match',
        text(random, ['a', '{', '}', '{.*}', '.', '{a|b}', 'é'], 4),
        subject(),
        '{',
        '}',
      ),
    ]).flat();
    await expectSame([
      ...calls,
      call('regex.template_match', 'urn:<.*>', 'urn:a', '<', '>'),
      call('regex.template_match', 'urn:<.*>', 'urn:a', '<<', '>'),
      call('regex.template_match', 'a', 'a', 'é', '>'),
      call('regex.globs_match', '[\u0000-\u{10ffff}]*', 'abc'),
    ]);
  });

  it(`uri.* (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const pieces =
      'http https: :// // / a b.c host:80 host:x [::1] [::1%25eth0]:8 [fe80::1%zz] user@ u:p@ ? # % %20 %2F é : ; * ~ ! space\u0020 <> " a:b:1 \u0001'.split(
        ' ',
      );
    const whole = ['http://', 'https://', '//', 'file:///', 'mailto:', 'x+y.z-1:', '1x:', '', '', '///'];
    const calls = Array.from({ length: 2 * RUNS }, () => {
      const reference = pick(random, whole) + text(random, pieces, 5);
      return [call('uri.parse', reference), call('uri.is_valid', reference)];
    }).flat();
    await expectSame([
      ...calls,
      ...['', '*', ':', 'a b', 'http://a%41b/', 'http://%C3%A9/'].map((one) => call('uri.parse', one)),
    ]);
  });

  it(`uuid.parse (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const hex = (length: number): string =>
      Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
    const calls = Array.from({ length: RUNS }, () => {
      const version = random() < 0.7 ? pick(random, ['1', '2']) : hex(1);
      const sequence =
        random() < 0.5
          ? `${pick(random, ['8', 'c', 'e', '0'])}${hex(1)}0${pick(random, ['0', '1', '2', '3'])}`
          : hex(4);
      const plain = `${hex(8)}-${hex(4)}-${version}${hex(3)}-${sequence}-${hex(12)}`;
      const forms = [
        plain,
        plain.toUpperCase(),
        `urn:uuid:${plain}`,
        `URN:UUID:${plain}`,
        `{${plain}}`,
        `(${plain}x`,
      ];
      return call(
        'uuid.parse',
        pick(random, [...forms, plain.replaceAll('-', ''), `é${plain}`, plain.slice(1), `${plain}0`]),
      );
    });
    await expectSame(calls);
  });

  it(`of other types than texts (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const names: [string, number][] = [
      ['semver.is_valid', 1],
      ['net.cidr_is_valid', 1],
      ['hex.encode', 1],
      ['urlquery.decode', 1],
      ['urlquery.encode_object', 1],
      ['indexof_n', 2],
      ['object.subset', 2],
      ['graph.reachable_paths', 2],
      ['strings.count', 2],
    ];
    const calls = names.flatMap(([name, arity]) =>
      Array.from({ length: 30 }, () =>
        call(name, ...Array.from({ length: arity }, () => randomValue(random, true, 2))),
      ),
    );
    // The arguments of the right type, without which the compiler would refuse the call.
    const right = [call('indexof_n', 'a', 'a'), call('strings.count', 'a', 'a'), call('hex.encode', 'a')];
    const objects = { type: 'object', entries: [['a', ['b']]] } as const;
    const more = [call('graph.reachable_paths', objects, ['a']), call('urlquery.encode_object', objects)];
    await expectSame([...calls, ...right, ...more, call('urlquery.decode', 'a')], 30);
  });
});
