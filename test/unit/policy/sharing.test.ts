import { describe, expect, it } from '@jest/globals';
import type { CompiledPolicy, PolicySource } from '../../../src/policy/compiler.ts';
import { compileShared, SharedModules } from '../../../src/policy/sharing.ts';

const source = (rego: string): PolicySource => ({ kind: 'rego', rego, libs: [], regoVersion: 'V1' });

function policy(text: string): CompiledPolicy {
  return {
    ...{ wasm: new Uint8Array(0), entrypoint: 'violation', text, libs: [] },
    ...{ regoVersion: 'V1', compilerVersion: '1.0.0' },
  };
}

/** A compiler whose compilations end when they are told to. */
function scripted() {
  const started: { source: PolicySource; signal: AbortSignal; end: PromiseWithResolvers<CompiledPolicy> }[] =
    [];
  const compile = compileShared((asked, signal) => {
    const end = Promise.withResolvers<CompiledPolicy>();
    signal.addEventListener('abort', () => {
      end.reject(signal.reason);
    });
    started.push({ source: asked, signal, end });
    return end.promise;
  });
  return { started, compile };
}

const never = new AbortController().signal;

describe('compilation', () => {
  it('of equal sources is one, while it goes on and afterwards', async () => {
    const { started, compile } = scripted();
    const both = [compile(source('a'), never), compile(source('a'), never)];
    expect(started).toHaveLength(1);
    const made = policy('a');
    started[0]?.end.resolve(made);
    expect(await Promise.all(both)).toEqual([made, made]);
    expect(await compile(source('a'), never)).toBe(made);
    expect(started).toHaveLength(1);
  });

  it('of different sources is another: text, libs and version count', () => {
    const { started, compile } = scripted();
    const base = source('a');
    for (const other of [
      base,
      source('b'),
      { ...base, libs: ['l'] },
      { ...base, regoVersion: 'V0' as const },
    ])
      void compile(other, never);
    expect(started).toHaveLength(4);
  });

  it('that failed is tried again', async () => {
    const { started, compile } = scripted();
    const first = compile(source('a'), never);
    started[0]?.end.reject(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    void compile(source('a'), never);
    expect(started).toHaveLength(2);
  });

  it('goes on when one of two gives up, and ends when both have; who comes then gets a new one', async () => {
    const { started, compile } = scripted();
    const [one, other] = [new AbortController(), new AbortController()];
    const asked = [compile(source('a'), one.signal), compile(source('a'), other.signal)];
    one.abort(new Error('one left'));
    await expect(asked[0]).rejects.toThrow('one left');
    expect(started[0]?.signal.aborted).toBe(false);
    other.abort(new Error('the other left'));
    await expect(asked[1]).rejects.toThrow('the other left');
    expect(started[0]?.signal.aborted).toBe(true);
    void compile(source('a'), never);
    expect(started).toHaveLength(2);
  });

  it('does not begin for who has given up already', async () => {
    const { started, compile } = scripted();
    await expect(compile(source('a'), AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(started).toHaveLength(0);
  });
});

describe('a module', () => {
  function modules() {
    const calls: string[] = [];
    const shared = new SharedModules({
      load: (id) => calls.push(`load ${id}`),
      unload: (id) => calls.push(`unload ${id}`),
      evaluate: (id) => Promise.resolve(id),
    });
    return { calls, shared };
  }

  it('is loaded by the first rule of a policy and unloaded after the last', () => {
    const { calls, shared } = modules();
    const made = policy('a');
    shared.load('x', made);
    shared.load('y', made);
    shared.load('z', policy('a'));
    expect(calls).toEqual(['load x', 'load z']);
    expect([shared.moduleOf('x'), shared.moduleOf('y'), shared.moduleOf('z')]).toEqual(['x', 'x', 'z']);
    shared.unload('x');
    expect(calls).toHaveLength(2);
    expect(shared.moduleOf('y')).toBe('x');
    shared.unload('y');
    shared.unload('y');
    expect(calls).toEqual(['load x', 'load z', 'unload x']);
    // Loaded anew under another name: the one before is forgotten.
    shared.load('w', made);
    expect(shared.moduleOf('w')).toBe('w');
  });

  it('of nobody has the name it was asked by', () => {
    expect(modules().shared.moduleOf('unknown')).toBe('unknown');
  });

  it('that cannot be loaded leaves nothing behind', () => {
    let broken = true;
    const shared = new SharedModules({
      load: () => {
        if (broken) throw new Error('no module');
      },
      unload: () => undefined,
      evaluate: (id) => Promise.resolve(id),
    });
    const made = policy('a');
    expect(() => {
      shared.load('x', made);
    }).toThrow('no module');
    broken = false;
    shared.load('y', made);
    expect([shared.moduleOf('x'), shared.moduleOf('y')]).toEqual(['x', 'y']);
  });
});
