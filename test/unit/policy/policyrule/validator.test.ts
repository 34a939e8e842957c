/** What of a PolicyRule is looked at when it is stored: all but what must always be possible. */
import { describe, expect, it } from '@jest/globals';
import { policyRule } from '../../../../src/policy/policyrule/kind.ts';
import type { PolicyRule } from '../../../../src/policy/policyrule/types.gen.ts';
import { CompileError } from '../../../../src/policy/problems.ts';
import type { Verdict } from '../../../../src/runtime/webhook/review.ts';
import { podRequest, rule } from '../requests.ts';

/** A compiler to which nothing is right, and the conditions of the rule beside it. */
const validator = policyRule.validator?.({
  library: undefined as never,
  workbench: {
    compile: ({ kind }) => Promise.reject(new CompileError([{ message: `no ${kind} compiles` }])),
    engine: { load: () => undefined, unload: () => undefined, evaluate: () => Promise.resolve([]) },
  },
});

const BROKEN = rule('r', {});

async function ask(after: PolicyRule, before?: PolicyRule): Promise<Verdict | undefined> {
  const request = podRequest({
    name: 'r',
    operation: before === undefined ? 'CREATE' : 'UPDATE',
    object: after as never,
    oldObject: (before ?? null) as never,
  });
  const problems = await validator?.gather(request, new AbortController().signal);
  return validator?.admit(request, problems);
}

function changed(spec: Partial<PolicyRule['spec']>, metadata: object = {}): PolicyRule {
  return { ...BROKEN, metadata: { ...BROKEN.metadata, ...metadata }, spec: { ...BROKEN.spec, ...spec } };
}

describe('a rule that does not compile', () => {
  const off = changed({ suspend: true });
  it.each<[string, PolicyRule, PolicyRule | undefined, boolean]>([
    ['is not created', BROKEN, undefined, false],
    ['nor created switched off', off, undefined, false],
    ['is switched off', off, BROKEN, true],
    ['is labelled', changed({}, { labels: { a: 'b' } }), BROKEN, true],
    ['is labelled while it is off', changed({ suspend: true }, { labels: { a: 'b' } }), off, true],
    ['is not switched on', BROKEN, off, false],
    ['is not changed', changed({ severity: 'Low' }), BROKEN, false],
    ['is not changed and switched off at once', changed({ severity: 'Low', suspend: true }), BROKEN, false],
  ])('%s: %#', async (_what, after, before, allowed) => {
    const verdict = await ask(after, before);
    expect(verdict?.allowed).toBe(allowed);
    if (!allowed) expect(verdict?.message).toContain('PolicyRule r does not compile:\nno query compiles');
  });

  it('hears of its conditions at the same time', async () => {
    const matchConditions = [
      { name: 'good', expression: 'true' },
      { name: 'bad', expression: 'obj' },
    ];
    const { message } = (await ask(changed({ matchConditions }))) ?? {};
    expect(message?.split('\n').slice(1)).toEqual([
      'no query compiles',
      expect.stringContaining('spec.matchConditions[bad].expression: undeclared reference to obj'),
    ]);
  });
});
