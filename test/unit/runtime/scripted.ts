/** A transport whose other end is the test: each request waits there until it is answered. */
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { createClient, type Client } from '../../../src/runtime/client.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { ApiError } from '../../../src/runtime/errors.ts';
import type { ObjectMeta, ResourceType, Unstructured } from '../../../src/runtime/resource.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../../src/runtime/transport.ts';
import { steady } from './https-server.ts';

export const THING: ResourceType = {
  group: 'example.com',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
};

export interface Call {
  request: HttpRequest;
  sort: 'list' | 'watch';
  query: URLSearchParams;
  answer(body: unknown, status?: number, headers?: Record<string, string>): void;
  /** Answers 200 and leaves the body open. */
  open(): Stream;
  breaks(): void;
}

export interface Stream {
  /** One event a line. */
  event(type: string, object: unknown): void;
  bytes(text: string | Buffer): void;
  end(): void;
  breaks(): void;
}

export interface Script {
  client: Client;
  calls: readonly Call[];
  /** The next request that was not taken yet. Throws when none is there once everything has settled. */
  next(sort: Call['sort']): Promise<Call>;
  /** Everything that can happen without time passing has happened. */
  settle(): Promise<void>;
  /** How many requests nobody has taken yet. */
  readonly waiting: number;
}

export function scripted(clock: Clock): Script {
  const calls: Call[] = [];
  let taken = 0;
  const transport: Transport = {
    send: (request) =>
      new Promise<HttpResponse>((resolve, reject) => {
        const abort = (): void => {
          reject(new ApiError('aborted', 'cancelled'));
        };
        if (request.signal?.aborted === true) abort();
        request.signal?.addEventListener('abort', abort, { once: true });
        calls.push(callOf(request, resolve, reject));
      }),
    close: () => undefined,
  };
  const client = createClient({ transport, credentials: steady, clock, timeoutMs: 1e9 });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    client,
    calls,
    settle,
    async next(sort) {
      await settle();
      const call = calls[taken];
      if (call === undefined) throw new Error(`no ${sort} was asked for`);
      if (call.sort !== sort) throw new Error(`${call.request.path} came instead of a ${sort}`);
      taken += 1;
      return call;
    },
    get waiting() {
      return calls.length - taken;
    },
  };
}

function callOf(
  request: HttpRequest,
  resolve: (response: HttpResponse) => void,
  reject: (error: unknown) => void,
): Call {
  const query = new URL(request.path, 'https://local').searchParams;
  const respond = (status: number, headers: Record<string, string> = {}): PassThrough => {
    const body = new PassThrough();
    request.signal?.addEventListener('abort', () => body.destroy(new Error('aborted')), { once: true });
    resolve({ status, headers, body: body as unknown as IncomingMessage });
    return body;
  };
  return {
    request,
    query,
    sort: query.has('watch') ? 'watch' : 'list',
    answer: (body, status = 200, headers = {}) => respond(status, headers).end(JSON.stringify(body)),
    open() {
      const body = respond(200);
      return {
        event: (type, object) => body.write(`${JSON.stringify({ type, object })}\n`),
        bytes: (text) => body.write(text),
        end: () => body.end(),
        breaks: () => body.destroy(new Error('ECONNRESET')),
      };
    },
    breaks: () => {
      reject(new ApiError('transient', 'ECONNRESET'));
    },
  };
}

export function thing(
  name: string,
  resourceVersion: string,
  metadata: Partial<ObjectMeta> = {},
): Unstructured {
  return {
    apiVersion: 'example.com/v1',
    kind: 'Thing',
    metadata: { name, namespace: 'n', uid: `uid-${name}`, resourceVersion, ...metadata },
  };
}

export function listOf(resourceVersion: string, ...items: readonly unknown[]): object {
  return { metadata: { resourceVersion }, items };
}

export const GONE = { kind: 'Status', status: 'Failure', code: 410, reason: 'Expired', message: 'too old' };
