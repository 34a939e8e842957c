/**
 * sprintf against the real opa: the same module, evaluated by `opa eval` and by our engine in Wasm. Replay a run with
 * SEED=, a longer one with RUNS=.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile } from '../../../../src/policy/compiler.ts';
import { createEngine, type Engine } from '../../../../src/policy/engine/engine.ts';
import { writeValue, type RegoValue } from '../../../../src/policy/engine/values.ts';
import { toolPath } from '../../../cluster/tools.ts';
import { seeded } from '../../random.ts';
import { opaEval } from '../opa-eval.ts';
import { pick, randomValue } from '../rego-values.ts';

const SEED = Number(process.env['SEED'] ?? 20261124);
const RUNS = Number(process.env['RUNS'] ?? 600);

interface Case {
  format: string;
  /** Rego text of the list of arguments */
  args: string;
}

const TABLE: readonly [format: string, args: string][] = [
  ['%d%%', '[7]'],
  ['%v %v %v', '[null, true, [1, "a", null]]'],
  ['%v', '[{"b": {1, 2}, "a": set(), [1]: {}}]'],
  ['%s', '[{3, 1, 2}]'],
  ['%d', '["x"]'],
  ['%d', '[1.5]'],
  ['%d', '[1.0]'],
  ['%d and %d', '[1]'],
  ['%d', '[1, "two", [3]]'],
  ['nothing', '[1]'],
  ['%', '[1]'],
  ['%!', '[1]'],
  ['%[2]d %[1]d', '[1, 2]'],
  ['%[3]d', '[1]'],
  ['%*d|%-*d', '[5, 1, 5, 2]'],
  ['%.*f', '[2, 3.14159]'],
  ['%x %X %#x', '["hi", "hi", 255]'],
  ['% x', '["hi"]'],
  ['%q', '["a\\n\\"b\\u00e9\\ud83d\\ude00"]'],
  ['%+q %#q', '["é", "raw"]'],
  ['%g %g %g %v', '[0.0001, 0.00001, 0.000012345, 0.00001]'],
  ['%08.3f|%+.2e|%g', '[3.14159, 12345.678, 1e21]'],
  ['%.0f %.0f %.0f %.0f', '[0.5, 1.5, 2.5, 3.5]'],
  ['%t %t', '[true, "x"]'],
  ['%d', '[9223372036854775807]'],
  ['%d', '[9223372036854775808]'],
  ['%x %o %b', '[123456789012345678901234567890, 8, 5]'],
  ['%c %U %#U', '[128512, 128512, 128512]'],
  ['%6.2d|%-6d|%06d', '[3, 3, -3]'],
  ['%1000001d', '[1]'],
  ['%v', '["\\u0000"]'],
  ['%5t', '[true]'],
  ['%s', '[[]]'],
];

let engine: Engine;
let serial = 0;

beforeAll(() => {
  engine = createEngine({ workers: 1 });
});

afterAll(() => engine.close());

/** What each case prints, undefined where sprintf has no value: by opa, and by us. */
async function bothPrint(cases: readonly Case[], input?: string): Promise<[unknown[], unknown[]]> {
  const lines = cases.map(
    ({ format, args }, at) =>
      `violation contains {"msg": sprintf(${JSON.stringify(format)}, ${args}), "details": ${String(at)}}`,
  );
  const rego = ['package t', ...lines].join('\n');
  const policy = await compile(
    { kind: 'rego', rego, libs: [], regoVersion: 'V1' },
    { opaBin: await toolPath('opa') },
  );
  serial += 1;
  engine.load(String(serial), policy.wasm, policy.entrypoint);
  const ours = await engine.evaluate(String(serial), { input: input ?? '{}', deadlineMs: 60_000 });
  engine.unload(String(serial));
  const theirs = await opaEval(rego, 'data.t.violation', input);
  return [printed(theirs, cases.length), printed(ours, cases.length)];
}

/** A byte-order mark is not allowed in a module. */
function literal(value: RegoValue): string {
  return writeValue(value).replaceAll('\ufeff', '\\ufeff');
}

function printed(raw: unknown, length: number): unknown[] {
  const texts = new Array<unknown>(length).fill(undefined);
  for (const { msg, details } of raw as { msg: string; details: number }[]) texts[details] = msg;
  return texts;
}

function randomFormat(random: () => number): string {
  const pieces = Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
    const flags = random() < 0.4 ? pick(random, ['-', '+', '#', '0', ' ', '+0', '-0', '# ', '+#', '##']) : '';
    const index = random() < 0.06 ? pick(random, ['[1]', '[2]', '[9]', '[x]', '[0]', '[']) : '';
    const width = random() < 0.3 ? pick(random, ['1', '5', '12', '30', '*', '0']) : '';
    const precision = random() < 0.3 ? pick(random, ['.', '.0', '.1', '.3', '.10', '.*', '.25']) : '';
    const verb = pick(random, [...Array.from('vvvddssqqxXtfFeEgGboOcUT%'), 'k', '😀', '']);
    return `${pick(random, ['', 'text ', 'é'])}%${flags}${index}${width}${precision}${verb}`;
  });
  return pieces.join(pick(random, ['', ' ', ', ']));
}

describe('sprintf', () => {
  it(`prints what opa prints, of values in the module (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const cases = Array.from({ length: RUNS }, () => {
      const args = Array.from({ length: Math.floor(random() * 4) }, () => literal(randomValue(random, true)));
      return { format: randomFormat(random), args: `[${args.join(', ')}]` };
    });
    const [theirs, ours] = await bothPrint(cases);
    expect(cases.map((one, at) => [one, ours[at]])).toEqual(cases.map((one, at) => [one, theirs[at]]));
    expect(theirs.filter((text) => text !== undefined).length).toBeGreaterThan(RUNS / 2);
  });

  it(`prints what opa prints, of values in the input (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED + 1);
    const lists = Array.from({ length: RUNS }, () =>
      writeValue(Array.from({ length: Math.floor(random() * 4) }, () => randomValue(random, false))),
    );
    const cases = lists.map((_list, at) => ({ format: randomFormat(random), args: `input[${String(at)}]` }));
    const [theirs, ours] = await bothPrint(cases, `[${lists.join(',')}]`);
    const shown = (texts: unknown[]) => cases.map(({ format }, at) => [format, lists[at], texts[at]]);
    expect(shown(ours)).toEqual(shown(theirs));
  });

  it('prints what opa prints, of the cases that its manual and its sources dwell on', async () => {
    const [theirs, ours] = await bothPrint(TABLE.map(([format, args]) => ({ format, args })));
    expect(TABLE.map((row, at) => [...row, ours[at]])).toEqual(TABLE.map((row, at) => [...row, theirs[at]]));
  });
});
