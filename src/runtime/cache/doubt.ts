/** A way to say, in the middle of a watch, that the store may be behind: the watch is ended and all is listed anew. */
export class Doubt {
  #raised = 0;
  #settled = 0;
  #interrupt = new AbortController();

  /** Returns the ticket of this doubt. */
  raise(): number {
    this.#raised += 1;
    this.#interrupt.abort();
    return this.#raised;
  }

  get pending(): boolean {
    return this.#raised > this.#settled;
  }

  /** The last doubt there is now: a list that is asked for from here on answers it. */
  get ticket(): number {
    return this.#raised;
  }

  /** Whether a list that began after the doubt was raised is in the store. */
  isSettled(ticket: number): boolean {
    return this.#settled >= ticket;
  }

  settle(ticket: number): void {
    this.#settled = Math.max(this.#settled, ticket);
  }

  /** Aborted by the next doubt; at once when there is one already. */
  interruption(): AbortSignal {
    if (!this.pending && this.#interrupt.signal.aborted) this.#interrupt = new AbortController();
    return this.#interrupt.signal;
  }
}
