/**
 * Names and labels as in controller-runtime v0.23.3: pkg/internal/controller/metrics/metrics.go,
 * pkg/internal/metrics/workqueue.go, pkg/metrics/{client_go_adapter,leaderelection}.go, pkg/webhook/internal/metrics.
 */
import { describe, expect, it } from '@jest/globals';
import { createMetrics } from '../../../src/runtime/metrics.ts';
import { WorkQueue } from '../../../src/runtime/queue.ts';
import { manualClock } from '../clock.ts';

const CONTROLLER_RUNTIME: Readonly<Record<string, readonly string[]>> = {
  controller_runtime_reconcile_total: ['controller', 'result'],
  controller_runtime_reconcile_errors_total: ['controller'],
  controller_runtime_terminal_reconcile_errors_total: ['controller'],
  controller_runtime_reconcile_panics_total: ['controller'],
  controller_runtime_reconcile_timeouts_total: ['controller'],
  controller_runtime_reconcile_time_seconds: ['controller'],
  controller_runtime_max_concurrent_reconciles: ['controller'],
  controller_runtime_active_workers: ['controller'],
  workqueue_depth: ['controller', 'name', 'priority'],
  workqueue_adds_total: ['controller', 'name'],
  workqueue_queue_duration_seconds: ['controller', 'name'],
  workqueue_work_duration_seconds: ['controller', 'name'],
  workqueue_unfinished_work_seconds: ['controller', 'name'],
  workqueue_longest_running_processor_seconds: ['controller', 'name'],
  workqueue_retries_total: ['controller', 'name'],
  rest_client_requests_total: ['code', 'host', 'method'],
  leader_election_master_status: ['name'],
  controller_runtime_webhook_requests_total: ['code', 'webhook'],
  controller_runtime_webhook_latency_seconds: ['webhook'],
  controller_runtime_webhook_requests_in_flight: ['webhook'],
};

/** series -> value, of what Prometheus would read */
async function scrape(metrics: ReturnType<typeof createMetrics>): Promise<Map<string, number>> {
  const text = await metrics.registry.metrics();
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
  );
}

function exercised() {
  const clock = manualClock();
  const metrics = createMetrics(clock);
  const { queue, controller } = metrics.controller('thing', 4);
  return { clock, metrics, queue, controller };
}

describe('metrics', () => {
  it('have the names and labels of controller-runtime', async () => {
    const { metrics, queue, controller } = exercised();
    queue.depth('live', 1);
    queue.added();
    queue.started(5)();
    queue.retried();
    controller.started();
    controller.finished('done', 5);
    metrics.request('GET', 200, 'host');
    metrics.leading('lease', true);
    const hook = metrics.webhook('/admit/fail');
    hook.started();
    hook.finished(200, 5);
    const found = new Map<string, Set<string>>();
    for (const series of (await scrape(metrics)).keys()) {
      const [, full = '', labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? [];
      const name = full.replace(/_(bucket|sum|count)$/, '');
      const names = [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label);
      const known = found.get(name) ?? new Set();
      for (const label of names) if (label !== 'le') known.add(label);
      found.set(name, known);
    }
    for (const [name, labels] of Object.entries(CONTROLLER_RUNTIME))
      expect([name, [...(found.get(name) ?? [])].toSorted()]).toEqual([name, labels]);
  });

  it('begin at zero, so that a rate sees the first', async () => {
    const { metrics } = exercised();
    metrics.webhook('/admit/fail');
    const series = await scrape(metrics);
    for (const result of ['success', 'error', 'requeue', 'requeue_after'])
      expect(series.get(`controller_runtime_reconcile_total{controller="thing",result="${result}"}`)).toBe(0);
    expect(series.get('controller_runtime_reconcile_errors_total{controller="thing"}')).toBe(0);
    expect(series.get('controller_runtime_webhook_requests_total{webhook="/admit/fail",code="500"}')).toBe(0);
  });

  it.each([
    ['done', undefined, 'success', []],
    ['wait', undefined, 'requeue_after', []],
    ['retry', undefined, 'error', ['reconcile_errors']],
    ['retry', 'exception', 'error', ['reconcile_errors', 'reconcile_panics']],
    ['retry', 'timeout', 'error', ['reconcile_errors', 'reconcile_timeouts']],
    ['stall', undefined, 'error', ['reconcile_errors', 'terminal_reconcile_errors']],
  ] as const)('count %s (%s) as controller-runtime does', async (type, mishap, result, also) => {
    const { metrics, controller } = exercised();
    controller.started();
    controller.finished(type, 1_500, mishap);
    const series = await scrape(metrics);
    expect(series.get(`controller_runtime_reconcile_total{controller="thing",result="${result}"}`)).toBe(1);
    for (const name of [
      'reconcile_errors',
      'reconcile_panics',
      'reconcile_timeouts',
      'terminal_reconcile_errors',
    ])
      expect(series.get(`controller_runtime_${name}_total{controller="thing"}`)).toBe(
        (also as readonly string[]).includes(name) ? 1 : 0,
      );
    expect(series.get('controller_runtime_reconcile_time_seconds_sum{controller="thing"}')).toBe(1.5);
    expect(series.get('controller_runtime_active_workers{controller="thing"}')).toBe(0);
  });

  it('tell of work that hangs while it hangs', async () => {
    const { metrics, clock, queue } = exercised();
    const labels = '{name="thing",controller="thing"}';
    const done = queue.started(0);
    clock.advance(10_000);
    const second = queue.started(0);
    clock.advance(5_000);
    const during = await scrape(metrics);
    expect(during.get(`workqueue_unfinished_work_seconds${labels}`)).toBe(20);
    expect(during.get(`workqueue_longest_running_processor_seconds${labels}`)).toBe(15);
    done();
    second();
    const after = await scrape(metrics);
    expect(after.get(`workqueue_unfinished_work_seconds${labels}`)).toBe(0);
    expect(after.get(`workqueue_longest_running_processor_seconds${labels}`)).toBe(0);
    expect(after.get(`workqueue_work_duration_seconds_sum${labels}`)).toBe(20);
  });

  it('follow a real queue: depth by priority, adds once a key, waiting and working times', async () => {
    const { metrics, clock, queue: observer } = exercised();
    const queue = new WorkQueue({
      clock,
      random: () => 1,
      backoff: { minMs: 10, maxMs: 10 },
      onReady: () => undefined,
      observer,
    });
    const labels = '{name="thing",controller="thing"}';
    const depths = async () => {
      const series = await scrape(metrics);
      return ['0', '-100'].map((priority) =>
        series.get(`workqueue_depth{name="thing",controller="thing",priority="${priority}"}`),
      );
    };
    for (const key of ['a', 'b', 'b']) queue.add(key, 'resync');
    queue.add('c');
    expect(await depths()).toEqual([1, 2]);
    // A promotion is no second key.
    queue.add('a');
    expect(await depths()).toEqual([2, 1]);
    clock.advance(2_000);
    const key = queue.take() ?? '';
    clock.advance(3_000);
    queue.retry(key);
    queue.done(key);
    const series = await scrape(metrics);
    expect(series.get(`workqueue_adds_total${labels}`)).toBe(3);
    expect(series.get(`workqueue_retries_total${labels}`)).toBe(1);
    expect(series.get(`workqueue_queue_duration_seconds_sum${labels}`)).toBe(2);
    expect(series.get(`workqueue_work_duration_seconds_sum${labels}`)).toBe(3);
    // A replica that does not lead any more has no queue.
    queue.stop();
    expect(await depths()).toEqual([0, 0]);
  });

  it('count requests as client-go does: a watch is a GET, no answer is <error>', async () => {
    const { metrics } = exercised();
    metrics.request('WATCH', 200, 'h');
    metrics.request('PATCH', 0, 'h');
    const series = await scrape(metrics);
    expect(series.get('rest_client_requests_total{code="200",method="GET",host="h"}')).toBe(1);
    expect(series.get('rest_client_requests_total{code="<error>",method="PATCH",host="h"}')).toBe(1);
  });

  it('say who leads, and count what the webhook answers', async () => {
    const { metrics } = exercised();
    metrics.leading('cogniforge', true);
    const hook = metrics.webhook('/admit/fail');
    hook.started();
    hook.started();
    hook.finished(200, 250);
    const series = await scrape(metrics);
    expect(series.get('leader_election_master_status{name="cogniforge"}')).toBe(1);
    expect(series.get('controller_runtime_webhook_requests_in_flight{webhook="/admit/fail"}')).toBe(1);
    expect(series.get('controller_runtime_webhook_requests_total{webhook="/admit/fail",code="200"}')).toBe(1);
    expect(series.get('controller_runtime_webhook_latency_seconds_sum{webhook="/admit/fail"}')).toBe(0.25);
    metrics.leading('cogniforge', false);
    expect((await scrape(metrics)).get('leader_election_master_status{name="cogniforge"}')).toBe(0);
  });
});
