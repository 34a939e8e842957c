/** What opa says, in the user's terms: his field, his line, what to do. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { compile, type PolicySource } from '../../../src/policy/compiler.ts';
import { problemsOf, type SourceFile } from '../../../src/policy/diagnosis.ts';
import { CompileError, describeProblem, type Problem } from '../../../src/policy/problems.ts';
import { toolPath } from '../../cluster/tools.ts';

const MAIN: SourceFile = {
  name: 'policy.rego',
  field: 'rego',
  text: 'package t\n\nviolation contains f(1)\n',
};
const LIB: SourceFile = { name: 'lib0.rego', field: 'libs[0]', text: 'package l\n' };
const QUERY: SourceFile = {
  name: 'policy.rego',
  field: 'regoQuery',
  text: 'package q\n\nviolation contains {} if {\n\tsome i, _ in input.a\n\tnot input.a[i].b\n}\n',
  query: 'not input.a[_].b',
  lines: [0, 0, 0, 1, 1, 0],
};
const WRAPPED: SourceFile = {
  name: 'wrapped.rego',
  field: 'regoQuery',
  text: 'package cogniforge.query\n\nquery if {\na\nb ==\n}\n',
  query: 'a\nb ==',
};

function report(...errors: object[]): string {
  return JSON.stringify({ errors });
}

function told(text: string, files: readonly SourceFile[] = [MAIN, LIB]): Problem[] {
  return problemsOf(text, files, new Set(['http.send', 'count', 'graphql.is_valid']));
}

const at = (file: string, row: number, col?: number) => ({
  location: { file, row, ...(col === undefined ? {} : { col }) },
});

describe('the place', () => {
  it.each<[string, object, readonly SourceFile[], Partial<Problem>]>([
    [
      'of the rule',
      { message: 'm', ...at('policy.rego', 3, 7) },
      [MAIN],
      { file: 'rego', line: 3, column: 7 },
    ],
    [
      'of a lib',
      { message: 'm', ...at('lib0.rego', 1, 2) },
      [MAIN, LIB],
      { file: 'libs[0]', line: 1, column: 2 },
    ],
    [
      'of a line that was put into a query',
      { message: 'm', ...at('policy.rego', 4, 3) },
      [QUERY],
      { file: 'regoQuery', line: 1 },
    ],
    ['of what surrounds a query', { message: 'm', ...at('policy.rego', 3) }, [QUERY], { file: 'regoQuery' }],
    [
      'of a query that is only wrapped',
      { message: 'm', ...at('wrapped.rego', 5) },
      [WRAPPED],
      { file: 'regoQuery', line: 2 },
    ],
    [
      'after the end of a query: its last line',
      { message: 'm', ...at('wrapped.rego', 7) },
      [WRAPPED],
      { file: 'regoQuery', line: 2 },
    ],
    ['in no file of ours', { message: 'm', ...at('other.rego', 3) }, [MAIN], {}],
    ['nowhere', { message: 'm' }, [MAIN], {}],
  ])('%s', (_name, error, files, place) => {
    const [problem] = told(report(error), files);
    const { message: _message, ...rest } = problem ?? { message: '' };
    expect(rest).toEqual(place);
  });
});

describe('the words', () => {
  it.each<[string, object, string]>([
    [
      'a banned builtin',
      { message: 'undefined function http.send', ...at('policy.rego', 3) },
      'rego:3: builtin http.send is not available: a rule must not call the network: its verdict would depend on more than its input',
    ],
    [
      'a builtin that is not provided',
      { message: 'undefined function graphql.is_valid', ...at('policy.rego', 3) },
      "rego:3: builtin graphql.is_valid is not available: neither OPA's Wasm runtime nor this version of CogniForge provides it",
    ],
    [
      'a misspelt function',
      { message: 'undefined function cuont', ...at('policy.rego', 3) },
      'rego:3: undefined function cuont (check its name; a function of a lib is called by its full name or an import)',
    ],
    [
      'a wildcard',
      { message: 'var _ is unsafe', ...at('policy.rego', 3) },
      'rego:3: the wildcard _ is bound by nothing here (var _ is unsafe) (bind what it stands for first: some i, _ in collection; not collection[i].field)',
    ],
    [
      'another unsafe variable',
      { message: 'var x is unsafe', ...at('policy.rego', 3) },
      'rego:3: var x is unsafe',
    ],
    [
      'a recursion',
      { message: 'rule data.t.p is recursive', code: 'rego_recursion_error', ...at('policy.rego', 3) },
      'rego:3: rule data.t.p is recursive (a rule must not depend on itself)',
    ],
    [
      'old Rego',
      {
        message: '`if` keyword is required before rule body',
        code: 'rego_parse_error',
        ...at('policy.rego', 3),
      },
      'rego:3: `if` keyword is required before rule body (if this is Rego of before OPA 1.0, set spec.regoVersion: V0)',
    ],
    [
      'a plain mistake',
      { message: 'unexpected eof token', code: 'rego_parse_error', ...at('policy.rego', 3) },
      'rego:3: unexpected eof token',
    ],
  ])('%s', (_name, error, sentence) => {
    expect(told(report(error)).map(describeProblem)).toEqual([sentence]);
  });

  it('are cut', () => {
    expect(told(report({ message: 'x'.repeat(2_000) }))[0]?.message).toHaveLength(500);
  });

  it('are about twenty problems at most', () => {
    expect(told(report(...Array.from({ length: 30 }, () => ({ message: 'm' }))))).toHaveLength(20);
  });
});

describe('a report that is no JSON', () => {
  it('is read as text', () => {
    const text = 'error: 1 error occurred: policy.rego:3: rego_type_error: undefined function http.send\n';
    expect(told(text)).toEqual([
      {
        file: 'rego',
        line: 3,
        code: 'rego_type_error',
        message: expect.stringContaining('builtin http.send') as unknown,
      },
    ]);
  });

  it('may have something in front of the JSON', () => {
    expect(told(`warning: x\n${report({ message: 'm' })}`)).toEqual([{ message: 'm' }]);
  });

  it.each([
    ['panic: out of memory', 'panic: out of memory'],
    ['{not json', '{not json'],
    ['{"errors": []}', '{"errors": []}'],
    ['', 'opa failed without a word'],
    ['  \n', 'opa failed without a word'],
  ])('is never nothing: %j', (text, message) => {
    expect(told(text)).toEqual([{ code: 'compile_failed', message }]);
  });
});

describe('the real opa', () => {
  let opaBin: string;
  beforeAll(async () => {
    opaBin = await toolPath('opa');
  });

  const rego = (text: string, over: Partial<PolicySource & { kind: 'rego' }> = {}): PolicySource => ({
    kind: 'rego',
    rego: text,
    libs: [],
    regoVersion: 'V1',
    ...over,
  });
  const query = (text: string): PolicySource => ({ kind: 'query', query: text, regoVersion: 'V1' });

  it.each<[string, PolicySource, string | RegExp]>([
    [
      'no entry point',
      rego('package t\nx := 1'),
      /^rego: the package defines none of violation, deny, warn, allow/,
    ],
    ['an entry point that is a function', rego('package t\n\ndeny(x) := x'), /^rego:3: deny is a function/],
    ['old Rego', rego('package t\n\ndeny[msg] { msg := "x" }'), /^rego:3: .*set spec\.regoVersion: V0/],
    [
      'unknown data',
      rego('package t\n\nviolation contains "x" if data.libs.f'),
      /^rego:3: data\.libs\.f is not known here/,
    ],
    [
      'an unsafe wildcard',
      rego('package t\n\nviolation contains "x" if not input.a[_].b'),
      /^rego:3: the wildcard _ is bound by nothing here/,
    ],
    [
      'a recursion',
      rego('package t\n\nviolation contains "x" if p\np if p'),
      /^rego:4: .*\(a rule must not depend on itself\)/,
    ],
    [
      'a mistake in the second lib',
      rego('package t\nviolation contains "x" if data.b.y', {
        libs: ['package a', 'package b\n\n\ny := := 1'],
      }),
      /^libs\[1\]:4: /,
    ],
    ['a type error', rego('package t\n\nviolation contains "x" if {\n  count(1) == 1\n}'), /^rego:4: /],
    [
      'an odd package',
      rego('package t["a b"]\nviolation contains "x" if true'),
      /^rego:1: the package name "a b" has characters/,
    ],
    [
      'two mistakes, both told',
      rego('package t\n\nviolation contains "x" if {\n  f(1)\n  g(2)\n}'),
      /rego:4: undefined function f.*; rego:5: undefined function g/,
    ],
    ['an empty query', query('# nothing'), /^regoQuery: the query is empty/],
    [
      'a query that is a module',
      query('package a\nviolation contains "x" if true'),
      /^regoQuery:1: .*belongs into spec\.rego/,
    ],
    ['a query that closes its brace', query('true }\nother := 1 {'), /^regoQuery/],
    [
      'a query with a mistake on its third line',
      query('input.a\ninput.b\nf(1)'),
      /^regoQuery:3: undefined function f/,
    ],
    [
      'a wildcard with with',
      query('not input.a[_].b with input as {}'),
      /^regoQuery:1: a wildcard under not cannot be combined/,
    ],
    ['a query that asks nothing', query('x := input.a'), /^regoQuery:1: the query only names values/],
  ])('%s', async (_name, source, words) => {
    const failure: unknown = await compile(source, { opaBin }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CompileError);
    expect((failure as CompileError).message).toMatch(words);
  });

  it('is given up on past the time limit, and the next rule compiles', async () => {
    const source = rego('package t\nviolation contains "x" if input.a');
    await compile(source, { opaBin });
    await expect(compile(source, { opaBin, timeLimitMs: 1 })).rejects.toMatchObject({
      problems: [{ code: 'limit', message: 'the rule does not compile within 0.001 s' }],
    });
    await expect(compile(source, { opaBin })).resolves.toMatchObject({ entrypoint: 'violation' });
  });

  it('is ended when the caller gives up', async () => {
    const source = rego('package t\nviolation contains "x" if input.a');
    const reason = new Error('enough');
    await expect(compile(source, { opaBin, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
