/** No replica at all while a rule fails closed: what it costs, how to get out of it, and that it ends by itself. */
import { eventually, must, secondsSince } from '../commands.ts';
import { deployment, JUDGED, NAMESPACE, UNRELATED } from '../objects.ts';
import { startLoad, type Ask } from '../load.ts';
import { untilFailsClosed, untilReady, webhooks, type Stage } from '../stage.ts';

export async function closed(stage: Stage): Promise<string> {
  const alone = await away(stage, () => Promise.resolve());
  const freed = await away(stage, async () => {
    await must(stage.kubectl('delete validatingwebhookconfiguration cogniforge'));
    await must(stage.kubectl('create -f - --dry-run=server', deployment('bad', false)));
    if ((await webhooks(stage)) !== undefined) throw new Error('the configuration came back on its own');
  });
  return `recovers alone ${String(alone)} s after scaling up; after the break-glass everything is accepted, and it is back ${String(freed)} s after scaling up`;
}

/** Scales to 0, does `meanwhile`, scales up; resolves with the seconds until everything is as before. */
async function away(stage: Stage, meanwhile: () => Promise<void>): Promise<number> {
  await scale(stage, 0);
  const refusal = await eventually('it fails closed', async () => {
    const { ok, text } = await stage.kubectl('create -f - --dry-run=server', deployment('good', true));
    return ok ? undefined : text;
  });
  if (!/failed calling webhook "fail[^"]*\.admission\.cogniforge\.dev"/.test(refusal))
    throw new Error(`refused with another sentence: ${refusal}`);
  await answers(stage, UNRELATED);
  await meanwhile();
  const started = performance.now();
  await scale(stage, 2);
  await untilReady(stage);
  await untilFailsClosed(stage);
  await eventually('the rule refuses again', async () => {
    const { text } = await stage.kubectl('create -f - --dry-run=server', deployment('bad', false));
    return text.includes('[require-health-checks]') ? true : undefined;
  });
  const seconds = secondsSince(started);
  await answers(stage, JUDGED);
  return seconds;
}

async function scale(stage: Stage, replicas: number): Promise<void> {
  await must(stage.kubectl(`scale deployment/cogniforge -n ${NAMESPACE} --replicas=${String(replicas)}`));
  if (replicas === 0) await untilReady(stage, 0);
}

async function answers({ client }: Stage, asks: readonly Ask[]): Promise<void> {
  const load = startLoad(client, asks, 20);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const { sent, wrong } = await load.stop();
  if (wrong[0] !== undefined) throw new Error(`${String(wrong.length)} of ${String(sent)}: ${wrong[0]}`);
}
