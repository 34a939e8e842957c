/** helm upgrade, rollback, uninstall and install again: resources and their status survive, nobody is refused. */
import { eventually, must, pause } from '../commands.ts';
import { faultless } from '../load.ts';
import { deployment, JUDGED, NAMESPACE, UNRELATED, USERS } from '../objects.ts';
import { untilFailsClosed, untilReady, webhooks, type Stage } from '../stage.ts';
import { install } from './install.ts';

const WAIT = ['--wait', '--timeout=3m', `--namespace=${NAMESPACE}`];

interface Rule {
  metadata: { name: string; uid: string };
  spec: object;
  status: { compiledRego?: string; conditions?: { type: string; status: string }[] };
}

export async function lifecycle(stage: Stage): Promise<string> {
  const before = await rules(stage);
  const { helm, settings } = stage;
  const figures: string[] = [];
  const step = async (during: string, command: () => Promise<unknown>): Promise<void> => {
    const load = stage.load(JUDGED);
    try {
      await command();
      await untilReady(stage);
      await pause(1);
    } finally {
      await load.stop();
    }
    figures.push(faultless(await load.stop(), during));
    expectSame(before, await rules(stage), during);
  };
  await step('upgrade', () =>
    must(helm('upgrade', 'cogniforge', 'charts/cogniforge', ...WAIT, ...settings, '--set=logLevel=debug')),
  );
  await step('rollback', () => must(helm('rollback', 'cogniforge', ...WAIT)));
  figures.push(await uninstall(stage));
  // The pack is the chart's: its rules go with it, those of users stay.
  const users = before.filter(({ metadata }) => !metadata.name.startsWith('pod-security-'));
  expectSame(users, await rules(stage), 'uninstall');
  await install(stage);
  await untilReady(stage);
  await must(stage.kubectl('wait --for=condition=Ready policyrule --all --timeout=60s'));
  await untilFailsClosed(stage);
  await eventually('the kept rule refuses again', async () => {
    const { text } = await stage.kubectl('create -f - --dry-run=server', deployment('bad', false));
    return text.includes('[require-health-checks]') ? true : undefined;
  });
  expectSame(users, await rules(stage), 're-install');
  return `${figures.join('; ')}; ${String(users.length)} rules of users and their status survived all of it`;
}

/** What runs goes on running, and whatever is created meanwhile is accepted. */
async function uninstall(stage: Stage): Promise<string> {
  const load = stage.load(UNRELATED);
  try {
    await must(stage.helm('uninstall', 'cogniforge', ...WAIT));
    await eventually('no webhook configuration is left', async () =>
      (await webhooks(stage)) === undefined ? true : undefined,
    );
    await must(stage.kubectl('create -f - --dry-run=server', deployment('bad', false)));
    await must(stage.kubectl(`rollout status deployment/shop -n ${USERS} --timeout=10s`));
    await pause(1);
  } finally {
    await load.stop();
  }
  return faultless(await load.stop(), 'uninstall');
}

async function rules({ kubectl }: Stage): Promise<Rule[]> {
  const { items } = JSON.parse(await must(kubectl('get policyrules -o json'))) as { items: Rule[] };
  return items;
}

function expectSame(before: readonly Rule[], after: readonly Rule[], during: string): void {
  for (const rule of before) {
    const now = after.find(({ metadata }) => metadata.uid === rule.metadata.uid);
    const what = `${during}: ${rule.metadata.name}`;
    if (now === undefined) throw new Error(`${what} is gone`);
    if (JSON.stringify(now.spec) !== JSON.stringify(rule.spec)) throw new Error(`${what} has another spec`);
    if (now.status.compiledRego !== rule.status.compiledRego)
      throw new Error(`${what} has another status: ${JSON.stringify(now.status)}`);
  }
}
