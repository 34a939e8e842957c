/**
 * One request to the API server and its answer: the time limit, the term it must fall into, and what is asked again.
 *
 * Reads are retried once when a kept-alive connection turned out to be dead or the credential had been rotated. Writes
 * are not: after a broken connection their outcome is unknown, so the caller reads again and decides again.
 */
import type { Credentials } from './auth.ts';
import { systemClock, type Clock } from './clock.ts';
import { ApiError, errorOf, isApiError, messageOf, retryAfter, type ApiStatus } from './errors.ts';
import { parseJson } from './json.ts';
import { limited, type Limit } from './limit.ts';
import type { HttpRequest, HttpResponse, Transport } from './transport.ts';

export interface ExchangeOptions {
  transport: Transport;
  credentials: Credentials;
  /** an answer slower than this is given up, ms */
  timeoutMs?: number;
  clock?: Clock;
  /** told of every answer: for rest_client_requests_total. Code 0: no answer. */
  observe?: (method: string, code: number) => void;
}

const DEFAULT_TIMEOUT_MS = 30_000;

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
  const what = `${request.method} ${request.path}`;
  const limit = limitOf(options, request.signal, mutating ? guard?.term : undefined);
  const beforeSend = mutating ? guard?.mayWrite : undefined;
  const attempt = async (): Promise<unknown> => {
    const response = await send(options, { ...request, beforeSend }, limit, request.method);
    const text = await readBody(response.body, what);
    if (response.status >= 200 && response.status < 300) return decode(text, what);
    throw failure(options, response, text, what);
  };
  try {
    return await attempt().catch((error: unknown) => {
      const unauthorized = isApiError(error, 'unauthorized');
      // Nothing was done: the same write is safe to send again with a fresh credential.
      if (unauthorized) options.credentials.invalidate();
      const again = unauthorized || (!mutating && isApiError(error, 'transient') && error.code === 0);
      if (again) return attempt();
      throw error;
    });
  } catch (error) {
    throw limit.reason(error, what);
  } finally {
    limit.free();
  }
}

/** Sends a request whose answer has no end, and resolves with its body. Throws ApiError as `exchange` does. */
export async function openStream(
  options: ExchangeOptions,
  request: HttpRequest,
): Promise<HttpResponse['body']> {
  const what = `WATCH ${request.path}`;
  // The server sends the head of a watch at once: without a limit, one that never comes would be waited for for ever.
  const limit = limitOf(options, request.signal);
  try {
    const response = await send(options, { ...request, stream: true }, limit, 'WATCH');
    response.body.once('close', limit.free);
    if (response.status === 200) {
      limit.lift();
      return response.body;
    }
    if (response.status === 401) options.credentials.invalidate();
    throw failure(options, response, await readBody(response.body, what), what);
  } catch (error) {
    limit.free();
    throw limit.reason(error, what);
  }
}

function limitOf(
  { clock = systemClock, timeoutMs = DEFAULT_TIMEOUT_MS }: ExchangeOptions,
  ...sources: (AbortSignal | undefined)[]
): Limit {
  return limited(clock, timeoutMs, sources);
}

/** Sends and counts. */
async function send(
  { transport, observe }: ExchangeOptions,
  request: HttpRequest,
  limit: Limit,
  verb: string,
): Promise<HttpResponse> {
  try {
    const response = await transport.send({ ...request, signal: limit.signal });
    observe?.(verb, response.status);
    return response;
  } catch (error) {
    // What was cancelled was no request that failed.
    if (!isApiError(limit.reason(error, verb), 'aborted')) observe?.(verb, 0);
    throw error;
  }
}

function decode(text: string, what: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new ApiError('transient', `${what}: the answer is not JSON: ${messageOf(error)}`);
  }
}

function failure(
  { clock = systemClock }: ExchangeOptions,
  response: HttpResponse,
  text: string,
  what: string,
): ApiError {
  let status: ApiStatus | undefined;
  try {
    status = parseJson(text) as ApiStatus;
  } catch {
    status = { message: `HTTP ${String(response.status)}: ${text.slice(0, 200)}` };
  }
  const wait = retryAfter(response.headers['retry-after'], clock.now());
  return errorOf(response.status, status, what, wait);
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
      if (!body.readableEnded)
        reject(new ApiError('transient', `${what}: the connection broke inside the answer`));
    });
  });
}
