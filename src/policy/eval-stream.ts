/** `cogniforge policy eval` on a stream: one question a line, one answer a line, in the same order. */
import { availableParallelism } from 'node:os';
import { messageOf } from '../runtime/errors.ts';
import { isRecord, parseJson, stringifyJson } from '../runtime/json.ts';
import type { CommandIo } from './command-io.ts';
import { CompileError, compileModules, type ModuleSource } from './compiler.ts';
import { EvaluationError, createEngine, type Engine } from './engine/engine.ts';
import { jsonText } from './json-text.ts';
import { describeProblem } from './problems.ts';

const DEADLINE_MS = 10_000;
/** Bytes of one line; what is longer is answered with an error, and never held. */
const MAX_LINE = 32 * 2 ** 20;
/** Compiled policies that are kept for the next question about the same modules. */
const MAX_KEPT = 64;

interface Question {
  id: unknown;
  source: ModuleSource;
  /** JSON texts; an input that is not there is undefined, which is not null */
  input: string | undefined;
  data: string;
}

/** A question that is none. */
class BadQuestion extends Error {
  readonly id: unknown;
  readonly code: string;

  constructor(id: unknown, code: string, message: string) {
    super(message);
    this.id = id;
    this.code = code;
  }
}

/** Always 0: what is wrong with a line is told in its answer. Throws where standard input breaks. */
export async function evalStream({ env, print, stdin }: CommandIo): Promise<number> {
  const engine = createEngine({ workers: availableParallelism() });
  const kept = keeper(engine, env['OPA_BIN']);
  const most = availableParallelism() * 2;
  const answers: Promise<string>[] = [];
  try {
    let number = 0;
    for await (const line of linesOf(stdin)) {
      number += 1;
      answers.push(answer(line, number, engine, kept));
      while (answers.length >= most) print((await answers.shift()) ?? '');
    }
    for (const waiting of answers) print(await waiting);
    return 0;
  } finally {
    await engine.close();
  }
}

async function answer(
  line: Uint8Array | undefined,
  number: number,
  engine: Engine,
  loaded: (source: ModuleSource) => Promise<string>,
): Promise<string> {
  let id: unknown = null;
  try {
    const question = questionOf(line, number);
    ({ id } = question);
    const { input, data, source } = question;
    const policy = await loaded(source);
    const asked = { data, deadlineMs: DEADLINE_MS, ...(input === undefined ? {} : { input }) };
    // A document without a value has no `result`.
    return stringifyJson({ id, result: await engine.evaluate(policy, asked) });
  } catch (error) {
    if (error instanceof BadQuestion) ({ id } = error);
    return stringifyJson({ id, error: errorOf(error) });
  }
}

function errorOf(error: unknown): { code: string; message: string } {
  if (error instanceof BadQuestion) return { code: error.code, message: error.message };
  if (error instanceof CompileError) {
    const [first] = error.problems;
    return { code: first?.code ?? 'compile_failed', message: error.problems.map(describeProblem).join('\n') };
  }
  const message = messageOf(error);
  if (!(error instanceof EvaluationError)) return { code: 'unknown', message };
  // OPA's own word for the one error of evaluation that a module gives up with by itself.
  return { code: /\bconflict\b/.test(message) ? 'eval_conflict_error' : error.code, message };
}

/** Throws BadQuestion. */
function questionOf(line: Uint8Array | undefined, number: number): Question {
  const where = `line ${String(number)}`;
  if (line === undefined)
    throw new BadQuestion(null, 'bad_line', `${where} has more than ${String(MAX_LINE)} bytes`);
  let value: unknown;
  try {
    value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(line));
  } catch (error) {
    throw new BadQuestion(null, 'bad_line', `${where} is no JSON: ${messageOf(error)}`);
  }
  if (!isRecord(value)) throw new BadQuestion(null, 'bad_line', `${where} is no JSON object`);
  const { id = null, modules, entrypoint, regoVersion = 'V1', data = {} } = value;
  const bad = (field: string, accepted: string): BadQuestion =>
    new BadQuestion(id, 'bad_request', `${where}: ${field}: accepted: ${accepted}`);
  const texts = modulesOf(modules);
  if (texts === undefined) throw bad('modules', 'an object of Rego modules by name, at least one');
  const path = typeof entrypoint === 'string' ? pathOf(entrypoint) : undefined;
  if (path === undefined) throw bad('entrypoint', 'the path of a document, such as a/b for data.a.b');
  const version = String(regoVersion).toUpperCase();
  if (version !== 'V0' && version !== 'V1') throw bad('regoVersion', 'V0, V1');
  if (!isRecord(data)) throw bad('data', 'an object');
  return {
    id,
    source: { modules: texts, entrypoint: path, regoVersion: version },
    input: Object.hasOwn(value, 'input') ? jsonText(value['input']) : undefined,
    data: jsonText(data),
  };
}

function modulesOf(modules: unknown): ModuleSource['modules'] | undefined {
  if (!isRecord(modules)) return undefined;
  const texts = Object.entries(modules).flatMap(([name, text]) =>
    typeof text === 'string' ? [{ name, text }] : [],
  );
  return texts.length > 0 && texts.length === Object.keys(modules).length ? texts : undefined;
}

/** `a/b` as it is; `data.a.b` in that form. */
function pathOf(entrypoint: string): string | undefined {
  const path = entrypoint.startsWith('data.') ? entrypoint.slice(5).replaceAll('.', '/') : entrypoint;
  return path === '' || path.startsWith('-') ? undefined : path;
}

/** Compiles each set of modules once as long as it is remembered; resolves with the name that the engine knows it by. */
function keeper(engine: Engine, opaBin: string | undefined): (source: ModuleSource) => Promise<string> {
  const known = new Map<string, Promise<string>>();
  let serial = 0;
  const load = async (source: ModuleSource): Promise<string> => {
    const wasm = await compileModules(source, { opaBin });
    serial += 1;
    const id = `modules ${String(serial)}`;
    engine.load(id, wasm, 'violation');
    return id;
  };
  return (source) => {
    const key = JSON.stringify(source);
    const policy = known.get(key) ?? load(source);
    // At the end of the row again: those at its start have not been asked for longest.
    known.delete(key);
    known.set(key, policy);
    const [oldest] = known;
    if (known.size > MAX_KEPT && oldest !== undefined) {
      known.delete(oldest[0]);
      oldest[1].then(
        (id) => {
          engine.unload(id);
        },
        () => undefined,
      );
    }
    return policy;
  };
}

/** Lines without their ends; undefined stands for one that is too long. The last needs no newline. */
async function* linesOf(stdin: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array | undefined> {
  let parts: Uint8Array[] = [];
  let size = 0;
  const take = (part: Uint8Array): void => {
    size += part.length;
    if (size > MAX_LINE) parts = [];
    else if (part.length > 0) parts.push(part);
  };
  const line = (): Uint8Array | undefined => {
    const whole = size > MAX_LINE ? undefined : Buffer.concat(parts);
    parts = [];
    size = 0;
    return whole;
  };
  for await (const chunk of stdin) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      take(chunk.subarray(start, end));
      yield line();
      start = end + 1;
    }
    take(chunk.subarray(start));
  }
  if (size > 0) yield line();
}
