/**
 * `npm run e2e [-- --kubeconfig FILE]`: the image and the chart on a real node, from outside, with the real kubectl and
 * helm. One line a scenario; the last line is `N passed, N failed, N skipped`.
 *
 * With --kubeconfig the cluster is somebody's own (kind, for one), its nodes have the image already (deploy/kind), and
 * nothing of CogniForge may be installed in it.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/runtime/clock.ts';
import { connect } from '../../src/runtime/connect.ts';
import { messageOf } from '../../src/runtime/errors.ts';
import { startCluster, type Cluster } from '../cluster/controlplane.ts';
import { explain, missing, thisMachine } from '../cluster/node/requirements.ts';
import { toolPath } from '../cluster/tools.ts';
import { commandsOf, secondsSince } from './commands.ts';
import { IMAGE, NAMESPACE } from './objects.ts';
import { closed } from './scenarios/closed.ts';
import { installs } from './scenarios/install.ts';
import { lifecycle } from './scenarios/lifecycle.ts';
import { network } from './scenarios/network.ts';
import { restarts } from './scenarios/restarts.ts';
import { rights } from './scenarios/rights.ts';
import { beginRotation, type Rotation } from './scenarios/rotation.ts';
import { logs, stageOf, type Stage } from './stage.ts';

type Scenario = readonly [name: string, run: (stage: Stage) => Promise<string>];

/** A rotation takes minutes: what else there is to see is looked at meanwhile. */
let rotation: Rotation | undefined;

const SCENARIOS: readonly Scenario[] = [
  ['install', installs],
  ['network policy', network],
  [
    'rotation begins',
    async (stage) => {
      rotation = await beginRotation(stage);
      return 'the API server trusts the CA before and the one that comes';
    },
  ],
  ['restarts', restarts],
  ['rights', rights],
  ['nobody serves', closed],
  ['certificate rotation', () => rotation?.end() ?? Promise.reject(new Error('it has not begun'))],
  ['lifecycle', lifecycle],
];

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const { values } = parseArgs({ options: { kubeconfig: { type: 'string' } } });
const lacks = values.kubeconfig === undefined ? missing(thisMachine()) : [];
if (lacks.length > 0) {
  say(`SKIPPED npm run e2e: ${explain(lacks)}`);
  say(`0 passed, 0 failed, ${String(SCENARIOS.length)} skipped`);
} else {
  process.exitCode = await withCluster(values.kubeconfig);
}

async function withCluster(kubeconfig: string | undefined): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'cogniforge-e2e-'));
  let cluster: Cluster | undefined;
  try {
    if (kubeconfig === undefined) cluster = await ownCluster(folder);
    return await runScenarios(await prepare(kubeconfig ?? cluster?.kubeconfig ?? '', folder));
  } finally {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ownCluster(folder: string): Promise<Cluster> {
  const archive = join(folder, 'image.tar');
  const script = join('scripts', 'image.ts');
  const image = spawnSync(process.execPath, [script, '--output', archive], { encoding: 'utf8' });
  if (image.status !== 0) throw new Error(`the image was not written: ${image.stdout}${image.stderr}`);
  say(image.stdout.trim());
  const cluster = await startCluster({ node: true, say });
  cluster.importImage(archive);
  rmSync(archive);
  return cluster;
}

async function prepare(kubeconfig: string, folder: string): Promise<Stage> {
  const tools = { kubectl: await toolPath('kubectl', say), helm: await toolPath('helm', say) };
  const { client, endpoint } = await connect(
    { kubeconfig, context: undefined },
    {},
    systemClock,
    () => undefined,
  );
  say(`cluster ${endpoint.server} (context ${endpoint.context}), image ${IMAGE}, namespace ${NAMESPACE}`);
  return stageOf({
    ...commandsOf({ ...tools, kubeconfig, folder }),
    ...{ client, kubeconfig, kubectlPath: tools.kubectl },
    settings: ['--set=image.pullPolicy=Never,policies.podSecurity.enabled=true'],
  });
}

async function runScenarios(stage: Stage): Promise<number> {
  const score = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, run] of SCENARIOS) {
    // The rest stands on the installation, and says nothing without it.
    if (score.failed > 0 && score.passed === 0) {
      score.skipped += 1;
      say(`e2e ${name}: SKIPPED, for the installation failed`);
      continue;
    }
    const started = performance.now();
    try {
      const figure = await run(stage);
      score.passed += 1;
      say(`e2e ${name}: ok in ${String(secondsSince(started))} s: ${figure}`);
    } catch (error) {
      score.failed += 1;
      say(`e2e ${name}: FAILED after ${String(secondsSince(started))} s: ${messageOf(error)}`);
      say(await evidence(stage));
    }
  }
  say(`${String(score.passed)} passed, ${String(score.failed)} failed, ${String(score.skipped)} skipped`);
  return score.failed === 0 ? 0 : 1;
}

/** What one would look at first. */
async function evidence(stage: Stage): Promise<string> {
  const looks = [`get pods -n ${NAMESPACE} -o wide`, `get events -n ${NAMESPACE} --sort-by=.lastTimestamp`];
  const texts = await Promise.all(looks.map((look) => stage.kubectl(look)));
  const log = (await logs(stage).catch(messageOf)).split('\n').slice(-30);
  return [...texts.map(({ text }) => text.split('\n').slice(-20).join('\n')), ...log].join('\n');
}
