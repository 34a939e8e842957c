/** How the real process ends: under load, told twice, and in front of an API server that does not answer. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { join } from 'node:path';
import { type as POLICY_RULE } from '../../../src/policy/policyrule/crd.gen.ts';
import type { Client } from '../../../src/runtime/client.ts';
import { LEASE } from '../../../src/runtime/leader.ts';
import type { KubernetesObject } from '../../../src/runtime/resource.ts';
import { admin } from '../../bench/objects.ts';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { forbids, prepare, rule } from './prepare.ts';
import { ask, spawnOperator, until, type OperatorProcess } from './process.ts';

const NAMESPACE = 'cogniforge-system';
const GRACE_MS = 30_000;

let cluster: Cluster;
let client: Client;
let operator: OperatorProcess;
let serial = 0;

beforeAll(async () => {
  cluster = await startCluster();
  ({ client } = await admin(cluster.kubeconfig));
  await prepare(client, cluster);
  await client.create(POLICY_RULE, rule('no-secret', forbids('secret')));
});

afterEach(async () => {
  operator.child.kill('SIGKILL');
  await operator.exited;
});

afterAll(() => cluster.stop());

interface Lease extends KubernetesObject {
  spec: { holderIdentity?: string; renewTime?: string };
}

async function holder(): Promise<string> {
  const lease = await client.get<Lease>(LEASE, { name: 'cogniforge', namespace: NAMESPACE });
  return lease.spec.holderIdentity ?? '';
}

/** An operator that leads and whose rule is in force. */
async function leading(): Promise<OperatorProcess> {
  serial += 1;
  const started = await spawnOperator(
    cluster.kubeconfig,
    join(cluster.folder, `operator-${String(serial)}.log`),
  );
  operator = started;
  await until('it is ready', async () => (await started.readiness()) === 200);
  await until('it leads', () => started.log().includes('"msg":"leading"'));
  return started;
}

/** A review whose body comes in two halves: it is under way for as long as the test wants. */
function slowReview(port: number): { sent: Promise<void>; finish(): void; answer: Promise<string> } {
  const body = JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'slow',
      operation: 'CREATE',
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      name: 'x',
      namespace: 'default',
      userInfo: { username: 'somebody' },
      object: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'x', namespace: 'default' },
        data: { secret: 'y' },
      },
    },
  });
  const call = request({
    host: '127.0.0.1',
    port,
    path: '/admit/ignore?timeout=10s',
    method: 'POST',
    agent: false,
    rejectUnauthorized: false,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  });
  const answer = new Promise<string>((resolve, reject) => {
    call.once('error', reject);
    call.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        resolve(Buffer.concat(chunks).toString('utf8'));
      });
    });
  });
  const sent = new Promise<void>((resolve) =>
    call.write(body.slice(0, 100), () => {
      resolve();
    }),
  );
  return { sent, finish: () => call.end(body.slice(100)), answer };
}

describe('while it runs', () => {
  beforeAll(async () => {
    for (let at = 0; at < 4; at += 1)
      await client.apply(POLICY_RULE, rule(`late-${String(at)}`, forbids(`late${String(at)}`)), {
        fieldManager: 'test',
      });
  });

  it('it is not ready until the rules are compiled, shows its metrics, and logs no credential', async () => {
    serial += 1;
    operator = await spawnOperator(
      cluster.kubeconfig,
      join(cluster.folder, `operator-${String(serial)}.log`),
    );
    const seen = new Set<string>();
    await until('it is ready', async () => {
      const { code, text } = await ask(operator.healthPort, '/readyz');
      for (const [, name = ''] of text.matchAll(/^\[-\](\w+) failed/gm)) seen.add(name);
      return code === 200;
    });
    expect([...seen]).toContain('services');
    expect((await ask(operator.healthPort, '/healthz')).code).toBe(200);
    await until('it leads', () => operator.log().includes('"msg":"leading"'));
    const { code, text } = await ask(operator.healthPort, '/metrics');
    expect(code).toBe(200);
    expect(text).toMatch(/^leader_election_master_status\{name="cogniforge"\} 1$/m);
    expect(text).toMatch(/^rest_client_requests_total\{code="200",method="GET",host="[^"]+"\} \d+$/m);
    expect(text).toMatch(/^controller_runtime_max_concurrent_reconciles\{controller="policyrule"\} 4$/m);
    operator.child.kill('SIGTERM');
    await operator.exited;
    const { token, key } = credentials();
    expect(operator.log()).toContain('"msg":"stopped"');
    expect(operator.log()).not.toContain(token);
    expect(key.length).toBeGreaterThan(100);
    expect(operator.log()).not.toContain(key.slice(0, 60));
    expect(operator.log()).not.toContain('PRIVATE KEY');
  });
});

describe('SIGTERM', () => {
  it('under an open admission request: it is answered, the lease released, the exit code 0', async () => {
    const { child, webhookPort, exited, readiness, log } = await leading();
    const review = slowReview(webhookPort);
    await review.sent;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const from = performance.now();
    child.kill('SIGTERM');
    await until('it is not ready any more', async () => (await readiness()) === 503, 5);
    await until('the lease is released', async () => (await holder()) === '', 10);
    // Whoever comes to the webhook now is not let in; whoever is inside is served.
    await until('no new connection is accepted', () => refused(webhookPort), 10);
    review.finish();
    const verdict = JSON.parse(await review.answer) as { response: { uid: string; allowed: boolean } };
    expect(verdict.response).toMatchObject({ uid: 'slow', allowed: false });
    const { code, signal, at } = await exited;
    expect([code, signal]).toEqual([0, null]);
    expect(at - from).toBeLessThan(GRACE_MS);
    expect(log()).toContain('"msg":"stopped"');
    // Its last word to the others: it does not count any more.
    const { items } = await client.list<Lease>(LEASE, { namespace: NAMESPACE });
    const replica = items.find(({ metadata }) => metadata.name.startsWith('cogniforge-replica-'));
    expect(Date.now() - Date.parse(replica?.spec.renewTime ?? '')).toBeGreaterThan(39_000);
  });

  it('twice: it ends at once', async () => {
    const { child, webhookPort, exited } = await leading();
    const review = slowReview(webhookPort);
    review.answer.catch(() => undefined);
    await review.sent;
    child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const from = performance.now();
    child.kill('SIGTERM');
    expect((await exited).at - from).toBeLessThan(2_000);
  });

  it('in front of an API server that does not answer, under a request that never ends: within 30 s', async () => {
    const { child, webhookPort, exited } = await leading();
    const pid = cluster.pids.find((candidate) => commandOf(candidate).includes('kube-apiserver'));
    if (pid === undefined) throw new Error('no API server among the processes');
    const review = slowReview(webhookPort);
    review.answer.catch(() => undefined);
    await review.sent;
    await new Promise((resolve) => setTimeout(resolve, 300));
    process.kill(pid, 'SIGSTOP');
    try {
      const from = performance.now();
      child.kill('SIGTERM');
      const { code, at } = await exited;
      expect(code).toBe(0);
      expect(at - from).toBeLessThan(GRACE_MS);
      process.stderr.write(`shutdown: with all that hangs after ${((at - from) / 1000).toFixed(1)} s\n`);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});

/** The token it came with, and the private key it serves with, in base64. */
function credentials(): { token: string; key: string } {
  const config = JSON.parse(readFileSync(cluster.kubeconfig, 'utf8')) as {
    users: [{ user: { token: string } }];
  };
  const secret = [
    '-n',
    NAMESPACE,
    'get',
    'secret',
    'cogniforge-webhook-tls',
    '-o',
    'jsonpath={.data.tls\\.key}',
  ];
  const key = execFileSync(cluster.kubectl, ['--kubeconfig', cluster.kubeconfig, ...secret]).toString('utf8');
  return { token: config.users[0].user.token, key };
}

function refused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => {
      resolve(true);
    });
  });
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').split('\0')[0] ?? '';
  } catch {
    return '';
  }
}
