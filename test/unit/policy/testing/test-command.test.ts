/** `cogniforge policy test` as a user runs it: gator suites and the tests of PolicyRules. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cogniforge, policy, temporaryFolder, type Folder, type Ran } from '../cogniforge.ts';

const TEMPLATE = `apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: nolabel}
spec:
  crd:
    spec:
      names: {kind: NoLabel}
      validation:
        openAPIV3Schema:
          type: object
          required: [label]
          properties:
            label: {type: string}
            word: {type: string, default: has}
  targets:
  - target: admission.k8s.gatekeeper.sh
    libs:
    - |
      package lib.labels
      found(object, label) { object.metadata.labels[label] }
    rego: |
      package nolabel
      import data.lib.labels
      violation[{"msg": msg}] {
        labels.found(input.review.object, input.parameters.label)
        msg := sprintf("%v %v %v", [input.review.name, input.parameters.word, input.parameters.label])
      }
      violation[{"msg": "like another"}] {
        data.inventory.namespace[_]["v1"]["ConfigMap"][name]
        name == input.review.object.metadata.name
      }
`;

const CONSTRAINT = {
  apiVersion: 'constraints.gatekeeper.sh/v1beta1',
  kind: 'NoLabel',
  metadata: { name: 'no-app' },
  spec: {
    match: {
      kinds: [{ apiGroups: [''], kinds: ['ConfigMap'] }],
      namespaceSelector: { matchLabels: { judged: 'yes' } },
    },
    parameters: { label: 'app' },
  },
};

function configMap(name: string, labels: Record<string, string>): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop', labels } };
}

const NAMESPACE = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop', labels: { judged: 'yes' } },
};

let folder: Folder;

beforeEach(() => {
  folder = temporaryFolder();
  folder.file('template.yaml', TEMPLATE);
  folder.file('constraint.yaml', CONSTRAINT);
  folder.file('samples/bad.yaml', configMap('bad', { app: 'x' }));
  folder.file('samples/good.yaml', configMap('good', {}));
  folder.file('samples/namespace.yaml', NAMESPACE);
});

afterEach(() => {
  folder.remove();
});

function suite(cases: string, more = ''): string {
  return folder.file(
    'suite.yaml',
    `apiVersion: test.gatekeeper.sh/v1alpha1
kind: Suite
metadata: {name: s}
tests:
- name: labels
  template: template.yaml
  constraint: constraint.yaml
${more}  cases:
${cases}`,
  );
}

const BAD = '  - {name: bad, object: samples/bad.yaml, inventory: [samples/namespace.yaml], assertions: ';
const GOOD = '  - {name: good, object: samples/good.yaml, inventory: [samples/namespace.yaml], assertions: ';
const PASSING = `${BAD}[{violations: yes}, {violations: 1, message: "^bad has app$"}]}\n${GOOD}[{violations: no}]}\n`;

function run(...args: string[]): Promise<Ran> {
  return policy(['test', ...args]);
}

describe('a suite', () => {
  it('that passes', async () => {
    const path = suite(PASSING);
    const { status, stdout } = await cogniforge(['policy', 'test', folder.path]);
    expect(stdout).toBe(
      `${path}\n  labels\n    ok    bad\n    ok    good\n\n2 passed, 0 failed, 0 skipped in 1 file\n`,
    );
    expect(status).toBe(0);
  });

  const failing: [string, string, string][] = [
    ['too few', `${GOOD}[{violations: yes}]}`, 'FAIL  good: expected a violation, found 0'],
    [
      'no violation expected',
      `${BAD}[{violations: no}]}`,
      'FAIL  bad: expected no violation, found 1: "bad has app"',
    ],
    ['without violations: at least one', `${GOOD}[{}]}`, 'FAIL  good: expected a violation, found 0'],
    ['another number', `${BAD}[{violations: 2}]}`, 'FAIL  bad: expected exactly 2 violations, found 1'],
    [
      'another message',
      `${BAD}[{message: nothing}]}`,
      'whose message matches "nothing", found 0; all 1: "bad has app"',
    ],
    ['a message that Go does not know', `${BAD}[{message: "(?=a)"}]}`, 'is no RE2 expression'],
    [
      'a word that is none',
      `${BAD}[{violations: maybe}]}`,
      'assertions[].violations: is "maybe" (accepted: yes, no',
    ],
    ['no assertion', '  - {name: bad, object: samples/bad.yaml}', 'FAIL  bad: assertions: there are none'],
    ['no object', '  - {name: bad, assertions: [{}]}', 'FAIL  bad: object: is required'],
    ['a file that is not there', '  - {name: bad, object: no.yaml, assertions: [{}]}', 'no.yaml'],
    [
      'a namespace that nobody knows',
      '  - {name: bad, object: samples/bad.yaml, assertions: [{}]}',
      'Namespace shop: namespaceSelector asks for its labels (add it to the inventory of the case)',
    ],
  ];

  it.each(failing)('that fails: %s', async (_name, cases, expected) => {
    suite(cases);
    const { status, stdout } = await run(folder.path);
    expect(stdout).toContain(expected);
    expect(stdout).toContain('0 passed, 1 failed');
    expect(status).toBe(1);
  });

  it('reads the inventory, several objects to a file', async () => {
    folder.file(
      'samples/many.yaml',
      `${JSON.stringify(NAMESPACE)}\n---\n${JSON.stringify(configMap('good', {}))}\n`,
    );
    suite(
      '  - {name: twin, object: samples/good.yaml, inventory: [samples/many.yaml], assertions: [{violations: 1, message: like another}]}',
    );
    expect((await run(folder.path)).stdout).toContain('ok    twin');
  });

  it('judges an AdmissionReview as it is, a deletion by the old object', async () => {
    const request = {
      operation: 'DELETE',
      name: 'n',
      object: null,
      oldObject: configMap('old', { app: 'x' }),
    };
    folder.file('samples/delete.yaml', {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request,
    });
    folder.file('samples/empty.yaml', {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {},
    });
    suite(`  - {name: gone, object: samples/delete.yaml, inventory: [samples/namespace.yaml], assertions: [{message: ^n has app$}]}
  - {name: empty, object: samples/empty.yaml, assertions: [{violations: no}]}`);
    const { stdout } = await run(folder.path);
    expect(stdout).toContain('ok    gone');
    expect(stdout).toContain('FAIL  empty: AdmissionReview: its request has neither object nor oldObject');
  });

  it('judges nothing that the constraint does not match', async () => {
    folder.file('samples/other.yaml', { ...configMap('bad', { app: 'x' }), kind: 'Secret' });
    folder.file('samples/spared.yaml', { ...NAMESPACE, metadata: { name: 'shop', labels: {} } });
    suite(`  - {name: kind, object: samples/other.yaml, assertions: [{violations: no}]}
  - {name: spared, object: samples/bad.yaml, inventory: [samples/spared.yaml], assertions: [{violations: no}]}
  - {name: wrong, object: samples/other.yaml, assertions: [{}]}`);
    const { stdout } = await run(folder.path);
    expect(stdout).toMatch(
      /ok {4}kind\n {4}ok {4}spared\n {4}FAIL {2}wrong: .*the constraint does not match the object/,
    );
  });

  it('asks for no enforcement action: what a violation leads to is not tested', async () => {
    suite(PASSING);
    folder.file('constraint.yaml', {
      ...CONSTRAINT,
      spec: { ...CONSTRAINT.spec, enforcementAction: 'scoped' },
    });
    expect((await run(folder.path)).status).toBe(0);
  });

  const whole: [string, () => void, string, number][] = [
    ['expansion', () => suite(PASSING, '  expansion: expansion.yaml\n'), 'expansion: is not supported', 1],
    [
      'a constraint that is wrongly expected to be invalid',
      () => suite('', '  invalid: true\n'),
      'the constraint is valid, expected it to be refused',
      1,
    ],
    [
      'a constraint that is rightly expected to be invalid',
      () => {
        suite('', '  invalid: true\n');
        folder.file('constraint.yaml', { ...CONSTRAINT, spec: { parameters: { label: 7 } } });
      },
      'ok    labels',
      0,
    ],
    [
      'a constraint that is invalid',
      () => {
        suite(PASSING);
        folder.file('constraint.yaml', { ...CONSTRAINT, spec: {} });
      },
      'NoLabel no-app: spec.parameters.label: is required (accepted: string)',
      1,
    ],
    [
      'a template that does not compile',
      () => {
        suite(PASSING);
        folder.file('template.yaml', TEMPLATE.replace('msg := sprintf', 'msg := sprintff'));
      },
      'template.yaml does not compile: rego:5: undefined function sprintff',
      1,
    ],
    [
      'a template without Rego',
      () => {
        suite(PASSING);
        folder.file(
          'template.yaml',
          TEMPLATE.replace('    rego: |', '    code: [{engine: K8sNativeValidation}]\n    ogre: |'),
        );
      },
      'spec.targets[0].code: has no Rego, only K8sNativeValidation',
      1,
    ],
    [
      'a template of code',
      () => {
        suite(PASSING);
        const code = TEMPLATE.slice(TEMPLATE.indexOf('    libs:')).replace(/^ {4}/gm, '        ');
        folder.file(
          'template.yaml',
          `${TEMPLATE.slice(0, TEMPLATE.indexOf('    libs:'))}    code:\n    - engine: Rego\n      source:\n${code}`,
        );
      },
      '2 passed',
      0,
    ],
  ];

  it.each(whole)('%s', async (_name, prepare, expected, code) => {
    prepare();
    const { status, stdout } = await run(folder.path);
    expect(stdout).toContain(expected);
    expect(status).toBe(code);
  });
});

describe('--run and --output', () => {
  it.each<[string, string]>([
    ['good', '1 passed, 0 failed, 1 skipped'],
    ['^labels$', '2 passed, 0 failed, 0 skipped'],
    ['lab//^b', '1 passed, 0 failed, 1 skipped'],
    ['//go+d', '1 passed, 0 failed, 1 skipped'],
  ])('--run %s', async (pattern, expected) => {
    suite(PASSING);
    expect((await run(folder.path, '--run', pattern)).stdout).toContain(expected);
  });

  it('what runs nothing is no success', async () => {
    suite(PASSING);
    expect(await run(folder.path, '--run', 'nope')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('every test was skipped'),
    });
    expect(await run(folder.path, '--run', 'a//b//c')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('more than one //'),
    });
    expect(await run(folder.path, '--run', '(')).toMatchObject({ status: 2 });
    expect(await run(folder.file('x.yaml', 'a: 1'))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('there is no test'),
    });
    expect(await run('/nowhere')).toMatchObject({ status: 2, stderr: expect.stringContaining('/nowhere') });
    expect(await run()).toMatchObject({ status: 2 });
    expect(await run(folder.path, '--output', 'xml')).toMatchObject({ status: 2 });
  });

  it('json', async () => {
    const path = suite(`${BAD}[{violations: no}]}\n${GOOD}[{violations: no}]}\n`);
    const { status, stdout } = await run(folder.path, '--output', 'json', '--run', 'bad');
    expect(JSON.parse(stdout)).toEqual({
      passed: 0,
      failed: 1,
      skipped: 1,
      suites: [
        {
          file: path,
          name: 's',
          tests: [
            {
              name: 'labels',
              cases: [
                { name: 'bad', outcome: 'failed', message: 'expected no violation, found 1: "bad has app"' },
                { name: 'good', outcome: 'skipped' },
              ],
            },
          ],
        },
      ],
    });
    expect(status).toBe(1);
  });

  it('junit', async () => {
    suite(`${BAD.replace('name: bad', 'name: "a<b"')}[{violations: no}]}\n${GOOD}[{violations: no}]}\n`);
    const { status, stdout } = await run(folder.path, '--output', 'junit');
    expect(stdout).toContain('<testsuites tests="2" failures="1" skipped="0">');
    expect(stdout).toContain(
      '<testcase classname="labels" name="a&lt;b"><failure message="expected no violation, found 1: &quot;bad has app&quot;">',
    );
    expect(stdout).toContain('<testcase classname="labels" name="good"/>');
    expect(status).toBe(1);
  });
});

describe('the tests of a PolicyRule', () => {
  const rule = (spec: object): object => ({
    apiVersion: 'cogniforge.dev/v1alpha1',
    kind: 'PolicyRule',
    metadata: { name: 'r' },
    spec: {
      match: { kinds: [{ apiGroups: [''], kinds: ['ConfigMap'] }] },
      regoQuery: 'input.metadata.labels.app',
      ...spec,
    },
  });
  const tests = [
    { name: 'bad', object: configMap('x', { app: 'y' }), expect: 'Violation' },
    { name: 'good', object: configMap('x', {}), expect: 'NoViolation' },
  ];

  it('are run beside the suites', async () => {
    suite(PASSING);
    const path = folder.file('rules/rule.yaml', rule({ tests }));
    folder.file('rules/without.yaml', rule({}));
    folder.file('rules/helm.yaml', '{{- if .Values.x }}\n');
    const { status, stdout } = await run(folder.path);
    expect(stdout).toContain(`${path}\n  r\n    ok    bad\n    ok    good\n`);
    expect(stdout).toContain('4 passed, 0 failed, 0 skipped in 2 files');
    expect(status).toBe(0);
  });

  it.each<[string, object, string]>([
    ['fails', { tests: [{ ...tests[0], expect: 2 }] }, 'FAIL  bad: expected exactly 2 violations, found 1'],
    ['does not compile', { tests, regoQuery: 'input.x ==' }, 'FAIL  r: spec.regoQuery:1: '],
    [
      'has wrong parameters',
      { tests, parametersSchema: { type: 'object', required: ['x'] } },
      'FAIL  r: spec.parameters.x: is required',
    ],
    [
      'is no PolicyRule',
      { tests: [{ name: 'x', object: {} }] },
      'FAIL  r: FieldValueRequired spec.tests[0].expect: is required',
    ],
  ])('are told when the rule %s', async (_name, spec, expected) => {
    const { status, stdout } = await run(folder.file('rule.yaml', rule(spec)));
    expect(stdout).toContain(expected);
    expect(status).toBe(1);
  });

  it('are chosen by --run', async () => {
    const { stdout } = await run(folder.file('rule.yaml', rule({ tests })), '--run', 'r//good');
    expect(stdout).toContain('skip  bad\n    ok    good\n');
  });
});
