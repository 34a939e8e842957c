/** `cogniforge policy eval` on standard input, as another program drives it. */
import { describe, expect, it } from '@jest/globals';
import { cogniforge, policy } from './cogniforge.ts';

interface Answer {
  id: unknown;
  result?: unknown;
  error?: { code: string; message: string };
}

async function ask(lines: readonly (object | string)[], end = '\n'): Promise<Answer[]> {
  const input =
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n') + end;
  const { status, stdout, stderr } = await policy(['eval'], input);
  expect([status, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Answer);
}

const ECHO = { modules: { 'a.rego': 'package a\n\nx := input' }, entrypoint: 'a/x' };
const FIELD = { modules: { 'a.rego': 'package a\n\nx := input.y' }, entrypoint: 'a/x' };

describe('a line is answered by a line', () => {
  it('in the same order, whatever takes how long', async () => {
    const slow =
      'package a\n\nx := count([1 | some a in numbers.range(1, 200); some b in numbers.range(1, 200); a == b])';
    const answers = await ask([
      { id: 'slow', modules: { a: slow }, entrypoint: 'a/x' },
      ...Array.from({ length: 20 }, (_x, at) => ({ id: at, ...ECHO, input: at })),
    ]);
    expect(answers.map(({ id }) => id)).toEqual(['slow', ...Array.from({ length: 20 }, (_x, at) => at)]);
    expect(answers.map(({ result }) => result)).toEqual([200, ...Array.from({ length: 20 }, (_x, at) => at)]);
  });

  it('missing input is undefined, null is null, no value is no result', async () => {
    expect(
      await ask([
        { id: 1, ...ECHO },
        { id: 2, ...ECHO, input: null },
        { id: 3, ...FIELD, input: {} },
      ]),
    ).toEqual([{ id: 1 }, { id: 2, result: null }, { id: 3 }]);
  });

  it('long integers keep their digits, half characters do no harm', async () => {
    const raw = `{"id": 12345678901234567890, "modules": ${JSON.stringify(ECHO.modules)}, "entrypoint": "a/x", "input": [9007199254740993, "\\ud800"]}`;
    const { stdout } = await cogniforge(['policy', 'eval'], `${raw}\n`);
    expect(stdout).toBe('{"id":12345678901234567890,"result":[9007199254740993,"\ufffd"]}\n');
  });

  it('several modules, both versions, data, and a whole package', async () => {
    const lib = 'package lib\n\nf(x) = y { y := x + data.n }';
    const main = 'package a\n\nx = y { y := data.lib.f(input) }';
    const both = { modules: { main, lib }, regoVersion: 'V0', data: { n: 2 }, input: 1 };
    expect(
      await ask([
        { id: 1, ...both, entrypoint: 'a/x' },
        { id: 2, ...both, entrypoint: 'data.a' },
      ]),
    ).toEqual([
      { id: 1, result: 3 },
      { id: 2, result: { x: 3 } },
    ]);
  });

  it('the last line needs no end', async () => {
    expect(await ask([{ id: 1, ...ECHO, input: 1 }], '')).toEqual([{ id: 1, result: 1 }]);
    expect(await ask([], '')).toEqual([]);
  });
});

describe('what is wrong is told in the answer, and the rest is answered', () => {
  const cases: [string, object | string, unknown, string, RegExp][] = [
    ['no JSON', 'nonsense', null, 'bad_line', /^line 2 is no JSON/],
    ['an empty line', '', null, 'bad_line', /^line 2 is no JSON/],
    ['a list', '[]', null, 'bad_line', /^line 2 is no JSON object/],
    ['no modules', { id: 'x', entrypoint: 'a/x' }, 'x', 'bad_request', /modules/],
    ['modules that are no texts', { id: 'x', ...ECHO, modules: { a: 1 } }, 'x', 'bad_request', /modules/],
    ['no entry point', { id: 'x', modules: ECHO.modules }, 'x', 'bad_request', /entrypoint/],
    [
      'a flag for an entry point',
      { id: 'x', ...ECHO, entrypoint: '--help' },
      'x',
      'bad_request',
      /entrypoint/,
    ],
    ['a version that is none', { id: 'x', ...ECHO, regoVersion: 'V2' }, 'x', 'bad_request', /V0, V1/],
    ['data that is a list', { id: 'x', ...ECHO, data: [] }, 'x', 'bad_request', /data/],
    [
      'a module that does not parse',
      { id: 'x', ...ECHO, modules: { 'm.rego': 'package a\n\nx :=' } },
      'x',
      'rego_parse_error',
      /^m\.rego:3: /,
    ],
    [
      'an entry point that is not there',
      { id: 'x', ...ECHO, entrypoint: 'a/nope' },
      'x',
      'compile_failed',
      /a\/nope/,
    ],
    [
      'a forbidden builtin',
      { id: 'x', ...ECHO, modules: { 'm.rego': 'package a\n\nx := http.send({})' } },
      'x',
      'rego_type_error',
      /http\.send is not available/,
    ],
    [
      'two values for one document',
      { id: 'x', ...ECHO, modules: { a: 'package a\n\nx := 1 if input\n\nx := 2 if input' }, input: 1 },
      'x',
      'eval_conflict_error',
      /conflict/,
    ],
    [
      'more memory than there is',
      { id: 'x', ...ECHO, modules: { a: 'package a\n\nx := count(numbers.range(1, 100000000))' } },
      'x',
      'memory',
      /malloc|memory/,
    ],
  ];

  it.each(cases)('%s', async (_name, line, id, code, message) => {
    const first = { id: 1, ...ECHO, input: 1 };
    const answers = await ask([first, line, { id: 3, ...ECHO, input: 3 }]);
    expect(answers).toEqual([
      { id: 1, result: 1 },
      { id, error: { code, message: expect.stringMatching(message) } },
      { id: 3, result: 3 },
    ]);
  });

  it('bytes that are no UTF-8, and a line without end', async () => {
    const good = `${JSON.stringify({ id: 1, ...ECHO, input: 1 })}\n`;
    const long = Buffer.concat([
      Buffer.from('{"id": "'),
      Buffer.alloc(33 * 2 ** 20, 'a'),
      Buffer.from('"}\n'),
    ]);
    const input = Buffer.concat([Buffer.from('{"id": "\xff"}\n', 'latin1'), long, Buffer.from(good)]);
    const { status, stdout } = await policy(['eval'], input);
    expect(status).toBe(0);
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Answer);
    expect(answers.map(({ id, error, result }) => [id, error?.code, result])).toEqual([
      [null, 'bad_line', undefined],
      [null, 'bad_line', undefined],
      [1, undefined, 1],
    ]);
    expect(answers[1]?.error?.message).toBe('line 2 has more than 33554432 bytes');
  });
});
