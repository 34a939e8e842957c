/** The way of one resource, with the order of everything that leaves. The API server itself: test/integration/runtime. */
import { describe, expect, it } from '@jest/globals';
import type { Informer } from '../../../src/runtime/cache/informer.ts';
import type { Client, PatchBody } from '../../../src/runtime/client.ts';
import { conditionsOf, type Statement } from '../../../src/runtime/conditions.ts';
import { ApiError } from '../../../src/runtime/errors.ts';
import { erase, type BaseStatus, type Decision, type Kind, type Note } from '../../../src/runtime/kind.ts';
import { Memory, Pipeline, specOf } from '../../../src/runtime/reconcile.ts';
import type { Resource, ResourceType } from '../../../src/runtime/resource.ts';
import { manualClock } from '../clock.ts';

type Thing = Resource<{ x: number }, BaseStatus & { x?: number }>;

const THING: ResourceType = {
  group: 'test',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
};
const CONFIGMAP: ResourceType = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};
const FINALIZER = 'test/things';
const ready: Statement = { type: 'Ready', status: 'True', reason: 'Done', message: 'all is there' };

function thing(over: Partial<Thing['metadata']> = {}, status?: Thing['status']): Thing {
  return {
    apiVersion: 'test/v1',
    kind: 'Thing',
    metadata: { name: 'a', namespace: 'n', uid: 'u', generation: 2, resourceVersion: '10', ...over },
    spec: { x: 1 },
    ...(status === undefined ? {} : { status }),
  };
}

function decision(over: Partial<Decision<NonNullable<Thing['status']>>> = {}) {
  const conditions = conditionsOf(undefined, [ready], 2, 0);
  return {
    effects: [],
    status: { conditions },
    events: [],
    next: { type: 'done' as const },
    because: [],
    ...over,
  };
}

const apply = (name: string) => ({
  kind: 'apply' as const,
  key: `copy/${name}`,
  type: CONFIGMAP,
  object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'n' } },
});

interface Options {
  stored: Thing;
  decide: () => Decision<NonNullable<Thing['status']>>;
  kind?: Partial<Kind<Thing, Thing>>;
  /** fails the request that this says something about */
  fault?: (what: string) => Error | undefined;
}

/** A pipeline whose client writes down what leaves, in words. */
function pipeline({ stored, decide, kind = {}, fault = () => undefined }: Options) {
  const sent: string[] = [];
  const notes: Note[] = [];
  let version = 10;
  let cached: Thing | undefined = stored;
  const send = <T>(what: string, answer: T): Promise<T> => {
    sent.push(what);
    const failure = fault(what);
    return failure === undefined ? Promise.resolve(answer) : Promise.reject(failure);
  };
  const client: Partial<Client> = {
    patch: (_type, _name, { body }: PatchBody, { subresource } = {}) => {
      version += 1;
      const changes = body as { path: string; value: unknown }[];
      const change = changes.find(({ path }) => path !== '/metadata/resourceVersion');
      const based = changes.find(({ path }) => path === '/metadata/resourceVersion')?.value;
      cached = structuredClone(cached);
      if (cached === undefined) throw new Error('nothing is stored');
      cached.metadata.resourceVersion = String(version);
      if (subresource === 'status') cached.status = change?.value as NonNullable<Thing['status']>;
      else cached.metadata.finalizers = change?.value as string[];
      return send(`${String(change?.path)}@${String(based)}`, cached as never);
    },
    apply: (_type, object) => send(`apply ${object.metadata.name}`, object as never),
    delete: async (_type, { name }) => {
      await send(`delete ${name}`, undefined);
    },
  };
  const informer = {
    get: () => cached,
    hasSeen: () => true,
    until: () => Promise.resolve(true),
  } as unknown as Informer;
  const clock = manualClock();
  const made = new Pipeline({
    kind: erase<Thing, Thing>({
      type: THING,
      watches: [],
      gather: (resource) => Promise.resolve(resource),
      decide,
      ...kind,
    }),
    informer,
    memory: new Memory(informer, clock),
    reader: (signal) => ({
      signal,
      of: () => {
        throw new Error('nothing is watched');
      },
    }),
    watched: () => undefined,
    client: client as Client,
    clock,
    fieldManager: 'test',
    tell: (_resource, note) => notes.push(note),
  });
  const run = () => made.reconcile('n/a', new AbortController().signal);
  return { sent, notes, run, status: () => cached?.status };
}

describe('the status', () => {
  it('is written once, conditional on what was decided on', async () => {
    const { sent, run } = pipeline({ stored: thing(), decide: () => decision() });
    expect(await run()).toEqual({ type: 'done' });
    expect(sent).toEqual(['/status@10']);
  });

  it('is not written when nothing changed', async () => {
    const { sent, run } = pipeline({ stored: thing(), decide: () => decision() });
    await run();
    await run();
    await run();
    expect(sent).toEqual(['/status@10']);
  });

  it('stands before the effects as an intent, and after them as an outcome', async () => {
    const { sent, run } = pipeline({
      stored: thing(),
      decide: () => decision({ intent: { x: 1 }, effects: [apply('copy')], status: { x: 2 } }),
    });
    await run();
    expect(sent).toEqual(['/status@10', 'apply copy', '/status@11']);
  });
});

describe('effects', () => {
  it('are carried out in order, and those after a failed one are not', async () => {
    const { sent, run } = pipeline({
      stored: thing(),
      decide: () => decision({ effects: [apply('one'), apply('two'), apply('three')] }),
      fault: (what) => (what === 'apply two' ? new ApiError('forbidden', 'no') : undefined),
    });
    expect(await run()).toMatchObject({ type: 'retry' });
    expect(sent).toEqual(['apply one', 'apply two', '/status@10']);
  });

  it('that failed make Ready False, once, with its time kept while it goes on failing', async () => {
    const made = pipeline({
      stored: thing(),
      decide: () => decision({ effects: [apply('one')] }),
      fault: (what) => (what === 'apply one' ? new ApiError('forbidden', 'no') : undefined),
    });
    await made.run();
    await made.run();
    expect(made.sent).toEqual(['apply one', '/status@10', 'apply one']);
    expect(made.status()?.conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'EffectFailed', message: 'apply copy/one: no' },
    ]);
  });

  it('of the kind itself go to its own handler, and one without a handler fails', async () => {
    const seen: unknown[] = [];
    const effects = [{ kind: 'own/push' as const, key: 'k', text: 'hello' }];
    const handled = pipeline({
      stored: thing(),
      decide: () => decision({ effects }),
      kind: { act: { 'own/push': (effect) => Promise.resolve(seen.push(effect['text'])) } },
    });
    expect(await handled.run()).toEqual({ type: 'done' });
    expect(seen).toEqual(['hello']);
    const unknown = pipeline({ stored: thing(), decide: () => decision({ effects }) });
    expect(await unknown.run()).toMatchObject({ type: 'retry' });
  });

  it('that remove what is gone already have succeeded', async () => {
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'copy', namespace: 'n', uid: 'u2' };
    const { run } = pipeline({
      stored: thing(),
      decide: () => decision({ effects: [{ kind: 'remove', key: 'k', type: CONFIGMAP, ref }] }),
      fault: (what) => (what === 'delete copy' ? new ApiError('notFound', 'gone') : undefined),
    });
    expect(await run()).toEqual({ type: 'done' });
  });
});

describe('the finalizer', () => {
  const kind = { finalizer: FINALIZER };

  it('stands before the first side effect', async () => {
    const { sent, run } = pipeline({
      stored: thing({ finalizers: ['other'] }),
      decide: () => decision({ effects: [apply('copy')] }),
      kind,
    });
    await run();
    expect(sent).toEqual(['/metadata/finalizers@10', 'apply copy', '/status@11']);
  });

  it('and nothing is done when it could not be written', async () => {
    const { sent, run } = pipeline({
      stored: thing(),
      decide: () => decision({ effects: [apply('copy')] }),
      kind,
      fault: (what) => (what.startsWith('/metadata') ? new ApiError('conflict', 'moved on') : undefined),
    });
    await expect(run()).rejects.toThrow('moved on');
    expect(sent).toEqual(['/metadata/finalizers@10']);
  });

  it('is not written for a resource without effects', async () => {
    const { sent, run } = pipeline({ stored: thing(), decide: () => decision(), kind });
    await run();
    expect(sent).toEqual(['/status@10']);
  });

  const going = { finalizers: ['other', FINALIZER], deletionTimestamp: '2026-01-01T00:00:00Z' };

  it("is released after the effects that undo, and leaves the others' alone", async () => {
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'copy', namespace: 'n', uid: 'u2' };
    const { sent, run } = pipeline({
      stored: thing(going),
      decide: () => decision({ effects: [{ kind: 'remove', key: 'k', type: CONFIGMAP, ref }] }),
      kind,
    });
    await run();
    expect(sent).toEqual(['delete copy', '/status@10', '/metadata/finalizers@11']);
  });

  it('stays when one of them failed, or when the kind still waits for something', async () => {
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', name: 'copy', namespace: 'n', uid: 'u2' };
    const failed = pipeline({
      stored: thing(going),
      decide: () => decision({ effects: [{ kind: 'remove', key: 'k', type: CONFIGMAP, ref }] }),
      kind,
      fault: (what) => (what === 'delete copy' ? new ApiError('transient', 'down') : undefined),
    });
    await failed.run();
    expect(failed.sent).toEqual(['delete copy', '/status@10']);
    const waiting = pipeline({
      stored: thing(going),
      decide: () => decision({ next: { type: 'wait', until: 1e15, reason: 'StillThere' } }),
      kind,
    });
    await waiting.run();
    expect(waiting.sent).toEqual(['/status@10']);
  });
});

describe('events', () => {
  const note: Note = { type: 'Normal', reason: 'Done', message: 'all is there' };

  it('tell what has come to pass', async () => {
    const { notes, run } = pipeline({ stored: thing(), decide: () => decision({ events: [note] }) });
    await run();
    expect(notes).toEqual([note]);
  });

  it('do not tell what an effect failed to do, but the failure, and only when it begins', async () => {
    const { notes, run } = pipeline({
      stored: thing(),
      decide: () => decision({ effects: [apply('one')], events: [note] }),
      fault: (what) => (what === 'apply one' ? new ApiError('forbidden', 'no') : undefined),
    });
    await run();
    await run();
    await run();
    expect(notes).toEqual([{ type: 'Warning', reason: 'EffectFailed', message: 'apply copy/one: no' }]);
  });

  it('do not tell what could not be written down: it will be decided again', async () => {
    const { notes, run } = pipeline({
      stored: thing(),
      decide: () => decision({ events: [note] }),
      fault: () => new ApiError('conflict', 'moved on'),
    });
    await expect(run()).rejects.toThrow('moved on');
    expect(notes).toEqual([]);
  });
});

describe('what comes next', () => {
  it('is a wait to a point in time, never a negative one', async () => {
    const next = (until: number) => ({ type: 'wait' as const, until, reason: 'x' });
    const now = manualClock().now();
    const soon = pipeline({ stored: thing(), decide: () => decision({ next: next(now + 500) }) });
    expect(await soon.run()).toEqual({ type: 'wait', ms: 500, reason: 'x' });
    const past = pipeline({ stored: thing(), decide: () => decision({ next: next(now - 500) }) });
    expect(await past.run()).toEqual({ type: 'wait', ms: 0, reason: 'x' });
  });

  it('is a stall at the spec that was decided on', async () => {
    const { run } = pipeline({
      stored: thing(),
      decide: () => decision({ next: { type: 'stall', reason: 'x' } }),
    });
    expect(await run()).toEqual({ type: 'stall', reason: 'x', spec: specOf(thing()) });
    expect(specOf(thing({ generation: 3 }))).not.toBe(specOf(thing()));
    expect(specOf(thing({ uid: 'other' }))).not.toBe(specOf(thing()));
  });
});
