/**
 * A proxy between the operator and a real API server that makes what a network and a server under stress make: broken
 * connections, lost answers, expired tokens. It invents no object and no order of its own: whatever it passes on came
 * from the server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { injectWatch } from './watch-faults.ts';
import { ALL_FAULTS, calm, type Fault, type Plan, type PlannedFault, type RequestSort } from './plan.ts';

export interface Upstream {
  /** https://host:port */
  server: string;
  ca: string;
  token: string;
}

export interface ProxyOptions {
  upstream: Upstream;
  /** the proxy's own certificate and key, PEM, for 127.0.0.1 */
  tls: { cert: string; key: string };
  /** where the operator reads its token; the proxy accepts what it has last written there */
  tokenFile: string;
}

/** A mutating request the server has carried out. */
export interface Write {
  method: string;
  path: string;
  /** of the object in the answer: the place of this write in the order of all writes */
  resourceVersion: string | undefined;
  body: string;
}

export interface Proxy {
  /** https://127.0.0.1:port */
  server: string;
  plan: Plan;
  /** how often each fault has really happened */
  readonly happened: ReadonlyMap<Fault, number>;
  readonly writes: readonly Write[];
  /** what was asked and answered, a line each: to understand a schedule that failed */
  readonly story: readonly string[];
  /** Breaks every connection: each watch has to ask again. */
  hangUp(): void;
  close(): Promise<void>;
}

const AGENT = new Agent({ keepAlive: true });

export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const happened = new Map<Fault, number>(ALL_FAULTS.map((fault) => [fault, 0]));
  const proxy = new FaultProxy(options, happened);
  const server = createServer({ cert: options.tls.cert, key: options.tls.key }, (request, response) => {
    proxy.serve(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    server: `https://127.0.0.1:${String(port)}`,
    happened,
    writes: proxy.writes,
    story: proxy.story,
    get plan() {
      return proxy.plan;
    },
    set plan(plan) {
      proxy.plan = plan;
    },
    hangUp: () => {
      server.closeAllConnections();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

class FaultProxy {
  plan: Plan = calm;
  readonly writes: Write[] = [];
  readonly story: string[] = [];
  readonly #options: ProxyOptions;
  readonly #happened: Map<Fault, number>;
  /** the first answer to each read: what a server that lags behind would still say */
  readonly #earlier = new Map<string, Answer>();
  #token: string;
  #rotations = 0;

  constructor(options: ProxyOptions, happened: Map<Fault, number>) {
    this.#options = options;
    this.#happened = happened;
    this.#token = 'token-0';
    writeFileSync(options.tokenFile, this.#token);
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request);
    const sort = sortOf(request);
    if (request.headers.authorization !== `Bearer ${this.#token}`) {
      answer(response, status(401, 'Unauthorized'));
      return;
    }
    const planned = this.plan.next(sort);
    const line = `${sort} ${request.method ?? ''} ${request.url ?? ''} ${planned?.fault ?? ''}`;
    this.tell(`${line} ${body.slice(0, 400)}`);
    response.once('finish', () => {
      this.tell(`  answered ${String(response.statusCode)} to ${line}`);
    });
    if (planned !== undefined && this.#beforeServer(planned.fault, response)) return;
    if (sort === 'watch') this.#watch(request, response, planned);
    else await this.#pass(request, body, response, planned?.fault);
  }

  tell(line: string): void {
    this.story.push(`${performance.now().toFixed(0)} ${line}`);
  }

  /** Faults the server never hears of. Returns whether the request was answered. */
  #beforeServer(fault: Fault, response: ServerResponse): boolean {
    switch (fault) {
      case 'connectionDropped':
        response.socket?.destroy();
        break;
      case 'serverError':
        answer(response, status(500, 'InternalError'));
        break;
      case 'tooManyRequests':
        answer(response, { ...status(429, 'TooManyRequests'), headers: { 'retry-after': '1' } });
        break;
      case 'tokenRotated':
        this.#rotations += 1;
        this.#token = `token-${String(this.#rotations)}`;
        writeFileSync(this.#options.tokenFile, this.#token);
        answer(response, status(401, 'Unauthorized'));
        break;
      case 'goneAtConnect':
        answer(response, status(410, 'Expired'));
        break;
      case 'endedAtOnce':
        response.writeHead(200, { 'content-type': 'application/json' }).end();
        break;
      default:
        return false;
    }
    this.#count(fault);
    return true;
  }

  async #pass(
    request: IncomingMessage,
    body: string,
    response: ServerResponse,
    fault: Fault | undefined,
  ): Promise<void> {
    const path = request.url ?? '';
    if (fault === 'continueExpired' && path.includes('continue=')) {
      this.#count(fault);
      answer(response, status(410, 'Expired'));
      return;
    }
    const fresh = await this.#ask(request, body);
    this.tell(`  the server: ${String(fresh.code)} ${fresh.body.toString('utf8', 0, 600)}`);
    const reading = request.method === 'GET';
    if (!reading && fresh.code < 300) this.#record(request, body, fresh);
    const before = this.#earlier.get(path);
    if (reading && fresh.code === 200 && before === undefined) this.#earlier.set(path, fresh);
    if (fault === 'responseLost') {
      this.#count(fault);
      response.socket?.destroy();
    } else if (fault === 'bodyCut' && fresh.body.length > 1) {
      this.#count(fault);
      response.writeHead(fresh.code, { ...fresh.headers, 'content-length': String(fresh.body.length) });
      response.write(fresh.body.subarray(0, fresh.body.length / 2), () => response.socket?.destroy());
    } else if (fault === 'staleReply' && before !== undefined && !before.body.equals(fresh.body)) {
      this.#count(fault);
      answer(response, before);
    } else {
      answer(response, fresh);
    }
  }

  #watch(request: IncomingMessage, response: ServerResponse, planned: PlannedFault | undefined): void {
    const upstream = this.#send(request, '');
    upstream.once('response', (source) => {
      response.writeHead(source.statusCode ?? 500, { 'content-type': 'application/json' });
      response.flushHeaders();
      injectWatch(source, response, planned, (fault) => {
        this.#count(fault);
      });
    });
    upstream.once('error', () => response.destroy());
    response.once('close', () => upstream.destroy());
    upstream.end();
  }

  async #ask(request: IncomingMessage, body: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const upstream = this.#send(request, body);
      upstream.once('error', reject);
      upstream.once('response', (source) => {
        const { 'content-type': type = '', 'retry-after': after } = source.headers;
        const headers = { 'content-type': type, ...(after === undefined ? {} : { 'retry-after': after }) };
        readBytes(source).then((bytes) => {
          resolve({ code: source.statusCode ?? 500, headers, body: bytes });
        }, reject);
      });
      upstream.end(body);
    });
  }

  #send(request: IncomingMessage, body: string) {
    const { server, ca, token } = this.#options.upstream;
    const { 'content-type': type, accept } = request.headers;
    const headers = {
      authorization: `Bearer ${token}`,
      // Without it Node sends the body of a DELETE as if it were the next request.
      'content-length': String(Buffer.byteLength(body)),
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(accept === undefined ? {} : { accept }),
    };
    const { method = 'GET', url = '/' } = request;
    return httpsRequest(`${server}${url}`, { method, headers, ca, agent: AGENT });
  }

  #record(request: IncomingMessage, body: string, { body: bytes }: Answer): void {
    const object = JSON.parse(bytes.toString('utf8')) as { metadata?: { resourceVersion?: string } };
    this.writes.push({
      method: request.method ?? '',
      path: request.url ?? '',
      resourceVersion: object.metadata?.resourceVersion,
      body,
    });
  }

  #count(fault: Fault): void {
    this.#happened.set(fault, (this.#happened.get(fault) ?? 0) + 1);
  }
}

interface Answer {
  code: number;
  headers: Record<string, string>;
  body: Buffer;
}

function status(code: number, reason: string): Answer {
  const text = JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason });
  return { code, headers: { 'content-type': 'application/json' }, body: Buffer.from(text) };
}

function answer(response: ServerResponse, { code, headers, body }: Answer): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(body);
}

function sortOf(request: IncomingMessage): RequestSort {
  if (request.method !== 'GET') return 'write';
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://proxy');
  if (searchParams.has('watch')) return 'watch';
  // .../namespaces/NAME/PLURAL is a collection, .../PLURAL/NAME an object.
  const inside = pathname.replace(/^.*\/namespaces\/[^/]+\//, '');
  return inside.includes('/') ? 'read' : 'list';
}

async function readBytes(source: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function readAll(source: IncomingMessage): Promise<string> {
  return (await readBytes(source)).toString('utf8');
}
