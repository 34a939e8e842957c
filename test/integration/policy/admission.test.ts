/** What a user of kubectl meets: the words of a refusal, what is never judged, what a dry run leaves, how we come and go. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { Operator } from '../../cluster/operator.ts';
import {
  CONFIG_MAPS,
  configMap,
  eventually,
  inForce,
  noKey,
  openStage,
  ready,
  rule,
  statusOf,
  type Stage,
} from './stage.ts';

let stage: Stage;
let operator: Operator;

beforeAll(async () => {
  stage = await openStage();
});

afterAll(() => stage.stop());

interface Entry {
  name: string;
  failurePolicy: string;
  rules: { resources: string[] }[];
  clientConfig: { caBundle?: string };
}

function entries(): Entry[] {
  const { ok, text } = stage.kubectl('get validatingwebhookconfiguration cogniforge -o json');
  return ok ? ((JSON.parse(text) as { webhooks?: Entry[] }).webhooks ?? []) : [];
}

function entry(name: string): Entry | undefined {
  return entries().find((one) => one.name === `${name}.admission.cogniforge.dev`);
}

function object(apiVersion: string, kind: string, rest: object = {}, namespace?: string): object {
  return {
    apiVersion,
    kind,
    metadata: { name: 'x', ...(namespace === undefined ? {} : { namespace }) },
    ...rest,
  };
}

interface Version {
  metadata: { annotations?: Record<string, string> };
  webhooks?: Entry[];
}

/** Every version of the configuration, by kubectl's watch. */
function watchConfiguration(): { versions(): { proven: boolean; closed: boolean }[]; stop(): void } {
  const args = ['get', 'validatingwebhookconfiguration', '-w', '-o', 'json'];
  const child = spawn(stage.cluster.kubectl, ['--kubeconfig', stage.cluster.kubeconfig, ...args]);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  return {
    versions: () =>
      text
        .split(/(?<=^\}\n)/m)
        .filter((part) => part.endsWith('\n}\n'))
        .map((part) => JSON.parse(part) as Version)
        .map(({ metadata, webhooks = [] }) => ({
          proven: metadata.annotations?.['cogniforge.dev/proven'] !== undefined,
          closed: webhooks.some(({ failurePolicy }) => failurePolicy === 'Fail'),
        })),
    stop: () => {
      child.kill('SIGKILL');
    },
  };
}

const EVERYTHING = {
  kinds: [{ apiGroups: ['*'], kinds: ['*'] }],
  operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
};
const NOTHING_PASSES =
  'package example\n\nviolation contains {"msg": sprintf("no %v", [input.review.kind.kind])}';

describe('a cold start with a rule that fails closed on everything', () => {
  it('is not in its own way: the rule stored first, then the operator', async () => {
    stage.must(
      'apply -f -',
      rule('everything', {
        match: EVERYTHING,
        failurePolicy: 'Fail',
        // What was there before the rule violates it.
        existingViolations: 'Block',
        rego: NOTHING_PASSES,
      }),
    );
    const watch = watchConfiguration();
    operator = await stage.startReplica();
    await eventually('it fails closed', () => entry('fail')?.failurePolicy === 'Fail');
    await eventually('the watch has it too', () => watch.versions().some(({ closed }) => closed));
    watch.stop();
    // First without proof and open; closed never without proof.
    expect(watch.versions()[0]).toEqual({ proven: false, closed: false });
    expect(watch.versions().filter(({ proven, closed }) => closed && !proven)).toEqual([]);
    expect(entry('fail')?.clientConfig.caBundle).toMatch(/^LS0t/);
    await eventually('the rule is in force', () => ready(stage, 'everything') === 'True InForce');
    expect(stage.kubectl('create -f -', configMap('x', {})).text).toContain('[everything] no ConfigMap');
  });

  it('refuses everything but what keeps the cluster, and us, alive', () => {
    const passes: [string, object][] = [
      ['a Lease', object('coordination.k8s.io/v1', 'Lease', {}, 'default')],
      ['an Event', object('v1', 'Event', { involvedObject: { namespace: 'default' } }, 'default')],
      [
        'an Event of the new API',
        {
          ...object(
            'events.k8s.io/v1',
            'Event',
            {
              eventTime: '2026-11-24T12:00:00.000000Z',
              reportingController: 'x',
              reportingInstance: 'x',
              action: 'x',
              reason: 'x',
              type: 'Normal',
              regarding: { namespace: 'default' },
            },
            'default',
          ),
          metadata: { name: 'y', namespace: 'default' },
        },
      ],
      [
        'a TokenReview',
        { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'x' } },
      ],
      [
        'a SubjectAccessReview',
        {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec: { user: 'x', nonResourceAttributes: { path: '/', verb: 'get' } },
        },
      ],
      ['what is in our own namespace', configMap('x', {}, 'cogniforge-system')],
      ['what is in kube-system', configMap('x', {}, 'kube-system')],
    ];
    for (const [what, one] of passes)
      expect([what, stage.kubectl('create -f -', one).text]).toEqual([
        what,
        expect.stringMatching(/created\n$/),
      ]);
    const refused: [string, object][] = [
      ['Node', object('v1', 'Node')],
      ['Namespace', object('v1', 'Namespace')],
      ['Secret', object('v1', 'Secret', {}, 'default')],
    ];
    for (const [kind, one] of refused)
      expect(stage.kubectl('create -f -', one).text).toContain(`[everything] no ${kind}`);
  });

  it('lets the status of a Node through', async () => {
    stage.must('patch policyrule everything --type=merge -p {"spec":{"suspend":true}}');
    await eventually('nothing is sent to us', () => entry('fail') === undefined);
    stage.must('create -f -', object('v1', 'Node'));
    stage.must('patch policyrule everything --type=merge -p {"spec":{"suspend":false}}');
    await eventually('it refuses again', () => !stage.kubectl('label node x a=b').ok);
    stage.must('patch node x --subresource=status --type=merge -p {"status":{"phase":"Running"}}');
  });

  it('can be mended, switched off and deleted while it refuses everything else', async () => {
    expect(stage.kubectl('create -f -', object('v1', 'Secret', {}, 'default')).ok).toBe(false);
    stage.must('patch policyrule everything --type=merge -p {"spec":{"description":"too-much"}}');
    stage.must('patch policyrule everything --type=merge -p {"spec":{"suspend":true}}');
    await eventually(
      'a Secret is accepted',
      () => stage.kubectl('create --dry-run=server -f -', object('v1', 'Secret', {}, 'default')).ok,
    );
    expect(ready(stage, 'everything')).toMatch(/Suspended|InForce/);
    stage.must('patch policyrule everything --type=merge -p {"spec":{"suspend":false}}');
    await eventually(
      'a Secret is refused',
      () => !stage.kubectl('create --dry-run=server -f -', object('v1', 'Secret', {}, 'default')).ok,
    );
    stage.must('delete policyrule everything');
    await eventually(
      'a Secret is accepted',
      () => stage.kubectl('create --dry-run=server -f -', object('v1', 'Secret', {}, 'default')).ok,
    );
  });
});

describe('a rule that names what is never judged', () => {
  it.each(['Lease', 'Event', 'TokenReview', 'SubjectAccessReview', 'PolicyRule'])(
    '%s: is told so, and does nothing',
    async (kind) => {
      const name = `names-${kind.toLowerCase()}`;
      stage.must(
        'apply -f -',
        rule(name, { match: { kinds: [{ kinds: [kind] }] }, failurePolicy: 'Fail', rego: NOTHING_PASSES }),
      );
      await eventually('it is told', () => ready(stage, name) === 'False KindExempt');
      const message = statusOf(stage, name).conditions?.find(({ type }) => type === 'Ready')?.message;
      expect(message).toContain(`${kind} is never judged`);
      // A Lease, a SubjectAccessReview, and the rule itself.
      stage.must('delete lease x -n default --ignore-not-found');
      stage.must('create -f -', object('coordination.k8s.io/v1', 'Lease', {}, 'default'));
      stage.must('auth can-i list pods --as someone --as-group system:masters');
      stage.must(`patch policyrule ${name} --type=merge -p {"spec":{"description":"x"}}`);
      stage.must(`delete policyrule ${name}`);
    },
  );

  it('and one that names what the API server does not serve', async () => {
    stage.must('apply -f -', rule('podd', { match: { kinds: [{ kinds: ['Podd'] }] }, rego: NOTHING_PASSES }));
    await eventually('it is told', () => ready(stage, 'podd') === 'False KindUnknown');
    expect(JSON.stringify(statusOf(stage, 'podd').conditions)).toContain('Podd');
    stage.must('delete policyrule podd');
  });
});

describe('the words', () => {
  beforeAll(() => {
    inForce(stage, 'enforced', { match: CONFIG_MAPS, severity: 'Critical', rego: noKey('secret') });
    const words =
      'package example\n\nviolation contains {"msg": "one\\ntwo\\tthree\\u0085"} if input.review.object.data.w';
    inForce(stage, 'warned', { match: CONFIG_MAPS, enforcementMode: 'Warn', rego: words });
    inForce(stage, 'noted', { match: CONFIG_MAPS, enforcementMode: 'Audit', rego: noKey('audited') });
  });

  it('of a refusal name rule, message, severity and how to look further, and that command works', () => {
    const { ok, text } = stage.kubectl('create -f -', configMap('x', { secret: 'y' }));
    expect(ok).toBe(false);
    expect(text).toContain(
      '[enforced] no secret here (severity Critical; see: kubectl describe policyrule enforced)',
    );
    expect(stage.must('describe policyrule enforced')).toContain('no secret here');
    expect(stage.kubectl('get configmap x').ok).toBe(false);
  });

  it('of a warning reach the user whatever the rule put into them', () => {
    const { ok, text } = stage.kubectl('create -f -', configMap('warned', { w: 'y' }));
    expect(ok).toBe(true);
    expect(text).toContain(
      'Warning: [warned] one two three\ufffd (severity Medium; see: kubectl describe policyrule warned)',
    );
  });

  it('of an audit stay out of the way', () => {
    expect(stage.must('create -f -', configMap('noted', { audited: 'y' }))).toBe('configmap/noted created\n');
  });

  it('of several rules come together', () => {
    inForce(stage, 'enforced-too', { match: CONFIG_MAPS, rego: noKey('secret') });
    const { text } = stage.kubectl('create -f -', configMap('x', { secret: 'y', w: 'y' }));
    for (const words of ['[enforced] no secret', '[enforced-too] no secret', 'Warning: [warned] one two'])
      expect(text).toContain(words);
    stage.must('delete policyrule enforced-too');
  });
});

describe('a dry run', () => {
  it('of a rule that compiles leaves no rule, of one that does not is refused like the real thing', () => {
    stage.must('apply --dry-run=server -f -', rule('dry', { match: CONFIG_MAPS, rego: noKey('dry') }));
    expect(stage.kubectl('get policyrule dry').ok).toBe(false);
    const broken = rule('dry', { match: CONFIG_MAPS, rego: 'package x\n\nviolation contains {' });
    expect(stage.kubectl('apply --dry-run=server -f -', broken).text).toMatch(
      /PolicyRule dry does not compile:\nspec\.rego:[34]: /,
    );
  });

  it('of what rules refuse, warn of and note leaves no count, no event and no error', async () => {
    inForce(stage, 'slow', {
      match: CONFIG_MAPS,
      timeoutMilliseconds: 10,
      rego: 'package example\n\nviolation contains "x" if contains(input.review.object.data.hay, input.review.object.data.needle)',
    });
    const slow = { hay: 'a'.repeat(300_000), needle: `${'a'.repeat(150_000)}b` };
    const look = (): string =>
      ['enforced', 'warned', 'noted', 'slow']
        .map((name) => JSON.stringify([statusOf(stage, name).statistics, statusOf(stage, name)['lastError']]))
        .join();
    const events = (): string => stage.must('get events -A -o name');
    // What was counted before is written down within a report.
    await eventually('the counts stand still', () => statusOf(stage, 'noted').statistics?.warnings === 1, 40);
    await eventually(
      'the counts stand still',
      () => (statusOf(stage, 'warned').statistics?.warnings ?? 0) >= 1,
      40,
    );
    const before = [look(), events()];
    for (const data of [{ secret: 'y' }, { w: 'y' }, { audited: 'y' }, slow])
      stage.kubectl('create --dry-run=server -f -', configMap('dry', data));
    expect(stage.kubectl('create --dry-run=server -f -', configMap('dry', slow)).text).toContain(
      'policy slow could not be evaluated',
    );
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    expect([look(), events()]).toEqual(before);
    // The same for real is counted.
    expect(stage.kubectl('create -f -', configMap('wet', slow)).ok).toBe(true);
    await eventually('the failure is counted', () => statusOf(stage, 'slow').statistics?.errors === 1, 40);
    expect(JSON.stringify(statusOf(stage, 'slow')['lastError'])).toContain('more than 10 ms');
  });
});

describe('the configuration', () => {
  it('asks for what the rules in force are about, and for nothing when there is none', async () => {
    const resources = (): string =>
      JSON.stringify(entry('ignore')?.rules.flatMap((one) => one.resources) ?? []);
    expect(resources()).toBe('["configmaps"]');
    inForce(stage, 'pods', {
      match: { kinds: [{ apiGroups: ['', 'apps'], kinds: ['Pod', 'Deployment'] }] },
      rego: noKey('x'),
    });
    // A Deployment that the rule names itself is not judged by its template as well.
    expect(resources()).toBe(
      JSON.stringify([
        ...['configmaps', 'pods', 'pods/ephemeralcontainers', 'pods/resize'],
        ...['daemonsets', 'deployments', 'replicasets', 'statefulsets', 'cronjobs', 'jobs'],
      ]),
    );
    stage.must('delete policyrule --all');
    await eventually(
      'nothing is asked for',
      () => entry('ignore') === undefined && entry('fail') === undefined,
    );
    expect(entries().some(({ name }) => name === 'policyrules.validate.cogniforge.dev')).toBe(true);
  });

  it('broken glass: one line, and nothing is refused while we are away', async () => {
    inForce(stage, 'closed', { match: CONFIG_MAPS, failurePolicy: 'Fail', rego: noKey('secret') });
    await eventually('it fails closed', () => entry('fail')?.failurePolicy === 'Fail');
    await operator.stop();
    expect(stage.kubectl('create -f -', configMap('z', {})).text).toContain(
      'failed calling webhook "fail.admission.cogniforge.dev"',
    );
    stage.must('delete validatingwebhookconfiguration cogniforge');
    stage.must('create -f -', configMap('z', { secret: 'y' }));
    operator = await stage.startReplica();
    await eventually('it refuses again', () =>
      stage
        .kubectl('create --dry-run=server -f -', configMap('zz', { secret: 'y' }))
        .text.includes('[closed] no secret'),
    );
  });
});
