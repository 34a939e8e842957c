/** The runtime against controller-runtime (Go) and against the API classes of client-node, on one real API server. */
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { startCluster } from '../cluster/controlplane.ts';
import { peerBinary } from './peer.ts';
import { measure, pinned, type ContenderCommand } from './contender.ts';
import { median, type Figure } from './figures.ts';
import { admin, createObjects, installBenchKind, setAll } from './objects.ts';

export interface BenchOptions {
  samples: number;
  say: (line: string) => void;
}

export interface BenchResult {
  figures: Figure[];
  raw: unknown;
  /** a page of the documentation with these figures in it */
  written?: (page: string) => string;
}

interface Report {
  convergeMs: number;
  cpuMs: number;
  peakRssBytes: number;
  heapBytes: number;
  rssAfterBytes: number;
}

interface RequestReport {
  perSecond: number;
  /** of the client, for one request */
  cpuMicroseconds: number;
}

const OBJECTS = 5_000;
const FEW = 1_000;
const MANY = 11_000;
const HERE = import.meta.dirname;

export async function runtime({ samples, say }: BenchOptions): Promise<BenchResult> {
  const go = { name: 'controller-runtime', command: await peerBinary(say), args: [] };
  const cluster = await startCluster({ say });
  try {
    const { client } = await admin(cluster.kubeconfig);
    await installBenchKind(client);
    say(
      `contenders are ${pinned() ? 'pinned to one core' : 'not pinned: there is no taskset'}; creating objects ...`,
    );
    await createObjects(client, 'busy', OBJECTS);
    await createObjects(client, 'few', FEW);
    await createObjects(client, 'many', MANY);
    const on = `--kubeconfig=${cluster.kubeconfig}`;
    const raw: Record<string, Report[]> = {};
    const keep = (name: string, report: Report): void => {
      (raw[name] ??= []).push(report);
    };
    const requests: Record<string, RequestReport[]> = {};
    for (let sample = 1; sample <= samples; sample += 1) {
      for (const contender of [go, OURS]) {
        await setAll(client, 'busy', OBJECTS, sample * 10 + (contender === go ? 1 : 2));
        say(`sample ${String(sample)}/${String(samples)}: ${contender.name} ...`);
        keep(
          `${contender.name} converge`,
          await measure<Report>(contender, [
            on,
            `--count=${String(OBJECTS)}`,
            '--namespace=busy',
            '--workers=16',
          ]),
        );
        for (const [namespace, count] of [
          ['few', FEW],
          ['many', MANY],
        ] as const)
          keep(
            `${contender.name} ${namespace}`,
            await measure<Report>(contender, [
              on,
              `--count=${String(count)}`,
              `--namespace=${namespace}`,
              '--cache-only',
            ]),
          );
      }
      for (const request of ['configmap', 'version'])
        for (const client of ['cogniforge', 'client-node']) {
          const args = [on, `--client=${client}`, `--request=${request}`];
          (requests[`${client} ${request}`] ??= []).push(await measure<RequestReport>(REQUESTS, args));
        }
    }
    return { figures: [...figuresOf(raw, go.name), ...requestFigures(requests)], raw: { raw, requests } };
  } finally {
    await cluster.stop();
  }
}

/** The flags that bin/cogniforge.js starts the operator with. */
const { nodeFlags } = (packageJson as { config: { nodeFlags: string[] } }).config;

const OURS: ContenderCommand = {
  name: 'cogniforge',
  command: process.execPath,
  args: [
    ...nodeFlags,
    '--disable-warning=ExperimentalWarning',
    '--expose-gc',
    join(HERE, 'contenders', 'cogniforge.ts'),
  ],
};
const REQUESTS: ContenderCommand = {
  name: 'requests',
  command: process.execPath,
  args: ['--disable-warning=ExperimentalWarning', join(HERE, 'contenders', 'requests.ts')],
};

function figuresOf(raw: Readonly<Record<string, Report[]>>, peer: string): Figure[] {
  const middle = (contender: string, run: string, pick: (report: Report) => number): number =>
    median((raw[`${contender} ${run}`] ?? []).map(pick));
  const ratio = (name: string, most: number, value: (contender: string) => number): Figure => ({
    name,
    value: value(OURS.name) / value(peer),
    unit: 'x',
    target: { at: 'most', value: most },
  });
  const perObject = (contender: string, pick: (report: Report) => number): number =>
    (middle(contender, 'many', pick) - middle(contender, 'few', pick)) / (MANY - FEW);
  const plain = (name: string, unit: string, value: (contender: string) => number): Figure[] =>
    [OURS.name, peer].map((contender) => ({ name: `${name} ${contender}`, value: value(contender), unit }));
  const cpu = (contender: string): number => middle(contender, 'converge', ({ cpuMs }) => cpuMs / 1000);
  const converge = (contender: string): number =>
    middle(contender, 'converge', ({ convergeMs }) => convergeMs / 1000);
  const peak = (contender: string): number =>
    middle(contender, 'converge', ({ peakRssBytes }) => peakRssBytes / 1e6);
  const heap = (contender: string): number => perObject(contender, ({ heapBytes }) => heapBytes);
  const rss = (contender: string): number => perObject(contender, ({ rssAfterBytes }) => rssAfterBytes);
  return [
    ...plain('cpu', 's', cpu),
    ...plain('converge', 's', converge),
    ...plain('peak-rss', 'MB', peak),
    ...plain('heap-per-object', 'B', heap),
    ...plain('rss-per-object', 'B', rss),
    ratio('cpu-ratio', 1.2, cpu),
    ratio('converge-ratio', 1.2, converge),
    ratio('peak-rss-ratio', 2, peak),
    ratio('heap-per-object-ratio', 1, heap),
    ratio('rss-per-object-ratio', 1, rss),
  ];
}

/**
 * Reads of an object are bound by the API server where it has one core to itself (some 370 us of it each): what the
 * clients cost is told by the request that costs the server little, and by their CPU time.
 */
function requestFigures(reports: Readonly<Record<string, RequestReport[]>>): Figure[] {
  const middle = (key: string, pick: (report: RequestReport) => number): number =>
    median((reports[key] ?? []).map(pick));
  const over = (name: string, request: string, pick: (report: RequestReport) => number): Figure => ({
    name,
    value: middle(`cogniforge ${request}`, pick) / middle(`client-node ${request}`, pick),
    unit: 'x',
    target: { at: 'least', value: 10 },
  });
  const rate = ({ perSecond }: RequestReport): number => perSecond;
  const perCpuSecond = ({ cpuMicroseconds }: RequestReport): number => 1e6 / cpuMicroseconds;
  return [
    over('object-reads-over-client-node', 'configmap', rate),
    over('version-requests-over-client-node', 'version', rate),
    over('object-reads-per-cpu-over-client-node', 'configmap', perCpuSecond),
  ];
}
