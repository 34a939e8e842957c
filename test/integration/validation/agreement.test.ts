/**
 * Local validation and the real API server say the same of the same object: accepted or refused, the same fields named,
 * and where accepted the same object in the end. SEED replays a run.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { readCrds } from '../../../scripts/generate/crds.ts';
import { connect } from '../../../src/runtime/connect.ts';
import type { Client } from '../../../src/runtime/client.ts';
import { collectionPath } from '../../../src/runtime/urls.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { isApiError } from '../../../src/runtime/errors.ts';
import { isRecord } from '../../../src/runtime/json.ts';
import type { ResourceType } from '../../../src/runtime/resource.ts';
import { storedVersion, type CustomResourceDefinition } from '../../../src/runtime/schema.ts';
import { canonical } from '../../../src/runtime/validation/list-types.ts';
import { viewOf } from '../../../src/runtime/validation/numbers.ts';
import { describeProblem } from '../../../src/runtime/validation/problem.ts';
import { validate } from '../../../src/runtime/validation/validate.ts';
import { startCluster, type Cluster } from '../../cluster/controlplane.ts';
import { seeded } from '../../unit/random.ts';
import { casesOf, semanticCases, type Case } from './cases.ts';
import { lax, laxObjects, ratchetCases } from './ratcheting.ts';
import { goodPart, type Json } from './objects.ts';
import { semantics } from './semantics.ts';
import { CRD } from '../../../src/runtime/core-types.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const CONCURRENT = 16;
const NAMESPACE = 'default';

let cluster: Cluster;
let client: Client;

beforeAll(async () => {
  process.stdout.write(`validation agreement: SEED=${String(SEED)}\n`);
  cluster = await startCluster();
  ({ client } = await connect(
    { kubeconfig: cluster.kubeconfig, context: undefined },
    {},
    systemClock,
    () => undefined,
  ));
});

afterAll(async () => {
  await cluster.stop();
});

function typeOf(crd: CustomResourceDefinition): ResourceType {
  const { group, names, scope } = crd.spec;
  const { name: version } = storedVersion(crd);
  return { group, version, kind: names.kind, plural: names.plural, namespaced: scope === 'Namespaced' };
}

async function install(crd: CustomResourceDefinition): Promise<void> {
  await client.apply(CRD, crd, { fieldManager: 'test', force: true });
  for (const deadline = Date.now() + 30_000; ;) {
    try {
      await client.list(typeOf(crd));
      return;
    } catch (error) {
      if (!isApiError(error, 'notFound', 'throttled', 'transient') || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

interface Answer {
  accepted: boolean;
  object: Json | undefined;
  /** the fields that are named, with the reason of each; undefined where the answer names none */
  fields: string[] | undefined;
  message: string;
}

/** A server-side dry run. */
async function ask(type: ResourceType, { object, old, subresource }: Case): Promise<Answer> {
  const options = { dryRun: true, subresource };
  const sent = object as Json & { metadata: { name: string } };
  try {
    const made = await (old === undefined
      ? client.raw('POST', `${collectionPath(type, NAMESPACE)}?dryRun=All`, { body: object })
      : client.update(type, sent, options));
    return { accepted: true, object: made as Json, fields: undefined, message: '' };
  } catch (error) {
    if (!isApiError(error, 'invalid', 'forbidden')) throw error;
    // "<nil>": that some rules were not evaluated at all.
    const fields = error.status?.details?.causes?.flatMap(({ field = '<nil>', reason = '' }) =>
      field === '<nil>' ? [] : [`${field} (${reason})`],
    );
    return {
      accepted: false,
      object: undefined,
      fields: fields?.length === 0 ? undefined : fields,
      message: error.message,
    };
  }
}

function sorted(fields: readonly string[]): string[] {
  return [...new Set(fields)].sort();
}

/** What the two say differently of a case; undefined when nothing. */
function disagreement(crd: CustomResourceDefinition, one: Case, answer: Answer): string | undefined {
  const options = one.subresource === undefined ? {} : { subresource: one.subresource };
  const local = validate(crd, one.object, one.old, options);
  const said = local.problems.map(describeProblem).join(' | ');
  const where = `${one.name}\n  sent ${canonical(one.object).slice(0, 600)}`;
  if (answer.accepted !== (local.problems.length === 0)) {
    return `${where}\n  API server: ${answer.accepted ? 'accepted' : answer.message}\n  local: ${said === '' ? 'accepted' : said}`;
  }
  if (answer.object !== undefined) {
    const part = one.subresource ?? 'spec';
    const found = differences(answer.object[part], local.object[part], part);
    return found.length === 0 ? undefined : `${where}\n  ${found.join('\n  ')}`;
  }
  if (answer.fields === undefined) return undefined;
  const [theirs, ours] = [
    sorted(answer.fields),
    sorted(local.problems.map(({ path, code }) => `${path} (${code})`)),
  ].map((list) => list.join(' '));
  return theirs === ours
    ? undefined
    : `${where}\n  API server named ${String(theirs)}\n  local named ${String(ours)}: ${said}\n  ${answer.message}`;
}

/** Where two JSON values differ. 1e3 and 1000, a bigint and a float64 of the same value are one number. */
function differences(theirs: unknown, ours: unknown, path: string): string[] {
  const [a, b] = [viewOf(theirs), viewOf(ours)];
  if ((Array.isArray(a) && Array.isArray(b)) || (isRecord(a) && isRecord(b))) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].flatMap((key) => differences((a as Json)[key], (b as Json)[key], `${path}.${key}`));
  }
  const text = (value: unknown): string =>
    typeof value === 'number' && Number.isInteger(value) ? BigInt(value).toString() : canonical(value);
  if (a !== undefined && b !== undefined && text(a) === text(b)) return [];
  return a === b ? [] : [`${path}: API server made ${text(a)}, local made ${text(b)}`];
}

interface Score {
  cases: number;
  accepted: number;
  named: number;
  disagreements: string[];
}

async function compare(crd: CustomResourceDefinition, cases: readonly Case[]): Promise<Score> {
  const type = typeOf(crd);
  const score: Score = { cases: cases.length, accepted: 0, named: 0, disagreements: [] };
  const queue = cases.values();
  const work = async (): Promise<void> => {
    for (const one of queue) {
      const answer = await ask(type, one);
      if (answer.accepted) score.accepted += 1;
      if (answer.fields !== undefined) score.named += 1;
      const difference = disagreement(crd, one, answer);
      if (difference !== undefined) score.disagreements.push(difference);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, work));
  const refused = score.cases - score.accepted;
  process.stdout.write(
    `agreement ${crd.spec.names.kind}: ${String(score.cases - score.disagreements.length)}/${String(score.cases)} objects, ` +
      `${String(score.accepted)} accepted, ${String(refused)} refused, ${String(score.named)} of them with fields named\n`,
  );
  return score;
}

function judge({ cases, accepted, disagreements }: Score): void {
  const text = `SEED=${String(SEED)}: ${String(disagreements.length)} disagreements\n${disagreements.slice(0, 12).join('\n')}`;
  if (disagreements.length > 0) throw new Error(text);
  // A run that only refuses, or only accepts, would prove little.
  expect(cases).toBeGreaterThanOrEqual(300);
  expect(accepted).toBeGreaterThan(cases / 10);
  expect(cases - accepted).toBeGreaterThan(cases / 10);
}

/** Creates the objects that updates start from; what the API server stored comes back. */
async function stored(crd: CustomResourceDefinition, count: number): Promise<Json[]> {
  const random = seeded(SEED + 1);
  const type = typeOf(crd);
  const made: Json[] = [];
  for (let at = 0; at < count; at += 1) {
    const object = {
      apiVersion: `${type.group}/${type.version}`,
      kind: type.kind,
      metadata: { name: `stored-${String(at)}`, ...(type.namespaced ? { namespace: NAMESPACE } : {}) },
      spec: goodPart(crd, 'spec', random),
    };
    made.push(await client.create(type, object));
  }
  return made;
}

/** Objects that only the lax schema accepts; the names of those that were stored. */
async function storedOld(): Promise<string[]> {
  const type = typeOf(lax);
  return Promise.all(
    laxObjects().map(async ({ object, name }) => {
      await client.create(type, object as Json & { metadata: { name: string } });
      return name;
    }),
  );
}

/** A schema is in force some time after the CRD was written. */
async function untilRefused(crd: CustomResourceDefinition, object: Json): Promise<void> {
  const probe = { name: 'probe', object: { ...object, metadata: { name: 'probe' } } };
  for (const deadline = Date.now() + 30_000; (await ask(typeOf(crd), probe)).accepted;) {
    if (Date.now() > deadline) throw new Error('the stricter schema was not in force within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const kinds = readCrds(join(ROOT, 'crds')).map(({ crd }) => [crd.spec.names.kind, crd] as const);

describe('local validation agrees with the API server', () => {
  it.each(kinds)('%s', async (_kind, crd) => {
    await install(crd);
    judge(await compare(crd, casesOf(crd, await stored(crd, 8), seeded(SEED))));
  });

  it('on objects that were stored before the schema became stricter', async () => {
    await install(lax);
    const names = await storedOld();
    await install(semantics);
    await untilRefused(semantics, laxObjects()[0]?.object ?? {});
    const old = await Promise.all(
      names.map(async (name) => (await client.get(typeOf(semantics), { name })) as unknown as Json),
    );
    const { disagreements, accepted, cases } = await compare(semantics, ratchetCases(old, seeded(SEED + 2)));
    expect(disagreements.slice(0, 12)).toEqual([]);
    expect(accepted).toBeGreaterThan(cases / 10);
  });

  it('on every word of structural schemas and every sort of rule', async () => {
    await install(semantics);
    const old = await stored(semantics, 8);
    judge(
      await compare(semantics, [...casesOf(semantics, old, seeded(SEED)), ...semanticCases(semantics, old)]),
    );
  });
});
