/** The lines of a response body, as they arrive. */
import { ApiError, messageOf } from '../errors.ts';
import type { Clock } from '../clock.ts';

export interface LineLimits {
  /** a longer line is an error: memory is bounded even when the server is broken */
  maxLineBytes: number;
  /** no byte for this long is an error: bookmarks come every minute, so the connection is dead */
  idleMs: number;
}

const NEWLINE = 0x0a;

/**
 * Yields every complete line (without its newline) of `body`, which is destroyed when the consumer stops.
 * A cut last line is dropped: it is half an event, and the next watch resumes before it.
 * Throws ApiError transient: line too long, silence, connection broken.
 */
export async function* lines(
  body: AsyncIterable<Buffer> & { destroy(error?: Error): unknown },
  limits: LineLimits,
  clock: Clock,
): AsyncGenerator<string> {
  const watchdog = startWatchdog(body, limits.idleMs, clock);
  let parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      watchdog.alive();
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        const tail = chunk.subarray(start, end);
        yield parts.length === 0 ? tail.toString('utf8') : Buffer.concat([...parts, tail]).toString('utf8');
        parts = [];
        length = 0;
        start = end + 1;
      }
      if (start < chunk.length) {
        parts.push(chunk.subarray(start));
        length += chunk.length - start;
        if (length > limits.maxLineBytes) {
          throw new ApiError('transient', `watch: a line of more than ${String(limits.maxLineBytes)} bytes`);
        }
      }
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError('transient', `watch: ${messageOf(error)}`, { cause: error });
  } finally {
    watchdog.stop();
    body.destroy();
  }
}

function startWatchdog(
  body: { destroy(error?: Error): unknown },
  idleMs: number,
  clock: Clock,
): { alive(): void; stop(): void } {
  let last = clock.monotonic();
  const check = (): void => {
    const silent = clock.monotonic() - last;
    if (silent >= idleMs)
      body.destroy(new ApiError('transient', `watch: no byte for ${String(Math.round(silent))} ms`));
    else timer = clock.after(idleMs - silent, check);
  };
  let timer = clock.after(idleMs, check);
  return {
    alive: () => {
      last = clock.monotonic();
    },
    stop: () => {
      timer.cancel();
    },
  };
}
