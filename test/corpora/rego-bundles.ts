/**
 * Compiles many Rego cases in few runs of opa, which costs 75 ms a run: cases that look at no package but their own rules
 * get a package of their own each, and one rule answers for the case that `data.cogniforge_case` names.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { readModule } from '../../src/policy/bundle.ts';
import { restrict, type Capabilities } from '../../src/policy/capabilities.ts';
import { runOpa } from '../../src/policy/opa.ts';
import { isRecord } from '../../src/runtime/json.ts';
import { toolPath } from '../cluster/tools.ts';

export interface ConformanceCase {
  id: string;
  modules: Record<string, string>;
  entrypoint: string;
  input?: unknown;
  data?: unknown;
  want?: unknown;
  undefined?: true;
  error?: { code?: string; text?: string };
  sort_bindings?: boolean;
  strict_error?: boolean;
  requires: string[];
}

export interface Compiled {
  /** in `modules` */
  module: string;
  /** the base documents that make the module answer for this case */
  withData(data: unknown): unknown;
}

export interface Refusal {
  refused: string;
  /** because a builtin is not to be had */
  builtin: boolean;
}

export interface CompiledCases {
  modules: Map<string, Uint8Array<ArrayBuffer>>;
  cases: Map<string, Compiled | Refusal>;
}

interface Job {
  /** what the module is called in `modules` */
  name: string;
  cases: readonly ConformanceCase[];
  bundled: boolean;
}

const PER_BUNDLE = 100;
/** opa reports the errors of one stage of its compiler at a time. */
const MAX_ROUNDS = 12;
const KEY = 'cogniforge_case';
const BUILD_LIMIT_MS = 120_000;

export async function compileCases(rows: readonly ConformanceCase[]): Promise<CompiledCases> {
  const result: CompiledCases = { modules: new Map(), cases: new Map() };
  const opa = await toolPath('opa');
  const folder = await mkdtemp(join(tmpdir(), 'cogniforge-conformance-'));
  try {
    const all = await runOpa(opa, ['capabilities', '--current'], { cwd: folder });
    const capabilities = JSON.stringify(restrict(JSON.parse(all.stdout) as Capabilities));
    await writeFile(join(folder, 'capabilities.json'), capabilities);
    for (const job of jobsOf(rows)) await compileJob(job, opa, folder, result);
    return result;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function jobsOf(rows: readonly ConformanceCase[]): Job[] {
  const bundled = rows.filter(standsAlone);
  const jobs: Job[] = rows
    .filter((row) => !standsAlone(row))
    .map((row) => ({ name: row.id, cases: [row], bundled: false }));
  for (let at = 0; at < bundled.length; at += PER_BUNDLE)
    jobs.push({ name: `bundle ${String(at)}`, cases: bundled.slice(at, at + PER_BUNDLE), bundled: true });
  return jobs;
}

/** Whether another package name, and another base document, change nothing of what a case means. */
function standsAlone({ modules }: ConformanceCase): boolean {
  const texts = Object.values(modules);
  const [text = ''] = texts;
  const root = /^package (\w+)/m.exec(text)?.[1];
  if (texts.length !== 1 || root === undefined || text.includes('rego.metadata')) return false;
  const refs = text.replace(/^package .*$/m, '').matchAll(/(?<![\w.])data(?:\.(\w+)|\b)/g);
  return [...refs].every(([, name]) => name !== undefined && name !== root);
}

async function compileJob(job: Job, opa: string, folder: string, into: CompiledCases): Promise<void> {
  let left = job.cases;
  for (let round = 0; round < MAX_ROUNDS && left.length > 0; round += 1) {
    const files = await writeModules(left, job.bundled, folder);
    const refusals = await check(files, opa, folder);
    for (const [id, refusal] of refusals) into.cases.set(id, refusal);
    left = left.filter(({ id }) => !refusals.has(id));
    if (refusals.size > 0) continue;
    into.modules.set(job.name, await build(job, left, [...files.keys()], opa, folder));
    for (const { id } of left) into.cases.set(id, { module: job.name, withData: dataFor(id, job.bundled) });
    return;
  }
  for (const { id } of left) into.cases.set(id, { refused: 'opa finds errors without end', builtin: false });
}

function dataFor(id: string, bundled: boolean): Compiled['withData'] {
  if (!bundled) return (data) => data;
  return (data) => ({ ...(isRecord(data) ? data : {}), [KEY]: id });
}

/** File name -> id of its case. */
async function writeModules(
  cases: readonly ConformanceCase[],
  bundled: boolean,
  folder: string,
): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const [at, { id, modules }] of cases.entries()) {
    for (const [index, text] of Object.values(modules).entries()) {
      const file = `case${String(at)}-${String(index)}.rego`;
      await writeFile(
        join(folder, file),
        bundled ? text.replace(/^package /m, `package ${packageOf(at)}.`) : text,
      );
      files.set(file, id);
    }
  }
  return files;
}

function packageOf(at: number): string {
  return `cogniforge${String(at)}`;
}

/** The cases that do not compile. */
async function check(
  files: ReadonlyMap<string, string>,
  opa: string,
  folder: string,
): Promise<Map<string, Refusal>> {
  const args = ['check', '--format', 'json', '--max-errors', '0', '--capabilities', 'capabilities.json'];
  const { code, stdout, stderr } = await runOpa(opa, [...args, ...files.keys()], { cwd: folder });
  const refusals = new Map<string, Refusal>();
  if (code === 0) return refusals;
  const { errors } = JSON.parse(stderr + stdout) as {
    errors: { message: string; location?: { file?: string } }[];
  };
  for (const { message, location } of errors) {
    const id = files.get(basename(location?.file ?? ''));
    if (id === undefined) throw new Error(`opa check: ${message}`);
    refusals.set(id, { refused: message, builtin: /undefined function|unknown target type/.test(message) });
  }
  return refusals;
}

async function build(
  { name, bundled }: Job,
  cases: readonly ConformanceCase[],
  files: readonly string[],
  opa: string,
  folder: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const sources = [...files];
  let entrypoint = cases[0]?.entrypoint ?? '';
  if (bundled) {
    const answers = cases.map(({ id, entrypoint: path }, at) => {
      const document = ['data', packageOf(at), ...path.split('/')];
      return `answer := ${document.join('.')} if data.${KEY} == ${JSON.stringify(id)}`;
    });
    await writeFile(join(folder, 'answer.rego'), `package cogniforge_answer\n\n${answers.join('\n')}\n`);
    sources.push('answer.rego');
    entrypoint = 'cogniforge_answer/answer';
  }
  const target = ['-t', 'wasm', `--entrypoint=${entrypoint}`, '-o', 'bundle.tar.gz'];
  const args = ['build', ...target, '--capabilities', 'capabilities.json', ...sources];
  const built = await runOpa(opa, args, { cwd: folder, timeLimitMs: BUILD_LIMIT_MS });
  if (built.code !== 0) throw new Error(`opa build of ${name}: ${built.stderr.slice(0, 2000)}`);
  return readModule(join(folder, 'bundle.tar.gz'));
}
