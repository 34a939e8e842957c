/** Replicas go, by the book and not: admission answers on, and the second replica takes over. */
import { eventually, must, pause } from '../commands.ts';
import { faultless } from '../load.ts';
import { IMAGE, JUDGED, NAMESPACE } from '../objects.ts';
import { leader, operatorPods, podOf, untilReady, type Pod, type Stage } from '../stage.ts';

/** The Lease's duration and one retry (DESIGN: 15/10/2 s). */
const MOST_SECONDS = 17;

export async function restarts(stage: Stage): Promise<string> {
  const figures = [
    await underLoad(stage, 'rolling restart', async () => {
      await must(stage.kubectl(`rollout restart deployment/cogniforge -n ${NAMESPACE}`));
      await must(stage.kubectl(`rollout status deployment/cogniforge -n ${NAMESPACE} --timeout=120s`));
    }),
    await underLoad(stage, 'leader pod deleted', async () => {
      await must(stage.kubectl(`delete pod ${podOf(await leader(stage))} -n ${NAMESPACE}`));
    }),
    await underLoad(stage, 'drain', () => drain(stage)),
    await kill(stage),
  ];
  return figures.join('; ');
}

async function underLoad(stage: Stage, during: string, work: () => Promise<void>): Promise<string> {
  await untilReady(stage);
  const load = stage.load(JUDGED);
  try {
    await pause(1);
    await work();
    await untilReady(stage);
    await pause(1);
  } finally {
    await load.stop();
  }
  return faultless(await load.stop(), during);
}

/**
 * Of each node that has a replica. Where there is no other node the PodDisruptionBudget holds the drain up when one
 * replica is gone, for the next one has no place: the node is given back, and the drain goes on.
 */
async function drain(stage: Stage): Promise<void> {
  const nodes = new Set((await operatorPods(stage)).flatMap(({ spec }) => spec.nodeName ?? []));
  for (const node of nodes) {
    const before = new Set((await operatorPods(stage)).map(({ metadata }) => metadata.uid));
    const options = '--ignore-daemonsets --delete-emptydir-data --timeout=120s';
    const selector = '--pod-selector=app.kubernetes.io/component=operator';
    const done = must(stage.kubectl(`drain ${node} ${options} ${selector}`));
    // A failure is told by the await below.
    done.catch(() => undefined);
    try {
      await eventually('the first replica is evicted', async () => {
        const left = (await operatorPods(stage)).filter(
          ({ metadata: { uid, deletionTimestamp } }) => before.has(uid) && deletionTimestamp === undefined,
        );
        return left.length < before.size ? true : undefined;
      });
    } finally {
      await must(stage.kubectl(`uncordon ${node}`));
    }
    await done;
  }
}

/** SIGKILL to the leader's process: no pod is deleted, nobody is told. */
async function kill(stage: Stage): Promise<string> {
  await untilReady(stage);
  const before = await leader(stage);
  const victim = await podNamed(stage, podOf(before));
  await must(stage.kubectl('create -f -', killer(victim.metadata.uid, victim.spec.nodeName ?? '')));
  const load = stage.load(JUDGED);
  try {
    const after = await eventually('another replica leads', async () => {
      const holder = await leader(stage);
      return holder !== '' && holder !== before ? holder : undefined;
    });
    const killed = Number(await must(stage.kubectl('logs killer -n kube-system')));
    const seconds = Math.round((Date.now() - killed) / 100) / 10;
    if (restartsOf(await podNamed(stage, podOf(before))) === restartsOf(victim))
      throw new Error(`${before} was not killed`);
    if (seconds > MOST_SECONDS) throw new Error(`taken over after ${String(seconds)} s`);
    await untilReady(stage);
    const { sent, wrong } = await load.stop();
    const other = podOf(after) === podOf(before) ? 'the same pod, started anew' : 'the other replica';
    return `kill -9: ${other} leads after ${String(seconds)} s, ${String(wrong.length)} of ${String(sent)} requests refused meanwhile (fail closed)`;
  } finally {
    await load.stop();
    await stage.kubectl(`delete pod killer -n kube-system`);
  }
}

async function podNamed(stage: Stage, name: string): Promise<Pod> {
  const pod = (await operatorPods(stage)).find(({ metadata }) => metadata.name === name);
  if (pod === undefined) throw new Error(`there is no pod ${name}`);
  return pod;
}

function restartsOf({ status }: Pod): number {
  return status.containerStatuses?.[0]?.restartCount ?? 0;
}

/** Only from outside its own process namespace can a first process be killed so. */
function killer(uid: string, nodeName: string): object {
  const script = `
    const { readdirSync, readFileSync } = require('node:fs');
    const ours = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).filter((pid) => {
      try {
        return readFileSync('/proc/' + pid + '/cgroup', 'utf8').replaceAll('_', '-').includes('${uid}')
          && readFileSync('/proc/' + pid + '/cmdline', 'utf8').includes('controller');
      } catch { return false; }
    });
    if (ours.length === 0) throw new Error('no such process');
    console.log(Date.now());
    for (const pid of ours) process.kill(Number(pid), 'SIGKILL');`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    // The namespace of users forbids what this pod needs: the rules there are about the security of pods.
    metadata: { name: 'killer', namespace: 'kube-system' },
    spec: {
      hostPID: true,
      restartPolicy: 'Never',
      nodeName,
      containers: [
        {
          name: 'killer',
          image: IMAGE,
          imagePullPolicy: 'Never',
          command: ['/usr/bin/node', '-e', script],
          securityContext: { runAsUser: 0, privileged: true },
        },
      ],
    },
  };
}
