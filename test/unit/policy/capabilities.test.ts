/** What a rule may call, judged by the real opa: its list of builtins, its compiler, and the modules it makes. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { restrict, whyUnavailable, type Capabilities } from '../../../src/policy/capabilities.ts';
import { compile, type PolicySource } from '../../../src/policy/compiler.ts';
import { hostBuiltins } from '../../../src/policy/engine/builtins/index.ts';
import { nodeCrypto } from '../../../src/policy/engine/crypto.ts';
import { builtinNames, importsOf, type Exports, type Link } from '../../../src/policy/engine/host.ts';
import { CompileError, describeProblem } from '../../../src/policy/problems.ts';
import { toolPath } from '../../cluster/tools.ts';

interface Builtin {
  name: string;
  decl?: { args?: unknown[]; result?: { type: string } };
  nondeterministic?: boolean;
}

let opaBin: string;
let all: Capabilities;

beforeAll(async () => {
  opaBin = await toolPath('opa');
  const { stdout } = spawnSync(opaBin, ['capabilities', '--current'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  all = JSON.parse(stdout) as Capabilities;
});

function builtins(): Builtin[] {
  return all.builtins;
}

function allowed(): string[] {
  return restrict(all).builtins.map(({ name }) => name);
}

const DANGEROUS = [
  'http.send',
  'net.lookup_ip_addr',
  'opa.runtime',
  'rand.intn',
  'trace',
  'providers.aws.sign_req',
  'rego.parse_module',
];

describe('the allow-list', () => {
  it.each(DANGEROUS)('has no %s, which opa has, and says why not', (name) => {
    expect(all.builtins.map((builtin) => builtin.name)).toContain(name);
    expect(allowed()).not.toContain(name);
    expect(whyUnavailable(name, new Set([name]))).toMatch(
      /^(a rule must not|a verdict must|it would|there is nobody)/,
    );
  });

  it('has of what opa itself calls nondeterministic only what stands still during a review', () => {
    const loose = builtins().filter(({ nondeterministic }) => nondeterministic === true);
    expect(loose.length).toBeGreaterThan(3);
    // Of schemas opa would fetch what they refer to; ours fetch nothing.
    const steady = ['json.match_schema', 'json.verify_schema', 'time.now_ns', 'uuid.rfc4122'];
    expect(loose.map(({ name }) => name).filter((name) => allowed().includes(name))).toEqual(steady);
    expect(
      allowed().filter((name) => /^(http|opa|rand|providers|io|net\.lookup|internal\.test)/.test(name)),
    ).toEqual([]);
  });

  it('never opens the network', () => {
    expect(restrict({ ...all, allow_net: ['example.com'] }).allow_net).toEqual([]);
  });

  it('keeps a banned name out, whoever would provide it', () => {
    const made = restrict({ builtins: [{ name: 'rand.new' }, { name: 'providers.x.y' }, { name: 'count' }] });
    expect(made.builtins).toEqual([{ name: 'count' }]);
  });

  it('explains what is merely not there, and leaves unknown names to opa', () => {
    const known = new Set(['graphql.parse', 'count']);
    expect(whyUnavailable('graphql.parse', known)).toContain('neither');
    expect(whyUnavailable('count', known)).toBeUndefined();
    expect(whyUnavailable('no.such', known)).toBeUndefined();
  });

  it('has only what a module can really run: every builtin of it, compiled, asks its host for none but ours', async () => {
    const callable = (restrict(all).builtins as Builtin[]).filter(
      ({ name, decl }) =>
        decl?.result !== undefined && !/^internal\.|^(assign|eq|print)$|^rego\.metadata/.test(name),
    );
    expect(callable.length).toBeGreaterThan(80);
    const rules = callable.map(({ name, decl }, at) => {
      const args = (decl?.args ?? []).map((_arg, index) => `input.a${String(index)}`);
      return `violation[${String(at)}] { ${name}(${args.join(', ')}) }`;
    });
    // V0, because V1 refuses those that are deprecated.
    const source = {
      kind: 'rego',
      rego: ['package t', ...rules].join('\n'),
      libs: [],
      regoVersion: 'V0',
    } as const;
    const { wasm } = await compile(source, { opaBin });
    expect(hostCalls(wasm).sort()).toEqual([...hostBuiltins.keys()].sort());
  });
});

/** Names of the builtins that the module expects of its host. */
function hostCalls(wasm: Uint8Array<ArrayBuffer>): string[] {
  const memory = new WebAssembly.Memory({ initial: 5 });
  const link: Link = {
    memory,
    exports: undefined,
    builtins: new Map(),
    context: { nowMs: 0, crypto: nodeCrypto },
  };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), importsOf(link));
  return [...builtinNames(memory, exports as unknown as Exports).values()];
}

function rego(...lines: string[]): PolicySource {
  return { kind: 'rego', rego: ['package t', '', ...lines].join('\n'), libs: [], regoVersion: 'V1' };
}

async function problemsOf(source: PolicySource): Promise<string[]> {
  const failure: unknown = await compile(source, { opaBin }).catch((error: unknown) => error);
  return failure instanceof CompileError ? failure.problems.map(describeProblem) : [];
}

describe('a rule that reaches for what is out', () => {
  it.each<[string, string, PolicySource]>([
    [
      'http.send',
      'rego:3',
      rego('violation contains "x" if http.send({"method": "get", "url": "http://x"}).status_code == 200'),
    ],
    ['net.lookup_ip_addr', 'rego:3', rego('violation contains "x" if net.lookup_ip_addr("x")')],
    ['opa.runtime', 'rego:3', rego('violation contains "x" if opa.runtime().env.HOME')],
    ['rand.intn', 'rego:4', rego('', 'violation contains "x" if rand.intn("a", 2) == 1')],
    ['trace', 'rego:3', rego('violation contains "x" if trace("a")')],
    ['providers.aws.sign_req', 'rego:3', rego('violation contains "x" if providers.aws.sign_req({}, {}, 1)')],
    ['rego.parse_module', 'rego:3', rego('violation contains "x" if rego.parse_module("a", "b")')],
    ['http.send', 'rego:3', rego('violation contains "x" if every x in [1] { http.send({"x": x}) }')],
    ['http.send', 'rego:3', rego('violation contains "x" if count([y | y := http.send({})]) > 0')],
    ['opa.runtime', 'rego:5', rego('f(x) := x', 'violation contains "x" if f(1)', 'g := opa.runtime()')],
    // through with, as what is replaced and as what replaces
    [
      'http.send',
      'rego:4',
      rego('f(_) := {"a": 1}', 'violation contains "x" if input.a with http.send as f'),
    ],
    ['http.send', 'rego:3', rego('violation contains "x" if count(input.a) == 1 with count as http.send')],
    [
      'opa.runtime',
      'rego:3',
      rego('violation contains "x" if count(input.a) == 1 with count as opa.runtime'),
    ],
    ['rand.intn', 'rego:4', rego('p := 1', 'violation contains "x" if p == 1 with rand.intn as 1')],
    ['trace', 'rego:3', rego('violation contains "x" if count(input.a) == 1 with count as trace')],
    [
      'http.send',
      'libs[0]:2',
      {
        kind: 'rego',
        rego: 'package t\nimport data.lib\nviolation contains "x" if lib.f',
        libs: ['package lib\nf := http.send({})'],
        regoVersion: 'V1',
      },
    ],
    [
      'http.send',
      'rego:2',
      { kind: 'rego', rego: 'package t\nviolation["x"] { http.send({}) }', libs: [], regoVersion: 'V0' },
    ],
    [
      'http.send',
      'regoQuery:2',
      { kind: 'query', query: 'input.a\nhttp.send({}).status_code == 200', regoVersion: 'V1' },
    ],
    [
      'http.send',
      'regoQuery:1',
      { kind: 'query', query: 'count(input.a) == 1 with count as http.send', regoVersion: 'V1' },
    ],
    ['graphql.is_valid', 'rego:3', rego('violation contains "x" if graphql.is_valid("a", "b")')],
  ])('%s is refused at %s', async (name, place, source) => {
    const problems = await problemsOf(source);
    expect(problems.join('\n')).toContain(`${place}: `);
    expect(problems.find((problem) => problem.startsWith(`${place}: `))).toContain(
      `builtin ${name} is not available: `,
    );
  });

  it('a function of its own by a harmless name is fine', async () => {
    expect(
      await problemsOf(rego('f(x) := x', 'violation contains "x" if count(input.a) == 1 with count as f')),
    ).toEqual([]);
    expect(await problemsOf(rego('violation contains "x" if "http.send" == input.a'))).toEqual([]);
  });
});
