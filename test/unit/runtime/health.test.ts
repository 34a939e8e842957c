import { afterEach, describe, expect, it } from '@jest/globals';
import { serveHealth, type Check, type HealthServer } from '../../../src/runtime/health.ts';
import { createMetrics } from '../../../src/runtime/metrics.ts';

let server: HealthServer;

afterEach(() => server.close());

async function serving(checks: {
  live?: Record<string, Check>;
  ready?: Record<string, Check>;
}): Promise<void> {
  server = await serveHealth({
    host: '127.0.0.1',
    port: 0,
    live: checks.live ?? {},
    ready: checks.ready ?? {},
    metrics: createMetrics().registry,
  });
}

async function get(path: string): Promise<{ code: number; text: string; type: string | null }> {
  const answer = await fetch(`http://127.0.0.1:${String(server.port)}${path}`);
  return { code: answer.status, text: await answer.text(), type: answer.headers.get('content-type') };
}

describe('the health port', () => {
  it('says what is missing, check by check, with 503', async () => {
    let waiting: string | undefined = 'waiting for v1/Secret';
    await serving({ ready: { caches: () => waiting, policies: () => undefined } });
    expect(await get('/readyz?verbose')).toMatchObject({
      code: 503,
      text: '[-]caches failed: waiting for v1/Secret\n[+]policies ok\n',
    });
    waiting = undefined;
    expect(await get('/readyz')).toMatchObject({ code: 200, text: '[+]caches ok\n[+]policies ok\n' });
  });

  it('keeps being alive apart from being ready', async () => {
    await serving({ live: { process: () => undefined }, ready: { shutdown: () => 'shutting down' } });
    expect((await get('/healthz')).code).toBe(200);
    expect((await get('/readyz')).code).toBe(503);
  });

  it('takes a check that throws for a failed one, and lives on', async () => {
    await serving({
      live: {
        broken: () => {
          throw new Error('the check broke');
        },
      },
    });
    for (let times = 0; times < 2; times += 1)
      expect(await get('/healthz')).toMatchObject({ code: 503, text: '[-]broken failed: the check broke\n' });
  });

  it('serves the metrics of a real registry', async () => {
    await serving({});
    const { code, text, type } = await get('/metrics');
    expect(code).toBe(200);
    expect(type).toContain('text/plain; version=0.0.4');
    expect(text).toContain('process_cpu_seconds_total');
  });

  it('answers other paths with what there is', async () => {
    await serving({});
    expect(await get('/')).toMatchObject({ code: 404, text: 'try /healthz, /readyz or /metrics\n' });
  });
});
