/**
 * Secrets go through the operator in every way they can; none of them may be read in what it writes, says or leaves.
 * Real API server with an audit log, real operator at its most talkative.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Operator } from '../../cluster/operator.ts';
import { eventually, openStage, rule, statusOf, type Output, type Stage } from '../policy/stage.ts';
import { hits, newCanary, newPlainCanary } from './canaries.ts';
import { failingStart, sendToWebhook } from './doors.ts';
import { RULES } from './rules.ts';
import { collect, makePlaces } from './sources.ts';

/** What nobody may read anywhere. */
const secret = new Map<string, string>();
/** What a rule of its own accord tells whoever asked, and nobody else but the API server's audit log. */
const told = new Map<string, string>();
const places = makePlaces();
let stage: Stage;
let operator: Operator;
let kubeconfig: string;

function canary(name: string): string {
  const text = newCanary();
  secret.set(name, text);
  return text;
}

function plainCanary(name: string): string {
  const text = newPlainCanary();
  secret.set(name, text);
  return text;
}

/** The administrator's, with a user in the URL: another place where people keep a password. */
function ownKubeconfig(): string {
  const text = readFileSync(stage.cluster.kubeconfig, 'utf8');
  const { token } = (JSON.parse(text) as { users: { user: { token: string } }[] }).users[0]?.user ?? {
    token: '',
  };
  secret.set('our own token', token);
  const password = plainCanary('the password in the URL of the API server');
  const file = join(places.folder, 'kubeconfig');
  writeFileSync(file, text.replace('"server": "https://', `"server": "https://somebody:${password}@`));
  return file;
}

function startOperator(): Promise<Operator> {
  return stage.startReplica({
    kubeconfig,
    logFile: places.log,
    flags: ['--log-level=debug'],
    env: { TMPDIR: places.scratch },
  });
}

/** Its annotation is what `kubectl apply` leaves: the whole object once more. */
function secretNamed(name: string, label: string, value: object): object {
  const text = JSON.stringify(value);
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': text, note: text };
  const metadata = { name, namespace: 'default', labels: { canary: label }, annotations };
  return { apiVersion: 'v1', kind: 'Secret', metadata, ...value };
}

function deployment(label: string, value: string): object {
  const container = {
    name: 'a',
    image: 'a',
    env: [{ name: 'PASSWORD', value }],
    args: [`--password=${value}`],
  };
  const labels = { canary: label };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: label, namespace: 'default', labels, annotations: { value } },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}

function create(object: object): Output {
  return stage.kubectl('create -f -', object);
}

/** For objects over which a rule ponders; what becomes of them is nobody's business. */
function inBackground(object: object): void {
  const child = spawn(
    stage.cluster.kubectl,
    ['--kubeconfig', stage.cluster.kubeconfig, 'create', '-f', '-'],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  );
  child.stdin.end(JSON.stringify(object));
}

async function untilBusy(): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
    const metrics = await (await fetch(`http://127.0.0.1:${String(operator.healthPort)}/metrics`)).text();
    if (/requests_in_flight\{webhook="\/admit\/ignore"\} [1-9]/.test(metrics)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('nothing is under way');
}

/** Merge patch from a file: words of a command line may not have spaces. */
function patch(what: string, body: object): void {
  const file = join(places.folder, 'patch.json');
  writeFileSync(file, JSON.stringify(body));
  stage.must(`patch ${what} --type=merge --patch-file=${file}`);
}

/** Without the annotation, which may not be as long. */
function slowSecret(name: string, text: string): object {
  const stringData = { hay: 'a'.repeat(300_000) + text, needle: `${'a'.repeat(150_000)}b${text}` };
  const metadata = { name, namespace: 'default', labels: { canary: 'slow' } };
  return { apiVersion: 'v1', kind: 'Secret', metadata, stringData };
}

/**
 * The webhook's own keys. Of PKCS#8 for P-256 the bytes 36 to 67 are the private number; behind it stands the public one,
 * which is in every certificate and in the webhook configuration. The base64 of bytes 36 to 65 begins at character 48.
 */
function rememberKeys(): void {
  const { data } = stage.get('secret cogniforge-webhook-tls -n cogniforge-system') as {
    data: Record<string, string>;
  };
  for (const name of ['tls.key', 'ca.key']) {
    const pem = Buffer.from(data[name] ?? '', 'base64').toString('utf8');
    const encoded = pem.replaceAll(/-----[^-]+-----|\s/g, '');
    const number = encoded.slice(48, 88);
    expect(encoded.length).toBe(184);
    secret.set(`the number in ${name}`, number);
  }
}

async function unheard(): Promise<void> {
  expect(hits(secret, await collect(stage, places, operator))).toEqual([]);
}

beforeAll(async () => {
  stage = await openStage({ apiserverFlags: places.auditFlags });
  kubeconfig = ownKubeconfig();
  operator = await startOperator();
  for (const [name, spec] of Object.entries(RULES)) stage.must('apply -f -', rule(name, spec));
  stage.must('wait --for=condition=Ready policyrule --all --timeout=60s');
  rememberKeys();
});

afterAll(async () => {
  await stage.stop();
  rmSync(places.folder, { recursive: true, force: true });
});

describe('a Secret', () => {
  it('that is refused, in any form it may be written in, is not quoted', async () => {
    const stored = secretNamed('quiet', 'none', { stringData: { a: canary('of an accepted Secret') } });
    expect(create(stored).ok).toBe(true);
    const [one, two, changed] = ['stringData', 'data', 'a change'].map((what) =>
      canary(`of a refused Secret's ${what}`),
    ) as [string, string, string];
    const refusals = [
      create(secretNamed('x', 'quiet', { stringData: { a: one } })),
      create(secretNamed('x', 'quiet', { data: { a: Buffer.from(two).toString('base64') } })),
      stage.kubectl(
        'apply --server-side --force-conflicts -f -',
        secretNamed('quiet', 'quiet', { stringData: { a: changed } }),
      ),
    ];
    for (const { text } of refusals) expect(text).toContain('[quiet] not this Secret at data');
    expect(hits(secret, new Map(refusals.map(({ text }, at) => [`refusal ${String(at)}`, text])))).toEqual(
      [],
    );
    await unheard();
  });

  it('that is refused when it is deleted: it comes as the old object', async () => {
    const value = { stringData: { a: canary('of a Secret that is deleted') } };
    expect(create(secretNamed('old', 'none', value)).ok).toBe(true);
    stage.must('patch policyrule quiet --type=merge -p {"spec":{"match":{"labelSelector":null}}}');
    await eventually('it is refused', () => !stage.kubectl('delete secret old').ok);
    stage.must(
      'patch policyrule quiet --type=merge -p {"spec":{"match":{"labelSelector":{"matchLabels":{"canary":"quiet"}}}}}',
    );
    await eventually('it is deleted', () => stage.kubectl('delete secret old').ok);
    await unheard();
  });

  it.each<[string, RegExp]>([
    ['conflict', /could not be evaluated: .*assignment conflict; it fails closed/],
    ['conflict-open', /created/],
    ['pattern', /\[pattern\] no pattern/],
    ['huge', /could not be evaluated: .*(malloc|memory|more than)/],
  ])('over which the rule %s fails at run time', async (label, words) => {
    const value = { stringData: { a: canary(`${label}, one`), b: canary(`${label}, two`) } };
    expect(create(secretNamed(label, label, value)).text).toMatch(words);
    await unheard();
  });

  it('over which a rule takes too long', async () => {
    expect(create(slowSecret('slow', canary('of a slow evaluation'))).text).toMatch(
      /policy slow could not be evaluated: the evaluation took more than 20 ms/,
    );
    await eventually('the failures are told in the statuses', () =>
      ['slow', 'conflict', 'huge'].every((name) => statusOf(stage, name)['lastError'] !== undefined),
    );
    await unheard();
  });
});

it('a Deployment with secrets in its environment', async () => {
  const outputs = ['environment', 'warned', 'noted', 'query'].map((label) =>
    create(deployment(label, canary(`of the environment, ${label}`))),
  );
  expect(outputs.map(({ ok }) => ok)).toEqual([false, true, true, false]);
  expect(hits(secret, new Map(outputs.map(({ text }, at) => [String(at), text])))).toEqual([]);
  await unheard();
});

describe('a rule that quotes', () => {
  it('is heard by who asked and, on its way, by the API server, but is kept nowhere by us', async () => {
    const heard = ['tells', 'tells-as-warning', 'tells-the-audit'].map((label): [string, string] => {
      const text = newCanary();
      told.set(label, text);
      return [text, create(secretNamed(label, label, { stringData: { a: text } })).text];
    });
    const [refused, warned, audited] = heard.map(([text, answer]) => answer.includes(text));
    expect([refused, warned, audited]).toEqual([true, true, false]);
    await eventually('it is counted', () => (statusOf(stage, 'tells').statistics?.denials ?? 0) > 0);
    const found = hits(told, await collect(stage, places, operator));
    expect(new Set(found.map((hit) => hit.replace(/ as .* in /, ' in ')))).toEqual(
      new Set([
        // Refusals stand in both.
        "tells in the API server's audit log",
        "tells in the API server's own log",
        "tells-the-audit in the API server's audit log",
      ]),
    );
  });
});

describe('whatever else comes to a door of ours', () => {
  it('a review that is broken, or is sent by somebody else than the API server', async () => {
    const codes = await sendToWebhook(operator.webhookPort, canary);
    expect(codes).toEqual(expect.arrayContaining([200, 400, 404, 415]));
    await unheard();
  });

  it('a kubeconfig with which the operator does not start', async () => {
    const ends = await failingStart(places, stage.cluster.server, canary, plainCanary);
    expect(ends.map(({ code }) => code)).toEqual(ends.map(() => 1));
    expect(hits(secret, new Map(ends.map(({ name, output }) => [name, output])))).toEqual([]);
    for (const { output } of ends) expect(output).toMatch(/^cogniforge: /m);
  });
});

describe('an end of the operator', () => {
  /** The evaluation goes on for as long as its rule may take. */
  function underWay(name: string): void {
    patch('policyrule slow', { spec: { timeoutMilliseconds: 5_000 } });
    stage.must('wait --for=condition=Ready policyrule/slow --timeout=30s');
    const text = canary(name);
    for (let at = 0; at < 3; at += 1) inBackground(slowSecret(`${name}-${String(at)}`, text));
  }

  it('in the middle of an evaluation, by SIGTERM', async () => {
    underWay('shutdown');
    await untilBusy();
    await operator.stop();
    operator = await startOperator();
    await unheard();
  });

  it('in the middle of an evaluation, by a crash', async () => {
    underWay('crash');
    await untilBusy();
    process.kill(operator.pid, 'SIGABRT');
    await operator.stop();
    operator = await startOperator();
    await unheard();
  });

  it('and a Secret of ours that is no certificate any more when it comes back', async () => {
    await operator.stop();
    const [crt, key] = [canary('in the place of the certificate'), canary('in the place of the key')];
    const pem = (what: string, text: string): string =>
      `-----BEGIN ${what}-----\n${Buffer.from(text).toString('base64')}\n-----END ${what}-----\n`;
    const stringData = {
      'tls.crt': pem('CERTIFICATE', crt),
      'ca.crt': crt,
      'tls.key': pem('PRIVATE KEY', key),
    };
    patch('secret cogniforge-webhook-tls -n cogniforge-system', { stringData });
    operator = await startOperator();
    rememberKeys();
    expect(readFileSync(places.log, 'utf8')).toContain('the Secret holds no certificate');
    await unheard();
  });
});

/** As what the operator would leave in these places if it did. */
function plant(json: string): void {
  appendFileSync(places.log, `${json}\n`);
  appendFileSync(join(stage.cluster.folder, 'kube-apiserver-main.log'), `${json}\n`);
  writeFileSync(join(places.scratch, 'left-behind'), Buffer.from(json).toString('base64'));
  const involvedObject = { kind: 'PolicyRule', name: 'quiet', namespace: 'default' };
  stage.must('create -f -', {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'x', namespace: 'default' },
    involvedObject,
    message: json,
  });
  stage.must('create -f -', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', namespace: 'default' },
    data: { json },
  });
  stage.must('create -f -', {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'x', namespace: 'default', annotations: { json } },
  });
  patch('policyrule conflict --subresource=status', {
    status: { lastError: { message: json } },
  });
  patch('validatingwebhookconfiguration cogniforge', {
    metadata: { annotations: { json } },
  });
}

describe('the search', () => {
  it('looked where things are told', async () => {
    const marks: Record<string, string> = {
      'stdout and stderr': '"level":"debug"',
      Events: 'InForce',
      'objects of our kinds': '"lastError"',
      'ConfigMaps, the probe among them': 'kube-root-ca.crt',
      Leases: 'cogniforge.dev/report',
      'the webhook configuration': 'fail.admission.cogniforge.dev',
      '/metrics': 'rest_client_requests_total{code="200"',
      '/healthz and /readyz': '[+]caches ok',
      'the command line': 'controller',
      "the API server's audit log": 'PolicyViolation',
      "the API server's own log": 'apiserver',
    };
    const before = await collect(stage, places, operator);
    const blind = Object.entries(marks).filter(
      ([source, mark]) => before.get(source)?.includes(mark) !== true,
    );
    expect(blind).toEqual([]);
  });

  it('finds a canary that is planted in each of these places', async () => {
    const [text, plain] = [newCanary(), newPlainCanary()];
    plant(JSON.stringify({ text: `${text} ${plain}` }));
    // The audit log has the paths that were asked for.
    stage.kubectl(`get configmap ${plain}`);
    const found = hits(
      new Map([
        ['planted', text],
        ['planted too', plain],
      ]),
      await collect(stage, places, operator),
    );
    expect(new Set(found.map((hit) => hit.replace(/^.* in /, '')))).toEqual(
      new Set([
        'stdout and stderr',
        'temporary files',
        'Events',
        'objects of our kinds',
        'ConfigMaps, the probe among them',
        'Leases',
        'the webhook configuration',
        "the API server's audit log",
        "the API server's own log",
      ]),
    );
  });
});
