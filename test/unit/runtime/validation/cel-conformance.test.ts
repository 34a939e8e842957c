/**
 * The CEL project's own conformance data (in @bufbuild/cel-spec), through what rules go through: our syntax, our check, our
 * functions. Tests that need protobuf messages, variables or a namespace are left out: no rule of a CRD has them.
 */
import { expect, it } from '@jest/globals';
import { isCelError, isCelList, isCelMap, isCelType, isCelUint, type CelInput } from '@bufbuild/cel';
import { isMessage, type Registry } from '@bufbuild/protobuf';
import { isReflectMessage } from '@bufbuild/protobuf/reflect';
import { anyUnpack, DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import type { Value } from '@bufbuild/cel-spec/cel/expr/value_pb.js';
import { getTestRegistry } from '@bufbuild/cel-spec/testdata/registry.js';
import {
  getConformanceSuite,
  type IncrementalTest,
  type IncrementalTestSuite,
} from '@bufbuild/cel-spec/testdata/tests.js';
import { compileExpression } from '../../../../src/runtime/validation/cel/compile.ts';

const registry: Registry = getTestRegistry();

/** Passed of all, for each file of the data. What is short is named in docs/decisions/0005-cel.md. */
const EXPECTED: Readonly<Record<string, string>> = {
  basic: '35/35',
  bindings_ext: '0/5',
  block_ext: '0/22',
  comparisons: '304/304',
  conversions: '108/108',
  encoders_ext: '0/4',
  fields: '39/46',
  fp_math: '29/29',
  integer_math: '61/61',
  lists: '39/39',
  logic: '21/21',
  macros: '44/44',
  macros2: '8/46',
  math_ext: '17/199',
  optionals: '52/59',
  parse: '175/175',
  plumbing: '3/3',
  string: '51/51',
  string_ext: '158/158',
  timestamps: '75/75',
};

const WRONG: readonly string[] = ['{0: 1, 0u: 2}[0.0]', "has({'foo': optional.none()}.foo.bar)"];

function textOf(value: number): string {
  return Number.isNaN(value) ? 'double NaN' : `double ${String(value)}`;
}

function timeOf(message: unknown): string | undefined {
  if (isMessage(message, DurationSchema))
    return `duration ${String(message.seconds)}.${String(message.nanos)}`;
  if (isMessage(message, TimestampSchema))
    return `timestamp ${String(message.seconds)}.${String(message.nanos)}`;
  return undefined;
}

const entries = (pairs: readonly (readonly [string, string])[]): string =>
  `{${pairs
    .map(([key, value]) => `${key}: ${value}`)
    .sort()
    .join(', ')}}`;

/** A text that two values share only when they are the same. */
function wanted({ kind }: Value): string | undefined {
  switch (kind.case) {
    case 'nullValue':
      return 'null';
    case 'boolValue':
      return String(kind.value);
    case 'int64Value':
      return `int ${String(kind.value)}`;
    case 'uint64Value':
      return `uint ${String(kind.value)}`;
    case 'doubleValue':
      return textOf(kind.value);
    case 'stringValue':
      return JSON.stringify(kind.value);
    case 'bytesValue':
      return `bytes ${Buffer.from(kind.value).toString('hex')}`;
    case 'listValue':
      return `[${kind.value.values.map(wanted).join(', ')}]`;
    case 'mapValue':
      return entries(
        kind.value.entries.map(({ key, value }) => [
          (key === undefined ? undefined : wanted(key)) ?? '',
          (value === undefined ? undefined : wanted(value)) ?? '',
        ]),
      );
    case 'typeValue':
      return `type ${kind.value}`;
    case 'objectValue':
      return timeOf(anyUnpack(kind.value, registry));
    default:
      return undefined;
  }
}

function got(value: CelInput): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return `int ${String(value)}`;
  if (typeof value === 'number') return textOf(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (isCelUint(value)) return `uint ${String(value.value)}`;
  if (isCelList(value)) return `[${[...value].map(got).join(', ')}]`;
  if (isCelMap(value)) return entries([...value].map(([key, field]) => [got(key), got(field)] as const));
  if (isCelType(value)) return `type ${value.name}`;
  return (isReflectMessage(value) ? timeOf(value.message) : undefined) ?? 'something else';
}

function isOurs({ original }: IncrementalTest): boolean {
  const { expr, container, bindings, typeEnv, checkOnly, disableCheck, disableMacros, resultMatcher } =
    original;
  if (container !== '' || typeEnv.length > 0 || checkOnly || disableCheck || disableMacros) return false;
  if (Object.keys(bindings).length > 0 || /TestAllTypes|google\.protobuf\.\w+ *\{/.test(expr)) return false;
  if (resultMatcher.case === 'typedResult') return false;
  return resultMatcher.case !== 'value' || wanted(resultMatcher.value) !== undefined;
}

/** `refused`: it did not compile, which a rule of ours would show when it is written. `wrong` is what must not be. */
function outcome({ original: { expr, resultMatcher } }: IncrementalTest): 'passed' | 'refused' | 'wrong' {
  const mustFail = resultMatcher.case === 'evalError';
  let result: CelInput | Error;
  try {
    result = compileExpression(expr, {}).evaluate({ self: null });
  } catch {
    return mustFail ? 'passed' : 'refused';
  }
  if (isCelError(result)) return mustFail ? 'passed' : 'wrong';
  const expected = resultMatcher.case === 'value' ? wanted(resultMatcher.value) : 'true';
  return !mustFail && got(result as CelInput) === expected ? 'passed' : 'wrong';
}

function testsOf(suite: IncrementalTestSuite): IncrementalTest[] {
  return [...suite.tests, ...suite.suites.flatMap(testsOf)];
}

const suites = getConformanceSuite().suites.map((suite) => ({
  name: suite.name,
  tests: testsOf(suite).filter(isOurs),
}));

it('passes as much of the conformance data as it did when this was written', () => {
  const score = Object.fromEntries(
    suites.flatMap(({ name, tests }) => {
      const passed = tests.filter((test) => outcome(test) === 'passed').length;
      return tests.length === 0 ? [] : [[name, `${String(passed)}/${String(tests.length)}`]];
    }),
  );
  expect(score).toEqual(EXPECTED);
});

it('what it does not pass it refuses to compile, but for these', () => {
  const wrong = suites.flatMap(({ tests }) => tests.filter((test) => outcome(test) === 'wrong'));
  expect(wrong.map(({ original: { expr } }) => expr)).toEqual(WRONG);
});
