/** A rule's own tests and the schema of its parameters: at `kubectl apply`, and where a version slips in. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Operator } from '../../cluster/operator.ts';
import {
  CONFIG_MAPS,
  configMap,
  eventually,
  inForce,
  openStage,
  ready,
  rule,
  statusOf,
  type Stage,
} from './stage.ts';

const REGO = `package example

violation contains {"msg": sprintf("no %v here", [key])} if {
	some key in input.parameters.keys
	input.review.object.data[key]
}`;

const SCHEMA = {
  type: 'object',
  required: ['keys'],
  properties: {
    keys: { type: 'array', items: { type: 'string', pattern: '^[a-z]+$' } },
    mode: { type: 'string', default: 'strict' },
  },
};

const TESTS = [
  { name: 'a secret', object: configMap('x', { secret: 'y' }), expect: 'Violation', message: '^no' },
  { name: 'something else', object: configMap('x', { other: 'y' }), expect: 'NoViolation' },
  {
    name: 'two keys of its own',
    object: configMap('x', { a: '1', b: '2' }),
    parameters: { keys: ['a', 'b'] },
    expect: 2,
  },
];

const GOOD = {
  match: CONFIG_MAPS,
  rego: REGO,
  parametersSchema: SCHEMA,
  parameters: { keys: ['secret'] },
  tests: TESTS,
};

/** The same, but no rule would judge so. */
const WRONG_TEST = { ...GOOD, tests: [{ ...TESTS[0], expect: 'NoViolation' }, ...TESTS.slice(1)] };

let stage: Stage;
let operator: Operator;

beforeAll(async () => {
  stage = await openStage();
  operator = await stage.startReplica();
});

afterAll(() => stage.stop());

function condition(type: string): string {
  const found = statusOf(stage, 'keys').conditions?.find((one) => one.type === type);
  return found === undefined ? 'absent' : `${found.status} ${found.reason} ${found.message}`;
}

function refusesSecret(): boolean {
  const { ok, text } = stage.kubectl('apply --dry-run=server -f -', configMap('x', { secret: 'y' }));
  return !ok && text.includes('[keys] no secret here');
}

/** While it serves: it stands still, for less than a lease, so that nobody is there to refuse the rule. */
function slipIn(spec: object): void {
  process.kill(operator.pid, 'SIGSTOP');
  try {
    stage.must('delete validatingwebhookconfiguration cogniforge');
    stage.must('apply -f -', rule('keys', spec));
  } finally {
    process.kill(operator.pid, 'SIGCONT');
  }
}

describe('at kubectl apply', () => {
  it('a rule that passes its tests is in force and says so', () => {
    inForce(stage, 'keys', GOOD);
    expect(condition('TestsPassed')).toBe('True TestsPassed 3 of 3 passed');
    expect(condition('ParametersValid')).toMatch(/^True /);
    expect(statusOf(stage, 'keys')['compiledParameters']).toEqual({ keys: ['secret'], mode: 'strict' });
    expect(refusesSecret()).toBe(true);
  });

  const refused: [string, object, RegExp][] = [
    [
      'a test that fails, by its name',
      WRONG_TEST,
      /fails its own tests:\s+spec\.tests\[0\]: "a secret": expected no violation.* found 1/,
    ],
    ['a missing parameter', { ...GOOD, parameters: {} }, /spec\.parameters\.keys: is required/],
    [
      'a parameter of the wrong type',
      { ...GOOD, parameters: { keys: 'x' } },
      /spec\.parameters\.keys: is of type string/,
    ],
    [
      'a parameter deep down',
      { ...GOOD, parameters: { keys: ['a', 'B'] } },
      /spec\.parameters\.keys\[1\]: .*\^\[a-z\]\+\$/,
    ],
    [
      'an unknown parameter',
      { ...GOOD, parameters: { keys: ['a'], kezs: 1 } },
      /spec\.parameters\.kezs: is not known/,
    ],
    [
      'a schema that is none',
      { ...GOOD, parametersSchema: { type: 'object', properties: { keys: { type: 'list' } } } },
      /spec\.parametersSchema\.properties\.keys\.type: "list"/,
    ],
    [
      'the parameters of a test',
      { ...GOOD, tests: [{ ...TESTS[2], parameters: { keys: [1] } }] },
      /"two keys of its own": spec\.tests\[0\]\.parameters\.keys\[0\]: is of type integer/,
    ],
  ];

  it.each(refused)('refuses %s', (_name, spec, why) => {
    const { ok, text } = stage.kubectl('apply -f -', rule('refused', spec));
    expect(text).toMatch(why);
    expect(ok).toBe(false);
  });

  const invalid: [string, object, RegExp][] = [
    ['no expectation', { name: 'x', object: {} }, /expect: Required value/],
    [
      'an expectation that is none',
      { name: 'x', object: {}, expect: 'Maybe' },
      /must be Violation, NoViolation or a number/,
    ],
    [
      'a negative number',
      { name: 'x', object: {}, expect: -1 },
      /must be Violation, NoViolation or a number/,
    ],
    [
      'both an object and a review',
      { name: 'x', object: {}, review: {}, expect: 1 },
      /exactly one of object/,
    ],
    ['neither', { name: 'x', expect: 1 }, /exactly one of object/],
  ];

  it.each(invalid)('the schema refuses a test with %s', (_name, test, why) => {
    const { ok, text } = stage.kubectl('apply -f -', rule('refused', { ...GOOD, tests: [test] }));
    expect(text).toMatch(why);
    expect(ok).toBe(false);
  });

  it('accepts every form of expectation', () => {
    const tests = [
      { name: 'number', object: configMap('x', { secret: 'y' }), expect: 1 },
      { name: 'none', object: configMap('x', { other: 'y' }), expect: 0 },
      {
        name: 'review',
        review: { operation: 'UPDATE', object: configMap('x', { secret: 'y' }) },
        expect: 'Violation',
      },
    ];
    stage.must('apply --dry-run=server -f -', rule('forms', { ...GOOD, tests }));
  });
});

describe('a version that fails its tests and slips in', () => {
  it('is told, and the last good version serves on', async () => {
    slipIn({ ...WRONG_TEST, rego: REGO.replaceAll('no %v', 'none of %v') });
    await eventually('it is looked at', () => ready(stage, 'keys') === 'False TestsFailed', 40);
    expect(condition('TestsPassed')).toMatch(
      /^False TestsFailed 1 of 3 failed\nspec\.tests\[0\]: "a secret": expected no violation.*last good version/s,
    );
    await eventually('the last good version refuses', refusesSecret);
    expect(statusOf(stage, 'keys')['compiledGeneration']).toBe(1);
  });

  it('serves on through a restart, with the parameters of then', async () => {
    slipIn({ ...WRONG_TEST, parameters: { keys: ['other'] } });
    await operator.stop();
    operator = await stage.startReplica();
    await eventually('the last good version refuses', refusesSecret);
    await eventually('it is told still', () => ready(stage, 'keys') === 'False TestsFailed', 40);
  });

  it('so it is with parameters that do not fit', async () => {
    slipIn({ ...GOOD, parameters: { keys: [7] } });
    await eventually('it is looked at', () => ready(stage, 'keys') === 'False ParametersInvalid', 40);
    expect(condition('ParametersValid')).toMatch(/^False ParametersInvalid spec\.parameters\.keys\[0\]: /);
    expect(condition('TestsPassed')).toMatch(/^Unknown NotRun/);
    await eventually('the last good version refuses', refusesSecret);
  });

  it('is mended: the new version is in force', () => {
    inForce(stage, 'keys', { ...GOOD, parameters: { keys: ['token'] }, tests: TESTS.slice(2) });
    expect(refusesSecret()).toBe(false);
    const { text } = stage.kubectl('apply --dry-run=server -f -', configMap('x', { token: 'y' }));
    expect(text).toContain('[keys] no token here');
  });
});
