/** What OPA says of a source, in the user's terms: his field, his line, what to do. */
import { whyUnavailable } from './capabilities.ts';
import type { Problem } from './problems.ts';
import { notAQuery, wrappedLine } from './query.ts';

/** A file that opa was given, and where its text comes from. */
export interface SourceFile {
  name: string;
  /** field of the rule's spec */
  field: string;
  text: string;
  /** set when the text was made of a query: the query, and its line for each line of the text */
  query?: string;
  lines?: readonly number[];
}

/** An error of `opa check --format json`. */
interface OpaError {
  message: string;
  code?: string;
  location?: { file: string; row: number; col?: number };
}

const MAX_PROBLEMS = 20;
const MAX_WORDS = 500;

/** `report` is what opa printed: JSON where it can, else text. Never empty. */
export function problemsOf(
  report: string,
  files: readonly SourceFile[],
  known: ReadonlySet<string>,
): Problem[] {
  const errors = jsonErrors(report) ?? textErrors(report);
  const problems = errors.slice(0, MAX_PROBLEMS).map((error) => problemOf(error, files, known));
  if (problems.length > 0) return problems;
  return [
    { code: 'compile_failed', message: report.trim().slice(0, MAX_WORDS) || 'opa failed without a word' },
  ];
}

function jsonErrors(report: string): OpaError[] | undefined {
  const start = report.indexOf('{');
  if (start < 0) return undefined;
  try {
    const { errors } = JSON.parse(report.slice(start)) as { errors?: OpaError[] };
    return errors;
  } catch {
    return undefined;
  }
}

/** `policy.rego:3: rego_type_error: undefined function f` */
function textErrors(report: string): OpaError[] {
  return report.split('\n').flatMap((line) => {
    const found = /(\w+\.rego):(\d+): (?:(rego_\w+): )?(.*)$/.exec(line);
    if (found === null) return [];
    const [, file = '', row = '1', code, message = ''] = found;
    return [{ message, ...(code === undefined ? {} : { code }), location: { file, row: Number(row) } }];
  });
}

function problemOf(error: OpaError, files: readonly SourceFile[], known: ReadonlySet<string>): Problem {
  const { code, location } = error;
  const file = files.find(({ name }) => name === location?.file);
  const row = location?.row ?? 0;
  return {
    ...placeOf(file, row, location?.col),
    ...(code === undefined ? {} : { code }),
    ...inWords(error, file, file?.text.split('\n')[row - 1] ?? '', known),
  };
}

function placeOf(
  file: SourceFile | undefined,
  row: number,
  col = 0,
): Pick<Problem, 'file' | 'line' | 'column'> {
  if (file === undefined || row < 1) return {};
  const column = col > 0 && file.query === undefined ? { column: col } : {};
  if (file.query === undefined) return { file: file.field, line: row, ...column };
  const line = file.lines === undefined ? wrappedLine(file.query, row) : (file.lines[row - 1] ?? 0);
  return line === 0 ? { file: file.field } : { file: file.field, line };
}

function inWords(
  { message, code }: OpaError,
  file: SourceFile | undefined,
  text: string,
  known: ReadonlySet<string>,
): Pick<Problem, 'message' | 'remedy'> {
  const plain = message.slice(0, MAX_WORDS);
  const builtin = /^undefined function (\S+)/.exec(message)?.[1] ?? builtinAfterWith(message, text);
  if (builtin !== undefined) return ofBuiltin(builtin, plain, known);
  const value = builtinAsValue(message, text);
  if (value !== undefined && whyUnavailable(value, known) !== undefined)
    return ofBuiltin(value, plain, known);
  if (message.startsWith('var _ is unsafe')) {
    const remedy = 'bind what it stands for first: some i, _ in collection; not collection[i].field';
    return { message: 'the wildcard _ is bound by nothing here (var _ is unsafe)', remedy };
  }
  if (code === 'rego_recursion_error') return { message: plain, remedy: 'a rule must not depend on itself' };
  const hint = code === 'rego_parse_error' ? parseHint(file, message) : undefined;
  return hint === undefined ? { message: plain } : { message: plain, remedy: hint };
}

/** `with http.send as f`: a builtin that is not in the capabilities is only said not to exist. */
function builtinAfterWith(message: string, text: string): string | undefined {
  return message.startsWith('with keyword target')
    ? /\bwith\s+([a-z_][\w.]*)\s+as\b/.exec(text)?.[1]
    : undefined;
}

/** `with f as http.send`, `x := http.send`, `with f as trace`: what is no builtin is taken for an unbound variable. */
function builtinAsValue(message: string, text: string): string | undefined {
  const variable = /^var (\w+) is unsafe/.exec(message)?.[1];
  if (variable === undefined) return undefined;
  for (const [, name, path = ''] of text.matchAll(/\b(\w+)(?=(\.[a-z_][\w.]*))/g))
    if (name === variable) return `${variable}${path}`;
  return [...text.matchAll(/\bas\s+(\w+)/g)].some(([, name]) => name === variable) ? variable : undefined;
}

function ofBuiltin(
  name: string,
  plain: string,
  known: ReadonlySet<string>,
): Pick<Problem, 'message' | 'remedy'> {
  const reason = whyUnavailable(name, known);
  if (reason !== undefined) return { message: `builtin ${name} is not available: ${reason}` };
  return {
    message: plain,
    remedy: 'check its name; a function of a lib is called by its full name or an import',
  };
}

function parseHint(file: SourceFile | undefined, message: string): string | undefined {
  if (file?.query !== undefined) return notAQuery(file.query);
  const v0 = /`(if|contains)` keyword is required|var cannot be used for rule name|unexpected (\{|import)/;
  return v0.test(message) ? 'if this is Rego of before OPA 1.0, set spec.regoVersion: V0' : undefined;
}
