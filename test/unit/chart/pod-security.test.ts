/**
 * The Pod security pack against the fixtures with which Kubernetes tests its own implementation of the restricted
 * profile (k8s.io/pod-security-admission, of the same version as the control plane of the tests).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { podSecurityJudge, type Judge } from './pack.ts';

type Pod = Record<string, unknown> & { metadata: { name: string }; spec: Record<string, unknown> };

const module = execFileSync('go', ['list', '-m', '-f', '{{.Dir}}', 'k8s.io/pod-security-admission'], {
  cwd: join('test', 'cluster', 'tools', 'kubernetes'),
  encoding: 'utf8',
}).trim();
const folder = join(module, 'test', 'testdata', 'restricted', 'v1.35');
const fixtures = (verdict: 'pass' | 'fail'): Pod[] =>
  globSync('*.yaml', { cwd: join(folder, verdict) })
    .sort()
    .map((file) => load(readFileSync(join(folder, verdict, file), 'utf8')) as Pod);

/** Which rule of ours answers for which check of theirs. */
const RULES: Readonly<Record<string, string>> = {
  allowprivilegeescalation: 'privilege-escalation',
  apparmorprofile: 'apparmor',
  capabilities_baseline: 'capabilities',
  capabilities_restricted: 'capabilities',
  hostnamespaces: 'host-namespaces',
  hostpathvolumes: 'volume-types',
  hostports: 'host-ports',
  hostprobesandhostlifecycle: 'host-probes',
  privileged: 'privileged',
  procmount: 'proc-mount',
  procmount_restricted: 'proc-mount',
  restrictedvolumes: 'volume-types',
  runasnonroot: 'run-as-non-root',
  runasuser: 'run-as-non-root',
  seccompprofile_baseline: 'seccomp',
  seccompprofile_restricted: 'seccomp',
  selinuxoptions: 'selinux',
  sysctls: 'sysctls',
  windowshostprocess: 'host-process',
};

let judge: Judge;

beforeAll(async () => {
  judge = await podSecurityJudge();
});

afterAll(() => judge.close());

const sayings = async (...objects: [Record<string, unknown>, Record<string, unknown>?]): Promise<string[]> =>
  [...(await judge.judge(...objects))].map(([rule, messages]) => `${rule}: ${messages.join('; ')}`);

describe('the fixtures of Kubernetes', () => {
  it('are there', () => {
    expect(fixtures('pass').length).toBeGreaterThan(15);
    expect(fixtures('fail').length).toBeGreaterThan(50);
  });

  it('cover every rule of the pack, and no check is without a rule', () => {
    const checks = new Set(fixtures('fail').map(({ metadata }) => metadata.name.replace(/\d+$/, '')));
    expect([...checks].filter((check) => RULES[check] === undefined)).toEqual([]);
    expect([...new Set(Object.values(RULES))].sort()).toEqual(judge.rules);
  });

  it.each(fixtures('pass').map((pod) => [pod.metadata.name, pod] as const))('%s passes', async (_, pod) => {
    expect(await sayings(pod)).toEqual([]);
  });

  it.each(fixtures('fail').map((pod) => [pod.metadata.name, pod] as const))(
    '%s is refused, by the rule that it is about',
    async (name, pod) => {
      const found = await judge.judge(pod);
      expect([...found.keys()]).toContain(RULES[name.replace(/\d+$/, '')]);
    },
  );
});

function baseLinux(): Pod {
  const pod = fixtures('pass').find(({ metadata }) => metadata.name === 'base_linux');
  if (pod === undefined) throw new Error('no fixture base_linux');
  return pod;
}

describe('what the fixtures do not hold', () => {
  it('is an AppArmor profile in its own field', async () => {
    const pod = baseLinux();
    const profiled = (type: string): Pod => {
      const securityContext = { ...(pod.spec['securityContext'] as object), appArmorProfile: { type } };
      return { ...pod, spec: { ...pod.spec, securityContext } };
    };
    expect(await sayings(profiled('RuntimeDefault'))).toEqual([]);
    expect(await sayings(profiled('Unconfined'))).toEqual([
      'apparmor: the Pod must not set securityContext.appArmorProfile.type to Unconfined',
    ]);
  });
});

describe('workloads', () => {
  const good = baseLinux;
  const bad = (): Pod => {
    const pod = good();
    return { ...pod, spec: { ...pod.spec, hostPID: true } };
  };
  const wrapped = (kind: string, template: Pod, replicas = 1): Record<string, unknown> =>
    kind === 'CronJob'
      ? { kind, metadata: { name: 'x' }, spec: { jobTemplate: { spec: { template } } } }
      : { kind, metadata: { name: 'x' }, spec: { replicas, template } };

  it.each([
    'Deployment',
    'StatefulSet',
    'DaemonSet',
    'ReplicaSet',
    'ReplicationController',
    'Job',
    'CronJob',
  ])('of kind %s are judged by their template', async (kind) => {
    expect(await sayings(wrapped(kind, good()))).toEqual([]);
    expect(await sayings(wrapped(kind, bad()))).toEqual(['host-namespaces: the Pod must not set hostPID']);
  });

  it('that were there before may be scaled, but not changed for the worse', async () => {
    expect(await sayings(wrapped('Deployment', bad(), 3), wrapped('Deployment', bad(), 1))).toEqual([]);
    expect(await sayings(wrapped('Deployment', bad()), wrapped('Deployment', good()))).toHaveLength(1);
  });

  it('leave a Pod alone that is updated: its finalizers must come off', async () => {
    expect(await sayings(bad(), bad())).toEqual([]);
  });

  it('judge what is added to a Pod for debugging it', async () => {
    const debugged = (securityContext: object): Pod => {
      const pod = good();
      return {
        ...pod,
        spec: { ...pod.spec, ephemeralContainers: [{ name: 'debug', image: 'x', securityContext }] },
      };
    };
    const found = await sayings(debugged({ privileged: true }), good());
    expect(found.join()).toContain('"debug"');
    const harmless = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
    expect(await sayings(debugged(harmless), good())).toEqual([]);
    // One that was there already is nobody's news.
    expect(await sayings(debugged({ privileged: true }), debugged({ privileged: true }))).toEqual([]);
  });
});
