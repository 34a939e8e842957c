/** What an API call can fail with, sorted by what the caller does about it. */
import type { Instant } from './clock.ts';

export type ApiErrorKind =
  | 'conflict' // 409: somebody else wrote; read again
  | 'alreadyExists' // 409 on create
  | 'notFound'
  | 'gone' // 410: the resourceVersion or continue token is too old; list again
  | 'invalid' // 400, 413, 415, 422: the same request will fail again
  | 'forbidden' // 403: RBAC, quota or an admission webhook
  | 'unauthorized' // 401: the credential expired or was rotated
  | 'throttled' // 429
  | 'transient' // 5xx, timeouts, broken connections: the outcome of a write is unknown
  | 'aborted'; // the caller's own signal

/** The Status object that the API server answers with. */
export interface ApiStatus {
  reason?: string;
  message?: string;
  code?: number;
  details?: { retryAfterSeconds?: number; causes?: { reason?: string; message?: string; field?: string }[] };
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly kind: ApiErrorKind;
  /** HTTP status, 0 when there was no answer */
  readonly code: number;
  readonly status: ApiStatus | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: ApiErrorKind,
    message: string,
    detail: { code?: number; status?: ApiStatus; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.kind = kind;
    this.code = detail.code ?? 0;
    this.status = detail.status;
    this.retryAfterMs = detail.retryAfterMs;
  }

  /** Whether the same call may succeed later without anybody changing the request. */
  get retriable(): boolean {
    return this.kind === 'throttled' || this.kind === 'transient' || this.kind === 'unauthorized';
  }
}

export function isApiError(error: unknown, ...kinds: ApiErrorKind[]): error is ApiError {
  return error instanceof ApiError && (kinds.length === 0 || kinds.includes(error.kind));
}

/** Sorts an HTTP answer. `retryAfterMs` is what its header asked for; the Status has the same figure where it is absent. */
export function errorOf(
  code: number,
  status: ApiStatus | undefined,
  what: string,
  retryAfterMs?: number,
): ApiError {
  const message = `${what}: ${status?.message ?? `HTTP ${String(code)}`}`;
  return new ApiError(kindOf(code, status), message, {
    code,
    ...(status === undefined ? {} : { status }),
    retryAfterMs: retryAfterMs ?? secondsToMs(status?.details?.retryAfterSeconds),
  });
}

function kindOf(code: number, status: ApiStatus | undefined): ApiErrorKind {
  switch (code) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return 'notFound';
    case 409:
      return status?.reason === 'AlreadyExists' ? 'alreadyExists' : 'conflict';
    case 410:
      return 'gone';
    case 429:
      return 'throttled';
    case 408:
      return 'transient';
    default:
      // 504 with reason Expired never happens; a list with an expired continue token is 410 with that reason.
      return code >= 500 || code === 0 ? 'transient' : 'invalid';
  }
}

/**
 * A Retry-After header in ms from `now`, which is the wall clock: seconds, as the API server writes it, or an HTTP date,
 * as a load balancer in front of it may (RFC 9110, 10.2.3). undefined when it is absent or neither.
 */
export function retryAfter(header: string | undefined, now: Instant): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = /^[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function secondsToMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  try {
    return String(error);
  } catch {
    // An object without a prototype, or with a toString of its own that throws.
    return 'something that cannot be shown was thrown';
  }
}
