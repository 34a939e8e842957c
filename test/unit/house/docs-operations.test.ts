/** docs/operations.md names exactly the metrics and alerts that there are, and the alerts ask for what exists. */
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createMetrics } from '../../../src/runtime/metrics.ts';
import { asked, chartAlerts } from './chart-alerts.ts';

const page = readFileSync('docs/operations.md', 'utf8');
const alerts = chartAlerts();

/** Labels that Prometheus gives to what it scrapes. */
const SCRAPED = ['job', 'namespace', 'pod', 'instance', 'service', 'endpoint', 'container'];
const PARTS = { _bucket: ['le'], _sum: [], _count: [] } as const;

interface Metric {
  type: string;
  labels: readonly string[];
}

async function exposed(): Promise<Map<string, Metric>> {
  const { registry } = createMetrics();
  const found = new Map<string, Metric>();
  for (const { name, type } of await registry.getMetricsAsJSON()) {
    // Not in its types, and only samples show them else: most metrics have none yet.
    const { labelNames } = registry.getSingleMetric(name) as unknown as { labelNames: string[] };
    found.set(name, { type: String(type), labels: labelNames });
  }
  return found;
}

/** Every series name with its labels, a histogram's three included. */
function series(metrics: ReadonlyMap<string, Metric>): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>([['up', []]]);
  for (const [name, { type, labels }] of metrics) {
    if (type !== 'histogram') found.set(name, labels);
    else
      for (const [suffix, more] of Object.entries(PARTS)) found.set(`${name}${suffix}`, [...labels, ...more]);
  }
  return found;
}

function between(marker: string): string {
  return page.split(`<!-- ${marker}: begin -->`)[1]?.split(`<!-- ${marker}: end -->`)[0] ?? '';
}

describe('the table of metrics', () => {
  const rows = [...between('metrics').matchAll(/^\| `([^`]+)` \| (\w+) \| (.*?) \| (.*) \|$/gm)];

  it('has name, type and labels of each metric that the process exposes, and no other', async () => {
    const told = rows.map(([, name = '', type = '', labels = '']) => [
      name,
      { type, labels: [...labels.matchAll(/`([^`]+)`/g)].map(([, label]) => label) },
    ]);
    const wanted = [...(await exposed())];
    expect(wanted.length).toBeGreaterThan(40);
    expect(told).toEqual(wanted);
  });

  it('says what each means', () => {
    expect(
      rows.filter(([, , , , meaning = '']) => !/^[A-Z0-9].*[.]$/.test(meaning)).map(([row]) => row),
    ).toEqual([]);
  });
});

describe('the alerts', () => {
  it('have each a section, with severity and patience, and no section is of none', () => {
    const [, chapter = ''] = page.split(/^## Alerts$/m);
    const [own = ''] = chapter.split(/^## /m);
    const sections = [...own.matchAll(/^### (\w+)\n\n(\w+), after (\w+)\. (\S)/gm)].map(
      ([, alert, severity, patience]) => [alert, severity?.toLowerCase(), patience],
    );
    expect(alerts.length).toBeGreaterThanOrEqual(7);
    expect(sections).toEqual(
      alerts.map(({ alert, labels, for: patience }) => [alert, labels.severity, patience]),
    );
    expect([...own.matchAll(/^### /gm)]).toHaveLength(alerts.length);
  });

  it.each(alerts)('$alert asks for series that exist, by labels that they have', async ({ expr }) => {
    const known = series(await exposed());
    const { selectors, grouping, errors } = asked(expr);
    expect(errors).toEqual([]);
    expect(selectors.length).toBeGreaterThan(0);
    for (const { metric, matchers } of selectors) {
      expect([...known.keys()]).toContain(metric);
      const labels = [...SCRAPED, ...(known.get(metric) ?? [])];
      expect(labels).toEqual(expect.arrayContaining([...matchers.map(({ label }) => label), ...grouping]));
      expect(matchers.map(({ label }) => label)).toEqual(expect.arrayContaining(['job', 'namespace']));
    }
  });

  it('of failed requests counts what was not answered, as it is counted', async () => {
    const metrics = createMetrics();
    for (const code of [0, 200, 404, 429, 503]) metrics.request('GET', code, 'h');
    const { values = [] } =
      (await metrics.registry.getSingleMetric('rest_client_requests_total')?.get()) ?? {};
    const { expr = '' } = alerts.find(({ alert }) => alert === 'CogniForgeApiServerErrors') ?? {};
    const pattern = asked(expr).selectors[0]?.matchers.find(({ label }) => label === 'code')?.value;
    const failed = new RegExp(`^(?:${pattern ?? ''})$`);
    const codes = values.map(({ labels }) => String(labels['code']));
    expect(codes.filter((code) => failed.test(code))).toEqual(['<error>', '503']);
  });

  it('of slow admission looks at the roads that objects of others come by, and at no other', () => {
    const { expr = '' } = alerts.find(({ alert }) => alert === 'CogniForgeAdmissionSlow') ?? {};
    const pattern = asked(expr).selectors[0]?.matchers.find(({ label }) => label === 'webhook')?.value;
    const roads = new RegExp(`^(?:${pattern ?? ''})$`);
    const paths = ['/admit/fail', '/admit/ignore', '/validate/policyrule', '/probe'];
    expect(paths.filter((path) => roads.test(path))).toEqual(['/admit/fail', '/admit/ignore']);
  });
});
