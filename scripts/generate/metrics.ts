/** The table of metrics in docs/operations.md: what the registry of the process holds, and nothing else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { between } from './between.ts';

export const OPERATIONS_DOC = 'docs/operations.md';

export function withMetrics(root: string): Map<string, string> {
  const page = readFileSync(join(root, OPERATIONS_DOC), 'utf8');
  const table = metricsTable();
  return new Map([
    [OPERATIONS_DOC, between(page, 'metrics', 'src/runtime/metrics.ts', table, OPERATIONS_DOC)],
  ]);
}

export interface Family {
  name: string;
  type: string;
  labels: readonly string[];
  help: string;
}

/** The families that a process exposes, in the order of their names. */
export function families(): Family[] {
  const { registry } = createMetrics();
  return registry
    .getMetricsAsArray()
    .map(({ name, help }) => {
      // prom-client's types leave out what each of its metrics has.
      const metric = registry.getSingleMetric(name) as unknown as { labelNames: string[]; type: string };
      return { name, type: metric.type, labels: metric.labelNames, help };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function metricsTable(): string {
  const rows = families().map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help.replaceAll('|', '\\|').replace(/([^.])$/, '$1.')} |`,
  );
  return ['| metric | type | labels | what it is |', '|---|---|---|---|', ...rows].join('\n');
}
