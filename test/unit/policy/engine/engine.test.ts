/** The engine with real worker threads and real modules: what goes wrong in one evaluation stays in it. */
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { compile, type CompiledPolicy } from '../../../../src/policy/compiler.ts';
import { createEngine, type Engine, type EngineOptions } from '../../../../src/policy/engine/engine.ts';
import { toolPath } from '../../../cluster/tools.ts';

const GOOD = 'package good\nviolation contains {"msg": input.name} if input.name';

/** Searches for minutes without growing. */
const SLOW = 'package slow\nviolation contains {"msg": "x"} if contains(input.hay, input.needle)';
const SLOW_INPUT = JSON.stringify({ hay: 'a'.repeat(1_000_000), needle: `${'a'.repeat(500_000)}b` });

/** Repeats a text until no memory holds it. */
const HUGE = `package huge
violation contains {"msg": "x"} if count(concat("", [input.text | some _ in numbers.range(1, input.times)])) > 0`;

const policies = new Map<string, CompiledPolicy>();
let engine: Engine;

function open(options: EngineOptions = {}): Engine {
  engine = createEngine({ workers: 2, ...options });
  for (const [id, { wasm, entrypoint }] of policies) engine.load(id, wasm, entrypoint);
  return engine;
}

function good(name: string, deadlineMs = 20_000): Promise<unknown> {
  return engine.evaluate('good', { input: JSON.stringify({ name }), deadlineMs });
}

async function code(evaluation: Promise<unknown>): Promise<string> {
  return evaluation.then(
    () => 'none',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

beforeAll(async () => {
  const opaBin = await toolPath('opa');
  for (const [id, rego] of Object.entries({ good: GOOD, slow: SLOW, huge: HUGE }))
    policies.set(id, await compile({ kind: 'rego', rego, libs: [], regoVersion: 'V1' }, { opaBin }));
});

afterEach(() => engine.close());

describe('a deadline', () => {
  it('ends the thread that passed it; everybody else gets his own answer', async () => {
    open();
    const slow = Array.from({ length: 3 }, () =>
      code(engine.evaluate('slow', { input: SLOW_INPUT, deadlineMs: 50 })),
    );
    const others = Array.from({ length: 100 }, (_, at) => good(`n${String(at)}`));
    expect(await Promise.all(slow)).toEqual(['deadline', 'deadline', 'deadline']);
    expect(await Promise.all(others)).toEqual(
      Array.from({ length: 100 }, (_, at) => [{ msg: `n${String(at)}` }]),
    );
    expect(engine.stats()).toMatchObject({ replaced: 3, busy: 0, queued: 0, threads: 3 });
  });

  it('is that of the evaluation: waiting for a thread does not count', async () => {
    open({ workers: 1 });
    await good('warm');
    const slow = code(engine.evaluate('slow', { input: SLOW_INPUT, deadlineMs: 600 }));
    const waiting = good('patient', 500);
    expect(await slow).toBe('deadline');
    expect(await waiting).toEqual([{ msg: 'patient' }]);
  });

  it('replaces threads without end', async () => {
    open({ workers: 1 });
    for (let round = 1; round <= 5; round += 1) {
      expect(await code(engine.evaluate('slow', { input: SLOW_INPUT, deadlineMs: 10 }))).toBe('deadline');
      expect(await good('x')).toEqual([{ msg: 'x' }]);
      expect(engine.stats().replaced).toBe(round);
    }
  });
});

describe('the memory maximum', () => {
  it('refuses an input that does not fit, and takes the next one', async () => {
    open({ memoryMaximum: 2 ** 20 });
    expect(await code(good('x'.repeat(3 * 2 ** 20)))).toBe('memory');
    expect(await good('small')).toEqual([{ msg: 'small' }]);
    expect(engine.stats().replaced).toBe(0);
  });

  it('stops a rule that wants more, and takes the next one', async () => {
    open({ memoryMaximum: 16 * 2 ** 20 });
    const input = JSON.stringify({ text: 'x'.repeat(1_000), times: 100_000 });
    expect(await code(engine.evaluate('huge', { input, deadlineMs: 20_000 }))).toBe('memory');
    expect(await good('small')).toEqual([{ msg: 'small' }]);
    // The same rule, with less.
    expect(await engine.evaluate('huge', { input: '{"text": "x", "times": 3}', deadlineMs: 20_000 })).toEqual(
      [{ msg: 'x' }],
    );
  });
});

describe('a trap', () => {
  it('costs its own evaluation only', async () => {
    open({ workers: 1 });
    const deep = `{"name": ${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    for (let time = 0; time < 20; time += 1) {
      expect(await code(engine.evaluate('good', { input: deep, deadlineMs: 20_000 }))).toBe('trap');
    }
    expect(await good('x')).toEqual([{ msg: 'x' }]);
    expect(engine.stats().replaced).toBe(0);
  });

  it('is not what an input that is no JSON does', async () => {
    open();
    expect(await code(engine.evaluate('good', { input: '{"name":', deadlineMs: 20_000 }))).toBe('unknown');
    expect(await good('x')).toEqual([{ msg: 'x' }]);
  });
});

describe('unload', () => {
  it('lets those finish that were asked for before, under load', async () => {
    open();
    const before = Array.from({ length: 200 }, (_, at) => good(`n${String(at)}`));
    engine.unload('good');
    expect(await code(good('late'))).toBe('unknown');
    expect(await Promise.all(before)).toHaveLength(200);
  });

  it('is followed by the next version, which gets no answer of the last', async () => {
    open();
    const { wasm, entrypoint } = policies.get('huge') ?? {};
    if (wasm === undefined || entrypoint === undefined) throw new Error('no policy');
    const before = Array.from({ length: 50 }, () => good('old'));
    engine.unload('good');
    engine.load('good', wasm, entrypoint);
    const after = Array.from({ length: 50 }, () =>
      engine.evaluate('good', { input: '{"name": "new", "text": "a", "times": 2}', deadlineMs: 20_000 }),
    );
    expect(await Promise.all(before)).toEqual(before.map(() => [{ msg: 'old' }]));
    expect(await Promise.all(after)).toEqual(after.map(() => [{ msg: 'x' }]));
  });

  it('of what is not loaded does nothing; loading twice is a mistake', () => {
    open();
    engine.unload('nobody');
    const { wasm, entrypoint } = policies.get('good') ?? {};
    if (wasm === undefined || entrypoint === undefined) throw new Error('no policy');
    expect(() => {
      engine.load('good', wasm, entrypoint);
    }).toThrow('loaded already');
    expect(() => {
      engine.load('new', new Uint8Array([1, 2, 3]), entrypoint);
    }).toThrow(WebAssembly.CompileError);
  });
});

describe('giving up', () => {
  it('takes an evaluation out of the queue, and no other', async () => {
    open({ workers: 1 });
    const stop = new AbortController();
    const slow = code(engine.evaluate('slow', { input: SLOW_INPUT, deadlineMs: 300 }));
    const mine = engine.evaluate('good', { input: '{"name":"a"}', deadlineMs: 20_000, signal: stop.signal });
    const other = good('b');
    expect(engine.stats().queued).toBeGreaterThan(0);
    stop.abort(new Error('not any more'));
    await expect(mine).rejects.toThrow('not any more');
    expect(await other).toEqual([{ msg: 'b' }]);
    expect(await slow).toBe('deadline');
    await expect(
      engine.evaluate('good', { input: '{}', deadlineMs: 1, signal: stop.signal }),
    ).rejects.toThrow('not any more');
  });

  it('closing fails what is under way and what comes later', async () => {
    open({ workers: 1 });
    const under = code(engine.evaluate('slow', { input: SLOW_INPUT, deadlineMs: 20_000 }));
    const waiting = code(good('a'));
    await engine.close();
    expect([await under, await waiting, await code(good('b'))]).toEqual(['unknown', 'unknown', 'unknown']);
    expect(engine.stats()).toMatchObject({ threads: 0, queued: 0 });
  });
});

describe('what goes in and comes out', () => {
  it.each<[string, string, unknown]>([
    ['nothing', '{}', []],
    ['a NUL in a text', '{"name": "a\\u0000b"}', [{ msg: 'a\u0000b' }]],
    [
      'keys of every object',
      '{"name": {"__proto__": 1, "constructor": 2}}',
      [{ msg: JSON.parse('{"__proto__": 1, "constructor": 2}') as unknown }],
    ],
  ])('%s', async (_name, input, expected) => {
    open();
    expect(await engine.evaluate('good', { input, deadlineMs: 20_000 })).toEqual(expected);
  });

  it.each(['9007199254740993', '-9223372036854775808', '123456789012345678901234567890'])(
    '%s, with every digit',
    async (number) => {
      open();
      const raw = await engine.evaluate('good', { input: `{"name": ${number}}`, deadlineMs: 20_000 });
      expect(JSON.stringify(raw)).toBe(`[{"msg":${number}}]`);
    },
  );
});
