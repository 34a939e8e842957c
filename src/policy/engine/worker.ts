/** A worker thread that evaluates policies, one order at a time; it may be terminated at any moment. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Instance, createInstance, sortError } from './instance.ts';
import type { Answer, Order, WorkerSettings } from './protocol.ts';

/** An instance that has grown beyond this is given back: memory of Wasm never shrinks. */
const KEEP_BYTES = 16 * 2 ** 20;

const { memoryMaximum } = workerData as WorkerSettings;
const modules = new Map<string, WebAssembly.Module>();
const instances = new Map<string, Instance>();

function answer(message: Answer): void {
  parentPort?.postMessage(message);
}

function instanceOf(id: string): Instance {
  const known = instances.get(id);
  if (known !== undefined) return known;
  const module = modules.get(id);
  if (module === undefined) throw new Error(`policy ${id} is not loaded`);
  const instance = createInstance(module, memoryMaximum);
  instances.set(id, instance);
  return instance;
}

function evaluate({ id, input, data, nowMs }: Order & { type: 'evaluate' }): Answer {
  try {
    const instance = instanceOf(id);
    const text = instance.evaluate(input, data, nowMs);
    if (instance.size() > KEEP_BYTES) instances.delete(id);
    return { type: 'result', text };
  } catch (error) {
    // Its heap may be in any state.
    instances.delete(id);
    return { type: 'failed', ...sortError(error) };
  }
}

function load({ id, module }: Order & { type: 'load' }): Answer {
  try {
    modules.set(id, module);
    // Instantiated here, so that it does not count against the deadline of the first evaluation.
    instanceOf(id);
    return { type: 'loaded' };
  } catch (error) {
    return { type: 'failed', ...sortError(error) };
  }
}

parentPort?.on('message', (order: Order) => {
  switch (order.type) {
    case 'load':
      answer(load(order));
      break;
    case 'unload':
      modules.delete(order.id);
      instances.delete(order.id);
      break;
    case 'evaluate':
      answer(evaluate(order));
      break;
  }
});
answer({ type: 'ready' });
