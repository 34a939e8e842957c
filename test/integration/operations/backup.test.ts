/** The commands of docs/operations.md, as they stand there: a backup, everything gone, a restore, and rules that refuse. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parseYaml } from '../../../src/runtime/yaml.ts';
import {
  CONFIG_MAPS,
  configMap,
  inForce,
  noKey,
  openStage,
  ready,
  statusOf,
  type Stage,
} from '../policy/stage.ts';

const PAGE = readFileSync('docs/operations.md', 'utf8');
/** What a shell, YAML or jsonpath might take for their own. */
const AWKWARD = 'a < b && "c" : \'d\' # é ☃\n\ttabbed {{ x }} $HOME %s \\n';

let stage: Stage;
let folder: string;

beforeAll(async () => {
  stage = await openStage();
  await stage.startReplica();
  folder = mkdtempSync(join(tmpdir(), 'cogniforge-backup-'));
});

afterAll(async () => {
  await stage.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the block of the page that a comment names, in the folder; what it prints. Throws when it fails. */
function documented(name: string): string {
  const [, script] = new RegExp(`<!-- commands: ${name} -->\\s+\`\`\`sh\\n([^]*?)\`\`\``).exec(PAGE) ?? [];
  if (script === undefined) throw new Error(`docs/operations.md has no commands ${name}`);
  const PATH = [dirname(stage.cluster.kubectl), process.env['PATH']].join(delimiter);
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', script], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH, KUBECONFIG: stage.cluster.kubeconfig },
  });
  if (status !== 0) throw new Error(`${name}: ${stdout}${stderr}`);
  return stdout + stderr;
}

function specs(): unknown {
  const { items } = stage.get('policyrules') as {
    items: {
      metadata: { name: string; labels?: object; annotations?: Record<string, string> };
      spec: object;
    }[];
  };
  return items.map(({ metadata: { name, labels = {}, annotations = {} }, spec }) => {
    const { 'kubectl.kubernetes.io/last-applied-configuration': _applied, ...written } = annotations;
    return { name, labels, annotations: written, spec };
  });
}

it('what is backed up is in force again, as it was written, after everything is gone', () => {
  inForce(stage, 'keys', { match: CONFIG_MAPS, failurePolicy: 'Fail', rego: noKey('secret') });
  inForce(stage, 'awkward', {
    match: CONFIG_MAPS,
    description: AWKWARD,
    parameters: { large: 12345678901234, list: ['yes', '0644', null, true, 1.5], [AWKWARD]: AWKWARD },
    enforcementMode: 'Warn',
    rego: noKey('warned'),
  });
  // A name that YAML would read as a number.
  inForce(stage, '123', { match: CONFIG_MAPS, suspend: false, regoQuery: 'input.data.number == "123"' });
  stage.must('label policyrule keys team=payments on=off');
  stage.must('annotate policyrule keys example.com/why=because');
  const before = specs();
  expect(before).toHaveLength(3);

  documented('backup');
  stage.must('delete policyrules --all');
  stage.must('create -f -', configMap('gone', { secret: 'y' }));
  expect(specs()).toEqual([]);

  expect(documented('restore')).toContain('policyrule.cogniforge.dev/keys serverside-applied');
  expect(specs()).toEqual(before);
  expect(['keys', 'awkward', '123'].map((name) => ready(stage, name))).toEqual(Array(3).fill('True InForce'));
  expect(stage.kubectl('create -f -', configMap('back', { secret: 'y' })).text).toContain(
    '[keys] no secret here',
  );
  expect(stage.kubectl('create -f -', configMap('back', { number: '123' })).ok).toBe(false);
  expect(stage.must('create -f -', configMap('back', { warned: 'y' }))).toContain('[awkward] no warned here');
});

it('the backup holds what people wrote, and nothing of the cluster it comes from', () => {
  const rules = parseYaml(readFileSync(join(folder, 'policyrules.yaml'))) as Record<string, object>[];
  expect(rules.map((rule) => Object.keys(rule))).toEqual(
    Array(3).fill(['apiVersion', 'kind', 'metadata', 'spec']),
  );
  for (const { metadata = {} } of rules)
    expect(Object.keys(metadata)).toEqual(['name', 'labels', 'annotations']);
});

it('a restore over rules that are there changes nothing', () => {
  const generation = (): unknown => stage.get('policyrule keys')['metadata'];
  const [metadata, status] = [generation(), statusOf(stage, 'keys')['compiledGeneration']];
  documented('restore');
  expect(generation()).toMatchObject({ generation: (metadata as { generation: number }).generation });
  expect(statusOf(stage, 'keys')['compiledGeneration']).toBe(status);
});
