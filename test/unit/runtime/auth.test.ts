import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConfigError,
  inClusterEndpoint,
  kubeconfigEndpoint,
  tokenFile,
  type Endpoint,
} from '../../../src/runtime/auth.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { manualClock } from '../clock.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cogniforge-test-auth-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Parts {
  user?: object;
  cluster?: object;
  context?: object;
  rest?: object;
}

/** Reads a kubeconfig of one context, `one`, made of these parts. */
async function endpointOf({ user = {}, cluster = {}, context = {}, rest = {} }: Parts): Promise<Endpoint> {
  const file = join(folder, 'kubeconfig');
  const config = {
    'current-context': 'one',
    contexts: [{ name: 'one', context: { cluster: 'c', user: 'u', ...context } }],
    clusters: [{ name: 'c', cluster: { server: 'https://example.com:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    ...rest,
  };
  writeFileSync(file, JSON.stringify(config));
  return kubeconfigEndpoint(file, systemClock);
}

async function headerOf(parts: Parts): Promise<string | undefined> {
  return (await endpointOf(parts)).credentials.authorization();
}

describe('a kubeconfig', () => {
  it('gives the server, the namespace and how to trust it', async () => {
    writeFileSync(join(folder, 'ca.pem'), 'CA of a file');
    const fromFile = await endpointOf({
      cluster: {
        server: 'https://example.com:6443/prefix//',
        'certificate-authority': 'ca.pem',
        'tls-server-name': 'other',
      },
      context: { namespace: 'home' },
    });
    expect(fromFile).toMatchObject({
      server: 'https://example.com:6443/prefix',
      context: 'one',
      namespace: 'home',
      tls: { ca: 'CA of a file', servername: 'other' },
    });
    const inline = await endpointOf({
      cluster: { 'certificate-authority-data': base64('CA'), 'insecure-skip-tls-verify': true },
    });
    expect(inline.tls).toEqual({ ca: 'CA', rejectUnauthorized: false });
  });

  it('verifies the server unless told not to', async () => {
    expect((await endpointOf({})).tls.rejectUnauthorized).toBeUndefined();
    const told = await endpointOf({ cluster: { 'insecure-skip-tls-verify': false } });
    expect(told.tls.rejectUnauthorized).toBeUndefined();
  });

  it('gives a token, a password, or the client certificate alone', async () => {
    writeFileSync(join(folder, 'client.key'), 'KEY');
    expect(await headerOf({ user: { token: 't' } })).toBe('Bearer t');
    expect(await headerOf({ user: { username: 'u', password: 'p' } })).toBe(`Basic ${base64('u:p')}`);
    const user = { 'client-certificate-data': base64('CERT'), 'client-key': 'client.key' };
    const endpoint = await endpointOf({ user });
    expect(endpoint.tls).toEqual({ cert: 'CERT', key: 'KEY' });
    expect(await endpoint.credentials.authorization()).toBeUndefined();
  });

  it('prefers the token file, relative to itself, to the token', async () => {
    writeFileSync(join(folder, 'token'), 'of the file\n');
    expect(await headerOf({ user: { token: 't', tokenFile: 'token' } })).toBe('Bearer of the file');
  });

  it.each<[string, Parts, string]>([
    ['no current context', { rest: { 'current-context': undefined } }, 'current-context is not set'],
    [
      'a context that is not there',
      { rest: { 'current-context': 'two' } },
      'no context two; contexts there: one',
    ],
    [
      'a cluster that is not there',
      { context: { cluster: 'gone' } },
      'names cluster gone, which is not there',
    ],
  ])('with %s is refused, and the sentence says why', async (_what, parts, sentence) => {
    const refused = endpointOf(parts);
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(sentence);
  });

  it('that cannot be read, or is none, is refused by name', async () => {
    const absent = join(folder, 'absent');
    await expect(kubeconfigEndpoint(absent, systemClock)).rejects.toThrow(absent);
    const text = join(folder, 'text');
    writeFileSync(text, 'just a text');
    await expect(kubeconfigEndpoint(text, systemClock)).rejects.toThrow(`${text} is not a kubeconfig`);
  });

  it.each([
    'users: [{user: {token: *c4n4ry}}]',
    '--- c4n4ry\nusers: []',
    'token: "\\qc4n4ry"',
    'a: 1\n%c4n4ry',
  ])('that is no YAML, %j, is refused by place, without a word of it', async (text) => {
    const broken = join(folder, 'broken');
    writeFileSync(broken, `apiVersion: v1\n${text}\n`);
    const error = await kubeconfigEndpoint(broken, systemClock).catch(String);
    expect(error).toMatch(/^ConfigError: .*broken: line \d+, column \d+: not YAML$/);
  });
});

describe('outside a pod', () => {
  it('the service account is refused with what to do instead', async () => {
    await expect(inClusterEndpoint({}, systemClock)).rejects.toThrow(
      'pass --kubeconfig FILE or set KUBECONFIG',
    );
  });
});

describe('a token file', () => {
  let file: string;

  beforeEach(() => {
    file = join(folder, 'rotated');
    writeFileSync(file, 'first\n');
  });

  it('is read again after a minute, not before', async () => {
    const clock = manualClock();
    const credentials = tokenFile(file, clock);
    expect(await credentials.authorization()).toBe('Bearer first');
    writeFileSync(file, 'second');
    clock.advance(60_000);
    expect(await credentials.authorization()).toBe('Bearer first');
    clock.advance(1);
    expect(await credentials.authorization()).toBe('Bearer second');
  });

  it('is read again at once when the server refused the token', async () => {
    const credentials = tokenFile(file, manualClock());
    await credentials.authorization();
    writeFileSync(file, 'second');
    credentials.invalidate();
    expect(await credentials.authorization()).toBe('Bearer second');
  });

  it('that was away for a moment is asked for again by the next request', async () => {
    rmSync(file);
    const credentials = tokenFile(file, manualClock());
    await expect(credentials.authorization()).rejects.toThrow('ENOENT');
    writeFileSync(file, 'back');
    expect(await credentials.authorization()).toBe('Bearer back');
  });
});

describe('an exec plugin', () => {
  let runs: string;
  let answer: string;

  beforeEach(() => {
    const own = mkdtempSync(join(folder, 'plugin-'));
    mkdirSync(own, { recursive: true });
    runs = join(own, 'runs');
    answer = join(own, 'answer.json');
    writeFileSync(runs, '');
  });

  /** A plugin that answers with what the test has written, and counts. */
  async function plugin(): Promise<Endpoint> {
    const script = 'printf x >> "$RUNS"; cat "$1"';
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'sh',
      args: ['-c', script, 'plugin', answer],
      env: [{ name: 'RUNS', value: runs }],
      interactiveMode: 'Never',
    };
    return endpointOf({ user: { exec }, cluster: { 'certificate-authority-data': base64('CA') } });
  }
  const answers = (status: object): void => {
    const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status };
    writeFileSync(answer, JSON.stringify(credential));
  };
  const count = (): number => readFileSync(runs, 'utf8').length;

  it('is run once for all who ask, with its environment, and its token is kept', async () => {
    answers({ token: 'first' });
    const { credentials, tls } = await plugin();
    const headers = await Promise.all(Array.from({ length: 10 }, () => credentials.authorization()));
    expect(new Set(headers)).toEqual(new Set(['Bearer first']));
    expect(await credentials.authorization()).toBe('Bearer first');
    expect(count()).toBe(1);
    expect(tls.ca).toBe('CA');
  });

  it('is run again when the server refused its token, and when the token has expired', async () => {
    answers({ token: 'first' });
    const { credentials } = await plugin();
    await credentials.authorization();
    answers({ token: 'second', expirationTimestamp: '2020-01-01T00:00:00Z' });
    credentials.invalidate();
    expect(await credentials.authorization()).toBe('Bearer second');
    answers({ token: 'third' });
    expect(await credentials.authorization()).toBe('Bearer third');
    expect(count()).toBe(3);
  });

  it('that fails is run again by the next request', async () => {
    const { credentials } = await plugin();
    await expect(credentials.authorization()).rejects.toThrow('answer.json');
    answers({ token: 'back' });
    expect(await credentials.authorization()).toBe('Bearer back');
  });

  it('that gives a client certificate is refused in words, not left to fail as nobody', async () => {
    answers({ clientCertificateData: 'CERT', clientKeyData: 'KEY' });
    const { credentials } = await plugin();
    await expect(credentials.authorization()).rejects.toThrow('only tokens are supported');
  });
});
