/** What the status of a rule says of its parameters and its tests. */
import { expect, it } from '@jest/globals';
import { decide } from '../../../../src/policy/policyrule/decide.ts';
import type { Input } from '../../../../src/policy/policyrule/gather.ts';
import { asStored } from '../as-stored.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');
const TESTS = [
  { name: 'a', object: {}, expect: 'Violation' },
  { name: 'b', object: {}, expect: 0 },
];
const SCHEMA = { type: 'object' };

function conditions(spec: object, over: Partial<Input>): string[] {
  const rule = asStored({
    kind: 'PolicyRule',
    metadata: { name: 'r', generation: 1 },
    spec: { match: { kinds: [{ kinds: ['Pod'] }] }, regoQuery: 'input.x', ...spec },
  });
  const counts = { evaluations: 0, denials: 0, warnings: 0, errors: 0 };
  const input = {
    rule,
    lookedAt: 1,
    compiled: undefined,
    problems: [],
    parameterProblems: [],
    testsRun: 0,
    failedTests: [],
    lastError: undefined,
    replicas: [{ identity: 'a', alive: true, servedGeneration: 1, ...counts }],
    covered: true,
    refusal: undefined,
    unknownKinds: [],
    unknownParts: [],
    exemptKinds: [],
    ...over,
  };
  const { status } = decide(input, NOW);
  return (status.conditions ?? [])
    .filter(({ type }) => type !== 'Compiled' && type !== 'Served')
    .map(
      ({ type, status: value, reason, message }) =>
        `${type} ${value} ${reason}: ${message.split('\n').join(' | ')}`,
    );
}

const READY = 'Ready True InForce: the rule is in force';
const LAST_GOOD = 'The last good version, if there was one, stays in force.';

it.each<[string, object, Partial<Input>, string[]]>([
  ['neither', {}, {}, [READY]],
  [
    'tests that passed',
    { tests: TESTS },
    { testsRun: 2 },
    [READY, 'TestsPassed True TestsPassed: 2 of 2 passed'],
  ],
  [
    'a test that failed',
    { tests: TESTS },
    { testsRun: 2, failedTests: ['spec.tests[1]: "b": expected no violation, found 1'] },
    [
      `Ready False TestsFailed: 1 of 2 failed | spec.tests[1]: "b": expected no violation, found 1 | ${LAST_GOOD}`,
      `TestsPassed False TestsFailed: 1 of 2 failed | spec.tests[1]: "b": expected no violation, found 1 | ${LAST_GOOD}`,
    ],
  ],
  [
    'wrong parameters',
    { tests: TESTS, parametersSchema: SCHEMA },
    { parameterProblems: ['spec.parameters.x: is required'] },
    [
      `Ready False ParametersInvalid: spec.parameters.x: is required | ${LAST_GOOD}`,
      `ParametersValid False ParametersInvalid: spec.parameters.x: is required | ${LAST_GOOD}`,
      'TestsPassed Unknown NotRun: the tests were not run: the rule does not compile, or its parameters are wrong',
    ],
  ],
  [
    'right parameters',
    { parametersSchema: SCHEMA },
    {},
    [READY, 'ParametersValid True Valid: the parameters are as spec.parametersSchema wants them'],
  ],
  [
    'not looked at yet',
    { tests: TESTS, parametersSchema: SCHEMA },
    { lookedAt: 0 },
    ['Ready Unknown Compiling: generation 1 is being compiled'],
  ],
])('%s', (_name, spec, over, expected) => {
  expect(conditions(spec, over)).toEqual(expected);
});
