/**
 * The HTTPS server of the admission chain: decode once, ask the gates in order, answer one merged verdict.
 *
 * Whatever comes in gets a well-formed answer within the API server's deadline; whatever a gate throws is answered by
 * the failure mode of the entry the request came in by.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { sleep, type Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { listen } from '../health.ts';
import { stringifyJson } from '../json.ts';
import type { Log } from '../log.ts';
import { pathOf } from './configuration.ts';
import { BadRequest, decodeReview, readBody } from './decode.ts';
import { merge, type Gate, type Validator } from './gate.ts';
import { answerProbe, PROBE_PATH } from './probe.ts';
import type { AdmissionRequest, Verdict } from './review.ts';
import type { EntryId, FailureMode } from './target.ts';

export interface AdmissionServer {
  port: number;
  /** From the next handshake on; connections under way keep what they have. */
  setTls(tls: { cert: string; key: string }): void;
  /** Serves on for `lameDuckMs`, so that nobody is sent here any more, then finishes what is under way. */
  close(lameDuckMs: number): Promise<void>;
}

export interface AdmissionServerOptions {
  gates: readonly Gate[];
  validators: readonly Validator[];
  host: string;
  /** 0: any free one */
  port: number;
  tls: { cert: string; key: string };
  clock: Clock;
  log: Log;
  observe?: (path: string) => { started(): void; finished(code: number, tookMs: number): void };
  /** requests under way at once; more are answered at once by their failure mode */
  mostInFlight?: number;
}

/** `own`: the target whose own entry the request came in by. */
type Handler = (request: AdmissionRequest, signal: AbortSignal, own?: string) => Promise<Verdict>;

interface Route {
  path: string;
  onFault: FailureMode;
  handle: Handler;
}

/** The API server's default, where the request does not say. */
const DEFAULT_TIMEOUT_MS = 10_000;
/** Our answer must be on its way before the API server gives up. */
const MARGIN_MS = 250;
const DRAIN_PATIENCE_MS = 10_000;

export async function serveAdmission(options: AdmissionServerOptions): Promise<AdmissionServer> {
  const { clock, log, mostInFlight = 1_000 } = options;
  const routes = new Map(routesOf(options).map((route) => [route.path, route]));
  let inFlight = 0;
  let leaving = false;
  const server = createServer(
    { ...options.tls, minVersion: 'TLSv1.2', keepAlive: true, connectionsCheckingInterval: 1_000 },
    (request, response) => {
      inFlight += 1;
      // A connection that is kept would be closed at the end, perhaps in the moment in which a request sets out on it.
      if (leaving) response.setHeader('connection', 'close');
      // Closed without an answer counts too: the client went away.
      response.once('close', () => {
        inFlight -= 1;
      });
      const crowded = inFlight > mostInFlight;
      answer(request, response, routes, options, crowded).catch((error: unknown) => {
        log.error('an admission request could not be answered', { error });
        response.destroy();
      });
    },
  );
  // A slow client holds a socket, nothing else; and not for long: by default Node looks only every 30 s.
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  server.keepAliveTimeout = 120_000;
  server.on('clientError', (_error, socket) => {
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
  server.on('tlsClientError', (error) => {
    log.debug('a TLS handshake failed', { error: messageOf(error) });
  });
  const port = await listen(server, options.port, options.host);
  return {
    port,
    setTls: (tls) => {
      server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' });
    },
    async close(lameDuckMs) {
      leaving = true;
      await sleep(clock, lameDuckMs);
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      server.closeIdleConnections();
      const patience = clock.after(DRAIN_PATIENCE_MS, () => {
        server.closeAllConnections();
      });
      await closed;
      patience.cancel();
    },
  };
}

function routesOf({ gates, validators, log }: AdmissionServerOptions): Route[] {
  const modes = ['Fail', 'Ignore'] as const;
  return [
    ...modes.map((mode) => ({
      path: pathOf({ mode }),
      onFault: mode,
      handle: (request: AdmissionRequest, signal: AbortSignal, own?: string) =>
        chain(gates, { mode, own }, log, request, signal),
    })),
    ...validators.map((validator) => ({
      path: `/validate/${validator.type.kind.toLowerCase()}`,
      onFault: 'Ignore' as const,
      handle: async (request: AdmissionRequest, signal: AbortSignal) =>
        validator.admit(request, await validator.gather(request, signal)),
    })),
    { path: PROBE_PATH, onFault: 'Ignore', handle: (request) => Promise.resolve(answerProbe(request)) },
  ];
}

/** The gates in order. One that fails closed refuses; one that fails open is a warning, and the others still speak. */
async function chain(
  gates: readonly Gate[],
  entry: EntryId,
  log: Log,
  request: AdmissionRequest,
  signal: AbortSignal,
): Promise<Verdict> {
  const verdicts: Verdict[] = [];
  for (const gate of gates) {
    if (!gate.matches(request, entry)) continue;
    try {
      verdicts.push(gate.admit(request, await gate.gather(request, entry, signal)));
    } catch (error) {
      log.error('a gate failed', { gate: gate.name, ...entry, kind: request.kind.kind, error });
      verdicts.push(faultVerdict(entry.mode, `the ${gate.name} gate failed: ${messageOf(error)}`));
    }
  }
  return merge(verdicts);
}

/** `/admit/fail/NAME` is `/admit/fail` for the target of that name. */
function findRoute(routes: ReadonlyMap<string, Route>, path: string): { route?: Route; own?: string } {
  const route = routes.get(path);
  if (route !== undefined) return { route };
  const [, general = '', own] = /^(\/admit\/[^/]+)\/([^/]+)$/.exec(path) ?? [];
  const owned = routes.get(general);
  return owned === undefined || own === undefined ? {} : { route: owned, own };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: ReadonlyMap<string, Route>,
  options: AdmissionServerOptions,
  crowded: boolean,
): Promise<void> {
  const { clock, observe } = options;
  const url = new URL(request.url ?? '/', 'https://webhook');
  const { route, own } = findRoute(routes, url.pathname);
  const started = clock.monotonic();
  const observer = route === undefined ? undefined : observe?.(route.path);
  observer?.started();
  let code = 200;
  try {
    if (route === undefined) throw new BadRequest(404, `nothing is served at ${url.pathname}`);
    if (request.method !== 'POST') throw new BadRequest(405, 'only POST is accepted');
    const review = decodeReview(await readBody(request));
    const verdict = crowded
      ? faultVerdict(route.onFault, 'too many admission requests are under way')
      : await withDeadline(route, own, review, timeoutOf(url), clock);
    send(response, 200, reviewOf(review.uid, verdict));
  } catch (error) {
    code = refuse(response, error, route?.onFault);
  } finally {
    observer?.finished(code, clock.monotonic() - started);
  }
}

/** Returns the HTTP status. With a uid even a bad review gets a review as its answer, by the entry's failure mode. */
function refuse(response: ServerResponse, error: unknown, onFault: FailureMode | undefined): number {
  const bad =
    error instanceof BadRequest ? error : new BadRequest(500, `the webhook failed: ${messageOf(error)}`);
  if (bad.uid !== undefined && onFault !== undefined) {
    send(response, 200, reviewOf(bad.uid, faultVerdict(onFault, bad.message, 400)));
    return 200;
  }
  // What is left of a body that was refused is not read: the connection ends with the answer.
  response.setHeader('connection', 'close');
  send(response, bad.code, {
    apiVersion: 'v1',
    kind: 'Status',
    status: 'Failure',
    message: bad.message,
    code: bad.code,
  });
  return bad.code;
}

async function withDeadline(
  route: Route,
  own: string | undefined,
  review: AdmissionRequest,
  timeoutMs: number,
  clock: Clock,
): Promise<Verdict> {
  const deadline = new AbortController();
  let expire: (verdict: Verdict) => void = () => undefined;
  const expired = new Promise<Verdict>((resolve) => {
    expire = resolve;
  });
  const timer = clock.after(timeoutMs, () => {
    deadline.abort();
    expire(faultVerdict(route.onFault, `no verdict within ${String(timeoutMs)} ms`));
  });
  try {
    return await Promise.race([route.handle(review, deadline.signal, own), expired]);
  } catch (error) {
    return faultVerdict(route.onFault, messageOf(error));
  } finally {
    timer.cancel();
  }
}

/** `?timeout=10s`, as the API server appends it. */
function timeoutOf(url: URL): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(url.searchParams.get('timeout') ?? '');
  if (match === null) return DEFAULT_TIMEOUT_MS - MARGIN_MS;
  const ms = Number(match[1]) * (match[2] === 's' ? 1000 : 1);
  return Math.max(MARGIN_MS, Math.min(30_000, ms) - MARGIN_MS);
}

function faultVerdict(mode: FailureMode, why: string, code = 500): Verdict {
  if (mode === 'Ignore') return { allowed: true, warnings: [`CogniForge did not judge this object: ${why}`] };
  return {
    allowed: false,
    code,
    reason: 'InternalError',
    message: `CogniForge could not judge this object and its rules fail closed: ${why}`,
  };
}

/** The API server cuts a warning at 256 bytes and drops them all beyond 4096. */
const LONGEST_WARNING = 256;
const MOST_WARNING_BYTES = 4_096;

function reviewOf(uid: string, verdict: Verdict): unknown {
  const { allowed, message, code, reason, warnings, auditAnnotations } = verdict;
  const status = {
    code: code ?? 403,
    message: message ?? 'refused',
    ...(reason === undefined ? {} : { reason }),
  };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed,
      ...(allowed ? {} : { status }),
      ...(warnings === undefined ? {} : { warnings: trimmed(warnings) }),
      ...(auditAnnotations === undefined ? {} : { auditAnnotations }),
    },
  };
}

function trimmed(warnings: readonly string[]): string[] {
  const kept: string[] = [];
  let bytes = 0;
  for (const warning of warnings) {
    const short = warning.length <= LONGEST_WARNING ? warning : `${warning.slice(0, LONGEST_WARNING - 1)}…`;
    bytes += Buffer.byteLength(short);
    if (bytes > MOST_WARNING_BYTES) break;
    kept.push(short);
  }
  return kept;
}

function send(response: ServerResponse, code: number, body: unknown): void {
  const text = stringifyJson(body);
  response
    .writeHead(code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
}
