/** `cogniforge policy eval` as a user runs it; OPA_BIN is set by `npm test`. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolPath } from '../../cluster/tools.ts';

const QUICKSTART = 'deploy/examples/quickstart';
const RULE = `${QUICKSTART}/rule.yaml`;
const BAD = `${QUICKSTART}/bad-deployment.yaml`;

let folder: string;
let opa: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cogniforge-eval-'));
  opa = await toolPath('opa');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function cogniforge(args: readonly string[], env: NodeJS.ProcessEnv = { OPA_BIN: opa }) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/cogniforge.js', ...args], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  return { status, stdout, stderr };
}

function policyEval(rule: string, input: string, env?: NodeJS.ProcessEnv) {
  return cogniforge(['policy', 'eval', '--rule', rule, '--input', input], env);
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function ruleFile(name: string, spec: object, metadata: object = { name: 'r' }): string {
  return file(name, JSON.stringify({ kind: 'PolicyRule', metadata, spec }));
}

describe('cogniforge policy eval', () => {
  it('exits with 1 and the message on a violation', () => {
    const { status, stdout } = policyEval(RULE, BAD);
    expect(stdout).toContain(
      'Deployment shop: [require-health-checks] Deployments must have health checks configured',
    );
    expect(status).toBe(1);
  });

  it('exits with 0 when there is none', () => {
    const { status, stdout } = policyEval(RULE, `${QUICKSTART}/good-deployment.yaml`);
    expect(stdout).toContain('no violation');
    expect(status).toBe(0);
  });

  it('judges every object of the input, and one bad object is enough', () => {
    const rule = ruleFile('key.json', { regoQuery: 'input.data.key' });
    const input = file('many.yaml', 'kind: A\n---\nkind: B\ndata: {key: x}\n---\nkind: C\n');
    const { status, stdout } = policyEval(rule, input);
    expect(stdout.trim().split('\n')).toEqual([
      'A (no name): no violation of r',
      'B (no name): [r] r is violated',
      'C (no name): no violation of r',
    ]);
    expect(status).toBe(1);
  });

  it('hands a whole AdmissionReview over as it is, with the parameters', () => {
    const rego = [
      'package a',
      'violation contains {"msg": sprintf("%v by %v", [input.review.operation, input.parameters.who])}',
    ];
    const rule = ruleFile('review.json', { rego: rego.join('\n'), parameters: { who: 'me' } });
    const input = file(
      'review-input.json',
      JSON.stringify({ kind: 'AdmissionReview', request: { operation: 'DELETE' } }),
    );
    expect(policyEval(rule, input).stdout).toContain('[r] DELETE by me');
  });
});

describe('without a verdict it exits with 2 and says why', () => {
  const broken = 'package a\n\nviolation contains {\n';
  const cases: [string, () => [string, string], string | RegExp][] = [
    [
      'a rule that does not parse',
      () => [ruleFile('broken.json', { rego: broken }), BAD],
      /broken\.json: spec\.rego:[34]: .*eof/,
    ],
    [
      'a rule that uses a forbidden builtin',
      () => [ruleFile('net.json', { rego: 'package a\n\nviolation contains "x" if http.send({})' }), BAD],
      /net\.json: spec\.rego:3: builtin http\.send is not available/,
    ],
    [
      'a lib that does not parse',
      () => [
        ruleFile('lib.json', { rego: 'package a\nviolation contains "x"', libs: ['package b\nx :='] }),
        BAD,
      ],
      /lib\.json: spec\.libs\[0\]:2: /,
    ],
    [
      'a query that does not parse',
      () => [ruleFile('query.json', { regoQuery: 'true\ninput.x ==' }), BAD],
      /query\.json: spec\.regoQuery:[23]: /,
    ],
    ['no such rule file', () => [join(folder, 'nowhere.yaml'), BAD], /nowhere\.yaml/],
    ['no such input file', () => [RULE, join(folder, 'nowhere.yaml')], /nowhere\.yaml/],
    ['a folder', () => [RULE, folder], /cogniforge-eval-\w+: .*directory/],
    ['an empty file', () => [RULE, file('empty.yaml', '')], /empty\.yaml must hold Kubernetes objects/],
    [
      'a list of numbers',
      () => [RULE, file('list.yaml', '[1, 2]')],
      /list\.yaml must hold Kubernetes objects/,
    ],
    ['bad YAML', () => [RULE, file('bad.yaml', 'a: [1\n')], /bad\.yaml/],
    ['bad JSON', () => [RULE, file('bad.json', '{"a": 1')], /bad\.json/],
    ['a NUL byte', () => [RULE, file('nul.yaml', 'a: x\0y\n')], /nul\.yaml/],
    ['something else than a rule', () => [BAD, BAD], /bad-deployment\.yaml holds no PolicyRule/],
    [
      'a rule without a spec',
      () => [file('none.json', '{"kind":"PolicyRule","metadata":{"name":"r"}}'), BAD],
      /none\.json: spec must have exactly one of rego/,
    ],
    [
      'a rule without a name',
      () => [ruleFile('anon.json', { regoQuery: 'true' }, {}), BAD],
      /anon\.json: the PolicyRule has no metadata\.name/,
    ],
    [
      'a rule with both texts',
      () => [ruleFile('both.json', { rego: 'package a', regoQuery: 'true' }), BAD],
      /both\.json: spec must have exactly one of rego/,
    ],
    [
      'rego that is a number',
      () => [ruleFile('seven.json', { rego: 7 }), BAD],
      /seven\.json: spec must have exactly one of rego/,
    ],
    [
      'libs that are no list',
      () => [ruleFile('libs.json', { rego: 'package a', libs: 'package b' }), BAD],
      /libs\.json: spec\.libs must be a list/,
    ],
  ];

  it.each(cases)('%s', (_name, files, why) => {
    const { status, stdout, stderr } = policyEval(...files());
    expect(stderr).toMatch(why);
    expect(stderr).not.toMatch(/ at .*\.ts:/);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it('an opa that is none', () => {
    const { status, stderr } = policyEval(RULE, BAD, { OPA_BIN: '/nowhere/opa' });
    expect(stderr).toMatch(/OPA_BIN=\/nowhere\/opa is not a program|cannot be started/);
    expect(status).toBe(2);
  });

  it.each([[['policy', 'eval', '--nope']], [['policy', 'eval', '--rule', RULE]], [['policy']]])(
    'usage: %j',
    (args) => {
      expect(cogniforge(args).status).toBe(2);
    },
  );
});

describe('cogniforge version', () => {
  it("tells our version and opa's", () => {
    const { status, stdout } = cogniforge(['version']);
    expect(stdout).toMatch(/^cogniforge \d+\.\d+\.\d+\nopa \d+\.\d+\.\d+\n$/);
    expect(status).toBe(0);
  });

  it('says that there is no opa', () => {
    expect(cogniforge(['version'], { OPA_BIN: '', PATH: '/nowhere' }).stdout).toContain(
      'opa (not found: there is no opa on this machine',
    );
  });
});
