/**
 * Calls of builtins, answered by the real `opa eval` and by our engine in Wasm, from the same module. Answers are compared
 * as Rego text, in which a set is no array and 1.0 not 1; undefined is undefined.
 */
import { expect } from '@jest/globals';
import { compile } from '../../../../../src/policy/compiler.ts';
import { createEngine } from '../../../../../src/policy/engine/engine.ts';
import { writeValue, type RegoValue } from '../../../../../src/policy/engine/values.ts';
import { toolPath } from '../../../../cluster/tools.ts';
import { opaEval } from '../../opa-eval.ts';

export const SEED = Number(process.env['SEED'] ?? 20261125);
export const RUNS = Number(process.env['RUNS'] ?? 300);

/** A byte that is part of no UTF-8 character: Go keeps it within a text until it is written out as JSON. */
const BROKEN = /\\x[89a-f][0-9a-f]/g;

export interface Call {
  name: string;
  args: readonly RegoValue[];
}

export interface Answers {
  ours: (string | undefined)[];
  theirs: (string | undefined)[];
}

export function call(name: string, ...args: readonly RegoValue[]): Call {
  return { name, args };
}

/** A module that calls each with arguments that the compiler does not look into. */
function moduleOf(calls: readonly Call[], functions: string): string {
  const byName = new Map<string, string[]>();
  for (const [at, { name, args }] of calls.entries()) {
    const rows = byName.get(name) ?? [];
    const literals = args.map((arg) => writeValue(arg).replaceAll('\ufeff', '\\ufeff'));
    rows.push(`[${[String(at), ...literals].join(', ')}]`);
    byName.set(name, rows);
  }
  const rules = [...byName].map(([name, rows], index) => {
    const arity = Math.max(...calls.filter((one) => one.name === name).map(({ args }) => args.length));
    const parameters = Array.from({ length: arity }, (_none, at) => `args[${String(at + 1)}]`).join(', ');
    return [
      `calls${String(index)} := [${rows.join(', ')}, input.none]`,
      'violation contains {"msg": text, "details": args[0]} if {',
      `  some args in array.concat(calls${String(index)}, [])`,
      `  text := sprintf("%v", [[${name}(${parameters})]])`,
      '}',
    ].join('\n');
  });
  return ['package t', functions, ...rules].join('\n\n');
}

export async function answersOf(calls: readonly Call[], functions = ''): Promise<Answers> {
  const rego = moduleOf(calls, functions);
  const input = '{"none": []}';
  const opaBin = await toolPath('opa');
  const policy = await compile({ kind: 'rego', rego, libs: [], regoVersion: 'V1' }, { opaBin });
  const engine = createEngine({ workers: 1 });
  try {
    engine.load('t', policy.wasm, policy.entrypoint);
    const ours = await engine.evaluate('t', { input, deadlineMs: 60_000 });
    const theirs = await opaEval(rego, 'data.t.violation', input);
    return {
      ours: texts(ours, calls.length),
      theirs: texts(theirs, calls.length).map((text) => text?.replace(BROKEN, '\ufffd')),
    };
  } finally {
    await engine.close();
  }
}

function texts(raw: unknown, length: number): (string | undefined)[] {
  const answers = new Array<string | undefined>(length).fill(undefined);
  for (const { msg, details } of raw as { msg: string; details: number }[]) answers[details] = msg;
  return answers;
}

/**
 * Fails with the calls that are answered differently. `atLeast`: how many must have a value, for the test to be one;
 * `functions`: Rego of what is called and is no builtin.
 */
export async function expectSame(
  calls: readonly Call[],
  atLeast = calls.length / 4,
  functions = '',
): Promise<void> {
  const { ours, theirs } = await answersOf(calls, functions);
  const shown = (answers: readonly (string | undefined)[]): unknown[] =>
    calls
      .map(({ name, args }, at) => ({
        at,
        line: [`${name}(${args.map(writeValue).join(', ')})`, answers[at]],
      }))
      .filter(({ at }) => ours[at] !== theirs[at])
      .map(({ line }) => line);
  expect(shown(ours)).toEqual(shown(theirs));
  expect(theirs.filter((answer) => answer !== undefined).length).toBeGreaterThanOrEqual(atLeast);
}

export function pickSome<T>(random: () => number, list: readonly T[], most: number): T[] {
  const length = Math.floor(random() * (most + 1));
  return Array.from({ length }, () => list[Math.floor(random() * list.length)]).filter(
    (item) => item !== undefined,
  );
}
