/** What every scenario stands on: the cluster, its commands, and what is asked of the operator in it. */
import type { Client } from '../../src/runtime/client.ts';
import { eventually, must, type Commands } from './commands.ts';
import { startLoad, type Ask, type Load } from './load.ts';
import { NAMESPACE } from './objects.ts';

export interface Stage extends Commands {
  client: Client;
  kubeconfig: string;
  /** path of kubectl, for what goes on while other things happen */
  kubectlPath: string;
  /** what `helm install` and `helm upgrade` are given besides the chart */
  settings: readonly string[];
  /** a load on admission, 20 requests a second */
  load: (asks: readonly Ask[]) => Load;
}

export const PER_SECOND = 20;

export function stageOf(parts: Omit<Stage, 'load'>): Stage {
  return { ...parts, load: (asks) => startLoad(parts.client, asks, PER_SECOND) };
}

export const OPERATOR = `-n ${NAMESPACE} -l app.kubernetes.io/component=operator`;

export interface Pod {
  metadata: { name: string; uid: string; deletionTimestamp?: string };
  spec: { nodeName?: string };
  status: {
    podIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { restartCount: number; containerID?: string }[];
  };
}

export async function operatorPods({ kubectl }: Stage): Promise<Pod[]> {
  const { items } = JSON.parse(await must(kubectl(`get pods ${OPERATOR} -o json`))) as { items: Pod[] };
  return items;
}

export function isReady({ metadata, status }: Pod): boolean {
  const ready = status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True');
  return metadata.deletionTimestamp === undefined && ready === true;
}

/** Resolves when that many replicas are Ready and no others are left. */
export function untilReady(stage: Stage, replicas = 2, seconds = 90): Promise<Pod[]> {
  return eventually(
    `${String(replicas)} replicas Ready`,
    async () => {
      const pods = await operatorPods(stage);
      return pods.length === replicas && pods.every(isReady) ? pods : undefined;
    },
    seconds,
  );
}

/** The replica that leads, as its Lease says: `POD-ID`, where the id is another one after each start. */
export async function leader({ kubectl }: Stage): Promise<string> {
  return must(kubectl(`get lease cogniforge -n ${NAMESPACE} -o jsonpath={.spec.holderIdentity}`));
}

export function podOf(identity: string): string {
  return identity.replace(/-[0-9a-f]{8}$/, '');
}

export interface WebhookEntry {
  name: string;
  failurePolicy: string;
  clientConfig: { caBundle?: string };
}

/** Undefined where there is no webhook configuration. */
export async function webhooks({ kubectl }: Stage): Promise<WebhookEntry[] | undefined> {
  const { ok, text } = await kubectl(
    'get validatingwebhookconfiguration cogniforge --ignore-not-found -o json',
  );
  if (!ok) throw new Error(text);
  if (text.trim() === '') return undefined;
  return (JSON.parse(text) as { webhooks?: WebhookEntry[] }).webhooks ?? [];
}

export function untilFailsClosed(stage: Stage): Promise<true> {
  return eventually('the webhook fails closed', async () => {
    const entries = await webhooks(stage);
    return entries?.some(({ failurePolicy }) => failurePolicy === 'Fail') === true ? true : undefined;
  });
}

/** Everything the present replicas have logged. */
export async function logs(stage: Stage): Promise<string> {
  const texts = await Promise.all(
    (await operatorPods(stage)).map(({ metadata: { name } }) =>
      stage.kubectl(`logs -n ${NAMESPACE} ${name} --all-containers --tail=-1`),
    ),
  );
  return texts.map(({ text }) => text).join('\n');
}
