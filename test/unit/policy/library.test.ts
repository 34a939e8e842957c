/** A version that the compiler did not get through in time is tried again; one that is wrong is not. */
import { describe, expect, it } from '@jest/globals';
import type { CompiledPolicy } from '../../../src/policy/compiler.ts';
import { Library } from '../../../src/policy/library.ts';
import { CompileError } from '../../../src/policy/problems.ts';
import type { PolicyRule } from '../../../src/policy/policyrule/types.gen.ts';
import { manualClock, pass } from '../clock.ts';
import { keptLog } from '../logs.ts';
import { asStored } from './as-stored.ts';

const MINUTE = 60_000;

function ruleAt(generation: number): PolicyRule {
  return asStored({
    kind: 'PolicyRule',
    metadata: { name: 'r', generation },
    spec: { match: { kinds: [{ kinds: ['Pod'] }] }, rego: `package g${String(generation)}` },
  });
}

const compiled = (): CompiledPolicy => ({
  ...{ wasm: new Uint8Array(0), entrypoint: 'violation', text: 'text', libs: [] },
  ...{ regoVersion: 'V1', compilerVersion: '1.0.0' },
});

/** A library whose compiler answers with these, then with a policy. */
function libraryOf(...failures: string[]) {
  const clock = manualClock();
  const attempts: number[] = [];
  const library = new Library({
    clock,
    compile: () => {
      attempts.push(clock.monotonic() / MINUTE);
      const code = failures.shift();
      return code === undefined
        ? Promise.resolve(compiled())
        : Promise.reject(new CompileError([{ code, message: code }]));
    },
    engine: { load: () => undefined, unload: () => undefined, evaluate: () => Promise.resolve([]) },
    log: keptLog(),
    signal: new AbortController().signal,
  });
  const add = (rule: PolicyRule): void => {
    library.follow({ type: 'added', key: 'r', object: rule });
  };
  const edit = (rule: PolicyRule, old: PolicyRule): void => {
    library.follow({ type: 'updated', key: 'r', object: rule, old });
  };
  return { clock, attempts, library, add, edit };
}

describe('a version that the compiler was not given the time for', () => {
  it('is tried again, later each time, while the replica is ready and says what is wrong', async () => {
    const { clock, attempts, library, add } = libraryOf('limit', 'limit');
    add(ruleAt(1));
    await pass(clock, 0.5 * MINUTE, 1_000);
    expect(library.served()).toEqual([]);
    expect(library.state('r')).toMatchObject({ compiledGeneration: 1, lastError: 'limit' });
    await pass(clock, 4 * MINUTE, 1_000);
    expect(attempts).toEqual([0, 1, 3]);
    expect(library.served().map(({ generation }) => generation)).toEqual([1]);
    expect(library.pending()).toEqual([]);
    await pass(clock, 60 * MINUTE, MINUTE);
    expect(attempts).toHaveLength(3);
  });

  it('is not tried again when another version has come', async () => {
    const { clock, attempts, library, add, edit } = libraryOf('limit');
    add(ruleAt(1));
    await pass(clock, 0.5 * MINUTE, 1_000);
    edit(ruleAt(2), ruleAt(1));
    await pass(clock, 10 * MINUTE, 10_000);
    expect(attempts).toEqual([0, 0.5]);
    expect(library.served().map(({ generation }) => generation)).toEqual([2]);
  });
});

it('a version that is wrong is not tried again', async () => {
  const { clock, attempts, library, add } = libraryOf('rego_parse_error');
  add(ruleAt(1));
  await pass(clock, 60 * MINUTE, MINUTE);
  expect(attempts).toEqual([0]);
  expect(library.served()).toEqual([]);
});
