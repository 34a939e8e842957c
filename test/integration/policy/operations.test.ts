/** Every way to touch an object, asked of a real API server: what is judged, what is not, and what is not even sent. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CONFIG_MAPS,
  eventually,
  inForce,
  openStage,
  ready,
  rule,
  type Json,
  type Output,
  type Stage,
} from './stage.ts';

let stage: Stage;

const PODS = { kinds: [{ apiGroups: [''], kinds: ['Pod'] }] };
const DEPLOYMENTS = { kinds: [{ apiGroups: ['apps'], kinds: ['Deployment'] }] };
/** Says what was asked of whom. */
const NEVER = `package example

violation contains {"msg": sprintf("%v %v of %v", [input.review.operation, object.get(input.review, "subResource", "itself"), input.review.object.metadata.name])} if input.review.object.metadata.name
violation contains {"msg": sprintf("%v to %v", [input.review.operation, input.review.subResource])} if input.review.operation == "CONNECT"
`;

const container = { name: 'main', image: 'registry/app:1', resources: { requests: { cpu: '100m' } } };

function pod(name: string, rest: object = {}, metadata: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', ...metadata },
    spec: { containers: [container], ...rest },
  };
}

function deployment(name: string, replicas = 0, image = 'registry/app:1', rest: object = {}): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ ...container, image }], ...rest },
      },
    },
  };
}

interface Entry {
  name: string;
  failurePolicy: string;
  rules: { apiGroups: string[]; resources: string[]; operations: string[] }[];
  namespaceSelector?: object;
}

function entries(): Entry[] {
  const { webhooks = [] } = stage.get('validatingwebhookconfiguration cogniforge') as { webhooks?: Entry[] };
  return webhooks.filter(({ name }) => name.endsWith('.admission.cogniforge.dev'));
}

/** `apps/deployments/scale UPDATE`, of every entry. */
function sent(): string[] {
  return entries()
    .flatMap(({ rules }) =>
      rules.flatMap(({ apiGroups, resources, operations }) =>
        resources.map((name) => `${apiGroups.join('+')}/${name} ${operations.join('+')}`),
      ),
    )
    .sort();
}

async function gone(...names: string[]): Promise<void> {
  for (const name of names) stage.must(`delete policyrule ${name}`);
  await eventually('nothing is sent', () => entries().length === 0);
}

function raw(verb: string, path: string, body: object): Output {
  return stage.kubectl(`${verb} --raw /api/v1/namespaces/default/${path} -f -`, body);
}

beforeAll(async () => {
  stage = await openStage();
  // Stored while nobody looks: its text is none.
  stage.must('apply -f -', rule('broken', { match: CONFIG_MAPS, rego: 'package x\n\nviolation contains {' }));
  await stage.startReplica();
});

afterAll(() => stage.stop());

describe('a rule that was stored broken', () => {
  it('can be switched off at any time, and on again only when it is mended', async () => {
    await eventually('it is told', () => ready(stage, 'broken') === 'False CompileFailed');
    const broken = stage.kubectl('patch policyrule broken --type=merge -p {"spec":{"severity":"Low"}}');
    expect(broken.text).toContain('does not compile');
    stage.must('patch policyrule broken --type=merge -p {"spec":{"suspend":true}}');
    stage.must('label policyrule broken a=b');
    const again = stage.kubectl('patch policyrule broken --type=merge -p {"spec":{"suspend":false}}');
    expect(again.text).toContain('does not compile');
    stage.must('delete policyrule broken');
  });
});

describe('each operation', () => {
  beforeAll(() => {
    for (const name of ['guarded', 'free']) {
      for (const one of [name, `${name}-e`]) stage.must('create -f -', pod(one));
      stage.must('create -f -', deployment(`${name}-d`));
    }
    const match = { ...PODS, name: 'guarded*', operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] };
    const subresources = ['eviction', 'exec', 'attach', 'portforward', 'proxy', 'binding'];
    inForce(stage, 'pods', {
      match: { ...match, subresources },
      expand: 'Off',
      existingViolations: 'Block',
      rego: NEVER,
    });
    const scaled = { ...DEPLOYMENTS, name: 'guarded*', operations: ['UPDATE'], subresources: ['scale'] };
    inForce(stage, 'deployments', { match: scaled, existingViolations: 'Block', rego: NEVER });
  });

  afterAll(() => gone('pods', 'deployments'));

  const more = { name: 'debug', image: 'registry/debug:1' };
  const evict = (name: string): object => ({
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace: 'default' },
  });
  const binding = (name: string): object => ({
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace: 'default' },
    target: { kind: 'Node', name: 'none' },
  });
  const larger = '{"spec":{"containers":[{"name":"main","resources":{"requests":{"cpu":"200m"}}}]}}';
  const notOurs = /does not have a host assigned/;

  // The kubelet that an exec is for does not exist: what is accepted fails later, and in other words.
  it.each<[string, (name: string) => Output, string, RegExp]>([
    [
      'create',
      (name) => stage.kubectl('create -f -', pod(`${name}-2`)),
      'CREATE itself of guarded-2',
      /created/,
    ],
    ['update', (name) => stage.kubectl(`label pod ${name} x=y`), 'UPDATE itself of guarded', /labeled/],
    ['exec', (name) => stage.kubectl(`exec ${name} -- true`), 'CONNECT to exec', notOurs],
    ['attach', (name) => raw('create', `pods/${name}/attach?stdout=1`, {}), 'CONNECT to attach', notOurs],
    [
      'port-forward',
      (name) => raw('create', `pods/${name}/portforward`, {}),
      'CONNECT to portforward',
      notOurs,
    ],
    ['proxy', (name) => raw('create', `pods/${name}/proxy/`, {}), 'CONNECT to proxy', /host|address/],
    [
      'ephemeralcontainers',
      (name) => {
        const stored = stage.get(`pod ${name}`) as { spec: Json };
        const body = { ...stored, spec: { ...stored.spec, ephemeralContainers: [more] } };
        return raw('replace', `pods/${name}/ephemeralcontainers`, body);
      },
      'UPDATE ephemeralcontainers of guarded',
      /"debug"/,
    ],
    [
      'resize',
      (name) => stage.kubectl(`patch pod ${name} --subresource=resize -p ${larger}`),
      'UPDATE resize of guarded',
      /patched/,
    ],
    [
      'evict',
      (name) => raw('create', `pods/${name}-e/eviction`, evict(`${name}-e`)),
      'CREATE eviction of guarded-e',
      /Success/,
    ],
    [
      'bind',
      (name) => raw('create', `pods/${name}-b/binding`, binding(`${name}-b`)),
      'CREATE binding of guarded-b',
      /not found/,
    ],
    [
      'scale',
      (name) => stage.kubectl(`scale deployment ${name}-d --replicas=1`),
      'UPDATE scale of guarded-d',
      /scaled/,
    ],
    [
      'update of the whole',
      (name) => stage.kubectl(`label deployment ${name}-d x=y`),
      'UPDATE itself of guarded-d',
      /labeled/,
    ],
    [
      'delete',
      (name) => stage.kubectl(`delete pod ${name} --wait=false`),
      'DELETE itself of guarded',
      /deleted/,
    ],
    // Of Deployments only updates are judged.
    ['delete of another kind', (name) => stage.kubectl(`delete deployment ${name}-d`), '', /deleted/],
  ])('%s: refused where it is matched, else not', (_what, ask, words, accepted) => {
    const refused = ask('guarded');
    if (words === '') expect(refused.text).toMatch(accepted);
    else expect([refused.ok, refused.text]).toEqual([false, expect.stringContaining(words)]);
    const { text } = ask('free');
    expect(text).toMatch(accepted);
    expect(text).not.toContain('admission.cogniforge.dev');
  });
});

describe('what is sent', () => {
  const parts = ['/pods/ephemeralcontainers UPDATE', '/pods/resize UPDATE'];
  it.each<[string, object, string[]]>([
    [
      'nothing but what the rule names',
      { match: { ...CONFIG_MAPS, operations: ['CREATE'] } },
      ['/configmaps CREATE'],
    ],
    [
      'with a Pod what changes its containers',
      { match: PODS, expand: 'Off' },
      [...parts, '/pods CREATE+UPDATE'].sort(),
    ],
    [
      'and the parents whose template it judges',
      { match: { ...PODS, operations: ['CREATE'] } },
      [
        ...parts,
        '/pods CREATE',
        ...['daemonsets', 'deployments', 'replicasets', 'statefulsets'].map(
          (name) => `apps/${name} CREATE+UPDATE`,
        ),
        ...['cronjobs', 'jobs'].map((name) => `batch/${name} CREATE+UPDATE`),
      ].sort(),
    ],
    ['of a deletion nothing else', { match: { ...PODS, operations: ['DELETE'] } }, ['/pods DELETE']],
    ['of a connection no change', { match: { ...PODS, operations: ['CONNECT'] } }, ['/pods/* CONNECT']],
    [
      'one subresource',
      { match: { ...DEPLOYMENTS, operations: ['UPDATE'], subresources: ['scale'] } },
      ['apps/deployments UPDATE', 'apps/deployments/scale UPDATE'],
    ],
    [
      'nothing while it is off at admission',
      { match: PODS, enforcement: [{ point: 'Admission', action: 'Off' }] },
      [],
    ],
    ['nothing while it is suspended', { match: PODS, suspend: true }, []],
  ])('%s', async (_what, spec, expected) => {
    stage.must('apply -f -', rule('sent', { ...spec, regoQuery: 'false' }));
    await eventually('it is looked at', () => /InForce|Suspended/.test(ready(stage, 'sent')));
    expect(sent()).toEqual(expected);
    await gone('sent');
  });

  it('a subresource that no kind has is told, one that is never judged is refused', async () => {
    stage.must(
      'apply -f -',
      rule('scal', { match: { ...PODS, subresources: ['scal'] }, regoQuery: 'false' }),
    );
    await eventually('it is told', () => ready(stage, 'scal') === 'False SubresourceUnknown');
    stage.must('delete policyrule scal');
    for (const [subresource, words] of [
      ['status', 'never judged'],
      ['exec', 'operations must include CONNECT'],
    ] as const) {
      const spec = { match: { ...PODS, subresources: [subresource] }, regoQuery: 'false' };
      expect(stage.kubectl('apply -f -', rule('never', spec)).text).toContain(words);
    }
  });
});
