/** The Secret of the webhook's certificate, on a real API server: made once, made anew when it is gone. */
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/runtime/clock.ts';
import { caBundleOf, currentBundle, type Bundle } from '../../../src/runtime/certificates.ts';
import type { Client } from '../../../src/runtime/client.ts';
import { connect } from '../../../src/runtime/connect.ts';
import { createLog } from '../../../src/runtime/log.ts';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { SECRET } from '../../../src/runtime/core-types.ts';

const KEY = { name: 'webhook-tls', namespace: 'default' };

let cluster: Cluster;
let client: Client;

const look = (served?: Bundle): Promise<Bundle> =>
  currentBundle({
    ...{ client, namespace: KEY.namespace, secretName: KEY.name, names: ['hook.ns.svc'] },
    ...{ clock: systemClock, log: createLog('error'), served },
  });

const published = (bundle: Bundle): string => Buffer.from(caBundleOf(bundle), 'base64').toString();

beforeAll(async () => {
  cluster = await startCluster();
  ({ client } = await connect(
    { kubeconfig: cluster.kubeconfig, context: undefined },
    {},
    systemClock,
    () => undefined,
  ));
});

beforeEach(async () => {
  await client.delete(SECRET, KEY).catch(() => undefined);
});

afterAll(() => cluster.stop());

it('is made by one of the replicas that start together; all serve the same', async () => {
  const [first, ...others] = await Promise.all([look(), look(), look()]);
  expect(others).toEqual([first, first]);
  expect(await look()).toEqual(first);
});

it('is made anew with another CA when it was deleted, and the CA of what is served stays published', async () => {
  const before = await look();
  await client.delete(SECRET, KEY);
  const after = await look(before);
  expect(after.caCert).not.toBe(before.caCert);
  expect(after.previousCa).toBe(before.caCert);
  // The API server is told of the new CA before a leaf of it is served.
  expect(after.cert).toBe(before.cert);
  expect(published(after)).toContain(before.caCert.trim());
  expect(await look(before)).toEqual(after);
});

it('goes on with a rotation that is under way when it is deleted again', async () => {
  const first = await look();
  await client.delete(SECRET, KEY);
  const second = await look(first);
  await client.delete(SECRET, KEY);
  expect(await look(second)).toEqual(second);
});

it('keeps the CA of what is served published when somebody has emptied the Secret', async () => {
  const before = await look();
  await client.patch(SECRET, KEY, { type: 'merge', body: { data: { 'ca.crt': '', 'tls.crt': '' } } });
  expect(published(await look(before))).toContain(before.caCert.trim());
});
