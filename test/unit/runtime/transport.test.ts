import { afterEach, describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Credentials } from '../../../src/runtime/auth.ts';
import { ApiError } from '../../../src/runtime/errors.ts';
import { httpsTransport, type Transport, type TransportOptions } from '../../../src/runtime/transport.ts';
import { startServer, until, type Answer, type LocalServer } from './https-server.ts';

let server: LocalServer;
let transport: Transport;

async function start(
  answer: Answer,
  options: TransportOptions = {},
  credentials?: Credentials,
): Promise<void> {
  server = await startServer(answer, credentials);
  transport = httpsTransport(server.endpoint, options);
}

afterEach(async () => {
  transport.close();
  await server.close();
});

async function get(path: string, signal?: AbortSignal): Promise<string> {
  const { body } = await transport.send({ method: 'GET', path, signal });
  let text = '';
  for await (const chunk of body) text += String(chunk);
  return text;
}

/** What the promise was rejected with. */
async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function hold(): { answer: Answer; held: ServerResponse[] } {
  const held: ServerResponse[] = [];
  return { held, answer: (_request, response) => held.push(response) };
}

describe('connections', () => {
  it('are kept: 1,000 GETs by eight askers need eight handshakes at most', async () => {
    await start((_request, response) => response.end('{}'));
    let left = 1_000;
    const asker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await get('/');
      }
    };
    await Promise.all(Array.from({ length: 8 }, asker));
    expect(server.requests).toHaveLength(1_000);
    expect(server.handshakes).toBeLessThanOrEqual(8);
  });

  it('end with close()', async () => {
    let open = 0;
    await start((request, response) => {
      open += 1;
      request.socket.once('close', () => (open -= 1));
      response.end('{}');
    });
    await get('/');
    expect(open).toBe(1);
    transport.close();
    await until(() => open === 0);
  });

  it('that are refused are transient, with no HTTP code', async () => {
    await start(() => undefined);
    await server.close();
    expect(await errorOf(get('/'))).toMatchObject({ kind: 'transient', code: 0 });
  });
});

describe('the cap on requests', () => {
  it('is never exceeded, starves nobody, and is released by answers and errors alike', async () => {
    let underWay = 0;
    let most = 0;
    await start(
      (request, response) => {
        underWay += 1;
        most = Math.max(most, underWay);
        setTimeout(() => {
          underWay -= 1;
          if (request.url === '/broken') response.destroy();
          else response.end('ok');
        }, 5);
      },
      { maxConcurrent: 4 },
    );
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, (_, at) => get(at % 4 === 0 ? '/broken' : '/')),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(30);
    expect(most).toBe(4);
  });

  it('counts a request until its answer was read: memory is what it protects', async () => {
    await start((_request, response) => response.end('x'.repeat(200_000)), { maxConcurrent: 1 });
    const { body } = await transport.send({ method: 'GET', path: '/first' });
    const second = get('/second');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.requests).toEqual(['GET /first']);
    body.resume();
    expect(await second).toHaveLength(200_000);
  });

  it('does not hold watches back, and watches do not count', async () => {
    const { answer, held } = hold();
    await start(answer, { maxConcurrent: 2 });
    const requests = [get('/a'), get('/b')];
    await until(() => held.length === 2);
    const watches = ['/w1', '/w2', '/w3'].map((path) =>
      transport.send({ method: 'GET', path, stream: true }),
    );
    await until(() => held.length === 5);
    for (const response of held) response.end();
    await Promise.all([...requests, ...watches]);
  });
});

describe('an abort', () => {
  it('ends a request under way, and the server sees it', async () => {
    let gone = false;
    await start((_request, response) => response.once('close', () => (gone = true)));
    const end = new AbortController();
    const work = errorOf(get('/', end.signal));
    await until(() => server.requests.length === 1);
    end.abort();
    expect(await work).toMatchObject({ kind: 'aborted' });
    await until(() => gone);
  });

  it('ends the wait for a slot, which nobody else loses by it', async () => {
    const { answer, held } = hold();
    await start(answer, { maxConcurrent: 1 });
    const first = get('/first');
    await until(() => held.length === 1);
    const end = new AbortController();
    const second = errorOf(get('/second', end.signal));
    const third = get('/third');
    end.abort();
    expect(await second).toMatchObject({ kind: 'aborted' });
    held[0]?.end();
    await first;
    await until(() => held.length === 2);
    held[1]?.end();
    await third;
    expect(server.requests).toEqual(['GET /first', 'GET /third']);
  });

  it('that came before the request does not wait for a slot', async () => {
    const { answer, held } = hold();
    await start(answer, { maxConcurrent: 1 });
    const first = get('/first');
    await until(() => held.length === 1);
    expect(await errorOf(get('/second', AbortSignal.abort()))).toMatchObject({ kind: 'aborted' });
    held[0]?.end();
    await first;
  });

  it('does not wait for a credential that does not come, and frees the slot', async () => {
    let hangs = true;
    const credentials: Credentials = {
      authorization: () => (hangs ? new Promise(() => undefined) : Promise.resolve('Bearer t')),
      invalidate: () => undefined,
    };
    await start((_request, response) => response.end('ok'), { maxConcurrent: 1 }, credentials);
    const end = new AbortController();
    const work = errorOf(get('/first', end.signal));
    setImmediate(() => {
      end.abort();
    });
    expect(await work).toMatchObject({ kind: 'aborted' });
    hangs = false;
    expect(await get('/second')).toBe('ok');
  });
});

describe('a request', () => {
  it('without a credential is transient: a token file may be back in a moment', async () => {
    const credentials: Credentials = {
      authorization: () => Promise.reject(new Error('ENOENT: token')),
      invalidate: () => undefined,
    };
    await start((_request, response) => response.end('ok'), {}, credentials);
    const error = await errorOf(get('/'));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ kind: 'transient', code: 0 });
    expect(String(error)).toContain('ENOENT: token');
    expect(server.requests).toEqual([]);
  });

  it('asks for permission once, after the handshake: a lease can be lost during one', async () => {
    await start((_request, response) => response.end('ok'));
    const { server: upstream, ...rest } = server.endpoint;
    const waiting: Socket[] = [];
    const slow = createServer((socket) => waiting.push(socket));
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const { port } = slow.address() as AddressInfo;
    const through = httpsTransport({ ...rest, server: `https://127.0.0.1:${String(port)}` });
    let asked = 0;
    const sending = through.send({ method: 'POST', path: '/', body: '{}', beforeSend: () => (asked += 1) });
    await until(() => waiting.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(asked).toBe(0);
    for (const socket of waiting) {
      const on = connect(Number(new URL(upstream).port), '127.0.0.1');
      socket.pipe(on).pipe(socket);
    }
    expect((await sending).status).toBe(200);
    expect(asked).toBe(1);
    through.close();
    slow.close();
  });

  it('that is refused permission is not sent, and takes no slot with it', async () => {
    await start((_request, response) => response.end('ok'), { maxConcurrent: 1 });
    const beforeSend = (): never => {
      throw new Error('the lease is lost');
    };
    const refused = await errorOf(transport.send({ method: 'POST', path: '/', body: '{}', beforeSend }));
    expect(String(refused)).toContain('the lease is lost');
    expect(await get('/next')).toBe('ok');
    expect(server.requests).toEqual(['GET /next']);
  });
});
