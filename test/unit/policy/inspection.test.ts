/** What keeps a version of a rule from being put in force, by the real compiler and engine. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile } from '../../../src/policy/compiler.ts';
import { createEngine, type Engine } from '../../../src/policy/engine/engine.ts';
import { inspect, isGood, testEngine, type Inspection } from '../../../src/policy/inspection.ts';
import { Library, sourceOf } from '../../../src/policy/library.ts';
import { admit } from '../../../src/policy/policyrule/admit.ts';
import type { PolicyRule } from '../../../src/policy/policyrule/types.gen.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createLog } from '../../../src/runtime/log.ts';
import { toolPath } from '../../cluster/tools.ts';
import { asStored } from './as-stored.ts';

const REGO = `package t

violation contains {"msg": sprintf("%v is too much", [input.review.object.n])} if {
	input.review.object.n > input.parameters.limit
}

violation contains {"msg": "changed"} if input.review.object.n != input.review.oldObject.n

violation contains {"msg": "slow"} if {
	input.review.object.slow
	contains(input.review.object.hay, input.review.object.needle)
}
`;

let engine: Engine;
let opaBin: string;
const signal = new AbortController().signal;

beforeAll(async () => {
  engine = createEngine({ workers: 1 });
  opaBin = await toolPath('opa');
});

afterAll(() => engine.close());

function ruleWith(spec: object, name = 'r', generation = 1): PolicyRule {
  return asStored({
    kind: 'PolicyRule',
    metadata: { name, generation },
    spec: {
      match: { kinds: [{ apiGroups: [''], kinds: ['Thing'] }] },
      rego: REGO,
      parameters: { limit: 3 },
      timeoutMilliseconds: 300,
      ...spec,
    },
  });
}

function workbench() {
  return {
    compile: (source: Parameters<typeof compile>[0]) => compile(source, { opaBin }),
    engine: testEngine(engine),
  };
}

function look(spec: object): Promise<Inspection> {
  const rule = ruleWith(spec);
  return inspect(rule, sourceOf(rule), workbench(), signal);
}

function thing(fields: object): object {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'x' }, ...fields };
}

/** A search that takes Wasm seconds: every place of the hay begins like the needle. */
const HAY = { slow: true, hay: 'a'.repeat(400_000), needle: `${'a'.repeat(200_000)}b` };

async function failures(spec: object): Promise<(string | undefined)[]> {
  return (await look(spec)).results.map(({ failure }) => failure);
}

describe('the tests of a rule', () => {
  const cases: [string, object, string | undefined][] = [
    ['a violation', { object: thing({ n: 4 }), expect: 'Violation' }, undefined],
    ['no violation', { object: thing({ n: 3 }), expect: 'NoViolation' }, undefined],
    ['an exact number', { object: thing({ n: 4 }), expect: 1 }, undefined],
    ['zero', { object: thing({ n: 3 }), expect: 0 }, undefined],
    ['by its message', { object: thing({ n: 4 }), expect: 'Violation', message: '^4 is' }, undefined],
    [
      'parameters of its own',
      { object: thing({ n: 4 }), parameters: { limit: 9 }, expect: 'NoViolation' },
      undefined,
    ],
    [
      'a review',
      {
        review: { operation: 'UPDATE', object: thing({ n: 1 }), oldObject: thing({ n: 2 }) },
        expect: 1,
        message: 'changed',
      },
      undefined,
    ],
    [
      'a violation that is not there',
      { object: thing({ n: 3 }), expect: 'Violation' },
      'expected a violation, found 0',
    ],
    [
      'one that should not be',
      { object: thing({ n: 4 }), expect: 'NoViolation' },
      'expected no violation, found 1: "4 is too much"',
    ],
    [
      'another number',
      { object: thing({ n: 4 }), expect: 2 },
      'expected exactly 2 violations, found 1: "4 is too much"',
    ],
    [
      'another message',
      { object: thing({ n: 4 }), expect: 'Violation', message: 'too little' },
      'expected a violation whose message matches "too little", found 0; all 1: "4 is too much"',
    ],
    [
      'a message that is no expression',
      { object: thing({ n: 4 }), expect: 'Violation', message: '(' },
      expect.stringMatching(/^message "\(" is no RE2 expression: /) as unknown as string,
    ],
    [
      'an object of another kind',
      { object: { ...thing({ n: 4 }), kind: 'Other' }, expect: 'Violation' },
      'expected a violation, found 0: spec.match does not select the object',
    ],
    [
      'an operation that is not judged',
      { review: { operation: 'DELETE', oldObject: thing({ n: 4 }) }, expect: 'Violation' },
      'expected a violation, found 0: spec.match does not select the review',
    ],
  ];

  it.each(cases)('%s', async (_name, test, failure) => {
    expect(await failures({ tests: [{ name: 't', ...test }] })).toEqual([failure]);
  });

  it('are run on a query as well, whose input is the object', async () => {
    const tests = [
      { name: 'a', object: thing({ n: 4 }), expect: 'Violation' },
      { name: 'b', review: { operation: 'CREATE', object: thing({ n: 3 }) }, expect: 'Violation' },
    ];
    expect(await failures({ rego: undefined, regoQuery: 'input.n > 3', tests })).toEqual([
      undefined,
      'expected a violation, found 0',
    ]);
  });

  it('of a rule about DELETE alone delete their object', async () => {
    const match = { kinds: [{ apiGroups: [''], kinds: ['Thing'] }], operations: ['DELETE'] };
    const tests = [{ name: 'a', object: thing({ n: 4 }), expect: 1, message: 'too much' }];
    expect(await failures({ match, tests })).toEqual([undefined]);
  });

  it('are ended by the first that takes too long', async () => {
    const tests = [
      { name: 'quick', object: thing({ n: 4 }), expect: 'Violation' },
      { name: 'slow', object: thing(HAY), expect: 'NoViolation' },
      { name: 'other', object: thing({ n: 4 }), expect: 'Violation' },
    ];
    const [quick, slow, other] = await failures({ tests });
    expect(quick).toBeUndefined();
    expect(slow).toMatch(/could not be evaluated: .*more than 300 ms/);
    expect(other).toBe('not run, because slow took too long');
  });

  it('are not run on wrong parameters, nor where nothing compiles', async () => {
    const tests = [{ name: 'a', object: thing({ n: 4 }), expect: 'Violation' }];
    const parametersSchema = { type: 'object', properties: { limit: { type: 'string' } } };
    const wrong = await look({ tests, parametersSchema });
    expect([wrong.results, wrong.faults.parameters[0]?.file]).toEqual([[], 'parameters.limit']);
    const broken = await look({ tests, rego: 'package a\n\nviolation contains {' });
    expect([broken.results, broken.faults.compile.length > 0]).toEqual([[], true]);
  });

  it('give up when they are told to', async () => {
    const rule = ruleWith({ tests: [{ name: 'a', object: thing({}), expect: 0 }] });
    const gone = AbortSignal.abort(new Error('over'));
    await expect(inspect(rule, sourceOf(rule), { ...workbench() }, gone)).rejects.toThrow('over');
  });
});

describe('admission', () => {
  it('lets a rule pass that passes, and names every sort of fault of one that does not', async () => {
    const tests = [{ name: 'too much', object: thing({ n: 4 }), expect: 'NoViolation' }];
    const good = await look({ tests: [{ ...tests[0], expect: 'Violation' }] });
    expect([isGood(good.faults), admit('r', good.faults).allowed]).toEqual([true, true]);
    const { faults } = await look({ tests });
    expect(admit('r', faults)).toEqual({
      allowed: false,
      code: 422,
      reason: 'Invalid',
      message:
        'PolicyRule r fails its own tests:\nspec.tests[0]: "too much": expected no violation, found 1: "4 is too much"',
    });
    const many = { ...faults, tests: Array.from({ length: 12 }, () => ({ message: 'x' })) };
    expect(admit('r', many).message).toMatch(/\nand 2 more$/);
  });
});

describe('the library', () => {
  async function settled(library: Library): Promise<void> {
    while (library.pending().length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  function libraryOf(): Library {
    return new Library({ ...workbench(), clock: systemClock, log: createLog('silent'), signal });
  }

  const tests = [{ name: 'a', object: thing({ n: 4 }), expect: 'Violation' }];
  const schema = {
    type: 'object',
    properties: { limit: { type: 'integer' }, word: { type: 'string', default: 'w' } },
  };

  it('keeps serving the last version that passed', async () => {
    const library = libraryOf();
    const good = ruleWith({ tests, parametersSchema: schema });
    library.follow({ type: 'added', key: 'r', object: good });
    await settled(library);
    expect(library.served()[0]?.parameters).toBe('{"limit":3,"word":"w"}');
    for (const spec of [
      { tests: [{ ...tests[0], expect: 'NoViolation' }] },
      { tests, parameters: { limit: 5 } },
      { tests, parametersSchema: schema, parameters: { limit: 'x' } },
    ]) {
      const bad = ruleWith(spec, 'r', 2);
      library.follow({ type: 'updated', key: 'r', object: bad, old: good });
      await settled(library);
      expect(library.served().map(({ generation, parameters }) => [generation, parameters])).toEqual([
        [1, '{"limit":3,"word":"w"}'],
      ]);
      expect(library.state('r')?.lastError).toMatch(/tests\[0\]|parameters\.limit/);
      library.follow({ type: 'updated', key: 'r', object: good, old: bad });
      await settled(library);
      expect(library.state('r')?.faults.tests).toEqual([]);
    }
    library.follow({ type: 'deleted', key: 'r', old: good });
    expect(library.served()).toEqual([]);
  });

  it('serves nothing of a rule that never passed, and what its status holds of one that did', async () => {
    const library = libraryOf();
    const failing = ruleWith({ tests: [{ ...tests[0], expect: 0 }], parameters: { limit: 1 } });
    library.follow({ type: 'added', key: 'r', object: failing });
    await settled(library);
    expect(library.served()).toEqual([]);
    const remembered = {
      ...failing,
      status: { compiledRego: REGO, compiledFrom: 'Rego' as const, compiledParameters: { limit: 7 } },
    };
    library.follow({ type: 'added', key: 's', object: remembered });
    await settled(library);
    expect(
      library.served().map(({ name, generation, parameters }) => [name, generation, parameters]),
    ).toEqual([['s', 0, '{"limit":7}']]);
  });
});
