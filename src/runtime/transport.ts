/**
 * HTTPS to one API server over keep-alive connections.
 *
 * node:https and not undici: measured side by side (docs/decisions/0002-transport.md), the same CPU per request and
 * less than half the peak memory. Watches have an agent of their own, so that the cap on requests never starves them.
 */
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Credentials, Endpoint } from './auth.ts';
import { ApiError, messageOf } from './errors.ts';

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  contentType?: string;
  /** media type asked for; JSON unless told */
  accept?: string;
  body?: string;
  signal?: AbortSignal | undefined;
  /** A long-lived response (watch): its own connection, no cap, no time limit. */
  stream?: boolean;
  /** Called once, right before the first byte leaves; throwing cancels the request. */
  beforeSend?: (() => void) | undefined;
}

export interface HttpResponse {
  status: number;
  headers: IncomingMessage['headers'];
  body: IncomingMessage;
}

export interface Transport {
  /** Sends and resolves with the head of the answer. Throws ApiError: transient when the connection broke, aborted. */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Ends every connection. */
  close(): void;
}

export interface TransportOptions {
  /** requests under way at once; further ones wait their turn */
  maxConcurrent?: number;
  userAgent?: string;
  /** TCP keep-alive probes start after this, so that a half-open connection is noticed by the kernel */
  keepAliveMs?: number;
}

export function httpsTransport(endpoint: Endpoint, options: TransportOptions = {}): Transport {
  const { maxConcurrent = 64, userAgent = 'cogniforge', keepAliveMs = 15_000 } = options;
  const url = new URL(endpoint.server);
  const tls = { ...endpoint.tls, keepAlive: true, keepAliveMsecs: keepAliveMs };
  const requests = new Agent({
    ...tls,
    maxSockets: Infinity,
    maxFreeSockets: maxConcurrent,
    scheduling: 'lifo',
  });
  const watches = new Agent({ ...tls, maxSockets: Infinity, maxFreeSockets: 4 });
  const slots = semaphore(maxConcurrent);
  const base = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 443 : Number(url.port),
    prefix: url.pathname === '/' ? '' : url.pathname,
  };

  const send = async (request: HttpRequest): Promise<HttpResponse> => {
    const authorization = await authorize(endpoint.credentials, request);
    const headers: Record<string, string> = {
      'user-agent': userAgent,
      accept: request.accept ?? 'application/json',
    };
    if (authorization !== undefined) headers['authorization'] = authorization;
    if (request.body !== undefined) {
      headers['content-type'] = request.contentType ?? 'application/json';
      headers['content-length'] = String(Buffer.byteLength(request.body));
    }
    const agent = request.stream === true ? watches : requests;
    return exchange(request, { ...base, path: base.prefix + request.path, headers, agent, tls });
  };

  return {
    async send(request) {
      if (request.stream === true) return send(request);
      const release = await slots.acquire(request.signal);
      try {
        const response = await send(request);
        // The slot is held until the body was read: memory, not sockets, is what the cap protects.
        response.body.once('close', release);
        return response;
      } catch (error) {
        release();
        throw error;
      }
    },
    close() {
      requests.destroy();
      watches.destroy();
    },
  };
}

/** A credential can come from a program that hangs or a file that is not there: the caller must not feel either raw. */
function authorize(credentials: Credentials, request: HttpRequest): Promise<string | undefined> {
  const { method, path, signal } = request;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(new ApiError('aborted', `${method} ${path}: cancelled`));
    };
    const fail = (error: unknown): void => {
      const message = `${method} ${path}: no credential: ${messageOf(error)}`;
      reject(new ApiError('transient', message, { cause: error }));
    };
    if (signal?.aborted === true) {
      abort();
      return;
    }
    signal?.addEventListener('abort', abort, { once: true });
    void credentials
      .authorization()
      .then(resolve, fail)
      .finally(() => signal?.removeEventListener('abort', abort));
  });
}

interface Target {
  host: string;
  port: number;
  path: string;
  headers: Record<string, string>;
  agent: Agent;
  tls: Endpoint['tls'];
}

function exchange(request: HttpRequest, target: Target): Promise<HttpResponse> {
  const what = `${request.method} ${request.path}`;
  return new Promise((resolve, reject) => {
    if (request.signal?.aborted === true) {
      reject(new ApiError('aborted', `${what}: cancelled`));
      return;
    }
    const { tls, ...where } = target;
    const outgoing = httpsRequest({ ...tls, ...where, method: request.method, setHost: true });
    const abort = (): void => {
      outgoing.destroy(new ApiError('aborted', `${what}: cancelled`));
    };
    request.signal?.addEventListener('abort', abort, { once: true });
    const settle = (): void => {
      request.signal?.removeEventListener('abort', abort);
    };
    outgoing.once('error', (error) => {
      settle();
      reject(
        error instanceof ApiError
          ? error
          : new ApiError('transient', `${what}: ${messageOf(error)}`, { cause: error }),
      );
    });
    outgoing.once('response', (response: IncomingMessage) => {
      response.once('close', settle);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response });
    });
    // The last check and the first byte must not have a handshake between them: a lease can be lost during one.
    const write = (): void => {
      try {
        request.beforeSend?.();
        outgoing.end(request.body);
      } catch (error) {
        outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    };
    outgoing.once('socket', (socket) => {
      if (socket.connecting) socket.once('secureConnect', write);
      else write();
    });
  });
}

interface Semaphore {
  /** Resolves with the release function, which may be called more than once. */
  acquire(signal?: AbortSignal): Promise<() => void>;
}

export function semaphore(capacity: number): Semaphore {
  let free = capacity;
  const waiting: (() => void)[] = [];
  const releaseOnce = (): (() => void) => {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    };
  };
  return {
    acquire(signal) {
      // An abort that has happened is never told again: the listener below would wait for it in vain.
      if (signal?.aborted === true) return Promise.reject(cancelledInQueue());
      if (free > 0) {
        free -= 1;
        return Promise.resolve(releaseOnce());
      }
      return new Promise((resolve, reject) => {
        const enter = (): void => {
          signal?.removeEventListener('abort', leave);
          resolve(releaseOnce());
        };
        const leave = (): void => {
          const at = waiting.indexOf(enter);
          if (at >= 0) waiting.splice(at, 1);
          reject(cancelledInQueue());
        };
        signal?.addEventListener('abort', leave, { once: true });
        waiting.push(enter);
      });
    },
  };
}

function cancelledInQueue(): ApiError {
  return new ApiError('aborted', 'cancelled while waiting for a free connection');
}
