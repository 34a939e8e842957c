/** The YAML loader against the real kubectl, on seeded documents; `kubectl label --local` reads without a server. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deepEqual, isRecord, parseJson, stringifyJson } from '../../src/runtime/json.ts';
import { YamlError } from '../../src/runtime/yaml.ts';
import { ManifestError, parseManifests } from '../../src/runtime/yaml/objects.ts';
import { toolPath } from '../cluster/tools.ts';
import { dice, firstSeed } from '../faults/random.ts';
import { Documents } from './yaml/documents.ts';

const COUNT = 400;
/** kubectl takes 50 ms a run; it runs at most as many at a time. */
const PARALLEL = 2;
const MARK = 'cogniforge-test-mark';

let folder: string;
let kubectl: string;

beforeAll(async () => {
  kubectl = await toolPath('kubectl');
  folder = await mkdtemp(join(tmpdir(), 'cogniforge-yaml-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** The objects as one text; undefined: kubectl refuses the file. */
async function byKubectl(text: string, name: string): Promise<unknown[] | undefined> {
  const file = join(folder, `${name}.yaml`);
  await writeFile(file, text);
  const args = ['label', '--local', '-f', file, '-o', 'json', `${MARK}=x`];
  const stdout = await new Promise<string | undefined>((resolve) => {
    execFile(kubectl, args, { maxBuffer: 2 ** 26 }, (error, out) => {
      resolve(error === null ? out : undefined);
    });
  });
  if (stdout === undefined) return undefined;
  return (parseJson(`[${stdout.replaceAll(/^\}\n\{$/gm, '},\n{')}]`) as unknown[]).map(withoutMark);
}

/** Without the label that makes kubectl print the object, and what was added to hold it. */
function withoutMark(object: unknown): unknown {
  if (!isRecord(object)) throw new Error('not an object');
  const { metadata, ...rest } = object;
  if (!isRecord(metadata)) return rest;
  const { labels, ...others } = metadata;
  const kept = Object.entries(isRecord(labels) ? labels : {}).filter(([key]) => key !== MARK);
  const bare = kept.length === 0 ? others : { ...others, labels: Object.fromEntries(kept) };
  return Object.keys(bare).length === 0 ? rest : { ...rest, metadata: bare };
}

function byUs(text: string): unknown[] | undefined {
  try {
    return parseManifests(text).map(withoutMark);
  } catch (error) {
    if (error instanceof YamlError || error instanceof ManifestError) return undefined;
    throw error;
  }
}

interface Count {
  same: number;
  bothRefuse: number;
  weRefuse: string[];
  kubectlRefuses: string[];
  differ: string[];
}

async function compare(texts: readonly string[], name: string): Promise<Count> {
  const count: Count = { same: 0, bothRefuse: 0, weRefuse: [], kubectlRefuses: [], differ: [] };
  const work = [...texts.entries()];
  const worker = async (): Promise<void> => {
    for (let next = work.shift(); next !== undefined; next = work.shift()) {
      const [index, text] = next;
      const theirs = await byKubectl(text, `${name}-${String(index)}`);
      const ours = byUs(text);
      if (theirs === undefined && ours === undefined) count.bothRefuse += 1;
      else if (theirs === undefined) count.kubectlRefuses.push(text);
      else if (ours === undefined) count.weRefuse.push(text);
      else if (deepEqual(theirs, ours)) count.same += 1;
      else count.differ.push(`${text}\nkubectl: ${stringifyJson(theirs)}\nwe: ${stringifyJson(ours)}`);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return count;
}

describe('the YAML loader and kubectl', () => {
  it(`read ${String(COUNT)} seeded streams alike`, async () => {
    const seed = firstSeed(process.env, 20_260_101);
    const documents = new Documents(dice(seed));
    const count = await compare(
      Array.from({ length: COUNT }, () => documents.stream()),
      'seeded',
    );
    // Never another meaning. What only one of them refuses are the corners of two grammars: rare, and loud.
    expect({ seed, differ: count.differ }).toEqual({ seed, differ: [] });
    expect(count.same).toBeGreaterThan(COUNT / 2);
    expect(count.weRefuse.length).toBeLessThanOrEqual(COUNT / 50);
    expect(count.kubectlRefuses.length).toBeLessThanOrEqual(COUNT / 50);
  });

  it('agree on what the seeds do not reach', async () => {
    const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
    const agreed = [
      `${head}data: {x: 10, <<: {x: 1}}\n`,
      `${head}k: 1\nk: 2\n`,
      `${head}a: [\nx\n]\nb: {c: "two\nlines"\n}\n`,
      `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"n":9007199254740993}\n---\n${head}m: 0644\n`,
      `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a}}\n`,
      `apiVersion: v1\nkind: ConfigMapList\nitems:\n- {metadata: {name: a}}\n`,
      `${head}---\n# nothing\n`,
    ];
    const refused = [
      `%YAML 1.1\n---\n${head}`,
      `${head}--- x\n${head}`,
      `${head}a: &a [*a]\n`,
      `${head}a: *b\n`,
      `${head}~: x\n`,
      `${head}[a]: x\n`,
      `${head}a: .inf\n`,
      `${head}a: !!int x\n`,
      `apiVersion: v1\nkind: A\nmetadata: {name: 1}\n`,
      `apiVersion: v1\nkind: A\nmetadata: {labels: {a: 1}}\n`,
      `- a\n`,
    ];
    expect(await compare(agreed, 'agreed')).toMatchObject({ same: agreed.length });
    expect(await compare(refused, 'refused')).toMatchObject({ bothRefuse: refused.length });
  });
});
