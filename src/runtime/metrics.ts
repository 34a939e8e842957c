/**
 * Prometheus metrics under the names of controller-runtime, so that its dashboards and alerts work unchanged.
 * Labels are kinds, verbs and codes, never names of resources: their number is bounded.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { ControllerObserver } from './controller.ts';
import type { QueueObserver } from './queue.ts';

export interface Metrics {
  registry: Registry;
  controller(name: string, concurrency: number): { queue: QueueObserver; controller: ControllerObserver };
  request: (method: string, code: number, host: string) => void;
  webhook(path: string): { started(): void; finished(code: number, tookMs: number): void };
  leading(lease: string, leading: boolean): void;
}

/** Seconds; the buckets of controller-runtime, without its finest steps. */
const RECONCILE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const WEBHOOK_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const controllers = controllerMetrics(registers);
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server; code 0: no answer.',
    labelNames: ['method', 'code', 'host'],
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
    controller: controllers,
    request: (method, code, host) => {
      requests.inc({ method, code, host });
    },
    webhook: webhooks,
    leading: (name, leading) => {
      leader.set({ name }, leading ? 1 : 0);
    },
  };
}

function controllerMetrics(registers: Registry[]): Metrics['controller'] {
  const queue = queueMetrics(registers);
  const controller = reconcileMetrics(registers);
  return (name, concurrency) => ({ queue: queue(name), controller: controller(name, concurrency) });
}

function reconcileMetrics(registers: Registry[]): (name: string, concurrency: number) => ControllerObserver {
  const labelNames = ['controller'] as const;
  const total = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciliations by result.',
    labelNames: ['controller', 'result'],
    registers,
  });
  const errors = new Counter({
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Reconciliations that failed.',
    labelNames,
    registers,
  });
  const time = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Length of a reconciliation.',
    labelNames,
    buckets: RECONCILE_BUCKETS,
    registers,
  });
  const workers = new Gauge({
    name: 'controller_runtime_max_concurrent_reconciles',
    help: 'Workers of a controller.',
    labelNames,
    registers,
  });
  const active = new Gauge({
    name: 'controller_runtime_active_workers',
    help: 'Workers at work.',
    labelNames,
    registers,
  });
  const result = { done: 'success', wait: 'requeue_after', retry: 'error', stall: 'terminal_error' } as const;
  return (controller, concurrency) => {
    workers.set({ controller }, concurrency);
    return {
      started: () => {
        active.inc({ controller });
      },
      finished: (type, tookMs) => {
        active.dec({ controller });
        total.inc({ controller, result: result[type] });
        if (type === 'retry') errors.inc({ controller });
        time.observe({ controller }, tookMs / 1000);
      },
    };
  };
}

function queueMetrics(registers: Registry[]): (name: string) => QueueObserver {
  const labelNames = ['name', 'controller'] as const;
  const depth = new Gauge({
    name: 'workqueue_depth',
    help: 'Keys waiting.',
    labelNames,
    registers,
  });
  const adds = new Counter({
    name: 'workqueue_adds_total',
    help: 'Keys added.',
    labelNames,
    registers,
  });
  const waited = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'Time a key waited.',
    labelNames,
    buckets: RECONCILE_BUCKETS,
    registers,
  });
  const retries = new Counter({
    name: 'workqueue_retries_total',
    help: 'Keys put back after a failure.',
    labelNames,
    registers,
  });
  return (name) => {
    const labels = { name, controller: name };
    return {
      added: (size) => {
        adds.inc(labels);
        depth.set(labels, size);
      },
      started: (waitedMs, size) => {
        waited.observe(labels, waitedMs / 1000);
        depth.set(labels, size);
      },
      retried: () => {
        retries.inc(labels);
      },
    };
  };
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
  return (webhook) => ({
    started: () => {
      inFlight.inc({ webhook });
    },
    finished: (code, tookMs) => {
      inFlight.dec({ webhook });
      total.inc({ webhook, code });
      latency.observe({ webhook }, tookMs / 1000);
    },
  });
}
