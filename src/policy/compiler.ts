/**
 * Rego to WebAssembly with the real `opa build`, in a temporary folder of its own, within limits of time and size; what
 * is wrong comes back as problems with the line of the user's text.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { semaphore } from '../runtime/transport.ts';
import { type Module, constantPath, refParts, ruleName, walkTerms } from './ast.ts';
import { readModule } from './bundle.ts';
import { type Capabilities, restrict } from './capabilities.ts';
import { TIME_LIMIT_MS, findOpa, runOpa } from './opa.ts';
import { CompileError, type Problem, fail } from './problems.ts';
import { QUERY_FILE, type RegoVersion, queryModule, wrapQuery } from './query.ts';
import { type SourceFile, problemsOf } from './diagnosis.ts';
import { ENTRYPOINTS, type Entrypoint } from './verdict.ts';

export { CompileError } from './problems.ts';
export type { RegoVersion } from './query.ts';

export type PolicySource =
  | { kind: 'rego'; rego: string; libs: readonly string[]; regoVersion: RegoVersion }
  /** `message` is written into the module as the violation's msg */
  | { kind: 'query'; query: string; regoVersion: RegoVersion; message?: string }
  /** a module that was made of a query before: `text` of its CompiledPolicy */
  | { kind: 'module'; rego: string; regoVersion: RegoVersion };

export interface CompiledPolicy {
  wasm: Uint8Array<ArrayBuffer>;
  entrypoint: Entrypoint;
  /** the module that was compiled */
  text: string;
  libs: readonly string[];
  regoVersion: RegoVersion;
  /** version of OPA, `1.22.2` */
  compilerVersion: string;
}

export interface CompileOptions {
  signal?: AbortSignal | undefined;
  /** path of opa; found by OPA_BIN and PATH when absent */
  opaBin?: string | undefined;
  /** ms of wall time for the whole compilation, 30 s unless told */
  timeLimitMs?: number;
  /** base documents that rules may read besides packages of their own; undefined is the default */
  knownData?: readonly string[] | 'any';
}

/** Characters of all modules of a rule together: what etcd can hold. */
const MAX_SOURCE = 1_048_576;
const KNOWN_DATA = ['inventory'];

/** Modules that are no rule: any document of theirs may be asked for. */
export interface ModuleSource {
  /** `name` is what problems call it */
  modules: readonly { name: string; text: string }[];
  /** of the document, as OPA writes it: `a/b` is data.a.b */
  entrypoint: string;
  regoVersion: RegoVersion;
}

/** Compiles a rule. Throws CompileError, or the signal's reason when it is aborted. */
export function compile(source: PolicySource, options: CompileOptions = {}): Promise<CompiledPolicy> {
  const texts =
    source.kind === 'query' ? [source.query] : [source.rego, ...('libs' in source ? source.libs : [])];
  return inWorkshop(texts, options, async (workshop) =>
    build(await sourceFiles(source, workshop), source, workshop),
  );
}

/** Compiles modules as they are, with no word about what they may read. Throws as `compile` does. */
export function compileModules(
  { modules, entrypoint, regoVersion }: ModuleSource,
  options: CompileOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const texts = modules.map(({ text }) => text);
  return inWorkshop(texts, options, async (workshop) => {
    const files = modules.map(({ name, text }, at) => ({
      name: `module${String(at)}.rego`,
      field: name,
      text,
    }));
    for (const { name, text } of files) await writeFile(join(workshop.folder, name), text);
    return bundle(files, entrypoint, regoVersion, workshop);
  });
}

/**
 * How many compile at once; the others wait outside, before their time begins to run. A restart with a thousand rules
 * would otherwise refuse all those that do not come to their turn within the limit.
 */
const room = semaphore(availableParallelism());

async function enter(signal: AbortSignal | undefined): Promise<() => void> {
  try {
    return await room.acquire(signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

async function inWorkshop<T>(
  texts: readonly string[],
  options: CompileOptions,
  work: (workshop: Workshop) => Promise<T>,
): Promise<T> {
  const opa = opaOf(options);
  refuseHuge(texts);
  const leave = await enter(options.signal);
  try {
    const endsAt = performance.now() + (options.timeLimitMs ?? TIME_LIMIT_MS);
    const folder = await mkdtemp(join(tmpdir(), 'cogniforge-rego-'));
    try {
      return await work({ opa, folder, options, toolchain: await toolchainOf(opa), endsAt });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } finally {
    leave();
  }
}

/** An empty variable of the environment is as good as none. */
function opaOf({ opaBin }: CompileOptions): string {
  return opaBin === undefined || opaBin === '' ? findOpa() : opaBin;
}

/** `1.22.2` */
export async function compilerVersion(options: CompileOptions = {}): Promise<string> {
  return (await toolchainOf(opaOf(options))).version;
}

interface Workshop {
  opa: string;
  folder: string;
  options: CompileOptions;
  toolchain: Toolchain;
  /** monotonic ms */
  endsAt: number;
}

/** What is asked of an opa once: its version, its builtins, and the capabilities that rules get. */
interface Toolchain {
  version: string;
  builtins: ReadonlySet<string>;
  capabilities: string;
}

const toolchains = new Map<string, Promise<Toolchain>>();

function toolchainOf(opa: string): Promise<Toolchain> {
  const known = toolchains.get(opa);
  if (known !== undefined) return known;
  // Without the caller's signal: the answer is for everybody.
  const asked = askToolchain(opa);
  toolchains.set(opa, asked);
  asked.catch(() => toolchains.delete(opa));
  return asked;
}

async function askToolchain(opa: string): Promise<Toolchain> {
  const run = { cwd: tmpdir() };
  const [version, capabilities] = await Promise.all([
    runOpa(opa, ['version'], run),
    runOpa(opa, ['capabilities', '--current'], run),
  ]);
  const number = /^Version: (\S+)/m.exec(version.stdout)?.[1];
  if (number === undefined || capabilities.code !== 0) {
    fail({ code: 'no_opa', message: `${opa} does not answer like opa: ${version.stderr.slice(0, 200)}` });
  }
  const all = JSON.parse(capabilities.stdout) as Capabilities;
  const builtins = new Set(all.builtins.map(({ name }) => name));
  return { version: number, builtins, capabilities: JSON.stringify(restrict(all)) };
}

function refuseHuge(texts: readonly string[]): void {
  const size = texts.reduce((sum, text) => sum + text.length, 0);
  if (size <= MAX_SOURCE) return;
  const message = `the rule has ${String(size)} characters, more than ${String(MAX_SOURCE)}`;
  fail({ code: 'too_large', message, remedy: 'split it into several rules' });
}

/** The modules as files; a query becomes a module here. */
async function sourceFiles(source: PolicySource, workshop: Workshop): Promise<[SourceFile, ...SourceFile[]]> {
  if (source.kind === 'query') return [await queryFile(source, workshop)];
  const libs = source.kind === 'rego' ? source.libs : [];
  const main = {
    name: 'policy.rego',
    field: source.kind === 'rego' ? 'rego' : QUERY_FILE,
    text: source.rego,
  };
  return [
    main,
    ...libs.map((text, at) => ({ name: `lib${String(at)}.rego`, field: `libs[${String(at)}]`, text })),
  ];
}

async function queryFile(source: PolicySource & { kind: 'query' }, workshop: Workshop): Promise<SourceFile> {
  const { query, regoVersion, message } = source;
  const wrapped = { name: 'wrapped.rego', field: QUERY_FILE, text: wrapQuery(query, regoVersion), query };
  const tree = await parse(wrapped, regoVersion, workshop);
  const { text, lines } = queryModule(query, tree, regoVersion, message);
  return { name: 'policy.rego', field: QUERY_FILE, text, lines, query };
}

async function build(
  files: [SourceFile, ...SourceFile[]],
  source: PolicySource,
  workshop: Workshop,
): Promise<CompiledPolicy> {
  const { options, toolchain } = workshop;
  const { regoVersion } = source;
  const trees = await Promise.all(files.map((file) => parse(file, regoVersion, workshop)));
  const problems = files.flatMap((file, at) =>
    unknownData(file, trees[at], trees, options.knownData ?? KNOWN_DATA),
  );
  if (problems.length > 0) throw new CompileError(problems);
  const [main] = files;
  const { path, entrypoint } = entrypointOf(main, trees[0]);
  return {
    wasm: await bundle(files, path, regoVersion, workshop),
    entrypoint,
    text: main.text,
    libs: source.kind === 'rego' ? source.libs : [],
    regoVersion,
    compilerVersion: toolchain.version,
  };
}

/** The Wasm module of files that lie in the workshop's folder. */
async function bundle(
  files: readonly SourceFile[],
  path: string,
  regoVersion: RegoVersion,
  workshop: Workshop,
): Promise<Uint8Array<ArrayBuffer>> {
  const { opa, folder, toolchain } = workshop;
  await writeFile(join(folder, 'capabilities.json'), toolchain.capabilities);
  const flags = ['--capabilities', 'capabilities.json', ...versionFlags(regoVersion)];
  const names = files.map(({ name }) => name);
  const limits = limitsOf(workshop);
  const target = ['-t', 'wasm', '--prune-unused', `--entrypoint=${path}`, '-o', 'bundle.tar.gz'];
  const built = await runOpa(opa, ['build', ...target, ...flags, ...names], limits);
  if (built.code !== 0) {
    // The same errors again, as data: build itself prints them as text.
    const checked = await runOpa(
      opa,
      ['check', '--format', 'json', '--max-errors', '20', ...flags, ...names],
      limits,
    );
    const said = checked.code === 0 ? built : checked;
    const report = said.stderr + said.stdout;
    throw new CompileError(problemsOf(report, files, toolchain.builtins));
  }
  return readModule(join(folder, 'bundle.tar.gz'));
}

function versionFlags(version: RegoVersion): string[] {
  return version === 'V0' ? ['--v0-compatible'] : [];
}

function limitsOf({ folder, options, endsAt }: Workshop): Parameters<typeof runOpa>[2] {
  const limit = options.timeLimitMs ?? TIME_LIMIT_MS;
  return {
    cwd: folder,
    signal: options.signal,
    timeLimitMs: Math.max(1, endsAt - performance.now()),
    statedLimitMs: limit,
  };
}

/** Writes the file and returns its syntax tree; the text never gets into a command line. */
async function parse(file: SourceFile, version: RegoVersion, workshop: Workshop): Promise<Module> {
  const { opa, folder, toolchain } = workshop;
  await writeFile(join(folder, file.name), file.text);
  const args = [
    'parse',
    '--format',
    'json',
    '--json-include',
    'locations,-comments',
    ...versionFlags(version),
    file.name,
  ];
  const { code, stdout, stderr } = await runOpa(opa, args, limitsOf(workshop));
  if (code !== 0) throw new CompileError(problemsOf(stderr + stdout, [file], toolchain.builtins));
  return JSON.parse(stdout) as Module;
}

/** The first of violation, deny, warn, allow that the main module defines, as OPA's slash-separated path. */
function entrypointOf(main: SourceFile, tree: Module | undefined): { path: string; entrypoint: Entrypoint } {
  const defined = new Map((tree?.rules ?? []).map(({ head }) => [ruleName(head), head]));
  const entrypoint = ENTRYPOINTS.find((name) => defined.has(name));
  const parts = constantPath(tree?.package.path ?? []).slice(1);
  const odd = parts.find((part) => !/^[\w-]+$/.test(part));
  if (odd !== undefined) {
    fail({
      file: main.field,
      line: 1,
      code: 'odd_package',
      message: `the package name ${JSON.stringify(odd)} has characters other than letters, digits, _ and -`,
    });
  }
  if (entrypoint === undefined) {
    const remedy = 'define one, such as: violation contains {"msg": msg} if { ... }';
    fail({
      file: main.field,
      code: 'no_entrypoint',
      message: `the package defines none of ${ENTRYPOINTS.join(', ')}`,
      remedy,
    });
  }
  if (defined.get(entrypoint)?.args !== undefined) {
    const line = defined.get(entrypoint)?.location?.row;
    const place = { file: main.field, ...(line === undefined ? {} : { line }) };
    fail({
      ...place,
      code: 'no_entrypoint',
      message: `${entrypoint} is a function`,
      remedy: 'it gives the verdict: define it as a rule without arguments',
    });
  }
  return { path: [...parts, entrypoint].join('/'), entrypoint };
}

/** Refs to data that nobody provides would be undefined for ever: a misspelt lib would allow everything. */
function unknownData(
  file: SourceFile,
  tree: Module | undefined,
  all: readonly Module[],
  known: readonly string[] | 'any',
): Problem[] {
  if (known === 'any' || tree === undefined) return [];
  const packages = all.map((module) => constantPath(module.package.path).slice(1));
  const problems = new Map<string, Problem>();
  const look = (node: unknown): void => {
    walkTerms(node, (term) => {
      const parts = refParts(term) ?? [];
      if (parts[0]?.type !== 'var' || parts[0].value !== 'data') return true;
      const path = constantPath(parts).slice(1);
      if (known.includes(path[0] ?? '') || packages.some((names) => overlaps(names, path))) return true;
      const name = ['data', ...path].join('.');
      const line = parts[0].location?.row ?? term.location?.row;
      problems.set(name, {
        file: file.field,
        ...(line === undefined ? {} : { line: file.lines?.[line - 1] ?? line }),
        code: 'unknown_data',
        message: `${name} is not known here`,
        remedy: `a rule reads input, data.${known.join(', data.')} and the packages of its own libs`,
      });
      return true;
    });
  };
  look(tree.imports);
  look(tree.rules);
  return [...problems.values()];
}

/** Whether one path leads to, or into, the other. `data` alone leads nowhere in particular. */
function overlaps(a: readonly string[], b: readonly string[]): boolean {
  return b.length > 0 && a.slice(0, b.length).every((part, at) => part === b[at]);
}
