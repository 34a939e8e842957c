/** What comes to the operator not by way of a rule: broken and foreign requests, and kubeconfigs that are no good. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePorts } from '../../cluster/processes.ts';
import type { Places } from './sources.ts';

type NewCanary = (name: string) => string;

interface Sent {
  path?: string;
  headers?: Record<string, string>;
  body: string;
}

function review(request: object): string {
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
}

function requestOf(object: object, rest: object = {}): object {
  return {
    uid: 'u',
    operation: 'CREATE',
    kind: { group: '', version: 'v1', kind: 'Secret' },
    resource: { group: '', version: 'v1', resource: 'secrets' },
    namespace: 'default',
    object: { metadata: { name: 'x', labels: { canary: 'quiet' } }, ...object },
    userInfo: { username: 'x' },
    ...rest,
  };
}

/** Resolves with the HTTP statuses. */
export async function sendToWebhook(port: number, canary: NewCanary): Promise<number[]> {
  const sent: Sent[] = [
    { body: canary('a body that is no JSON at all') },
    { body: `{"apiVersion":"admission.k8s.io/v1","data":${canary('an unquoted value')}` },
    { body: review(requestOf({ data: { a: canary('a review that is cut') } })).slice(0, -40) },
    { body: review(requestOf({ data: canary('data that is no map') })) },
    { body: review(requestOf({ metadata: { labels: { a: { b: canary('a label that is no text') } } } })) },
    { body: review({ uid: 'u', operation: canary('an operation that is none') }) },
    { body: review({ uid: canary('a uid of a request that says nothing') }) },
    {
      body: JSON.stringify({
        apiVersion: canary('an apiVersion'),
        kind: 'AdmissionReview',
        request: { uid: 'u' },
      }),
    },
    {
      body: review(
        requestOf({ data: { a: 'eA==' } }, { userInfo: { extra: { token: [canary('extra of the user')] } } }),
      ),
    },
    {
      body: review(
        requestOf({}, { options: canary('the options'), oldObject: { data: canary('the old object') } }),
      ),
    },
    {
      body: '{}',
      headers: {
        authorization: `Bearer ${canary('a header')}`,
        cookie: canary('a cookie').replaceAll('ü', ''),
      },
    },
    { body: '{}', headers: { 'content-type': canary('a content type').replaceAll('ü', '') } },
    { body: '{}', path: `/admit/${encodeURIComponent(canary('a path'))}` },
    { body: '{}', path: `/admit/fail?timeout=${encodeURIComponent(canary('a query'))}` },
    {
      body: review(requestOf({ data: { a: canary('a review that never ends') } })),
      path: '/admit/fail?timeout=0s',
    },
  ];
  const codes = await Promise.all(sent.map((one) => send(port, one)));
  await sendInTheClear(port, `POST /admit/fail HTTP/1.1\r\nx: ${canary('what is not TLS')}\r\n\r\n`);
  return codes;
}

/** The HTTP status, 0 where the connection ended without one. */
function send(port: number, { path = '/admit/fail?timeout=5s', headers = {}, body }: Sent): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = request({
      host: '127.0.0.1',
      port,
      path,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      rejectUnauthorized: false,
    });
    outgoing.once('response', (response) => {
      response.resume().once('end', () => {
        resolve(response.statusCode ?? 0);
      });
    });
    outgoing.once('error', () => {
      resolve(0);
    });
    outgoing.end(body);
  });
}

function sendInTheClear(port: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.end(text);
    });
    socket.once('close', () => {
      resolve();
    });
    socket.once('error', () => undefined);
    socket.resume();
  });
}

interface End {
  name: string;
  code: number | null;
  output: string;
}

/** Starts the operator with what it cannot start with, one after the other. */
export async function failingStart(
  { folder }: Places,
  server: string,
  canary: NewCanary,
  plain: NewCanary,
): Promise<End[]> {
  const kubeconfig = (user: object): string =>
    JSON.stringify({
      'current-context': 'a',
      contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
      clusters: [{ name: 'a', cluster: { server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'a', user }],
    });
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const plugin = (script: string): object => ({
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'sh',
      args: ['-c', script],
      interactiveMode: 'Never',
    },
  });
  const files: [string, string][] = [
    ['a token that is an alias', `users: [{user: {token: *${plain('a token that is an alias')}}}]`],
    ['a token after a separator', `--- token ${plain('a token after a separator')}\nusers: []`],
    ['a text alone', canary('a kubeconfig that is none').replaceAll('"', '')],
    ['JSON without a quote', `{"users": [{"user": {"token": ${plain('a token without quotes')}" }}]`],
    ['a token that nobody knows', kubeconfig({ token: plain('a token that nobody knows') })],
    ['a password', kubeconfig({ username: 'a', password: canary('a password that nobody knows') })],
    [
      'a key that is none',
      kubeconfig({
        'client-key-data': base64(canary('a client key')),
        'client-certificate-data': base64(canary('a client certificate')),
      }),
    ],
    ['a plugin that prints no JSON', kubeconfig(plugin(`echo ${plain('what a plugin prints')}`))],
  ];
  const ends: End[] = [];
  for (const [at, [name, text]] of files.entries()) {
    const file = join(folder, `kubeconfig-${String(at)}`);
    writeFileSync(file, text);
    ends.push(await run(name, [`--kubeconfig=${file}`]));
  }
  ends.push(
    await run('a URL with a password', [`--webhook-url=https://a:${plain('a password in a flag')}@b`]),
  );
  return ends;
}

const PATIENCE_MS = 20_000;

async function run(name: string, flags: readonly string[]): Promise<End> {
  const [webhook = 0, health = 0] = await freePorts(2);
  const ports = [`--webhook-port=${String(webhook)}`, `--health-port=${String(health)}`, '--log-level=debug'];
  const child = spawn(process.execPath, ['bin/cogniforge.js', 'controller', ...ports, ...flags]);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  clearTimeout(timer);
  return { name, code, output };
}
