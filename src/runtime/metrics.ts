/**
 * Prometheus metrics under the names of controller-runtime, so that its dashboards and alerts work unchanged.
 * Labels are kinds, verbs and codes, never names of resources: their number is bounded.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { systemClock, type Clock } from './clock.ts';
import type { ControllerObserver } from './controller.ts';
import type { Priority, QueueObserver } from './queue.ts';

export interface Metrics {
  registry: Registry;
  controller(name: string, concurrency: number): { queue: QueueObserver; controller: ControllerObserver };
  /** `code` 0: there was no answer */
  request: (method: string, code: number, host: string) => void;
  webhook(path: string): { started(): void; finished(code: number, tookMs: number): void };
  leading(lease: string, leading: boolean): void;
}

/** Seconds; the buckets of controller-runtime, without its finest steps. */
const RECONCILE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const WEBHOOK_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(clock: Clock = systemClock): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const controllers = controllerMetrics(registers);
  const queues = queueMetrics(registers, clock);
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server; code <error>: no answer.',
    labelNames: ['code', 'method', 'host'],
    registers,
  });
  const webhooks = webhookMetrics(registers);
  const leader = new Gauge({
    name: 'leader_election_master_status',
    help: '1 on the leader.',
    labelNames: ['name'],
    registers,
  });
  return {
    registry,
    controller: (name, concurrency) => ({ queue: queues(name), controller: controllers(name, concurrency) }),
    request: (method, code, host) => {
      // As client-go counts: a watch is a GET.
      const verb = method === 'WATCH' ? 'GET' : method;
      requests.inc({ code: code === 0 ? '<error>' : code, method: verb, host });
    },
    webhook: webhooks,
    leading: (name, leading) => {
      leader.set({ name }, leading ? 1 : 0);
    },
  };
}

/** controller-runtime's words: a stall is what it calls a terminal error. */
const RESULT = { done: 'success', wait: 'requeue_after', retry: 'error', stall: 'error' } as const;

function controllerMetrics(
  registers: Registry[],
): (controller: string, concurrency: number) => ControllerObserver {
  const labelNames = ['controller'] as const;
  const total = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciliations by result.',
    labelNames: ['controller', 'result'],
    registers,
  });
  const counter = (what: string, help: string) =>
    new Counter({ name: `controller_runtime_${what}_total`, help, labelNames, registers });
  const errors = counter('reconcile_errors', 'Reconciliations that failed.');
  const terminal = counter('terminal_reconcile_errors', 'Reconciliations that only an edit can help.');
  const panics = counter('reconcile_panics', 'Reconciliations that threw by a fault of ours.');
  const timeouts = counter('reconcile_timeouts', 'Reconciliations that were aborted for taking too long.');
  const time = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Length of a reconciliation.',
    labelNames,
    buckets: RECONCILE_BUCKETS,
    registers,
  });
  const gauge = (what: string, help: string) =>
    new Gauge({ name: `controller_runtime_${what}`, help, labelNames, registers });
  const workers = gauge('max_concurrent_reconciles', 'Workers of a controller.');
  const active = gauge('active_workers', 'Workers at work.');
  return (controller, concurrency) => {
    workers.set({ controller }, concurrency);
    active.set({ controller }, 0);
    // A rate over a series that begins at 1 misses the first: all begin at 0.
    for (const result of ['error', 'requeue_after', 'requeue', 'success'])
      total.inc({ controller, result }, 0);
    for (const family of [errors, terminal, panics, timeouts]) family.inc({ controller }, 0);
    return {
      started: () => {
        active.inc({ controller });
      },
      finished: (type, tookMs, mishap) => {
        active.dec({ controller });
        total.inc({ controller, result: RESULT[type] });
        if (RESULT[type] === 'error') errors.inc({ controller });
        if (type === 'stall') terminal.inc({ controller });
        if (mishap === 'exception') panics.inc({ controller });
        if (mishap === 'timeout') timeouts.inc({ controller });
        time.observe({ controller }, tookMs / 1000);
      },
    };
  };
}

/** The numbers that controller-runtime gives to its two priorities. */
const PRIORITY: Readonly<Record<Priority, string>> = { live: '0', resync: '-100' };

function queueMetrics(registers: Registry[], clock: Clock): (controller: string) => QueueObserver {
  const labelNames = ['name', 'controller'] as const;
  const depth = new Gauge({
    name: 'workqueue_depth',
    help: 'Keys waiting.',
    labelNames: [...labelNames, 'priority'],
    registers,
  });
  const counter = (what: string, help: string) =>
    new Counter({ name: `workqueue_${what}`, help, labelNames, registers });
  const adds = counter('adds_total', 'Keys added.');
  const retries = counter('retries_total', 'Keys put back after a failure.');
  const histogram = (what: string, help: string) =>
    new Histogram({ name: `workqueue_${what}`, help, labelNames, buckets: RECONCILE_BUCKETS, registers });
  const waited = histogram('queue_duration_seconds', 'Time a key waited.');
  const worked = histogram('work_duration_seconds', 'Time a worker had a key.');
  const underway = workUnderWay(registers, clock);
  return (controller) => {
    const labels = { name: controller, controller };
    const started = new Set<{ since: number }>();
    underway.set(controller, started);
    for (const family of [adds, retries]) family.inc(labels, 0);
    return {
      depth: (priority, keys) => {
        depth.set({ ...labels, priority: PRIORITY[priority] }, keys);
      },
      added: () => {
        adds.inc(labels);
      },
      started: (waitedMs) => {
        waited.observe(labels, waitedMs / 1000);
        const entry = { since: clock.monotonic() };
        started.add(entry);
        return () => {
          started.delete(entry);
          worked.observe(labels, (clock.monotonic() - entry.since) / 1000);
        };
      },
      retried: () => {
        retries.inc(labels);
      },
    };
  };
}

/** controller -> since when each of its keys has been with a worker, and the two gauges that look at it. */
function workUnderWay(registers: Registry[], clock: Clock): Map<string, Set<{ since: number }>> {
  const underway = new Map<string, Set<{ since: number }>>();
  const agesOf = (started: ReadonlySet<{ since: number }>): number[] =>
    [...started].map(({ since }) => (clock.monotonic() - since) / 1000);
  const ages = (what: string, help: string, merge: (seconds: number[]) => number) =>
    new Gauge({
      name: `workqueue_${what}`,
      help,
      labelNames: ['name', 'controller'] as const,
      registers,
      // Computed when asked for: a key that hangs tells nobody.
      collect() {
        for (const [controller, started] of underway)
          this.set({ name: controller, controller }, merge(agesOf(started)));
      },
    });
  ages('unfinished_work_seconds', 'How long the keys that are with workers have been there, summed.', (all) =>
    all.reduce((sum, age) => sum + age, 0),
  );
  ages('longest_running_processor_seconds', 'How long the longest of them has been there.', (all) =>
    Math.max(0, ...all),
  );
  return underway;
}

function webhookMetrics(registers: Registry[]): Metrics['webhook'] {
  const total = new Counter({
    name: 'controller_runtime_webhook_requests_total',
    help: 'Admission requests by HTTP status.',
    labelNames: ['webhook', 'code'],
    registers,
  });
  const latency = new Histogram({
    name: 'controller_runtime_webhook_latency_seconds',
    help: 'Time to answer an admission request.',
    labelNames: ['webhook'],
    buckets: WEBHOOK_BUCKETS,
    registers,
  });
  const inFlight = new Gauge({
    name: 'controller_runtime_webhook_requests_in_flight',
    help: 'Admission requests under way.',
    labelNames: ['webhook'],
    registers,
  });
  const seen = new Set<string>();
  return (webhook) => {
    if (!seen.has(webhook)) for (const code of ['200', '500']) total.inc({ webhook, code }, 0);
    seen.add(webhook);
    return {
      started: () => {
        inFlight.inc({ webhook });
      },
      finished: (code, tookMs) => {
        inFlight.dec({ webhook });
        total.inc({ webhook, code });
        latency.observe({ webhook }, tookMs / 1000);
      },
    };
  };
}
