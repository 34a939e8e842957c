/**
 * Kubernetes Events (events.k8s.io/v1): off the reconcile path, bounded, the same sentence counted instead of repeated.
 *
 * An Event is for a person who looks later. Losing one is a pity, delaying a reconcile for one is a fault: so they are
 * written one after the other in the background, and dropped, with a count in the log, when the API server is slower
 * than we are.
 */
import type { Client } from './client.ts';
import type { Clock, Instant } from './clock.ts';
import { isApiError, messageOf } from './errors.ts';
import type { Note } from './kind.ts';
import type { Log } from './log.ts';
import type { ObjectMeta, Unstructured } from './resource.ts';
import { EVENT } from './core-types.ts';

/** As in client-go: what recurs within this time is one series. */
const SERIES_MS = 6 * 60_000;
const MOST_WAITING = 1_000;
const MOST_SERIES = 4_096;
/** Longest note the API server accepts, in bytes of UTF-8. */
const LONGEST_NOTE = 1_024;

export interface EventTeller {
  tell(about: { apiVersion: string; kind: string; metadata: ObjectMeta }, note: Note): void;
  /** Resolves when what was told has been written or given up. */
  flush(): Promise<void>;
}

export interface EventOptions {
  client: Client;
  clock: Clock;
  log: Log;
  controller: string;
  instance: string;
}

interface Series {
  name: string;
  namespace: string;
  count: number;
  lastSeen: Instant;
}

export function createEvents(options: EventOptions): EventTeller {
  const waiting: (() => Promise<void>)[] = [];
  const series = new Map<string, Series>();
  let dropped = 0;
  let running: Promise<void> | undefined;

  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await next().catch((error: unknown) => {
        const level = isApiError(error, 'aborted') ? 'debug' : 'warn';
        options.log[level]('an Event could not be written', { error: messageOf(error) });
      });
    }
    if (dropped > 0)
      options.log.warn('Events were dropped: the API server is slower than they come', { dropped });
    dropped = 0;
    running = undefined;
  };

  return {
    tell(about, note) {
      if (waiting.length >= MOST_WAITING) {
        dropped += 1;
        return;
      }
      waiting.push(() => write(options, series, about, note));
      running ??= work();
    },
    async flush() {
      await running;
    },
  };
}

async function write(
  options: EventOptions,
  series: Map<string, Series>,
  about: { apiVersion: string; kind: string; metadata: ObjectMeta },
  note: Note,
): Promise<void> {
  const { client, clock } = options;
  const id = [
    about.kind,
    about.metadata.namespace,
    about.metadata.name,
    about.metadata.uid,
    note.type,
    note.reason,
    note.message,
  ].join('|');
  const known = series.get(id);
  const now = clock.now();
  if (known !== undefined && now - known.lastSeen < SERIES_MS) {
    known.count += 1;
    known.lastSeen = now;
    const body = { series: { count: known.count, lastObservedTime: microTime(now) } };
    try {
      await client.patch(EVENT, known, { type: 'merge', body });
      return;
    } catch (error) {
      // Somebody deleted it, or its time was up: the series starts again.
      if (!isApiError(error, 'notFound')) throw error;
    }
  }
  const event = eventOf(options, about, note, now);
  await client.create<Unstructured>(EVENT, event);
  if (series.size >= MOST_SERIES) series.delete(series.keys().next().value ?? '');
  series.set(id, {
    name: event.metadata.name,
    namespace: event.metadata.namespace ?? 'default',
    count: 1,
    lastSeen: now,
  });
}

function eventOf(
  { controller, instance }: EventOptions,
  about: { apiVersion: string; kind: string; metadata: ObjectMeta },
  note: Note,
  now: Instant,
): Unstructured {
  const { name, namespace, uid, resourceVersion } = about.metadata;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    // An event about a cluster-scoped object lives in `default`: the API server insists.
    metadata: {
      name: `${name.slice(0, 200).replace(/[-.]+$/, '')}.${now.toString(16)}${process.hrtime.bigint().toString(16).slice(-6)}`,
      namespace: namespace ?? 'default',
    },
    eventTime: microTime(now),
    type: note.type,
    reason: note.reason,
    note: withinBytes(note.message, LONGEST_NOTE),
    action: note.reason,
    reportingController: controller,
    reportingInstance: instance.slice(0, 128),
    regarding: { apiVersion: about.apiVersion, kind: about.kind, name, namespace, uid, resourceVersion },
  };
}

/** Cut between two characters, never within one. */
function withinBytes(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  let end = most;
  // 10xxxxxx continues a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

function microTime(at: Instant): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}
