/** Events behind an API server that is slow or away; what it makes of them: test/integration/runtime/events.test.ts. */
import { describe, expect, it } from '@jest/globals';
import type { Client } from '../../../src/runtime/client.ts';
import { ApiError } from '../../../src/runtime/errors.ts';
import { createEvents } from '../../../src/runtime/events.ts';
import type { Note } from '../../../src/runtime/kind.ts';
import { manualClock, turns } from '../clock.ts';
import { keptLog } from '../logs.ts';

const note = (message: string): Note => ({ type: 'Normal', reason: 'Told', message });
const about = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a', namespace: 'n', uid: 'u' } };

/** An API server that answers when the test lets it. */
function slow() {
  const log = keptLog();
  const waiting: { object: unknown; answer: (error?: Error) => void }[] = [];
  const sent: unknown[] = [];
  const client: Partial<Client> = {
    create: (_type, object) => {
      sent.push(object);
      return new Promise((resolve, reject) => {
        waiting.push({
          object,
          answer: (error) => {
            if (error === undefined) resolve(object);
            else reject(error);
          },
        });
      });
    },
  };
  const events = createEvents({
    client: client as Client,
    clock: manualClock(),
    log,
    controller: 'test',
    instance: 'i',
  });
  return { log, waiting, sent, events };
}

describe('telling', () => {
  it('returns at once, and leaves one after the other', async () => {
    const { events, sent, waiting } = slow();
    for (let at = 0; at < 5; at += 1) events.tell(about, note(String(at)));
    await turns();
    expect(sent).toHaveLength(1);
    waiting[0]?.answer();
    await turns();
    expect(sent).toHaveLength(2);
  });

  it('is bounded: what comes while a thousand wait is dropped, and the log says how many', async () => {
    const { events, sent, waiting, log } = slow();
    for (let at = 0; at < 1_501; at += 1) events.tell(about, note(String(at)));
    for (let at = 0; at < 1_501; at += 1) {
      waiting[at]?.answer();
      await turns(2);
    }
    await events.flush();
    // The first was under way already.
    expect(sent).toHaveLength(1_001);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { dropped: 500 } }]);
  });

  it('survives one that cannot be written', async () => {
    const { events, sent, waiting, log } = slow();
    events.tell(about, note('one'));
    events.tell(about, note('two'));
    await turns();
    waiting[0]?.answer(new ApiError('forbidden', 'no rights'));
    await turns();
    waiting[1]?.answer();
    await events.flush();
    expect(sent).toHaveLength(2);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { error: 'no rights' } }]);
  });

  it('goes on after a pause', async () => {
    const { events, sent, waiting } = slow();
    events.tell(about, note('one'));
    await turns();
    waiting[0]?.answer();
    await events.flush();
    events.tell(about, note('two'));
    await turns();
    expect(sent).toHaveLength(2);
  });
});
