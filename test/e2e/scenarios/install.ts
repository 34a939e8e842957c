/** One command, and a bad Deployment is refused through the in-cluster Service; a good one runs its Pods. */
import { eventually, must, secondsSince } from '../commands.ts';
import { deployment, EVERY_POD, NAMESPACE, USERS } from '../objects.ts';
import { untilFailsClosed, untilReady, webhooks, type Stage } from '../stage.ts';

const CHART = 'charts/cogniforge';
const QUICKSTART = 'deploy/examples/quickstart';

export function install({ helm, settings }: Stage): Promise<string> {
  const into = [`--namespace=${NAMESPACE}`, '--create-namespace', '--wait', '--timeout=3m'];
  return must(helm('install', 'cogniforge', CHART, ...into, ...settings));
}

export async function installs(stage: Stage): Promise<string> {
  const { kubectl } = stage;
  const started = performance.now();
  await must(kubectl(`create namespace ${USERS}`));
  await install(stage);
  await untilReady(stage);
  const ready = secondsSince(started);
  // What the chart brings refuses already: nothing else was applied.
  const shop = deployment('shop', false);
  const [container] = shop.spec.template.spec.containers;
  const privileged = structuredClone(shop);
  privileged.spec.template.spec.containers = [
    { ...container, securityContext: { privileged: true } },
  ] as unknown as typeof privileged.spec.template.spec.containers;
  await eventually('a privileged Deployment is refused', async () => {
    const { ok, text } = await kubectl('create -f - --dry-run=server', privileged);
    return !ok && text.includes('[pod-security-privileged] container "web" must not set') ? true : undefined;
  });
  await must(kubectl(`apply -f ${QUICKSTART}/rule.yaml`));
  await must(kubectl('wait --for=condition=Ready policyrule/require-health-checks --timeout=60s'));
  const refusal = await eventually('a Deployment without probes is refused', async () => {
    const { ok, text } = await kubectl('apply -f -', shop);
    return ok ? undefined : text;
  });
  if (!refusal.includes('[require-health-checks] Deployments must have health checks configured'))
    throw new Error(`refused with another sentence: ${refusal}`);
  await must(kubectl('apply -f -', deployment('shop', true)));
  await must(kubectl(`rollout status deployment/shop -n ${USERS} --timeout=60s`));
  await failClosed(stage);
  const services = (await webhooks(stage))?.every(({ clientConfig }) => 'service' in clientConfig);
  if (services !== true) throw new Error('the API server was not told to use the Service');
  return `2 replicas Ready ${String(ready)} s after the command; refused by the Service, the good one runs`;
}

/** From here on the rules fail closed, one of them about every Pod. */
async function failClosed(stage: Stage): Promise<void> {
  const patch = JSON.stringify({ spec: { failurePolicy: 'Fail' } });
  await must(
    stage.kubectl(['patch', 'policyrule', 'require-health-checks', '--type=merge', `--patch=${patch}`]),
  );
  await must(stage.kubectl('apply -f -', EVERY_POD));
  await must(stage.kubectl('wait --for=condition=Ready policyrule --all --timeout=60s'));
  await untilFailsClosed(stage);
}
