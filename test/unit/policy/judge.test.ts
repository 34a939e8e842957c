/** The merged verdict of several findings: pure. */
import { describe, expect, it } from '@jest/globals';
import { judge, type Finding } from '../../../src/policy/judge.ts';
import type { PolicyRule } from '../../../src/policy/policyrule/types.gen.ts';
import { asStored } from './as-stored.ts';

function rule(name: string, spec: Partial<PolicyRule['spec']> = {}): PolicyRule {
  return asStored({
    apiVersion: 'cogniforge.dev/v1alpha1',
    kind: 'PolicyRule',
    metadata: { name },
    spec: {
      match: { kinds: [{ apiGroups: [''], kinds: ['Pod'] }] },
      regoQuery: 'true',
      ...spec,
    },
  });
}

function found(subject: PolicyRule, ...words: string[]): Finding {
  return { rule: subject, violations: words.map((message) => ({ message })) };
}

const look = (name: string): string => `see: kubectl describe policyrule ${name}`;

describe('judge', () => {
  it('allows where nothing was found', () => {
    expect(judge([], 'Fail')).toEqual({ allowed: true });
    expect(judge([found(rule('a'))], 'Fail')).toEqual({ allowed: true });
  });

  it('refuses with rule, message, severity and how to look further, one line for each violation', () => {
    const findings = [found(rule('a', { severity: 'High' }), 'one', 'two'), found(rule('b'), 'three')];
    expect(judge(findings, 'Ignore')).toEqual({
      allowed: false,
      code: 403,
      reason: 'PolicyViolation',
      message: [
        `[a] one (severity High; ${look('a')})`,
        `[a] two (severity High; ${look('a')})`,
        `[b] three (severity Medium; ${look('b')})`,
      ].join('\n'),
    });
  });

  it.each<[unknown, string]>([
    [{ path: ['spec', 'containers', 1, 'image'] }, 'm at spec.containers[1].image'],
    [{ path: [0] }, 'm at [0]'],
    [{ path: [] }, 'm'],
    [{ path: 'spec' }, 'm'],
    [{ other: 1 }, 'm'],
    [null, 'm'],
    [{ path: ['a\u001b'] }, 'm at a\ufffd'],
  ])('says where: %j', (details, words) => {
    const findings = [{ rule: rule('a'), violations: [{ message: 'm', details }] }];
    expect(judge(findings, 'Fail').message).toBe(`[a] ${words} (severity Medium; ${look('a')})`);
  });

  it('warns in Warn mode and notes in Audit mode, beside a refusal', () => {
    const findings = [
      found(rule('w', { enforcementMode: 'Warn' }), 'warned'),
      found(rule('n', { enforcementMode: 'Audit' }), 'noted', 'twice'),
      found(rule('e', { enforcementMode: 'Enforce' }), 'refused'),
    ];
    const verdict = judge(findings, 'Fail');
    expect(verdict.allowed).toBe(false);
    expect(verdict.message).toBe(`[e] refused (severity Medium; ${look('e')})`);
    expect(verdict.warnings).toEqual([`[w] warned (severity Medium; ${look('w')})`]);
    expect(verdict.auditAnnotations).toEqual({
      n: `[n] noted (severity Medium; ${look('n')}); [n] twice (severity Medium; ${look('n')})`,
    });
    expect(judge(findings.slice(0, 2), 'Fail').allowed).toBe(true);
  });

  it.each<['Fail' | 'Ignore', 'Enforce' | 'Warn' | 'Audit', boolean]>([
    ['Fail', 'Enforce', false],
    ['Fail', 'Warn', false],
    ['Ignore', 'Enforce', true],
    ['Ignore', 'Audit', true],
  ])(
    'a rule that cannot be evaluated follows failurePolicy %s in mode %s',
    (mode, enforcementMode, allowed) => {
      const findings = [{ rule: rule('a', { enforcementMode }), violations: [], error: 'it took\ntoo long' }];
      const verdict = judge(findings, mode);
      expect(verdict.allowed).toBe(allowed);
      if (allowed) expect(verdict.warnings).toEqual(['policy a could not be evaluated: it took too long']);
      else
        expect(verdict.message).toBe('policy a could not be evaluated: it took\ntoo long; it fails closed');
    },
  );

  it('one broken rule does not hide what the others found', () => {
    const findings = [{ rule: rule('a'), violations: [], error: 'x' }, found(rule('b'), 'refused')];
    expect(judge(findings, 'Ignore')).toMatchObject({
      allowed: false,
      message: `[b] refused (severity Medium; ${look('b')})`,
      warnings: ['policy a could not be evaluated: x'],
    });
  });

  it('writes a warning in one line of which the API server cuts nothing', () => {
    const subject = rule('w', { enforcementMode: 'Warn' });
    const [short = '', long = ''] =
      judge([found(subject, 'one\n\ttwo\u0085', 'x'.repeat(2_000))], 'Fail').warnings ?? [];
    expect(short).toBe(`[w] one two\ufffd (severity Medium; ${look('w')})`);
    expect(long).toHaveLength(256);
    expect(long).toMatch(/^\[w\] x+… \(severity Medium; see: kubectl describe policyrule w\)$/);
  });

  it('names audit annotations by what the API server takes for a key', () => {
    const stem = 'a'.repeat(62);
    const names = [`${stem}-one`, `${stem}.two`, 'short'];
    const findings = names.map((name) => found(rule(name, { enforcementMode: 'Audit' }), 'noted'));
    const { auditAnnotations = {} } = judge(findings, 'Fail');
    expect(Object.keys(auditAnnotations)).toEqual([stem, 'short']);
    for (const name of names) expect(Object.values(auditAnnotations).join()).toContain(`[${name}] noted`);
  });

  it('bounds what it says', () => {
    const words = Array.from({ length: 50 }, (_, at) => `${String(at)}${'x'.repeat(2_000)}`);
    const findings = [found(rule('a'), ...words), found(rule('n', { enforcementMode: 'Audit' }), ...words)];
    const verdict = judge(findings, 'Fail');
    expect(verdict.message).toHaveLength(65_536);
    expect(verdict.auditAnnotations?.['n']).toHaveLength(4_096);
  });
});

describe('judge, of a template', () => {
  const place = { parent: 'Deployment web', prefix: 'spec.template' };
  it.each<[unknown, string]>([
    [{ path: ['spec', 'containers', 1] }, 'm at spec.template.spec.containers[1] of Deployment web'],
    [{ path: [0] }, 'm at spec.template[0] of Deployment web'],
    [undefined, 'm at spec.template of Deployment web'],
  ])('says of whom and where: %j', (details, words) => {
    const findings = [{ rule: rule('a'), violations: [{ message: 'm', details }], place }];
    expect(judge(findings, 'Fail').message).toBe(`[a] ${words} (severity Medium; ${look('a')})`);
  });
});

describe('judge, of what was there before', () => {
  const existing = [{ message: 'old' }];
  it.each<[PolicyRule['spec']['enforcementMode'], string[] | undefined, object | undefined]>([
    ['Enforce', [`[a] still refused when made anew: old (severity Medium; ${look('a')})`], undefined],
    ['Warn', [`[a] old (severity Medium; ${look('a')})`], undefined],
    ['Audit', undefined, { a: `[a] old (severity Medium; ${look('a')})` }],
  ])('%s lets it pass', (enforcementMode, warnings, auditAnnotations) => {
    const finding = { rule: rule('a', { enforcementMode }), violations: [], existing };
    const verdict = judge([finding], 'Fail');
    expect([verdict.allowed, verdict.warnings, verdict.auditAnnotations]).toEqual([
      true,
      warnings,
      auditAnnotations,
    ]);
    expect(judge([{ ...finding, muted: true }], 'Fail')).toEqual({ allowed: true });
  });
});

describe('judge, at admission', () => {
  it.each<[PolicyRule['spec']['enforcement'], boolean]>([
    [[{ point: 'Admission', action: 'Warn' }], true],
    [[{ point: 'Audit', action: 'Warn' }], false],
    [undefined, false],
  ])('goes by %j', (enforcement, allowed) => {
    const subject = rule('a', enforcement === undefined ? {} : { enforcement });
    expect(judge([found(subject, 'm')], 'Fail').allowed).toBe(allowed);
  });
});
