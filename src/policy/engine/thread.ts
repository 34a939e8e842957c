/** One worker thread as the pool sees it: what it has loaded, whether it is busy, how it ended. */
import { Worker } from 'node:worker_threads';
import type { Answer, Order, WorkerSettings } from './protocol.ts';

export interface ThreadEvents {
  answered: (answer: Answer) => void;
  /** it is gone, whoever ended it; `error` when it ended by itself */
  ended: (error: Error | undefined) => void;
}

/** Beside the modules: strings, compiled code. */
const HEAP_MEGABYTES = 256;

/** The worker is a sibling with our own extension: .ts in development, .js in the image. */
const WORKER = new URL(`./worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

export class Thread {
  readonly loaded = new Set<string>();
  ready = false;
  readonly #worker: Worker;
  #over = false;

  constructor(settings: WorkerSettings, events: ThreadEvents) {
    this.#worker = new Worker(WORKER, {
      workerData: settings,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
    });
    this.#worker.on('message', (answer: Answer) => {
      // What was in the mail when it was terminated is nobody's answer any more.
      if (!this.#over) events.answered(answer);
    });
    const end = (error: Error | undefined): void => {
      if (this.#over) return;
      this.#over = true;
      events.ended(error);
    };
    this.#worker.once('error', end);
    this.#worker.once('exit', (code) => {
      end(new Error(`the worker exited with ${String(code)}`));
    });
  }

  send(order: Order): void {
    this.#worker.postMessage(order);
  }

  /** Ends it at once, whatever it is doing; `ended` is not told. */
  async terminate(): Promise<void> {
    this.#over = true;
    await this.#worker.terminate();
  }
}
