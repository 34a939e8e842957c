/** The forms that Rego code of others comes in: versions, imports, libs, entry points; each judged by real Wasm. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile, CompileError, type PolicySource } from '../../../src/policy/compiler.ts';
import { createEngine, type Engine } from '../../../src/policy/engine/engine.ts';
import { violationsOf, type Violation } from '../../../src/policy/verdict.ts';
import { toolPath } from '../../cluster/tools.ts';

let engine: Engine;
let opaBin: string;
let serial = 0;

beforeAll(async () => {
  engine = createEngine({ workers: 1 });
  opaBin = await toolPath('opa');
});

afterAll(() => engine.close());

async function judge(
  source: Partial<PolicySource & { kind: 'rego' }>,
  object: unknown,
): Promise<Violation[]> {
  const { rego = '', libs = [], regoVersion = 'V1' } = source;
  const policy = await compile({ kind: 'rego', rego, libs, regoVersion }, { opaBin });
  serial += 1;
  engine.load(String(serial), policy.wasm, policy.entrypoint);
  const input = JSON.stringify({ review: { object }, parameters: {} });
  const raw = await engine.evaluate(String(serial), { input, deadlineMs: 5_000 });
  return violationsOf(raw, policy.entrypoint, { name: 'r' });
}

async function messages(source: Parameters<typeof judge>[0], object: unknown): Promise<string[]> {
  return (await judge(source, object)).map(({ message }) => message);
}

const BAD = 'input.review.object.bad';

describe('versions and imports', () => {
  it.each<[string, 'V0' | 'V1', string]>([
    ['V1 as it is', 'V1', `package a\n\nviolation contains {"msg": "no"} if ${BAD}`],
    [
      'V1 that imports what it has already',
      'V1',
      `package a\n\nimport rego.v1\n\nviolation contains {"msg": "no"} if ${BAD}`,
    ],
    ['V0', 'V0', `package a\n\nviolation[{"msg": msg}] { ${BAD}; msg := "no" }`],
    ['V0 with rego.v1', 'V0', `package a\n\nimport rego.v1\n\nviolation contains {"msg": "no"} if ${BAD}`],
    [
      'V0 with future.keywords',
      'V0',
      `package a\n\nimport future.keywords\n\nviolation contains {"msg": "no"} if ${BAD}`,
    ],
    [
      'V0 with some of future.keywords',
      'V0',
      `package a\n\nimport future.keywords.contains\nimport future.keywords.if\nimport future.keywords.in\nimport future.keywords.every\n\nviolation contains {"msg": "no"} if {\n  some x in [${BAD}]\n  every y in [x] { y }\n}`,
    ],
    [
      'V1 with future.keywords',
      'V1',
      `package a\n\nimport future.keywords.if\n\nviolation contains {"msg": "no"} if ${BAD}`,
    ],
    [
      'a package of more than one part',
      'V1',
      `package a.b["c-d"]\n\nviolation contains {"msg": "no"} if ${BAD}`,
    ],
  ])('%s', async (_name, regoVersion, rego) => {
    expect(await messages({ rego, regoVersion }, { bad: true })).toEqual(['no']);
    expect(await messages({ rego, regoVersion }, { bad: false })).toEqual([]);
  });

  it('V0 in a rule of V1 is told how to be one', async () => {
    const rego = `package a\n\nviolation[{"msg": msg}] { ${BAD}; msg := "no" }`;
    const error = await messages({ rego }, {}).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CompileError);
    expect((error as CompileError).message).toContain('spec.regoVersion: V0');
  });
});

describe('libs', () => {
  const V0_LIB = 'package lib.texts\n\nno(x) = msg { msg := sprintf("no %v", [x]) }';
  const V1_LIB = 'package lib.texts\n\nno(x) := sprintf("no %v", [x])';
  it.each<[string, 'V0' | 'V1', string, string[]]>([
    [
      'imported',
      'V1',
      `package a\n\nimport data.lib.texts\n\nviolation contains {"msg": texts.no("x")} if ${BAD}`,
      [V1_LIB],
    ],
    [
      'by another name',
      'V1',
      `package a\n\nimport data.lib.texts as t\n\nviolation contains {"msg": t.no("x")} if ${BAD}`,
      [V1_LIB],
    ],
    [
      'by the full name',
      'V1',
      `package a\n\nviolation contains {"msg": data.lib.texts.no("x")} if ${BAD}`,
      [V1_LIB],
    ],
    [
      'V0',
      'V0',
      `package a\n\nimport data.lib.texts\n\nviolation[{"msg": msg}] { ${BAD}; msg := texts.no("x") }`,
      [V0_LIB],
    ],
    [
      'V0 with rego.v1 in the lib',
      'V0',
      `package a\n\nviolation[{"msg": msg}] { ${BAD}; msg := data.lib.texts.no("x") }`,
      [V1_LIB.replace('\n\n', '\n\nimport rego.v1\n\n')],
    ],
    [
      'that import each other',
      'V1',
      `package a\n\nimport data.lib.more\n\nviolation contains {"msg": more.say} if ${BAD}`,
      ['package lib.more\n\nimport data.lib.texts\n\nsay := texts.no("x")', V1_LIB],
    ],
  ])('%s', async (_name, regoVersion, rego, libs) => {
    expect(await messages({ rego, libs, regoVersion }, { bad: true })).toEqual(['no x']);
    expect(await messages({ rego, libs, regoVersion }, {})).toEqual([]);
  });

  it('that is not there is told by its name', async () => {
    const rego = 'package a\n\nimport data.lib.text\n\nviolation contains text.no("x")';
    const error = await messages({ rego, libs: [V1_LIB] }, {}).catch((caught: unknown) => caught);
    expect((error as CompileError).problems.map(({ line, message }) => [line, message])).toContainEqual([
      3,
      'data.lib.text is not known here',
    ]);
  });
});

describe('entry points', () => {
  it.each<[string, string, Violation[]]>([
    [
      'violation: objects with details',
      `violation contains {"msg": "m", "details": {"at": 1}} if ${BAD}`,
      [{ message: 'm', details: { at: 1 } }],
    ],
    ['violation: strings', `violation contains "m" if ${BAD}`, [{ message: 'm' }]],
    ['deny: objects', `deny contains {"msg": "m"} if ${BAD}`, [{ message: 'm' }]],
    ['deny: strings', `deny contains "m" if ${BAD}`, [{ message: 'm' }]],
    ['deny: a text', `deny := "m" if ${BAD}`, [{ message: 'm' }]],
    ['deny: true', `deny if ${BAD}`, [{ message: 'r is violated' }]],
    ['warn: strings', `warn contains "m" if ${BAD}`, [{ message: 'm' }]],
    ['allow: undefined denies', `allow if not ${BAD}`, [{ message: 'r does not allow this' }]],
    [
      'allow: false denies',
      `default allow := false\n\nallow if not ${BAD}`,
      [{ message: 'r does not allow this' }],
    ],
    ['violation wins over allow', `allow := true\n\nviolation contains "m" if ${BAD}`, [{ message: 'm' }]],
  ])('%s', async (_name, rules, expected) => {
    const rego = `package a\n\n${rules}`;
    expect(await judge({ rego }, { bad: true })).toEqual(expected);
    expect(await judge({ rego }, { bad: false })).toEqual([]);
  });

  it('V0 forms: deny[msg], deny = msg, allow', async () => {
    const v0 = (rules: string) => ({ rego: `package a\n\n${rules}`, regoVersion: 'V0' as const });
    expect(await messages(v0(`deny[msg] { ${BAD}; msg := "m" }`), { bad: true })).toEqual(['m']);
    expect(await messages(v0(`deny = "m" { ${BAD} }`), { bad: true })).toEqual(['m']);
    expect(await messages(v0(`default allow = false\n\nallow { not ${BAD} }`), { bad: true })).toHaveLength(
      1,
    );
    expect(await messages(v0(`default allow = false\n\nallow { not ${BAD} }`), {})).toEqual([]);
  });
});
