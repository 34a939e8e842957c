/** A certificate that somebody else renews (--webhook-cert-dir): another CA, under load, without a refused request. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { renew, type Bundle } from '../../../src/runtime/certificates.ts';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { startOperator, type Operator } from '../../cluster/operator.ts';
import { toolPath } from '../../cluster/tools.ts';
import { eventually, load, must, NAMESPACE, stageOf, type Stage } from './stage.ts';

let cluster: Cluster;
let stage: Stage;
let operator: Operator;
let folder: string;

const authority = (): Promise<Bundle> =>
  renew(undefined, { action: 'renewCa', why: 'test' }, ['127.0.0.1'], Date.now());

function write({ caCert, cert, key }: Bundle): void {
  writeFileSync(join(folder, 'ca.crt'), caCert);
  writeFileSync(join(folder, 'tls.crt'), cert);
  writeFileSync(join(folder, 'tls.key'), key);
}

/** For each CA whether every entry of the webhook configuration trusts it. */
function trusted(...authorities: Bundle[]): boolean[] {
  const bundles = (stage.configuration()?.webhooks ?? []).map(({ clientConfig }) =>
    Buffer.from(clientConfig.caBundle, 'base64').toString(),
  );
  return authorities.map(
    ({ caCert }) => bundles.length > 0 && bundles.every((text) => text.includes(caCert.trim())),
  );
}

/** Whether what the webhook serves now is of this CA. */
function served({ caCert }: Bundle): Promise<boolean> {
  const { url } = (stage.configuration()?.webhooks ?? [])[0]?.clientConfig as unknown as { url: string };
  return new Promise((resolve) => {
    const socket = connectTls({ host: '127.0.0.1', port: Number(new URL(url).port), ca: caCert }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

beforeAll(async () => {
  cluster = await startCluster();
  stage = await stageOf(cluster);
  folder = join(cluster.folder, 'certificate');
  mkdirSync(folder);
  must(stage.kubectl('apply --server-side -f crds'));
  must(stage.kubectl('wait --for=condition=Established crd --all --timeout=60s'));
  must(stage.kubectl(`create namespace ${NAMESPACE}`));
});

afterAll(async () => {
  await operator.stop();
  await cluster.stop();
});

it('is served only once the API server trusts it, with both CAs trusted meanwhile', async () => {
  const [before, after] = [await authority(), await authority()];
  write(before);
  process.env['COGNIFORGE_WEBHOOK_CERT_DIR'] = folder;
  operator = await startOperator({
    kubeconfig: cluster.kubeconfig,
    opa: await toolPath('opa'),
    logFile: join(cluster.folder, 'operator.log'),
  }).finally(() => Reflect.deleteProperty(process.env, 'COGNIFORGE_WEBHOOK_CERT_DIR'));
  must(
    stage.kubectl('apply -f -', {
      apiVersion: 'cogniforge.dev/v1alpha1',
      kind: 'PolicyRule',
      metadata: { name: 'fail-closed' },
      spec: {
        match: { kinds: [{ apiGroups: [''], kinds: ['ConfigMap'] }] },
        failurePolicy: 'Fail',
        rego: 'package closed\n\nviolation contains {"msg": "no"} if input.review.object.metadata.name == "blocked"',
      },
    }),
  );
  const closed = (): boolean =>
    stage.configuration()?.webhooks?.some(({ failurePolicy }) => failurePolicy === 'Fail') ?? false;
  await eventually('it fails closed', closed);
  expect(trusted(before, after)).toEqual([true, false]);
  expect(stage.kubectl(`get secret cogniforge-webhook-tls -n ${NAMESPACE}`).ok).toBe(false);
  const running = await load(cluster.kubeconfig, 'default');
  write(after);
  await eventually('both are trusted', () => trusted(before, after).every(Boolean), 75);
  expect(await served(before)).toBe(true);
  let switched = false;
  for (const deadline = Date.now() + 20_000; !switched && Date.now() < deadline;) {
    switched = await served(after);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  expect(switched).toBe(true);
  await eventually('it fails closed again', closed);
  const { accepted, refused } = await running.stop();
  expect(refused).toEqual([]);
  expect(accepted).toBeGreaterThan(500);
}, 180_000);
