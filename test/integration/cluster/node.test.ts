import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { writeProgramImage } from '../../cluster/node/images.ts';
import { explain, missing, thisMachine } from '../../cluster/node/requirements.ts';
import { controlGroupsOf, eventually, killProcessesOf, processesOf, temporaryFolder } from './traces.ts';
import { WEB_IMAGE, webObjects } from './web.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const COMMAND = join(HERE, '..', '..', 'cluster', 'cli.ts');
/** The first start on a machine builds the programs of the node. */
const BUILD_PATIENCE_MS = 900_000;

const lacks = missing(thisMachine());
if (lacks.length > 0)
  process.stderr.write(`SKIPPED test/integration/cluster/node.test.ts: ${explain(lacks)}\n`);
const describeNode = lacks.length === 0 ? describe : describe.skip;

let temporary: string;
let cluster: Cluster;
let before: object;

const say = (line: string): void => {
  if (line.startsWith('building')) process.stderr.write(`${line}\n`);
};

/** Whatever of the machine a node would like to have for itself. */
function machine(): object {
  const run = (command: string, ...args: string[]): string =>
    spawnSync(command, args, { encoding: 'utf8' }).stdout;
  return {
    routes: run('ip', 'route', 'show', 'table', 'all'),
    links: run('ip', '-o', 'link').replaceAll(/^\d+: (\S+):.*$/gm, '$1'),
    namespaces: run('ip', 'netns', 'list'),
    filters: [run('iptables-save'), run('ip6tables-save')].map((text) => text.replaceAll(/^#.*\n/gm, '')),
    mounts: readFileSync('/proc/self/mounts', 'utf8'),
    settings: ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops', 'net/ipv4/ip_forward'].map(
      (name) => readFileSync(join('/proc/sys', name), 'utf8'),
    ),
    folders: [
      '/var/log/containers',
      '/var/log/pods',
      '/var/lib/kubelet',
      '/var/lib/cni',
      '/run/containerd',
    ].map((path) => (existsSync(path) ? readdirSync(path) : 'none')),
  };
}

function kubectl(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(
    cluster.kubectl,
    ['--kubeconfig', cluster.kubeconfig, ...args],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function apply(objects: readonly object[]): void {
  const { status, stderr } = spawnSync(
    cluster.kubectl,
    ['--kubeconfig', cluster.kubeconfig, 'apply', '--filename=-'],
    { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }), encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
}

/** The text a URL answers with, asked from the node's network. */
function get(url: string): string {
  const script = `fetch(${JSON.stringify(url)}, { signal: AbortSignal.timeout(10_000) })
    .then((answer) => answer.text()).then((text) => process.stdout.write(text))`;
  const [command, ...args] = [...cluster.network, process.execPath, '-e', script];
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${url}: ${stderr}`);
  return stdout;
}

describeNode('a cluster with a real node', () => {
  let service: string;
  let pods: string[];

  beforeAll(async () => {
    temporary = temporaryFolder();
    before = machine();
    cluster = await startCluster({ node: true, folder: join(temporary, 'cluster'), say });
    const archive = join(temporary, 'web.tar');
    const program = { module: join(HERE, 'web') };
    await writeProgramImage({ reference: WEB_IMAGE, program }, archive, say);
    cluster.importImage(archive);
    const certificates = join(temporary, 'certificates');
    mkdirSync(certificates);
    apply(await webObjects(certificates));
    kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    service = kubectl('get', 'service', 'web', '--output=jsonpath={.spec.clusterIP}');
    pods = kubectl('get', 'pods', '--selector=app=web', '--output=jsonpath={.items[*].metadata.name}').split(
      ' ',
    );
  }, BUILD_PATIENCE_MS);

  afterAll(async () => {
    try {
      await cluster.stop();
    } finally {
      killProcessesOf(temporary);
      rmSync(temporary, { recursive: true, force: true });
    }
  });

  /** What the Service says when one of its pods fetches it. */
  const fetched = (url: string): string => get(`http://${service}/fetch?url=${encodeURIComponent(url)}`);

  it('is Ready', () => {
    const ready = '--output=jsonpath={.status.conditions[?(@.type=="Ready")].status}';
    expect(kubectl('get', 'node', 'node-1', ready)).toBe('True');
  });

  it('has waited with the rollout until the readiness probes held', () => {
    const path = '{.status.startTime} {.status.conditions[?(@.type=="Ready")].lastTransitionTime}';
    for (const pod of pods) {
      const [started = '', ready = ''] = kubectl('get', 'pod', pod, `--output=jsonpath=${path}`).split(' ');
      expect(Date.parse(ready) - Date.parse(started)).toBeGreaterThanOrEqual(2_000);
    }
  });

  it('spreads the calls of a ClusterIP over the pods, from the node and from a pod, by address and by name', () => {
    const answers = (url: string, ask: (url: string) => string): string[] => [
      ...new Set(Array.from({ length: 12 }, () => ask(url))),
    ];
    expect(answers(`http://${service}/name`, get).toSorted()).toEqual(pods.toSorted());
    expect(pods).toContain(fetched(`http://${service}/name`));
    expect(pods).toContain(fetched('http://web.default.svc.cluster.local/name'));
    expect(pods).toContain(fetched('http://web/name'));
  }, 60_000);

  it('gives pods a token, and an API server they can verify under both of its addresses', () => {
    for (const server of ['10.96.0.1', 'kubernetes.default.svc']) {
      // 403: known by its token, and not allowed to.
      expect(fetched(`https://${server}/api/v1/nodes`)).toContain('system:serviceaccount:default:default');
    }
    const port = new URL(cluster.server).port;
    expect(fetched(`https://10.77.0.1:${port}/version`)).toContain('"gitVersion": "v1.35');
    expect(fetched(`https://10.77.0.1:${port}/api/v1/nodes`)).toContain('default:default');
  });

  it('lets the API server call a webhook by its Service', () => {
    const create = (name: string, labels: object): void => {
      apply([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', labels } }]);
    };
    expect(() => {
      create('refused', { refuse: 'yes' });
    }).toThrow(/denied the request: refused by the pod web-/);
    create('allowed', {});
  });

  it('shows logs of pods', () => {
    expect(kubectl('logs', pods[0] ?? '')).toContain('serving');
  });

  it('refuses an image that is none', () => {
    expect(() => {
      cluster.importImage(join(HERE, 'web.ts'));
    }).toThrow(/could not be imported/);
  });

  it('has changed nothing of the machine', () => {
    expect(machine()).toEqual(before);
    expect(controlGroupsOf(cluster.folder)).not.toEqual([]);
    expect(processesOf(cluster.folder).join('\n')).toContain('/web');
  });

  it('leaves nothing when it is stopped', async () => {
    const { folder } = cluster;
    await cluster.stop();
    expect(processesOf(folder)).toEqual([]);
    expect(controlGroupsOf(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    expect(machine()).toEqual(before);
  }, 30_000);

  it('is one command: up --node, status, exec, up again, down', () => {
    const command = (...args: string[]): { status: number | null; stdout: string } =>
      spawnSync(process.execPath, [COMMAND, ...args], {
        encoding: 'utf8',
        env: { ...process.env, TMPDIR: temporary },
      });
    const first = command('up', '--node');
    const began = processesOf(temporary);
    try {
      expect(first.status).toBe(0);
      expect(command('status').stdout).toMatch(/node-1 +Ready/);
      expect(command('up', '--node')).toMatchObject({ status: 0, stdout: first.stdout });
      expect(processesOf(temporary)).toEqual(began);
      expect(command('exec', '--', 'ip', '-brief', 'address', 'show', 'node0').stdout).toContain(
        '10.77.0.1/24',
      );
    } finally {
      expect(command('down').status).toBe(0);
    }
    expect(processesOf(temporary)).toEqual([]);
    expect(readdirSync(temporary).filter((name) => name.includes('cluster-'))).toEqual([]);
    expect(machine()).toEqual(before);
  }, 120_000);

  it('leaves nothing when its parent is killed', async () => {
    const folder = join(temporary, 'orphan');
    const parent = spawn(process.execPath, [join(HERE, 'parent.ts'), folder, 'node'], { stdio: 'pipe' });
    await once(parent.stdout, 'data');
    expect(processesOf(folder).join('\n')).toMatch(/coredns/);
    const gone = once(parent, 'exit');
    parent.kill('SIGKILL');
    await gone;
    await eventually(() => !existsSync(folder) && processesOf(folder).length === 0, 20_000);
    expect(processesOf(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    expect(controlGroupsOf(folder)).toEqual([]);
    expect(machine()).toEqual(before);
  }, 120_000);
});
