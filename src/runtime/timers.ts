/** Many deadlines, one timer: a binary heap of wake-ups, at most one for each key. */
import type { Clock, Timer } from './clock.ts';

interface Entry {
  key: string;
  /** monotonic ms */
  at: number;
  cancelled: boolean;
}

export class Timers {
  readonly #clock: Clock;
  readonly #fire: (key: string) => void;
  readonly #heap: Entry[] = [];
  readonly #entries = new Map<string, Entry>();
  #timer: Timer | undefined;
  #armedFor = Infinity;

  constructor(clock: Clock, fire: (key: string) => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Wakes the key in `ms`; replaces the wake-up it had. */
  set(key: string, ms: number): void {
    this.cancel(key);
    const entry = { key, at: this.#clock.monotonic() + ms, cancelled: false };
    this.#entries.set(key, entry);
    this.#push(entry);
    this.#arm();
  }

  cancel(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    // Left in the heap until its time comes: removal from the middle would cost more than skipping it.
    entry.cancelled = true;
    this.#entries.delete(key);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedFor = Infinity;
    this.#heap.length = 0;
    this.#entries.clear();
  }

  #arm(): void {
    const [next] = this.#heap;
    if (next === undefined || next.at >= this.#armedFor) return;
    this.#timer?.cancel();
    this.#armedFor = next.at;
    this.#timer = this.#clock.after(next.at - this.#clock.monotonic(), () => {
      this.#armedFor = Infinity;
      this.#run();
    });
  }

  #run(): void {
    const now = this.#clock.monotonic();
    for (let [next] = this.#heap; next !== undefined && next.at <= now; [next] = this.#heap) {
      this.#pop();
      if (next.cancelled) continue;
      this.#entries.delete(next.key);
      this.#fire(next.key);
    }
    this.#arm();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || parent.at <= entry.at) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      if (left === undefined) break;
      const right = heap[2 * at + 2];
      const down = right !== undefined && right.at < left.at ? 2 * at + 2 : 2 * at + 1;
      const child = down === 2 * at + 2 && right !== undefined ? right : left;
      if (child.at >= last.at) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
  }
}
