/**
 * One request to the API server and its answer: the time limit, the term it must fall into, and what is asked again.
 *
 * Reads are retried once when a kept-alive connection turned out to be dead or the credential had been rotated. Writes
 * are not: after a broken connection their outcome is unknown, so the caller reads again and decides again.
 */
import type { Credentials } from './auth.ts';
import { ApiError, errorOf, isApiError, messageOf, type ApiStatus } from './errors.ts';
import { parseJson } from './json.ts';
import type { HttpRequest, HttpResponse, Transport } from './transport.ts';

export interface ExchangeOptions {
  transport: Transport;
  credentials: Credentials;
  /** an answer slower than this is given up, ms */
  timeoutMs?: number;
  /** told of every answer: for rest_client_requests_total. Code 0: no answer. */
  observe?: (method: string, code: number) => void;
}

/** A leader's term: outside it nothing is written. */
export interface Guard {
  /** throws when the term is over */
  mayWrite: () => void;
  term: AbortSignal;
}

/**
 * Sends one request and resolves with the JSON of the answer. Throws ApiError for an answer that is no success, for none
 * within the time limit (`transient`), and `aborted` when the request's signal or the term ended.
 */
export async function exchange(
  options: ExchangeOptions,
  guard: Guard | undefined,
  request: HttpRequest,
): Promise<unknown> {
  const mutating = request.method !== 'GET';
  const limit = limited(options.timeoutMs ?? 30_000, [request.signal, mutating ? guard?.term : undefined]);
  const attempt = async (): Promise<unknown> => {
    const response = await options.transport.send({
      ...request,
      signal: limit.signal,
      beforeSend: mutating ? guard?.mayWrite : undefined,
    });
    options.observe?.(request.method, response.status);
    const text = await readBody(response.body, `${request.method} ${request.path}`);
    if (response.status >= 200 && response.status < 300) return decode(text, request);
    throw failure(response, text, request);
  };
  try {
    return await attempt();
  } catch (error) {
    if (limit.expired() && isApiError(error, 'aborted')) {
      throw new ApiError('transient', `${request.method} ${request.path}: no answer in time`, {
        cause: error,
      });
    }
    if (isApiError(error, 'unauthorized')) {
      // Nothing was done: the same write is safe to send again with a fresh credential.
      options.credentials.invalidate();
      return await attempt();
    }
    if (!mutating && isApiError(error, 'transient') && error.code === 0) return await attempt();
    throw error;
  } finally {
    limit.free();
  }
}

/**
 * A signal that follows others and a time limit until it is freed. AbortSignal.timeout and AbortSignal.any would do the
 * same and live on for the whole limit after each request: a quarter of the CPU of a busy operator, measured.
 */
function limited(ms: number, sources: readonly (AbortSignal | undefined)[]) {
  const limit = new AbortController();
  let expired = false;
  const abort = (): void => {
    limit.abort();
  };
  const timer = setTimeout(() => {
    expired = true;
    abort();
  }, ms);
  for (const source of sources) {
    if (source?.aborted === true) abort();
    source?.addEventListener('abort', abort, { once: true });
  }
  return {
    signal: limit.signal,
    expired: () => expired,
    free: () => {
      clearTimeout(timer);
      for (const source of sources) source?.removeEventListener('abort', abort);
    },
  };
}

/** Sends a request whose answer has no end, and resolves with its body. Throws ApiError as `exchange` does. */
export async function openStream(
  options: ExchangeOptions,
  request: HttpRequest,
): Promise<HttpResponse['body']> {
  const response = await options.transport.send({ ...request, stream: true });
  options.observe?.('WATCH', response.status);
  if (response.status === 200) return response.body;
  if (response.status === 401) options.credentials.invalidate();
  throw failure(response, await readBody(response.body, `WATCH ${request.path}`), request);
}

function decode(text: string, request: HttpRequest): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new ApiError(
      'transient',
      `${request.method} ${request.path}: the answer is not JSON: ${messageOf(error)}`,
    );
  }
}

function failure(response: HttpResponse, text: string, request: HttpRequest): ApiError {
  let status: ApiStatus | undefined;
  try {
    status = parseJson(text) as ApiStatus;
  } catch {
    status = { message: `HTTP ${String(response.status)}: ${text.slice(0, 200)}` };
  }
  return errorOf(
    response.status,
    status,
    `${request.method} ${request.path}`,
    retryAfter(response.headers['retry-after']),
  );
}

/** Seconds only: the API server never sends the date form. */
function retryAfter(header: string | undefined): number | undefined {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : undefined;
}

function readBody(body: HttpResponse['body'], what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    body.on('data', (chunk: Buffer) => chunks.push(chunk));
    body.once('end', () => {
      const [only] = chunks;
      resolve(
        chunks.length === 1 && only !== undefined
          ? only.toString('utf8')
          : Buffer.concat(chunks).toString('utf8'),
      );
    });
    body.once('error', (error) => {
      reject(
        error instanceof ApiError
          ? error
          : new ApiError('transient', `${what}: ${messageOf(error)}`, { cause: error }),
      );
    });
    // 'close' without 'end' or 'error': the connection ended inside the body.
    body.once('close', () => {
      reject(new ApiError('transient', `${what}: the connection broke inside the answer`));
    });
  });
}
