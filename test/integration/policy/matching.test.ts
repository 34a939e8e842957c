/** Whom a rule is about and whom it spares: templates, old violations, people, conditions, namespaces. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CONFIG_MAPS,
  configMap,
  eventually,
  inForce,
  noKey,
  openStage,
  READY_SECONDS,
  ready,
  rule,
  statusOf,
  type Output,
  type Stage,
} from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
  await stage.startReplica();
});

afterAll(() => stage.stop());

const PODS = { kinds: [{ apiGroups: [''], kinds: ['Pod'] }] };
const LATEST = `package example

violation contains {"msg": sprintf("%v of %v is latest", [c.name, input.review.object.metadata.name]), "details": {"path": ["spec", "containers", at]}} if {
	some at, c in input.review.object.spec.containers
	endswith(c.image, ":latest")
}
`;

function template(image: string): object {
  const containers = [
    { name: 'good', image: 'app:1' },
    { name: 'bad', image },
  ];
  return { metadata: { labels: { app: 'x' } }, spec: { restartPolicy: 'Always', containers } };
}

function parent(kind: string, name: string, image = 'app:latest', over: object = {}): object {
  const selector = { matchLabels: { app: 'x' } };
  const spec = { replicas: 0, selector, template: template(image), ...over };
  const metadata = { name, namespace: 'default' };
  return { apiVersion: 'apps/v1', kind, metadata, spec };
}

function job(kind: 'Job' | 'CronJob', name: string): object {
  const pod = template('app:latest') as { spec: object };
  const spec = { suspend: true, template: { ...pod, spec: { ...pod.spec, restartPolicy: 'Never' } } };
  return {
    apiVersion: 'batch/v1',
    kind,
    metadata: { name, namespace: 'default' },
    spec: kind === 'Job' ? spec : { schedule: '0 0 1 1 *', suspend: true, jobTemplate: { spec } },
  };
}

function dry(object: object, who = ''): Output {
  return stage.kubectl(`create --dry-run=server${who} -f -`, object);
}

describe('a rule about Pods', () => {
  afterAll(() => {
    stage.must('delete deployments,pods --all --force');
    stage.must('delete policyrule --all');
  });

  it('judges what makes Pods, and says of whom and where', () => {
    inForce(stage, 'latest', { match: PODS, rego: LATEST });
    const parents: [object, string, string][] = [
      [parent('Deployment', 'x'), 'spec.template', 'Deployment x'],
      [parent('StatefulSet', 'x', 'app:latest', { serviceName: 'x' }), 'spec.template', 'StatefulSet x'],
      [parent('DaemonSet', 'x', 'app:latest', { replicas: undefined }), 'spec.template', 'DaemonSet x'],
      [parent('ReplicaSet', 'x'), 'spec.template', 'ReplicaSet x'],
      [job('Job', 'x'), 'spec.template', 'Job x'],
      [job('CronJob', 'x'), 'spec.jobTemplate.spec.template', 'CronJob x'],
    ];
    for (const [object, path, name] of parents)
      expect(dry(object).text).toContain(
        `[latest] bad of x is latest at ${path}.spec.containers[1] of ${name} (severity Medium`,
      );
    expect(dry(parent('Deployment', 'x', 'app:1')).text).toContain('created');
    stage.must('patch policyrule latest --type=merge -p {"spec":{"expand":"Off"}}');
    stage.must(`wait --for=condition=Ready policyrule/latest --timeout=${String(READY_SECONDS)}s`);
    expect(dry(parent('Deployment', 'x')).text).toContain('created');
    stage.must('delete policyrule latest');
  });

  it('warns of a Deployment once, and not again of its ReplicaSet and Pods', async () => {
    inForce(stage, 'warned', { match: PODS, enforcementMode: 'Warn', rego: LATEST });
    const { text } = stage.kubectl(
      'create -f -',
      parent('Deployment', 'warned', 'app:latest', { replicas: 2 }),
    );
    expect(text.match(/Warning/g)).toHaveLength(1);
    await eventually('there are Pods', () => stage.must('get pods -o name').split('\n').length > 2);
    const counts = (): string => {
      const { evaluations = 0, warnings = 0, denials = 0 } = statusOf(stage, 'warned').statistics ?? {};
      return [evaluations, warnings, denials].join(' ');
    };
    // The Deployment and two Pods; the ReplicaSet is not looked at.
    await eventually('they are counted', () => counts() === '3 1 0', 40);
    stage.must('delete policyrule warned');
  });

  it('still refuses a Pod whose Deployment is older than the rule', async () => {
    stage.must('create -f -', parent('Deployment', 'old'));
    inForce(stage, 'latest', { match: PODS, rego: LATEST });
    stage.must('scale deployment old --replicas=1');
    const failure = (): string =>
      stage.must('get deployment old -o jsonpath={.status.conditions[?(@.type=="ReplicaFailure")].message}');
    const { ok, text } = stage.kubectl('label deployment old x=1');
    expect([ok, text]).toEqual([
      true,
      expect.stringMatching(/Warning: \[latest\] still refused when made anew: bad of/),
    ]);
    await eventually('the controller is refused', () => failure().includes('[latest] bad of'));
    expect(stage.must('get pods -l app=x -o name')).not.toContain('old-');
  });
});

describe('an object that violated before', () => {
  const both = (data: Record<string, string>, name = 'old'): object => configMap(name, data);
  const rego = `package example

violation contains {"msg": sprintf("%v is not allowed", [key])} if some key, _ in input.review.object.data
violation contains {"msg": "immutable"} if input.review.oldObject.data.a != input.review.object.data.a
`;

  beforeAll(() => {
    stage.must('create -f -', both({ a: '1' }));
    inForce(stage, 'strict', { match: CONFIG_MAPS, rego });
  });

  afterAll(() => {
    stage.must('delete policyrule --all');
  });

  const mode = (existingViolations: string): void => {
    inForce(stage, 'strict', { match: CONFIG_MAPS, rego, existingViolations });
  };

  it('Allow: may change, but not for the worse, nor for what a rule says of a change', () => {
    expect(stage.must('label configmap old x=1')).toBe('configmap/old labeled\n');
    expect(stage.kubectl('apply -f -', both({ a: '1', b: '1' })).text).toMatch(
      /denied the request: \[strict\] b is not allowed \(/,
    );
    const changed = stage.kubectl('apply -f -', both({ a: '2' })).text;
    expect(changed).toContain('[strict] immutable');
    expect(changed).not.toContain('a is not allowed');
    expect(dry(both({ a: '1' }, 'fresh')).text).toContain('a is not allowed');
  });

  it('Warn: is warned of', () => {
    mode('Warn');
    const { ok, text } = stage.kubectl('label configmap old y=1');
    expect([ok, text]).toEqual([
      true,
      expect.stringContaining('Warning: [strict] still refused when made anew: a is not allowed'),
    ]);
  });

  it('Block: is refused, but can be deleted, finalizers and all', () => {
    stage.must('patch configmap old --type=merge -p {"metadata":{"finalizers":["example.dev/x"]}}');
    mode('Block');
    expect(stage.kubectl('label configmap old z=1').text).toContain('[strict] a is not allowed');
    stage.must('delete configmap old --wait=false');
    stage.must('patch configmap old --type=merge -p {"metadata":{"finalizers":null}}');
    expect(stage.kubectl('get configmap old').text).toContain('not found');
  });
});

describe('who asks', () => {
  const admins = '--as-group=system:masters';
  const refused = (who: string): boolean =>
    dry(configMap('x', { secret: '' }), ` ${who} ${admins}`).text.includes('[who]');

  it('is judged by name, by group, as a service account', () => {
    const subjects = [
      { kind: 'User', name: 'dev-*' },
      { kind: 'Group', name: 'contractors' },
      { kind: 'ServiceAccount', name: '*', namespace: 'ci' },
    ];
    const excludeSubjects = [{ kind: 'ServiceAccount', name: 'deployer', namespace: 'ci' }];
    inForce(stage, 'who', { match: { ...CONFIG_MAPS, subjects, excludeSubjects }, rego: noKey('secret') });
    expect(refused('--as=dev-ann')).toBe(true);
    expect(refused('--as=ann')).toBe(false);
    expect(refused('--as=ann --as-group=contractors')).toBe(true);
    expect(refused('--as=system:serviceaccount:ci:builder')).toBe(true);
    expect(refused('--as=system:serviceaccount:ci:deployer')).toBe(false);
    expect(refused('--as=system:serviceaccount:default:builder')).toBe(false);
    stage.must('delete policyrule who');
    const nameless = { kind: 'ServiceAccount', name: 'deployer' };
    const spec = { match: { ...CONFIG_MAPS, excludeSubjects: [nameless] }, regoQuery: 'false' };
    expect(stage.kubectl('apply -f -', rule('who', spec)).text).toContain('a ServiceAccount has a namespace');
  });
});

describe('conditions in CEL', () => {
  const spec = (expression: string, failurePolicy = 'Fail'): object => ({
    match: CONFIG_MAPS,
    matchConditions: [{ name: 'mine', expression }],
    failurePolicy,
    rego: noKey('secret'),
  });
  const names = (): string[] =>
    (stage.get('validatingwebhookconfiguration cogniforge')['webhooks'] as { name: string }[]).map(
      ({ name }) => name,
    );

  beforeAll(() => {
    inForce(stage, 'plain', { match: CONFIG_MAPS, rego: noKey('plain') });
  });

  afterAll(() => {
    stage.must('delete policyrule --all');
  });

  it('are asked by the API server, for their rule alone', () => {
    inForce(stage, 'conditional.dotted', spec("object.metadata.name.startsWith('judged')"));
    expect(names()).toContain('conditional.dotted.rule.fail.admission.cogniforge.dev');
    expect(dry(configMap('judged', { secret: '' })).text).toContain('[conditional.dotted] no secret');
    expect(dry(configMap('x', { secret: '' })).ok).toBe(true);
    expect(dry(configMap('x', { plain: '' })).text).toContain('[plain] no plain');
  });

  it('that fail concern their rule alone', () => {
    inForce(stage, 'conditional.dotted', spec('object.data.absent == "x"'));
    // The words are the API server's, which does not say whose expression it is.
    expect(dry(configMap('x', {})).text).toContain(`'object.data.absent == "x"' resulted in error`);
    inForce(stage, 'conditional.dotted', spec('object.data.absent == "x"', 'Ignore'));
    expect(dry(configMap('x', {})).ok).toBe(true);
    expect(dry(configMap('x', { plain: '' })).text).toContain('[plain] no plain');
  });

  it('that are none are refused at once, or told in the status, and nobody else is concerned', async () => {
    const { text } = stage.kubectl('apply -f -', rule('bad', spec('obj.metadata.name == "x"')));
    expect(text).toContain('spec.matchConditions[mine].expression: undeclared reference to obj');
    // A type is for the API server to check.
    stage.must('apply -f -', rule('bad', spec('object.metadata.name + 1')));
    await eventually('it is told', () => ready(stage, 'bad') === 'False MatchConditionRefused');
    expect(JSON.stringify(statusOf(stage, 'bad').conditions)).toContain('must evaluate to bool but got int');
    // The others are registered as ever, also what comes later.
    inForce(stage, 'later', { match: CONFIG_MAPS, rego: noKey('later') });
    expect(dry(configMap('x', { later: '', plain: '' })).text).toMatch(/\[plain\][\s\S]*\[later\]/);
    inForce(stage, 'bad', spec('object.metadata.name == "x"'));
    expect(dry(configMap('x', { secret: '' })).text).toContain('[bad] no secret');
  });
});

describe('a namespace', () => {
  afterAll(() => {
    stage.must('delete policyrule --all');
  });

  it('of the system is judged only where it is named', () => {
    inForce(stage, 'everywhere', { match: { ...CONFIG_MAPS, namespaces: ['*'] }, rego: noKey('all') });
    const named = { ...CONFIG_MAPS, namespaces: ['kube-system', 'cogniforge-system'] };
    inForce(stage, 'named', { match: named, failurePolicy: 'Fail', rego: noKey('named') });
    const both = { all: '', named: '' };
    for (const namespace of ['kube-system', 'cogniforge-system']) {
      const { text } = dry(configMap('x', both, namespace));
      expect(text).toContain('[named] no named');
      expect(text).not.toContain('[everywhere]');
    }
    for (const namespace of ['kube-public', 'default']) {
      const { text } = dry(configMap('x', both, namespace));
      expect(text).toContain('[everywhere] no all');
      expect(text).not.toContain('[named]');
    }
  });

  it('cannot label itself out', () => {
    stage.must('create namespace sly');
    for (const label of [
      'cogniforge.dev/ignore=true',
      'cogniforge.dev/exempt=true',
      'admission.cogniforge.dev/ignore=true',
      'admission.gatekeeper.sh/ignore=true',
      'control-plane=controller-manager',
      'kubernetes.io/metadata.name=kube-system',
    ]) {
      stage.kubectl(`label namespace sly --overwrite ${label}`);
      expect([label, dry(configMap('x', { all: '' }, 'sly')).text]).toEqual([
        label,
        expect.stringContaining('[everywhere] no all'),
      ]);
    }
  });

  it('counts by its own name and labels', () => {
    const match = {
      kinds: [{ apiGroups: [''], kinds: ['Namespace'] }],
      namespaces: ['team-*'],
      namespaceSelector: { matchLabels: { env: 'live' } },
    };
    inForce(stage, 'namespaces', { match, regoQuery: 'true' });
    const namespace = (name: string, env: string): Output =>
      dry({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { env } } });
    expect(namespace('team-a', 'live').text).toContain('[namespaces]');
    expect(namespace('team-a', 'test').ok).toBe(true);
    expect(namespace('other', 'live').ok).toBe(true);
  });
});

describe('what has no name yet', () => {
  it('is matched by what its name begins with, and named in the message', () => {
    const rego =
      'package example\n\nviolation contains {"msg": sprintf("%v?", [input.review.object.metadata.name])}';
    inForce(stage, 'begins', { match: { ...CONFIG_MAPS, name: 'begin-*' }, rego });
    const nameless = (generateName: string): object => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { generateName, namespace: 'default' },
    });
    expect(dry(nameless('begin-')).text).toMatch(/\[begins\] begin-\w+\?/);
    expect(dry(nameless('other-')).ok).toBe(true);
    stage.must('delete policyrule begins');
  });
});

describe('a point', () => {
  it('can be milder than the rule', () => {
    const enforcement = [{ point: 'Admission', action: 'Warn' }];
    inForce(stage, 'mild', { match: CONFIG_MAPS, enforcement, rego: noKey('mild') });
    const { ok, text } = dry(configMap('x', { mild: '' }));
    expect([ok, text]).toEqual([true, expect.stringContaining('Warning: [mild] no mild')]);
    stage.must('delete policyrule mild');
  });
});
