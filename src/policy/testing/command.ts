/** `cogniforge policy test`: gator suites, and the tests that PolicyRules carry, without a cluster. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { messageOf } from '../../runtime/errors.ts';
import { isRecord } from '../../runtime/json.ts';
import { parseYaml } from '../../runtime/yaml.ts';
import type { CommandIo } from '../command-io.ts';
import { compile, compilerVersion, type CompiledPolicy, type PolicySource } from '../compiler.ts';
import { documents } from '../documents.ts';
import { createEngine } from '../engine/engine.ts';
import type { Loose } from '../gator/objects.ts';
import { runSuite, type Host } from '../gator/runner.ts';
import { isSuite, readSuite, selectionOf, type Selection } from '../gator/suite.ts';
import { type as POLICY_RULE } from '../policyrule/crd.gen.ts';
import { testEngine, type Workbench } from '../inspection.ts';
import { FORMATS, render, totalsOf, type Format, type SuiteResult } from './report.ts';
import { runRules } from './rules.ts';

const USAGE = `usage: cogniforge policy test PATH... [--run REGEX] [--output ${FORMATS.join('|')}]`;
const DEADLINE_MS = 10_000;

/** 0: all passed; 1: something failed; 2: bad usage, or nothing to test. Throws for a path that cannot be read. */
export async function testCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { run: { type: 'string' }, output: { type: 'string', default: 'text' } },
  });
  const format = FORMATS.find((known) => known === values.output);
  if (positionals.length === 0 || format === undefined) {
    io.print(USAGE);
    return 2;
  }
  const selection = selectionOf(values.run);
  const opaBin = io.env['OPA_BIN'];
  // Said once, not by every test.
  await compilerVersion({ opaBin });
  const bench = openBench(opaBin);
  try {
    return report(await runFiles(filesOf(positionals), bench, selection), format, io);
  } finally {
    await bench.close();
  }
}

function report(suites: readonly SuiteResult[], format: Format, io: CommandIo): number {
  const { passed, failed, skipped } = totalsOf(suites);
  io.print(render(suites, format));
  if (failed > 0) return 1;
  if (passed > 0) return 0;
  io.complain(
    skipped > 0
      ? 'cogniforge: every test was skipped'
      : 'cogniforge: there is no test: neither a gator Suite nor a PolicyRule with spec.tests',
  );
  return 2;
}

interface TestFile {
  path: string;
  /** named by the user, not found in a folder of his */
  named: boolean;
}

/** Folders are searched to the bottom for .yaml, .yml and .json files. */
function filesOf(paths: readonly string[]): TestFile[] {
  return paths.flatMap((path): TestFile[] => {
    if (!statSync(path).isDirectory()) return [{ path, named: true }];
    return walk(path).map((file) => ({ path: file, named: false }));
  });
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return /^(\.|node_modules$)/.test(entry.name) ? [] : walk(path);
      return /\.(ya?ml|json)$/.test(entry.name) ? [path] : [];
    });
}

async function runFiles(
  files: readonly TestFile[],
  bench: TestBench,
  selection: Selection,
): Promise<SuiteResult[]> {
  const results: SuiteResult[][] = [];
  const waiting = [...files.entries()].reverse();
  const worker = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [at, file] = next;
      results[at] = await runFile(file, bench, selection);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, worker));
  return results.flat();
}

async function runFile(file: TestFile, bench: TestBench, selection: Selection): Promise<SuiteResult[]> {
  const { path } = file;
  let objects: Loose[];
  try {
    objects = objectsIn(file);
  } catch (error) {
    const message = messageOf(error);
    return [{ file: path, name: '', tests: [{ name: 'the file', cases: [], failure: message }] }];
  }
  const suites = objects.filter(isSuite);
  const rules = objects.filter(({ kind, apiVersion }) => kind === POLICY_RULE.kind && isOurs(apiVersion));
  const results: SuiteResult[] = [];
  const host = bench.host(dirname(path));
  for (const suite of suites) results.push(await runSuite(path, readSuite(suite), host, selection));
  const tests = await runRules(rules, bench.workbench, selection);
  if (tests.length > 0) results.push({ file: path, name: '', tests });
  return results;
}

function isOurs(apiVersion: unknown): boolean {
  return typeof apiVersion === 'string' && apiVersion.startsWith(`${POLICY_RULE.group}/`);
}

/** A folder may hold templates of Helm and much else that is no YAML: only what could be a test must be readable. */
function objectsIn({ path, named }: TestFile): Loose[] {
  const text = readFileSync(path);
  if (!named && !/test\.gatekeeper\.sh|PolicyRule/.test(text.toString('latin1'))) return [];
  return parseYaml(text, { file: path }).filter(isRecord);
}

export interface TestBench {
  workbench: Workbench;
  /** `folder`: where the paths of a suite begin */
  host(folder: string): Host;
  close(): Promise<void>;
}

/** The compiler and the engine, each policy compiled and loaded once. */
export function openBench(opaBin: string | undefined): TestBench {
  const engine = createEngine({ workers: availableParallelism() });
  const known = new Map<string, Promise<CompiledPolicy>>();
  const ids = new Map<CompiledPolicy, string>();
  const compileOnce = (source: PolicySource): Promise<CompiledPolicy> => {
    const key = JSON.stringify(source);
    const policy = known.get(key) ?? compile(source, { opaBin });
    known.set(key, policy);
    return policy;
  };
  const idOf = (policy: CompiledPolicy): string => {
    const id = ids.get(policy) ?? `policy ${String(ids.size)}`;
    if (!ids.has(policy)) engine.load(id, policy.wasm, policy.entrypoint);
    ids.set(policy, id);
    return id;
  };
  return {
    workbench: { compile: compileOnce, engine: testEngine(engine) },
    host: (folder) => ({
      read: (path) => documents(join(folder, path)),
      compile: compileOnce,
      evaluate: (policy, input, data) =>
        engine.evaluate(idOf(policy), { input, data, deadlineMs: DEADLINE_MS }),
    }),
    close: () => engine.close(),
  };
}
