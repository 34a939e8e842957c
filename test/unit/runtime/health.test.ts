import { afterEach, expect, it } from '@jest/globals';
import { serveHealth, type HealthServer } from '../../../src/runtime/health.ts';
import { createMetrics } from '../../../src/runtime/metrics.ts';

let server: HealthServer | undefined;

afterEach(async () => {
  await server?.close();
});

async function ask(path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${String(server?.port)}${path}`);
  return { status: response.status, text: await response.text() };
}

async function serve(problem: string | undefined) {
  const metrics = createMetrics();
  server = await serveHealth({
    host: '127.0.0.1',
    port: 0,
    live: { process: () => undefined },
    ready: { caches: () => problem, policies: () => undefined },
    metrics: metrics.registry,
  });
  return metrics;
}

it('/metrics gives what was counted', async () => {
  const metrics = await serve(undefined);
  metrics.leading('cogniforge', true);
  const { status, text } = await ask('/metrics');
  expect(status).toBe(200);
  expect(text.split('\n')).toContain('leader_election_master_status{name="cogniforge"} 1');
});

it.each([
  ['/healthz', undefined, 200, '[+]process ok\n'],
  ['/readyz', undefined, 200, '[+]caches ok\n[+]policies ok\n'],
  ['/readyz', 'waiting for v1/Pod', 503, '[-]caches failed: waiting for v1/Pod\n[+]policies ok\n'],
  ['/', undefined, 404, 'try /healthz, /readyz or /metrics\n'],
])('%s with the problem %s answers %i', async (path, problem, status, text) => {
  await serve(problem);
  expect(await ask(path)).toEqual({ status, text });
});
