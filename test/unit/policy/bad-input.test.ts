/** Hostile input through the real server, gate, library, compiler and engine: what the API server is answered, by failurePolicy. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { compile } from '../../../src/policy/compiler.ts';
import { createEngine, type Engine } from '../../../src/policy/engine/engine.ts';
import { policyGate } from '../../../src/policy/gate.ts';
import { Library } from '../../../src/policy/library.ts';
import type { PolicyRule } from '../../../src/policy/policyrule/types.gen.ts';
import { asStored } from './as-stored.ts';
import { renew, type Bundle } from '../../../src/runtime/certificates.ts';
import { parseJson } from '../../../src/runtime/json.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createLog } from '../../../src/runtime/log.ts';
import { serveAdmission, type AdmissionServer } from '../../../src/runtime/webhook/server.ts';
import { toolPath } from '../../cluster/tools.ts';
import { httpsPost, type Answer } from '../runtime/https-post.ts';

/** One rule for each failurePolicy, about everything, of the same text; it tells what it sees. */
const REGO = `package t

violation contains {"msg": sprintf("bad is %v", [input.review.object.bad])} if input.review.object.bad
violation contains {"msg": "the number"} if input.review.object.number == input.parameters.number
violation contains {"msg": "the key"} if input.review.object["__proto__"]
violation contains {"msg": "labelled"} if input.review.object.metadata.labels["__proto__"]
violation contains {"msg": input.review.name} if contains(input.review.name, "\\u0000")
violation contains {"msg": "halves"} if input.review.object.half == "a\\ufffdb\\\\ud800c"
violation contains {"msg": "slow"} if contains(input.review.object.hay, input.review.object.needle)
violation contains {"msg": "much"} if count([x | some x in numbers.range(1, input.review.object.much)]) > 0
`;

const MODES = ['fail', 'ignore'] as const;
type Mode = (typeof MODES)[number];

let bundle: Bundle;
let server: AdmissionServer;
let engine: Engine;
let agent: Agent;
let dripping: ReturnType<typeof dripHeaders>;
const stop = new AbortController();

function ruleFor(mode: Mode): PolicyRule {
  const failurePolicy = mode === 'fail' ? 'Fail' : 'Ignore';
  const spec = `{"match": {"kinds": [{"apiGroups": ["*"], "kinds": ["*"]}]}, "failurePolicy": "${failurePolicy}",
    "timeoutMilliseconds": 200, "parameters": {"number": 9007199254740993}, "rego": ${JSON.stringify(REGO)}}`;
  const rule = `{"kind": "PolicyRule", "metadata": {"name": "r-${mode}", "generation": 1}, "spec": ${spec}}`;
  return asStored(parseJson(rule));
}

beforeAll(async () => {
  const opaBin = await toolPath('opa');
  const log = createLog('silent');
  engine = createEngine();
  const library = new Library({
    compile: (source, signal) => compile(source, { opaBin, signal }),
    engine: {
      load: (id, { wasm, entrypoint }) => {
        engine.load(id, wasm, entrypoint);
      },
      unload: (id) => {
        engine.unload(id);
      },
      evaluate: (id, input, deadlineMs) => engine.evaluate(id, { input, deadlineMs }),
    },
    clock: systemClock,
    log,
    signal: stop.signal,
  });
  for (const mode of MODES) library.follow({ type: 'added', key: `r-${mode}`, object: ruleFor(mode) });
  while (library.pending().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(library.served()).toHaveLength(2);
  const gate = policyGate({
    library,
    evaluate: (id, input, deadlineMs) => engine.evaluate(id, { input, deadlineMs }),
    namespaceLabels: () => undefined,
    kindOf: () => undefined,
    systemNamespaces: [],
    log,
  });
  bundle = await renew(undefined, { action: 'renewCa', why: 'test' }, ['127.0.0.1'], Date.now());
  server = await serveAdmission({
    gates: [gate],
    validators: [],
    host: '127.0.0.1',
    port: 0,
    tls: bundle,
    clock: systemClock,
    log,
  });
  dripping = dripHeaders();
  agent = new Agent({ keepAlive: true, ca: bundle.caCert, maxSockets: 16 });
});

afterAll(async () => {
  stop.abort();
  agent.destroy();
  await server.close(0);
  await engine.close();
});

interface Response {
  uid: string;
  allowed: boolean;
  status?: { code: number; message: string };
  warnings?: string[];
}

function post(mode: Mode, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  return httpsPost({ port: server.port, path: `/admit/${mode}?timeout=5s`, agent }, body, headers);
}

/** A review as JSON text, so that it can hold what JavaScript would not write. */
function review(object: string, over = ''): string {
  return `{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u", "operation": "CREATE",
    "kind": {"group": "example.com", "version": "v9", "kind": "NeverHeardOf"},
    "resource": {"group": "example.com", "version": "v9", "resource": "neverheardofs"},
    "userInfo": {}, "object": ${object}${over}}}`;
}

async function verdict(mode: Mode, body: string): Promise<Response> {
  const answer = await post(mode, body);
  expect(answer.code).toBe(200);
  return (JSON.parse(answer.body) as { response: Response }).response;
}

async function expectJudged(mode: Mode): Promise<void> {
  expect(await verdict(mode, review('{}'))).toEqual({ uid: 'u', allowed: true });
  expect((await verdict(mode, review('{"bad": 1}'))).status?.message).toContain(`[r-${mode}] bad is 1`);
}

describe.each(MODES)('at /admit/%s', (mode) => {
  const closed = mode === 'fail';

  it('a kind that nobody has heard of is judged by a rule about everything', async () => {
    await expectJudged(mode);
  });

  it.each<[string, string, Record<string, string>, number, RegExp]>([
    ['no JSON', '{"apiVersion": ', {}, 400, /not JSON/],
    ['no review', '{"kind": "Pod"}', {}, 400, /not an AdmissionReview/],
    ['a review without a uid', review('{}').replace('"uid": "u",', ''), {}, 400, /uid is missing/],
    ['another content type', review('{}'), { 'content-type': 'application/yaml' }, 415, /application\/yaml/],
    ['nested 100,000 levels deep', review('['.repeat(100_000) + ']'.repeat(100_000)), {}, 400, /levels deep/],
  ])(
    '%s: the HTTP error that the API server takes by its own failurePolicy',
    async (_name, body, headers, code, why) => {
      const answer = await post(mode, body, headers);
      expect(answer.code).toBe(code);
      expect(JSON.parse(answer.body)).toMatchObject({ kind: 'Status', status: 'Failure', code });
      expect(answer.body).toMatch(why);
      await expectJudged(mode);
    },
  );

  it.each<[string, string, RegExp]>([
    ['an unknown operation', review('{}').replace('CREATE', 'PATCH'), /operation must be/],
    [
      'a kind that is null',
      review('{}').replace(
        '"kind": {"group": "example.com", "version": "v9", "kind": "NeverHeardOf"}',
        '"kind": null',
      ),
      /kind must have/,
    ],
    ['an object that is a list', review('[1]'), /object must be an object/],
    ['labels that are numbers', review('{"metadata": {"labels": {"a": 1}}}'), /label/],
    [
      'another version of the API',
      review('{}').replace('admission.k8s.io/v1', 'admission.k8s.io/v2'),
      /v2.* is not supported/,
    ],
  ])('%s: a review that says so, %#', async (_name, body, why) => {
    const { allowed, status, warnings, uid } = await verdict(mode, body);
    expect([uid, allowed]).toEqual(['u', !closed]);
    expect(closed ? status?.message : warnings?.[0]).toMatch(why);
  });

  it('10 MB: refused by their length, and nobody else suffers', async () => {
    const body = review(`{"bad": "${'x'.repeat(10_000_000)}"}`);
    const answer = await post(mode, body).catch(() => ({ code: 413, body: '' }));
    expect(answer.code).toBe(413);
    await expectJudged(mode);
  });

  it('3 MB, as much as an object may have: judged', async () => {
    const { allowed } = await verdict(mode, review(`{"text": "${'x'.repeat(3_000_000)}", "bad": 1}`));
    expect(allowed).toBe(false);
  });

  it('a body that is cut: the connection ends, and nobody else suffers', async () => {
    const socket = await opened();
    socket.write(head(mode, 1_000));
    socket.end('{"apiVersion": ');
    const answer = await textOf(socket);
    expect(answer === '' || answer.startsWith('HTTP/1.1 400')).toBe(true);
    await expectJudged(mode);
  });

  it('slow clients: each gets his answer in the end, nobody waits for them', async () => {
    const body = review('{"bad": 1}');
    const slow = await Promise.all(Array.from({ length: 40 }, opened));
    for (const socket of slow) socket.write(head(mode, Buffer.byteLength(body)) + body.slice(0, 10));
    const started = performance.now();
    for (let round = 0; round < 10; round += 1) await expectJudged(mode);
    expect(performance.now() - started).toBeLessThan(5_000);
    const answers = slow.map(textOf);
    for (const socket of slow) socket.write(body.slice(10));
    for (const answer of await Promise.all(answers)) expect(answer).toContain(`[r-${mode}] bad is 1`);
  });

  it('__proto__ is a key like any other', async () => {
    const own = await verdict(mode, review('{"__proto__": {"a": 1}}'));
    expect(own.status?.message).toContain('the key');
    const label = await verdict(mode, review('{"metadata": {"labels": {"__proto__": "x"}}}'));
    expect(label.status?.message).toContain('labelled');
    // Neither makes a field appear that is not there, nor stays for the next one.
    expect((await verdict(mode, review('{"constructor": {"prototype": {"bad": 1}}}'))).allowed).toBe(true);
    expect((await verdict(mode, review('{"__proto__": {"bad": 1}}'))).status?.message).not.toContain(
      'bad is',
    );
    await expectJudged(mode);
  });

  it.each([
    ['9007199254740993', false],
    ['9007199254740992', true],
    ['9007199254740994', true],
  ])('an integer beyond 2^53 keeps its last digit: %s', async (number, allowed) => {
    expect((await verdict(mode, review(`{"number": ${number}}`))).allowed).toBe(allowed);
  });

  it('an integer beyond 2^64 is shown as it is', async () => {
    const { status } = await verdict(mode, review('{"bad": 123456789012345678901234567890}'));
    expect(status?.message).toContain('bad is 123456789012345678901234567890 ');
  });

  it('a NUL is seen by the rule, and not passed on to a terminal', async () => {
    const { status } = await verdict(mode, review('{"bad": "a\\u0000b"}', ', "name": "x\\u0000y"'));
    expect(status?.message).toContain('bad is a\ufffdb');
    expect(status?.message).toContain('[r-' + mode + '] x\ufffdy');
  });

  it('half a surrogate pair is read as Go reads it', async () => {
    const { status } = await verdict(mode, review('{"half": "a\\ud800b\\\\ud800c"}'));
    expect(status?.message).toContain('halves');
  });

  it('400 levels deep: judged', async () => {
    const deep = `${'{"a":'.repeat(400)}1${'}'.repeat(400)}`;
    expect((await verdict(mode, review(`{"deep": ${deep}, "bad": 1}`))).allowed).toBe(false);
  });

  it.each<[string, string, RegExp]>([
    [
      'too slow',
      `{"hay": "${'a'.repeat(1_000_000)}", "needle": "${'a'.repeat(500_000)}b"}`,
      /more than 200 ms/,
    ],
    ['too much memory', '{"much": 100000000}', /malloc|memory|200 ms/],
  ])('an object that makes the rule %s', async (_name, object, why) => {
    const { allowed, status, warnings } = await verdict(mode, review(object));
    expect(allowed).toBe(!closed);
    const words = closed ? status?.message : warnings?.[0];
    expect(words).toMatch(why);
    expect(words).toContain(`policy r-${mode} could not be evaluated`);
    await expectJudged(mode);
  });
});

/** Begun first, as it takes as long as the server's patience. */
async function dripHeaders(): Promise<{ answer: string; tookMs: number }> {
  const socket = await opened();
  const started = performance.now();
  socket.write('POST /admit/fail HTTP/1.1\r\nhost: x\r\n');
  const drip = setInterval(() => socket.write('x: y\r\n'), 200);
  const answer = await textOf(socket);
  clearInterval(drip);
  return { answer, tookMs: performance.now() - started };
}

describe('a client that never finishes its headers', () => {
  it('is hung up on', async () => {
    const { answer, tookMs } = await dripping;
    expect(answer).toMatch(/^HTTP\/1\.1 4/);
    expect(tookMs).toBeLessThan(15_000);
    await expectJudged('fail');
  });
});

function opened(): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, ca: bundle.caCert }, () => {
      resolve(socket);
    });
    socket.on('error', reject);
  });
}

function head(mode: Mode, length: number): string {
  return `POST /admit/${mode}?timeout=5s HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${String(length)}\r\n\r\n`;
}

/** Everything that comes until the other side ends. */
function textOf(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    socket.on('close', () => {
      resolve(text);
    });
  });
}
