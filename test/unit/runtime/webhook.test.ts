/** The admission server over real TLS sockets: good, bad and hostile requests. Replay a run with SEED=. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent, request } from 'node:https';
import { connect } from 'node:tls';
import { renew, type Bundle } from '../../../src/runtime/certificates.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createLog } from '../../../src/runtime/log.ts';
import type { Gate } from '../../../src/runtime/webhook/gate.ts';
import type { EntryId } from '../../../src/runtime/webhook/target.ts';
import { serveAdmission, type AdmissionServer } from '../../../src/runtime/webhook/server.ts';
import { seeded } from '../random.ts';
import { httpsPost, type Answer } from './https-post.ts';

const SEED = Number(process.env['SEED'] ?? 20261124);
const NAMES = ['127.0.0.1', 'localhost'];
let bundle: Bundle;
let server: AdmissionServer;
let agent: Agent;

const entriesAsked: EntryId[] = [];

/** Refuses what is labelled so, warns, fails or hangs on request. */
const gate: Gate = {
  name: 'test',
  targets: () => [],
  matches: (_request, entry) => {
    entriesAsked.push(entry);
    return true;
  },
  gather: ({ name }) => {
    if (name === 'throw') return Promise.reject(new Error('the gate broke'));
    return name === 'hang' ? new Promise(() => undefined) : Promise.resolve(undefined);
  },
  admit: ({ name }) =>
    name === 'deny'
      ? { allowed: false, message: 'no' }
      : { allowed: true, ...(name === 'warn' ? { warnings: ['x'.repeat(400)] } : {}) },
};

function post(path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  return httpsPost({ port: server.port, path, agent }, body, headers);
}

function review(over: object = {}): string {
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u-1',
      operation: 'CREATE',
      kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      resource: { group: 'apps', version: 'v1', resource: 'deployments' },
      userInfo: {},
      object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } },
      ...over,
    },
  });
}

interface Response {
  uid: string;
  allowed: boolean;
  status?: { code: number; message: string };
  warnings?: string[];
}

function responseOf({ code, body }: Answer): Response {
  expect(code).toBe(200);
  return (JSON.parse(body) as { response: Response }).response;
}

beforeAll(async () => {
  bundle = await renew(undefined, { action: 'renewCa', why: 'test' }, NAMES, Date.now());
  server = await serveAdmission({
    gates: [gate],
    validators: [],
    host: '127.0.0.1',
    port: 0,
    tls: bundle,
    clock: systemClock,
    log: createLog('silent'),
  });
  agent = new Agent({ keepAlive: true, ca: bundle.caCert, maxSockets: 16 });
});

afterAll(async () => {
  agent.destroy();
  await server.close(0);
});

describe('a verdict', () => {
  it('is given with the uid it was asked with', async () => {
    expect(responseOf(await post('/admit/fail', review()))).toEqual({ uid: 'u-1', allowed: true });
    expect(responseOf(await post('/admit/fail', review({ name: 'deny' })))).toMatchObject({
      allowed: false,
      status: { code: 403, message: 'no' },
    });
  });

  it('has warnings that the API server will not cut', async () => {
    const { warnings = [] } = responseOf(await post('/admit/fail', review({ name: 'warn' })));
    expect(warnings.map((warning) => warning.length)).toEqual([256]);
  });

  it.each([
    ['throw', 'the gate broke'],
    ['hang', 'no verdict within 250 ms'],
  ])('follows the failure mode when a gate %ss', async (name, why) => {
    const closed = responseOf(await post('/admit/fail?timeout=500ms', review({ name })));
    expect(closed.allowed).toBe(false);
    expect(closed.status?.message).toContain(why);
    const open = responseOf(await post('/admit/ignore?timeout=500ms', review({ name })));
    expect(open.allowed).toBe(true);
    expect(open.warnings?.[0]).toContain(why);
  });
});

describe('an entry of its own', () => {
  it('is answered for its target alone, by its failure mode', async () => {
    await post('/admit/fail/a.b', review());
    await post('/admit/ignore/c', review());
    await post('/admit/fail', review());
    expect(entriesAsked.slice(-3)).toEqual([
      { mode: 'Fail', own: 'a.b' },
      { mode: 'Ignore', own: 'c' },
      { mode: 'Fail', own: undefined },
    ]);
    expect(responseOf(await post('/admit/fail/a', review({ name: 'throw' }))).allowed).toBe(false);
    expect(responseOf(await post('/admit/ignore/a', review({ name: 'throw' }))).allowed).toBe(true);
  });

  it.each(['/admit/other/a', '/admit/fail/a/b', '/admit/fail/', '/probe/a', '/admit'])(
    'is not at %s',
    async (path) => {
      expect((await post(path, review())).code).toBe(404);
    },
  );
});

describe('a request that is none', () => {
  it.each<[string, string | Buffer, Record<string, string>, number]>([
    ['another content type', review(), { 'content-type': 'text/plain' }, 415],
    ['no JSON', '{"apiVersion":', {}, 400],
    ['no review', '{"kind":"Pod"}', {}, 400],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), {}, 400],
    ['nested 100,000 levels deep', '['.repeat(100_000) + ']'.repeat(100_000), {}, 400],
    ['10 MB', `{"x":"${'y'.repeat(10_000_000)}"}`, {}, 413],
  ])('%s is answered with a sentence', async (_name, body, headers, code) => {
    const answer = await post('/admit/fail', body, headers).catch((error: unknown) => {
      // A body that is refused by its length may meet a closed door while it is still being sent.
      expect(code).toBe(413);
      return { code: 413, body: JSON.stringify({ kind: 'Status', message: String(error) }) };
    });
    expect(answer.code).toBe(code);
    expect(JSON.parse(answer.body)).toMatchObject({ kind: 'Status' });
    expect(responseOf(await post('/admit/fail', review())).allowed).toBe(true);
  });

  it.each<[string, object]>([
    ['an unknown operation', { operation: 'PATCH' }],
    ['no kind', { kind: null }],
    ['a name that is a number', { name: 7 }],
    ['labels that are a list', { object: { metadata: { labels: [1] } } }],
  ])('%s is answered as a review, by the failure mode', async (_name, over) => {
    expect(responseOf(await post('/admit/fail', review(over))).allowed).toBe(false);
    expect(responseOf(await post('/admit/ignore', review(over))).allowed).toBe(true);
  });

  it('cut in the middle harms nobody', async () => {
    await new Promise<void>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: server.port, ca: bundle.caCert }, () => {
        socket.write(
          'POST /admit/fail HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"a":',
        );
        setTimeout(() => {
          socket.destroy();
          resolve();
        }, 20);
      });
    });
    expect(responseOf(await post('/admit/fail', review())).allowed).toBe(true);
  });
});

describe('20,000 random reviews', () => {
  const HOSTILE = [
    'null',
    '[]',
    '{}',
    '""',
    '"\\u0000"',
    '-1',
    '1e999',
    '9007199254740993',
    '{"__proto__":{"x":1}}',
    '{"constructor":1}',
    'true',
    '[[[]]]',
  ];

  /** One to three edits of the text of a good review: a value replaced, a stretch dropped, a byte changed. */
  function mutated(random: () => number): string {
    let text = review({ name: ['a', 'deny', 'warn'][Math.floor(random() * 3)] });
    for (let edits = Math.floor(random() * 4); edits > 0; edits -= 1) {
      const at = Math.floor(random() * text.length);
      const hostile = HOSTILE[Math.floor(random() * HOSTILE.length)] ?? '';
      const kind = random();
      if (kind < 0.6)
        text = text.replace(/"([a-zA-Z]+)":("[^"]*"|\{\})/g, (all, key: string) =>
          random() < 0.15 ? `"${key}":${hostile}` : all,
        );
      else if (kind < 0.8) text = text.slice(0, at) + text.slice(at + Math.floor(random() * 20));
      else text = text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1);
    }
    return text;
  }

  it(`are each answered well-formed (SEED=${String(SEED)})`, async () => {
    const random = seeded(SEED);
    const answers = new Map<number, number>();
    let left = 20_000;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const { code, body } = await post(random() < 0.5 ? '/admit/fail' : '/admit/ignore', mutated(random));
        answers.set(code, (answers.get(code) ?? 0) + 1);
        const answer = JSON.parse(body) as { kind: string; response?: Response };
        if (code === 200) expect(typeof answer.response?.allowed).toBe('boolean');
        else expect(answer.kind).toBe('Status');
      }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
    expect([...answers.keys()].every((code) => code === 200 || code === 400)).toBe(true);
    expect([...answers.values()].reduce((sum, count) => sum + count, 0)).toBe(20_000);
    // Both paths were really walked.
    expect(Math.min(answers.get(200) ?? 0, answers.get(400) ?? 0)).toBeGreaterThan(1_000);
  });
});

describe('a new certificate', () => {
  it('is served from the next handshake on, and no request under load fails', async () => {
    let running = true;
    let served = 0;
    const load = Array.from({ length: 4 }, async () => {
      while (running) {
        expect(responseOf(await post('/admit/fail', review())).allowed).toBe(true);
        served += 1;
      }
    });
    // First the CA, which is published while the old leaf is served on; then a leaf of it.
    const published = await renew(bundle, { action: 'renewCa', why: 'test' }, NAMES, Date.now());
    expect(published.cert).toBe(bundle.cert);
    const fresh = await renew(published, { action: 'renewLeaf', why: 'test' }, NAMES, Date.now());
    server.setTls(fresh);
    await new Promise((resolve) => setTimeout(resolve, 100));
    running = false;
    await Promise.all(load);
    expect(served).toBeGreaterThan(10);
    const issuer = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: server.port, ca: fresh.caCert }, () => {
        resolve(String(socket.getPeerCertificate().issuer.CN));
        socket.destroy();
      });
      socket.once('error', reject);
    });
    expect(issuer).toMatch(/^cogniforge-webhook-ca-/);
    expect(fresh.previousCa).toBe(bundle.caCert);
  });
});

describe('a replica that leaves', () => {
  it('answers on, and sends its clients to another connection, so that none is closed under a request', async () => {
    const leaving = await serveAdmission({
      ...{ gates: [gate], validators: [], host: '127.0.0.1', port: 0, tls: bundle },
      ...{ clock: systemClock, log: createLog('silent') },
    });
    const url = `https://127.0.0.1:${String(leaving.port)}/admit/fail`;
    const connectionOf = (): Promise<string | undefined> =>
      new Promise((resolve, reject) => {
        const call = request(
          url,
          { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
          (response) => {
            response.resume().once('end', () => {
              resolve(response.headers.connection);
            });
          },
        );
        call.once('error', reject);
        call.end(review());
      });
    expect(await connectionOf()).toBe('keep-alive');
    const closed = leaving.close(500);
    expect([await connectionOf(), await connectionOf()]).toEqual(['close', 'close']);
    await closed;
    await expect(connectionOf()).rejects.toThrow('ECONNREFUSED');
  });
});
