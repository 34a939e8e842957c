import { afterEach, describe, expect, it } from '@jest/globals';
import type { Credentials } from '../../../src/runtime/auth.ts';
import { createClient, type Client } from '../../../src/runtime/client.ts';
import { systemClock, type Clock } from '../../../src/runtime/clock.ts';
import { Controller } from '../../../src/runtime/controller.ts';
import { createLog } from '../../../src/runtime/log.ts';
import { WorkQueue } from '../../../src/runtime/queue.ts';
import type { ResourceType } from '../../../src/runtime/resource.ts';
import { httpsTransport, type Transport } from '../../../src/runtime/transport.ts';
import { manualClock } from '../clock.ts';
import { startServer, steady, until, type Answer, type LocalServer } from './https-server.ts';

const THING: ResourceType = {
  group: 'example.com',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
};
const THINGS = '/apis/example.com/v1/namespaces/n/things';
const A = { name: 'a', namespace: 'n' };
const OBJECT = { apiVersion: 'example.com/v1', kind: 'Thing', metadata: A };

let server: LocalServer;
let client: Client;
let started: { server: LocalServer; transport: Transport }[] = [];
let answered: [string, number][];

interface Setting {
  credentials?: Credentials;
  clock?: Clock;
}

async function start(
  answer: Answer,
  { credentials = steady, clock = systemClock }: Setting = {},
): Promise<void> {
  server = await startServer(answer, credentials);
  const transport = httpsTransport(server.endpoint);
  started.push({ server, transport });
  answered = [];
  const observe = (method: string, code: number): void => {
    answered.push([method, code]);
  };
  client = createClient({ transport, credentials, clock, observe, timeoutMs: 30_000 });
}

afterEach(async () => {
  for (const each of started) {
    each.transport.close();
    await each.server.close();
  }
  started = [];
});

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Answers the k-th request with the k-th of these, and the last for ever. */
function inOrder(...answers: Answer[]): Answer {
  let at = 0;
  return (request, response) => {
    answers[Math.min(at, answers.length - 1)]?.(request, response);
    at += 1;
  };
}

const ok: Answer = (_request, response) => response.end(JSON.stringify(OBJECT));
const broken: Answer = (request) => request.socket.destroy();
const silent: Answer = () => undefined;
const cut: Answer = (_request, response) => {
  response.writeHead(200, { 'content-length': '1000' }).write('{"half":', () => response.destroy());
};
const half: Answer = (_request, response) => {
  response.writeHead(200, { 'content-length': '1000' }).write('{"half":');
};

function status(code: number, headers: Record<string, string> = {}, body = ''): Answer {
  return (_request, response) => response.writeHead(code, headers).end(body);
}

describe('Retry-After', () => {
  const CLOCK = manualClock();
  const inAMinute = new Date(CLOCK.now() + 60_000).toUTCString();
  it.each([
    ['seconds in the header', { 'retry-after': '7' }, '{}', 7_000],
    ['a date in the header', { 'retry-after': inAMinute }, '{}', 60_000],
    ['seconds in the Status', {}, '{"details":{"retryAfterSeconds":3}}', 3_000],
    ['neither', {}, '{}', undefined],
  ])('reaches the caller: %s', async (_where, headers, body, expected) => {
    await start(status(429, headers, body), { clock: CLOCK });
    const error = await errorOf(client.create(THING, OBJECT));
    expect(error).toMatchObject({ kind: 'throttled', code: 429, retryAfterMs: expected });
  });
});

describe('Retry-After, at the end of its way', () => {
  it('holds the key back for as long, whatever its own backoff', async () => {
    const clock = manualClock();
    await start(status(429, { 'retry-after': '7' }, '{}'), { clock });
    const queue = new WorkQueue({
      clock,
      random: () => 0,
      backoff: { minMs: 5, maxMs: 10 },
      onReady: () => {
        controller.pump();
      },
    });
    const controller = new Controller({
      name: 'c',
      queue,
      concurrency: 1,
      timeoutMs: 60_000,
      specOf: () => 'one',
      log: createLog('silent'),
      clock,
      reconcile: async (_key, signal) => {
        await client.create(THING, OBJECT, { signal });
        return { type: 'done' };
      },
    });
    const end = new AbortController();
    controller.start(end.signal);
    queue.add('k');
    await until(() => answered.length === 1);
    await controller.drained();
    clock.advance(6_999);
    expect(queue.idle).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.requests).toHaveLength(1);
    clock.advance(1);
    await until(() => answered.length === 2);
    end.abort();
    await controller.drained();
    queue.stop();
  });
});

describe('a broken connection', () => {
  it('is asked again once by a read', async () => {
    await start(inOrder(broken, ok));
    expect(await client.get(THING, A)).toEqual(OBJECT);
    await start(inOrder(cut, ok));
    expect(await client.get(THING, A)).toEqual(OBJECT);
    await start(broken);
    expect(await errorOf(client.get(THING, A))).toMatchObject({ kind: 'transient', code: 0 });
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    ['before the answer', broken],
    ['inside the answer', cut],
  ])('%s is never papered over for a write: its outcome is unknown', async (_when, answer) => {
    const writes: (() => Promise<unknown>)[] = [
      () => client.create(THING, OBJECT),
      () => client.update(THING, OBJECT),
      () => client.patch(THING, A, { type: 'merge', body: {} }),
      () => client.apply(THING, OBJECT, { fieldManager: 'm' }),
      () => client.delete(THING, A),
    ];
    for (const [at, write] of writes.entries()) {
      await start(inOrder(answer, ok));
      expect(await errorOf(write())).toMatchObject({ kind: 'transient', code: 0 });
      expect([at, server.requests.length]).toEqual([at, 1]);
    }
  });

  it('whose answer is no JSON is transient too', async () => {
    await start(status(200, {}, '<html>'));
    expect(await errorOf(client.update(THING, OBJECT))).toMatchObject({ kind: 'transient' });
    await start(status(502, {}, '<html>bad gateway'));
    const error = await errorOf(client.update(THING, OBJECT));
    expect(error).toMatchObject({ kind: 'transient', code: 502 });
    expect(String(error)).toContain('bad gateway');
  });
});

describe('401', () => {
  function rotating(): Credentials & { readonly dropped: number } {
    let dropped = 0;
    return {
      authorization: () => Promise.resolve(`Bearer ${String(dropped)}`),
      invalidate: () => (dropped += 1),
      get dropped() {
        return dropped;
      },
    };
  }
  const only =
    (token: string): Answer =>
    (request, response) => {
      const known = request.headers.authorization === `Bearer ${token}`;
      (known ? ok : status(401))(request, response);
    };

  it('drops the credential and sends again, a write too: nothing was done', async () => {
    const credentials = rotating();
    await start(only('1'), { credentials });
    expect(await client.create(THING, OBJECT)).toEqual(OBJECT);
    expect(answered).toEqual([
      ['POST', 401],
      ['POST', 200],
    ]);
  });

  it('twice is an error', async () => {
    const credentials = rotating();
    await start(status(401), { credentials });
    expect(await errorOf(client.get(THING, A))).toMatchObject({ kind: 'unauthorized', retriable: true });
    expect(server.requests).toHaveLength(2);
  });

  it('on a watch drops the credential, so that the next one is let in', async () => {
    const credentials = rotating();
    await start(only('1'), { credentials });
    const watch = (): Promise<unknown> => client.watch(THING, { timeoutSeconds: 1 });
    expect(await errorOf(watch())).toMatchObject({ kind: 'unauthorized' });
    expect(credentials.dropped).toBe(1);
    expect(await errorOf(watch())).toBeUndefined();
  });
});

describe('no answer in time', () => {
  it.each([
    ['the head', silent],
    ['the rest of the body', half],
  ])('is transient: %s does not come', async (_what, answer) => {
    const clock = manualClock();
    await start(answer, { clock });
    for (const call of [() => client.get(THING, A), () => client.update(THING, OBJECT)]) {
      const before = server.requests.length;
      const work = errorOf(call());
      await until(() => server.requests.length > before);
      await new Promise((resolve) => setTimeout(resolve, 20));
      clock.advance(29_999);
      await new Promise((resolve) => setTimeout(resolve, 20));
      clock.advance(1);
      const error = await work;
      expect(error).toMatchObject({ kind: 'transient', code: 0 });
      expect(String(error)).toContain('no answer in time');
      expect(server.requests).toHaveLength(before + 1);
    }
  });

  it('is still that when it is the second attempt that hangs', async () => {
    const clock = manualClock();
    await start(inOrder(broken, silent), { clock });
    const work = errorOf(client.get(THING, A));
    await until(() => server.requests.length === 2);
    clock.advance(30_000);
    expect(await work).toMatchObject({ kind: 'transient' });
  });

  it('ends a watch whose head does not come, and never one that has begun', async () => {
    const clock = manualClock();
    await start(silent, { clock });
    const work = errorOf(client.watch(THING, { timeoutSeconds: 300 }));
    await until(() => server.requests.length === 1);
    clock.advance(30_000);
    expect(await work).toMatchObject({ kind: 'transient', code: 0 });

    let send: ((line: string) => void) | undefined;
    await start(
      (_request, response) => {
        response.writeHead(200).flushHeaders();
        send = (line) => response.end(line);
      },
      { clock },
    );
    const body = await client.watch(THING, { timeoutSeconds: 300 });
    clock.advance(300_000);
    send?.('an event');
    let text = '';
    for await (const chunk of body) text += String(chunk);
    expect(text).toBe('an event');
  });
});

describe('an abort', () => {
  it.each([
    ['before the answer', silent],
    ['inside the answer', half],
  ])('%s is `aborted`, for reads and writes, and nothing is sent again', async (_when, answer) => {
    await start(answer);
    const calls: ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => client.get(THING, A, { signal }),
      (signal) => client.list(THING, { signal }),
      (signal) => client.raw('GET', '/version', { signal }),
      (signal) => client.create(THING, OBJECT, { signal }),
      (signal) => client.update(THING, OBJECT, { signal }),
      (signal) => client.patch(THING, A, { type: 'merge', body: {} }, { signal }),
      (signal) => client.apply(THING, OBJECT, { fieldManager: 'm', signal }),
      (signal) => client.delete(THING, A, { signal }),
    ];
    for (const [at, call] of calls.entries()) {
      const end = new AbortController();
      const work = errorOf(call(end.signal));
      await until(() => server.requests.length === at + 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      end.abort();
      expect([at, await work]).toMatchObject([at, { kind: 'aborted' }]);
    }
    expect(server.requests).toHaveLength(calls.length);
  });

  it('ends a watch: before its head, and while it is read', async () => {
    const end = new AbortController();
    await start(silent);
    const opening = errorOf(client.watch(THING, { timeoutSeconds: 300, signal: end.signal }));
    await until(() => server.requests.length === 1);
    end.abort();
    expect(await opening).toMatchObject({ kind: 'aborted' });

    const later = new AbortController();
    await start(half);
    const body = await client.watch(THING, { timeoutSeconds: 300, signal: later.signal });
    const closed = new Promise((resolve) => body.once('close', resolve));
    body.on('error', () => undefined).resume();
    later.abort();
    await closed;
  });
});

describe('a guarded client', () => {
  it('asks before each write and never for a read', async () => {
    await start(ok);
    let asked = 0;
    const guarded = client.guarded(() => (asked += 1), new AbortController().signal);
    await guarded.get(THING, A);
    await guarded.list(THING);
    expect(asked).toBe(0);
    await guarded.create(THING, OBJECT);
    await guarded.update(THING, OBJECT);
    await guarded.patch(THING, A, { type: 'merge', body: {} });
    await guarded.apply(THING, OBJECT, { fieldManager: 'm' });
    await guarded.delete(THING, A);
    await guarded.raw('POST', '/apis', { body: {} });
    expect(asked).toBe(6);
  });

  it('sends no write when it is refused, and gives up the ones under way when the term ends', async () => {
    await start(silent);
    const term = new AbortController();
    const refusing = client.guarded(() => {
      throw new Error('the term is over');
    }, term.signal);
    expect(String(await errorOf(refusing.create(THING, OBJECT)))).toContain('the term is over');
    expect(server.requests).toEqual([]);
    const granted = client.guarded(() => undefined, term.signal);
    const work = errorOf(granted.create(THING, OBJECT));
    await until(() => server.requests.length === 1);
    term.abort();
    expect(await work).toMatchObject({ kind: 'aborted' });
  });
});

describe('what is asked', () => {
  it('names the object, the subresource and the options in the URL', async () => {
    await start(ok);
    await client.apply(THING, OBJECT, { fieldManager: 'me too', force: true, subresource: 'status' });
    await client.update(THING, OBJECT, { dryRun: true });
    await client.list(THING, { namespace: 'n', labelSelector: 'a in (b,c)', limit: 5, continue: 'x=' });
    const end = new AbortController();
    await client.watch(THING, { resourceVersion: '5', timeoutSeconds: 9, signal: end.signal });
    end.abort();
    expect(server.requests).toEqual([
      `PATCH ${THINGS}/a/status?fieldManager=me%20too&force=true`,
      `PUT ${THINGS}/a?dryRun=All`,
      `GET ${THINGS}?labelSelector=a%20in%20(b%2Cc)&limit=5&continue=x%3D`,
      'GET /apis/example.com/v1/things?resourceVersion=5&watch=1&allowWatchBookmarks=true&timeoutSeconds=9',
    ]);
  });
});
