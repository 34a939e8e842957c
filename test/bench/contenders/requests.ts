/**
 * How many reads a second a client gets through: 16 under way at once, for a fixed time, and the CPU time of each.
 * `--client cogniforge` is src/runtime, `--client client-node` the API classes that @kubernetes/client-node generates.
 * `--request configmap` reads an object; `version` asks for what costs the API server next to nothing.
 */
import { parseArgs } from 'node:util';
import { admin } from '../objects.ts';
import { CONFIG_MAP } from '../../../src/runtime/core-types.ts';

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: '' },
    client: { type: 'string', default: 'cogniforge' },
    request: { type: 'string', default: 'configmap' },
    namespace: { type: 'string', default: 'default' },
    name: { type: 'string', default: 'kube-root-ca.crt' },
    milliseconds: { type: 'string', default: '3000' },
  },
});
const AT_ONCE = 16;

const read = values.client === 'cogniforge' ? await ours() : await theirs();
await read();
const cpu = process.cpuUsage();
const started = performance.now();
const end = started + Number(values.milliseconds);
let requests = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (performance.now() < end) {
      await read();
      requests += 1;
    }
  }),
);
const perSecond = (requests * 1000) / (performance.now() - started);
const { user, system } = process.cpuUsage(cpu);
const report = { perSecond, cpuMicroseconds: (user + system) / requests };
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));

async function ours(): Promise<() => Promise<unknown>> {
  const { client } = await admin(values.kubeconfig);
  if (values.request === 'version') return () => client.raw('GET', '/version');
  return () => client.get(CONFIG_MAP, { name: values.name, namespace: values.namespace });
}

async function theirs(): Promise<() => Promise<unknown>> {
  const { CoreV1Api, KubeConfig, VersionApi } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(values.kubeconfig);
  if (values.request === 'version') {
    const version = config.makeApiClient(VersionApi);
    return () => version.getCode();
  }
  const api = config.makeApiClient(CoreV1Api);
  return () => api.readNamespacedConfigMap({ name: values.name, namespace: values.namespace });
}
