/** `cogniforge policy import` as a user runs it, and what cannot be carried over. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { importRules } from '../../../../src/policy/gator/convert.ts';
import type { Loose } from '../../../../src/policy/gator/objects.ts';
import { parseYaml } from '../../../../src/runtime/yaml.ts';
import { policy, temporaryFolder, type Folder } from '../cogniforge.ts';

const REGO = 'package t\n\nviolation[{"msg": msg}] { msg := input.parameters.word }\n';

interface Changes {
  spec?: object;
  target?: object;
  schema?: unknown;
}

function template({ spec = {}, target = {}, schema }: Changes = {}): Loose {
  const validation = schema === undefined ? {} : { validation: { openAPIV3Schema: schema } };
  return {
    apiVersion: 'templates.gatekeeper.sh/v1',
    kind: 'ConstraintTemplate',
    metadata: { name: 'word', annotations: { description: 'Says a word.' } },
    spec: {
      crd: { spec: { names: { kind: 'Word' }, ...validation } },
      targets: [{ target: 'admission.k8s.gatekeeper.sh', rego: REGO, ...target }],
      ...spec,
    },
  };
}

function constraint(spec: object = {}, name = 'say', kind = 'Word'): Loose {
  return { apiVersion: 'constraints.gatekeeper.sh/v1beta1', kind, metadata: { name }, spec };
}

function specOf(objects: readonly Loose[]): Record<string, unknown> {
  const { rules, refusals } = importRules(objects);
  expect(refusals).toEqual([]);
  return (rules[0] as { spec: Record<string, unknown> }).spec;
}

const KINDS = [{ apiGroups: ['apps'], kinds: ['Deployment'] }];

describe('what is carried over', () => {
  it('everything, as a rule that the API server takes', () => {
    const schema = { properties: { word: { type: 'string', default: 'no' } } };
    const match = {
      kinds: KINDS,
      scope: 'Namespaced',
      namespaces: ['shop-*'],
      excludedNamespaces: ['kube-*'],
      labelSelector: { matchLabels: { a: 'b' } },
      namespaceSelector: { matchExpressions: [{ key: 'x', operator: 'Exists' }] },
      name: 'web*',
      source: 'Original',
    };
    const { rules, warnings, refusals } = importRules([
      template({ schema, target: { libs: ['package lib.x\n\ny = 1'] } }),
      constraint({ match, parameters: { word: 'yes' }, enforcementAction: 'warn' }),
    ]);
    const { source, ...kept } = match;
    expect(source).toBe('Original');
    expect([warnings, refusals]).toEqual([[], []]);
    expect(rules).toEqual([
      {
        apiVersion: 'cogniforge.dev/v1alpha1',
        kind: 'PolicyRule',
        metadata: { name: 'say' },
        spec: {
          description: 'Says a word.',
          match: kept,
          enforcementMode: 'Warn',
          parameters: { word: 'yes' },
          parametersSchema: { type: 'object', ...schema },
          regoVersion: 'V0',
          rego: REGO,
          libs: ['package lib.x\n\ny = 1'],
        },
      },
    ]);
  });

  it.each([
    [undefined, 'Enforce'],
    ['deny', 'Enforce'],
    ['warn', 'Warn'],
    ['dryrun', 'Audit'],
  ])('enforcementAction %s becomes %s', (enforcementAction, mode) => {
    expect(specOf([template(), constraint({ enforcementAction })])['enforcementMode']).toBe(mode);
  });

  it('no kinds is every kind, and so is an empty list', () => {
    const every = { kinds: [{ apiGroups: ['*'], kinds: ['*'] }] };
    expect(specOf([template(), constraint()])['match']).toEqual(every);
    expect(specOf([template(), constraint({ match: { kinds: [{ kinds: [] }] } })])['match']).toEqual(every);
  });

  it('the Rego of code, its version, and the operations of the target', () => {
    const source = { version: 'v1', rego: 'package t\n\nviolation contains "x"', libs: ['package lib.y'] };
    const code = [{ engine: 'K8sNativeValidation' }, { engine: 'Rego', source }];
    const spec = specOf([template({ target: { code, operations: ['*'] } }), constraint()]);
    expect([spec['rego'], spec['libs'], spec['regoVersion']]).toEqual([source.rego, source.libs, 'V1']);
    expect(spec['match']).toHaveProperty('operations', ['CREATE', 'UPDATE', 'DELETE', 'CONNECT']);
  });

  it('looser schemas become structural', () => {
    const schema = {
      properties: {
        list: { items: { properties: { a: { type: 'string' } } } },
        map: { additionalProperties: { type: 'integer' } },
        any: {},
        closed: {
          type: 'object',
          additionalProperties: false,
          properties: { x: { 'x-kubernetes-int-or-string': true } },
        },
      },
    };
    expect(specOf([template({ schema }), constraint()])['parametersSchema']).toEqual({
      type: 'object',
      properties: {
        list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
        map: { type: 'object', additionalProperties: { type: 'integer' } },
        any: { 'x-kubernetes-preserve-unknown-fields': true },
        closed: { type: 'object', properties: { x: { 'x-kubernetes-int-or-string': true } } },
      },
    });
  });

  it('a name that two kinds share gets its template before it', () => {
    const other = template({ spec: { crd: { spec: { names: { kind: 'Other' } } } } });
    const objects = [
      template(),
      { ...other, metadata: { name: 'other' } },
      constraint(),
      constraint({}, 'say', 'Other'),
    ];
    const { rules } = importRules(objects);
    expect(rules.map((rule) => (rule as { metadata: { name: string } }).metadata.name)).toEqual([
      'word-say',
      'other-say',
    ]);
  });
});

describe('what is not', () => {
  const refused: [string, Loose[], RegExp][] = [
    [
      'a field of match',
      [template(), constraint({ match: { matchX: 1 } })],
      /^Word say: spec\.match\.matchX: has no counterpart \(accepted: /,
    ],
    [
      'generated objects',
      [template(), constraint({ match: { source: 'Generated' } })],
      /^Word say: spec\.match\.source: .*expansion/,
    ],
    [
      'an enforcement',
      [template(), constraint({ enforcementAction: 'scoped' })],
      /^Word say: spec\.enforcementAction: "scoped" .*deny, warn, dryrun/,
    ],
    [
      'an enforcement of Object',
      [template(), constraint({ enforcementAction: 'toString' })],
      /enforcementAction: "toString"/,
    ],
    [
      'parameters that are wrong',
      [
        template({ schema: { properties: { word: { type: 'string' } } } }),
        constraint({ parameters: { word: 1 } }),
      ],
      /^Word say: spec\.parameters\.word: is of type integer/,
    ],
    [
      'another target',
      [template({ target: { target: 'x' } }), constraint()],
      /spec\.targets\[0\]\.target: is "x"/,
    ],
    ['two targets', [template({ spec: { targets: [{}, {}] } }), constraint()], /spec\.targets\[1\]: /],
    ['no Rego', [template({ target: { rego: '' } }), constraint()], /spec\.targets\[0\]\.rego: is required/],
    ['no kind', [template({ spec: { crd: {} } })], /spec\.crd\.spec\.names\.kind: is required/],
    ['no template', [constraint()], /^Word say: kind: there is no template of it/],
    [
      'two of one name',
      [template(), constraint(), constraint({ enforcementAction: 'warn' })],
      /^Word say: metadata\.name: there are several/,
    ],
    [
      'a name that is too long',
      [template(), constraint({}, 'x'.repeat(200))],
      /as a PolicyRule: .*metadata\.name: is 200 characters long/,
    ],
    [
      'a namespace that is none',
      [template(), constraint({ match: { namespaces: ['a:b'] } })],
      /as a PolicyRule: .*spec\.match\.namespaces\[0\]: /,
    ],
  ];

  it.each(refused)('refused: %s', (_name, objects, why) => {
    const { rules, refusals } = importRules(objects);
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatch(why);
    expect(rules).toEqual([]);
  });

  const warned: [string, Loose[], RegExp, number][] = [
    ['a template without a constraint', [template()], /^ConstraintTemplate word: no constraint of it/, 0],
    [
      'a stranger',
      [template(), constraint(), { kind: 'Config', metadata: { name: 'c' } }],
      /^Config c: is neither template nor constraint/,
      1,
    ],
    [
      'a word of a schema',
      [template({ schema: { properties: { word: { type: 'string', anyOf: [] } } } }), constraint()],
      /openAPIV3Schema\.properties\.word\.anyOf: is no word .*unchecked/,
      1,
    ],
    [
      'a parameter that the schema does not know',
      [template({ schema: { properties: {} } }), constraint({ parameters: { word: 'x' } })],
      /^Word say: spec\.parameters\.word: is not known .*without the template's schema/,
      1,
    ],
    [
      'the inventory',
      [
        template({ target: { rego: `${REGO}\nviolation[{"msg": "x"}] { data.inventory.cluster }` } }),
        constraint(),
      ],
      /^Word say: reads data\.inventory/,
      1,
    ],
  ];

  it.each(warned)('warned of: %s', (_name, objects, why, rules) => {
    const imported = importRules(objects);
    expect(imported.warnings).toHaveLength(1);
    expect(imported.warnings[0]).toMatch(why);
    expect([imported.rules.length, imported.refusals]).toEqual([rules, []]);
  });
});

describe('the command', () => {
  let folder: Folder;

  beforeAll(() => {
    folder = temporaryFolder();
  });

  afterAll(() => {
    folder.remove();
  });

  it('prints YAML that is read back as it was meant, and exits with 0', async () => {
    const parameters = {
      yes: 'no',
      octal: '0644',
      sexagesimal: '1:30',
      date: '2001-01-01',
      long: 'x y '.repeat(40),
      null: '~',
      number: '1_000',
    };
    const files = [
      folder.file('t.json', template()),
      folder.file('c.json', constraint({ match: { kinds: KINDS }, parameters })),
    ];
    const { status, stdout, stderr } = await policy(['import', ...files]);
    const [rule] = parseYaml(stdout) as { spec: { parameters: unknown; rego: string } }[];
    expect([rule?.spec.parameters, rule?.spec.rego]).toEqual([parameters, REGO]);
    expect(stdout).toContain('  rego: |\n    package t\n');
    expect([status, stderr]).toEqual([0, '']);
  });

  it('exits with 1 and prints nothing of a rule that does not compile or is refused', async () => {
    const broken = folder.file(
      'broken.json',
      template({ target: { rego: 'package t\n\nviolation[{"msg": "x"}] { external_data({}) }' } }),
    );
    const files = [broken, folder.file('c2.json', constraint())];
    const { status, stdout, stderr } = await policy(['import', ...files]);
    expect(stderr).toMatch(/^refused: say: spec\.rego:3: undefined function external_data/);
    expect([status, stdout]).toEqual([1, '']);
  });

  it('exits with 2 without a file, and for one that is none', async () => {
    expect((await policy(['import'])).status).toBe(2);
    expect(await policy(['import', '/nowhere.yaml'])).toMatchObject({ status: 2, stdout: '' });
  });
});
