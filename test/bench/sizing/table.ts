/** The table of docs/operations.md, of what `npm run bench -- sizing --json FILE` has written. */
import type { Measured } from './stage.ts';

export type Stage = Measured & { namespaces: number };

const MARKERS = /(<!-- sizing: begin -->)[^]*(<!-- sizing: end -->)/;

const COLUMNS: readonly [string, (stage: Stage) => string][] = [
  ['rules', ({ rules }) => String(rules)],
  ['namespaces', ({ namespaces }) => String(namespaces)],
  [
    'in force after',
    ({ allReadyS, inForce }) =>
      allReadyS === undefined ? `(${String(inForce)} when given up)` : `${rounded(allReadyS)} s`,
  ],
  ['CPU of the start', ({ startCpuS }) => `${rounded(startCpuS)} s`],
  ['peak', ({ peakMb }) => `${rounded(peakMb)} MB`],
  ['at rest', ({ steadyMb }) => `${rounded(steadyMb)} MB`],
  ['CPU at rest', ({ idleCpu }) => `${rounded(idleCpu)} ms/s`],
  ['after load', ({ loadMb }) => `${rounded(loadMb)} MB`],
  ['CPU under load', ({ loadCpu }) => `${rounded(loadCpu)} ms/s`],
  ['request p50', ({ latencyMs }) => `${rounded(latencyMs.p50)} ms`],
  ['request p99', ({ latencyMs }) => `${rounded(latencyMs.p99)} ms`],
  ['webhook p99', ({ webhook }) => `<= ${rounded(bound(webhook, 0.99) * 1000)} ms`],
  ['one more rule', ({ oneMoreS }) => (oneMoreS === undefined ? '-' : `${rounded(oneMoreS)} s`)],
];

/** The page with the table between its markers; throws where it has none. */
export function withTable(page: string, stages: readonly Stage[]): string {
  if (!MARKERS.test(page)) throw new Error('the page has no markers for the table of sizes');
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [
    row(COLUMNS.map(([name]) => name)),
    row(COLUMNS.map(() => '---:')),
    ...stages.map((stage) => row(COLUMNS.map(([, cell]) => cell(stage)))),
  ];
  return page.replace(MARKERS, (_whole, begin: string, end: string) =>
    [begin, '', ...lines, '', end].join('\n'),
  );
}

/** Seconds: the upper bound of the bucket of /admit/ignore, which all rules of the bench come by, that holds the quantile. */
function bound(metrics: readonly string[], q: number): number {
  const buckets = metrics.flatMap((line) => {
    const [, le, count] =
      /_latency_seconds_bucket\{le="([^"]+)",webhook="\/admit\/ignore"\} (\d+)$/.exec(line) ?? [];
    return le === undefined ? [] : [{ le: le === '+Inf' ? Infinity : Number(le), count: Number(count) }];
  });
  const all = Math.max(0, ...buckets.map(({ count }) => count));
  return buckets.find(({ count }) => count >= q * all)?.le ?? Infinity;
}

/** Three significant digits, whole numbers in full. */
function rounded(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
