/** Events as a person reads them with kubectl, written to a real API server. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import type { Client } from '../../../src/runtime/client.ts';
import { createEvents } from '../../../src/runtime/events.ts';
import type { Note } from '../../../src/runtime/kind.ts';
import type { KubernetesObject } from '../../../src/runtime/resource.ts';
import { admin } from '../../bench/objects.ts';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { manualClock } from '../../unit/clock.ts';
import { keptLog } from '../../unit/logs.ts';
import { EVENT } from '../../../src/runtime/core-types.ts';

interface Event extends KubernetesObject {
  type: string;
  reason: string;
  note: string;
  reportingController: string;
  reportingInstance: string;
  regarding: { kind: string; name: string; uid?: string };
  series?: { count: number; lastObservedTime: string };
}

let cluster: Cluster;
let client: Client;

beforeAll(async () => {
  cluster = await startCluster();
  ({ client } = await admin(cluster.kubeconfig));
}, 120_000);

afterAll(() => cluster.stop());

const note: Note = { type: 'Warning', reason: 'EffectFailed', message: 'apply copy: forbidden' };

function teller() {
  const clock = manualClock(Date.now());
  const log = keptLog();
  const events = createEvents({ client, clock, log, controller: 'cogniforge', instance: 'replica-1' });
  return { clock, log, events };
}

function about(name: string, uid = `uid-of-${name}`) {
  return { apiVersion: 'test/v1', kind: 'Thing', metadata: { name, uid, namespace: 'default' } };
}

async function told(name: string): Promise<Event[]> {
  const { items } = await client.list<Event>(EVENT, { namespace: 'default' });
  return items.filter(({ regarding }) => regarding.name === name);
}

describe('an Event', () => {
  it('says what happened to whom, and who says so', async () => {
    const { events, log } = teller();
    events.tell(about('one'), note);
    await events.flush();
    expect(log.lines).toEqual([]);
    expect(await told('one')).toMatchObject([
      {
        type: 'Warning',
        reason: 'EffectFailed',
        note: 'apply copy: forbidden',
        reportingController: 'cogniforge',
        reportingInstance: 'replica-1',
        regarding: { kind: 'Thing', name: 'one', uid: 'uid-of-one' },
      },
    ]);
    const shown = execFileSync(cluster.kubectl, [
      '--kubeconfig',
      cluster.kubeconfig,
      'get',
      'events',
      '--field-selector=involvedObject.name=one',
      '--no-headers',
    ]).toString('utf8');
    expect(shown).toMatch(/Warning\s+EffectFailed\s+thing\/one\s+apply copy: forbidden/);
  });

  it('that recurs is one, counted', async () => {
    const { events, clock } = teller();
    for (let times = 0; times < 5; times += 1) {
      events.tell(about('again'), note);
      await events.flush();
      clock.advance(60_000);
    }
    const [event, ...more] = await told('again');
    expect(more).toEqual([]);
    expect(event?.series?.count).toBe(5);
    expect(Date.parse(event?.series?.lastObservedTime ?? '')).toBe(clock.now() - 60_000);
  });

  it('is another one for another sentence, object, or object made anew, and after six quiet minutes', async () => {
    const { events, clock } = teller();
    events.tell(about('several'), note);
    events.tell(about('several'), { ...note, message: 'something else' });
    events.tell(about('several', 'made-anew'), note);
    await events.flush();
    clock.advance(6 * 60_000);
    events.tell(about('several'), note);
    await events.flush();
    const found = await told('several');
    expect(found).toHaveLength(4);
    expect(found.filter(({ series }) => series !== undefined)).toEqual([]);
  });

  it('that was deleted under our hands begins again', async () => {
    const { events, log } = teller();
    events.tell(about('deleted'), note);
    await events.flush();
    for (const { metadata } of await told('deleted')) await client.delete(EVENT, metadata);
    events.tell(about('deleted'), note);
    await events.flush();
    expect(await told('deleted')).toHaveLength(1);
    expect(log.lines).toEqual([]);
  });

  it('of something cluster-scoped stands in the namespace default', async () => {
    const { events } = teller();
    const { apiVersion, kind } = about('clusterwide');
    events.tell({ apiVersion, kind, metadata: { name: 'clusterwide', uid: 'u' } }, note);
    await events.flush();
    expect(await told('clusterwide')).toMatchObject([{ metadata: { namespace: 'default' } }]);
  });

  it.each([
    ['a sentence of 2,000 letters', 'x'.repeat(2_000), 1_024],
    // Three bytes each: the limit is one of bytes, and falls inside a character.
    ['a sentence of 1,000 three-byte letters', '…'.repeat(1_000), 341],
    ['an emoji across the limit', `${'x'.repeat(1_022)}\u{1f600}`, 1_022],
  ])('is accepted with %s', async (what, message, kept) => {
    const name = what.replaceAll(/[^a-z0-9]/gi, '-').toLowerCase();
    const { events, log } = teller();
    events.tell(about(name), { ...note, message });
    await events.flush();
    expect(log.lines).toEqual([]);
    const [event] = await told(name);
    expect(event?.note).toBe(message.slice(0, kept));
  });

  it('is accepted of a resource with the longest name there is', async () => {
    // Cut at 200, it would end with a dash, which no name may.
    const name = `${'a'.repeat(199)}-${'b'.repeat(53)}`;
    const { events, log } = teller();
    events.tell(about(name), note);
    await events.flush();
    expect(log.lines).toEqual([]);
    expect(await told(name)).toHaveLength(1);
  });
});
