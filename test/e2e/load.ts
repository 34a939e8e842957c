/** Requests at a steady rate, each in a dry run, each with the answer it must get. */
import type { Client } from '../../src/runtime/client.ts';
import { isApiError, messageOf } from '../../src/runtime/errors.ts';
import type { KubernetesObject, ResourceType } from '../../src/runtime/resource.ts';

export interface Ask {
  type: ResourceType;
  object: KubernetesObject & { metadata: { name: string } };
  /** what the refusal must hold; undefined: it must be accepted */
  refusal?: string;
}

export interface Tally {
  sent: number;
  /** answers that were not the right one, each with the second it was sent at */
  wrong: string[];
  slowestMs: number;
}

export interface Load {
  /** Waits for the answers under way. */
  stop(): Promise<Tally>;
}

const TIMEOUT_MS = 30_000;

/** Sends one after the other of `asks` without waiting for the answer to the one before. */
export function startLoad(client: Client, asks: readonly Ask[], perSecond: number): Load {
  const began = performance.now();
  const tally: Tally = { sent: 0, wrong: [], slowestMs: 0 };
  const underWay = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const ask = asks[tally.sent % asks.length];
    if (ask === undefined) return;
    tally.sent += 1;
    const sent = performance.now();
    const answer = outcome(client, ask).then((wrong) => {
      tally.slowestMs = Math.max(tally.slowestMs, Math.round(performance.now() - sent));
      if (wrong !== undefined) tally.wrong.push(`at ${((sent - began) / 1000).toFixed(1)} s: ${wrong}`);
      underWay.delete(answer);
    });
    underWay.add(answer);
  }, 1000 / perSecond);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      return tally;
    },
  };
}

/** What was wrong with the answer. */
async function outcome(client: Client, { type, object, refusal }: Ask): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    await client.create(type, object, { dryRun: true, signal });
    return refusal === undefined ? undefined : `accepted what must be refused: ${object.metadata.name}`;
  } catch (error) {
    const right = refusal !== undefined && isApiError(error) && error.message.includes(refusal);
    return right ? undefined : messageOf(error);
  }
}

/** A figure for the scenario's line; throws when an answer was wrong. */
export function faultless({ sent, wrong, slowestMs }: Tally, during: string): string {
  const [first] = wrong;
  if (first !== undefined)
    throw new Error(`${during}: ${String(wrong.length)} of ${String(sent)} requests were wrong; ${first}`);
  if (sent < 20) throw new Error(`${during}: only ${String(sent)} requests were sent`);
  return `${during}: 0 of ${String(sent)} requests failed, slowest ${String(slowestMs)} ms`;
}
