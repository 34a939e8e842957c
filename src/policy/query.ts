/**
 * The meaning of a regoQuery, written out as a Rego module.
 *
 * `not input.spec.containers[_].livenessProbe` is unsafe in plain Rego: a wildcard under `not` is bound by nothing. Here
 * it ranges outside the negation ("there is a container without a livenessProbe"): each such wildcard becomes a named
 * index with a generator in front of the statement. Wildcards in comprehensions and `every` keep their own scope.
 * What the text means is decided by OPA's own syntax tree; this module only edits the text at places that the tree names.
 */
import { type Expression, type Location, type Module, type Term, refParts, walkTerms } from './ast.ts';
import { CompileError, fail } from './problems.ts';

export type RegoVersion = 'V0' | 'V1';

export const QUERY_FILE = 'regoQuery';
const MAX_QUERY = 65_536;
/** lines of `wrapQuery` before the query's first */
const WRAPPED_AT = 3;

/** The text to parse: the query as the body of a rule, its lines untouched. Throws CompileError where there is no query. */
export function wrapQuery(query: string, version: RegoVersion): string {
  if (query.length > MAX_QUERY) {
    fail({
      file: QUERY_FILE,
      code: 'too_large',
      message: `the query has more than ${String(MAX_QUERY)} characters`,
    });
  }
  if (query.split('\n').every((line) => /^\s*(#.*)?$/.test(line))) {
    const remedy = 'write what must not be, such as: not input.metadata.labels.owner';
    fail({ file: QUERY_FILE, code: 'empty_query', message: 'the query is empty: it states nothing', remedy });
  }
  return `package cogniforge.query\n\nquery ${version === 'V1' ? 'if ' : ''}{\n${unixLines(query)}\n}\n`;
}

/** Line of the query that a line of the wrapped text is. */
export function wrappedLine(query: string, line: number): number {
  return Math.min(Math.max(line - WRAPPED_AT, 1), unixLines(query).split('\n').length);
}

/** A hint for text that does not parse as a query because it is something else. */
export function notAQuery(query: string): string | undefined {
  if (
    !/^\s*(package|import|default)\s/m.test(query) &&
    !/^[^"`#]*\b(if|contains)\b[^"`#]*\{\s*$/m.test(query)
  ) {
    return undefined;
  }
  return 'a whole Rego module belongs into spec.rego; spec.regoQuery holds the statements of one rule body';
}

export interface QueryModule {
  text: string;
  /** line of the query for each line of the text, 0 where there is none */
  lines: readonly number[];
}

/**
 * The module of a query, given the tree of its wrapped text. `message` becomes the msg of each violation; without one
 * the rule's own words stand in. Throws CompileError.
 */
export function queryModule(
  query: string,
  tree: Module,
  version: RegoVersion,
  message?: string,
): QueryModule {
  const text = unixLines(query);
  const body = bodyOf(text, tree);
  const lifts = liftWildcards(text, body, version);
  const path = lifts.flatMap(({ path }) => (path === undefined ? [] : [path]))[0];
  const fields = [
    ...(message === undefined ? [] : [`"msg": ${JSON.stringify(message.toWellFormed())}`]),
    ...(path === undefined ? [] : [`"details": {"path": [${path.join(', ')}]}`]),
  ];
  const head =
    version === 'V1'
      ? `violation contains {${fields.join(', ')}} if {`
      : `violation[{${fields.join(', ')}}] {`;
  const edited = editLines(text, lifts);
  return {
    text: ['package cogniforge.query', '', head, ...edited.map(([line]) => line), '}', ''].join('\n'),
    lines: [0, 0, 0, ...edited.map(([, source]) => source), 0],
  };
}

/** The statements, when the wrapped text is one rule and nothing else: a stray } must not smuggle in more. */
function bodyOf(text: string, { rules = [], imports = [] }: Module): Expression[] {
  const [rule] = rules;
  if (rule?.body === undefined || rules.length !== 1 || imports.length > 0 || rule.else !== undefined) {
    const remedy = notAQuery(text) ?? 'separate statements by ; or a new line, and balance the braces';
    fail({
      file: QUERY_FILE,
      code: 'not_a_query',
      message: 'this is more than one query: a brace closes it early',
      remedy,
    });
  }
  if (rule.body.every(declaresOnly)) {
    const remedy =
      'state a condition that does not hold of a good object, such as: input.spec.hostNetwork == true';
    fail({
      file: QUERY_FILE,
      line: 1,
      code: 'no_condition',
      message: 'the query only names values and asks nothing',
      remedy,
    });
  }
  return rule.body;
}

/** `x := ...` and `some x`, which hold of every object. */
function declaresOnly({ terms, negated }: Expression): boolean {
  if (negated === true) return false;
  if (Array.isArray(terms)) return terms[0] !== undefined && refParts(terms[0])?.[0]?.value === 'assign';
  return 'symbols' in terms && (terms.symbols ?? []).every(({ type }) => type === 'var');
}

/** One statement with wildcards to lift. */
interface Lift {
  /** offset of the statement */
  at: number;
  generators: string[];
  names: { at: number; name: string }[];
  /** Rego terms that tell which element offended */
  path: string[] | undefined;
}

function liftWildcards(text: string, body: readonly Expression[], version: RegoVersion): Lift[] {
  const offsetOf = offsets(text);
  const nextName = freshNames(text);
  return body.flatMap((statement) => {
    if (statement.negated !== true || statement.location === undefined) return [];
    const found = wildcardsUnder(statement.terms, offsetOf);
    if (found.length === 0) return [];
    if ((statement.with ?? []).length > 0) refuseWith(statement.location);
    const names = found.map(({ at }) => ({ at, name: nextName() }));
    const generators = found.map(({ from, at }, index) => {
      const collection = collectionText(text, from, at, names, statement.location);
      const name = names[index]?.name ?? '';
      return version === 'V1'
        ? `some ${name}, _ in ${collection}`
        : `some ${name}; _ = ${collection}[${name}]`;
    });
    return [{ at: offsetOf(statement.location), generators, names, path: pathOf(found, names) }];
  });
}

interface Wildcard {
  /** offset of the ref it belongs to, and its own */
  from: number;
  at: number;
  ref: readonly Term[];
  /** which part of the ref it is */
  part: number;
}

/** In the order of the text, so that the index of an outer collection is named before the one that needs it. */
function wildcardsUnder(terms: Expression['terms'], offsetOf: (location: Location) => number): Wildcard[] {
  const found: Wildcard[] = [];
  walkTerms(terms, (term) => {
    if (term.type.endsWith('comprehension') || term.type === 'templatestring') return false;
    const ref = refParts(term) ?? [];
    const start = ref[0]?.location;
    for (const [part, { type, value, location }] of ref.entries()) {
      if (part === 0 || type !== 'var' || typeof value !== 'string' || !value.startsWith('$')) continue;
      if (start !== undefined && location !== undefined) {
        found.push({ from: offsetOf(start), at: offsetOf(location), ref, part });
      }
    }
    return true;
  });
  return found.sort((a, b) => a.at - b.at);
}

/** The text of the ref up to the wildcard's bracket, its earlier wildcards by their new names. */
function collectionText(
  text: string,
  from: number,
  at: number,
  names: Lift['names'],
  location: Location | undefined,
): string {
  const bracket = text.slice(0, at).trimEnd();
  if (text[at] !== '_' || !bracket.endsWith('[')) {
    const line = location === undefined ? {} : { line: location.row - WRAPPED_AT };
    const remedy = 'write each wildcard as [_], without a comment inside the brackets';
    fail({
      file: QUERY_FILE,
      ...line,
      code: 'odd_wildcard',
      message: 'a wildcard of this statement cannot be read',
      remedy,
    });
  }
  return replaceNames(text, from, bracket.length - 1, names);
}

function replaceNames(text: string, from: number, to: number, names: Lift['names']): string {
  let result = '';
  let done = from;
  for (const { at, name } of names) {
    if (at < from || at >= to) continue;
    result += text.slice(done, at) + name;
    done = at + 1;
  }
  return result + text.slice(done, to);
}

/** Keys of the offending element from the object's root, where every step is a constant or a variable. */
function pathOf(found: readonly Wildcard[], names: Lift['names']): string[] | undefined {
  const deepest = found.reduce<Wildcard | undefined>((best, wildcard) => {
    if (wildcard.ref[0]?.value !== 'input') return best;
    const sameRef = best === undefined || best.ref === wildcard.ref;
    return sameRef ? wildcard : best;
  }, undefined);
  if (deepest === undefined) return undefined;
  const steps = deepest.ref.slice(1, deepest.part + 1).map((term) => {
    const lifted = found.findIndex(({ ref, part }) => ref === deepest.ref && ref[part] === term);
    return lifted >= 0 ? names[lifted]?.name : stepText(term);
  });
  return steps.every((step) => step !== undefined) ? steps : undefined;
}

function stepText({ type, value }: Term): string | undefined {
  if (type === 'string' || type === 'number') return JSON.stringify(value);
  return type === 'var' && typeof value === 'string' ? value : undefined;
}

function refuseWith(location: Location): never {
  const remedy = 'bind the element first: some i, _ in <collection>; not <collection>[i]...';
  const message = 'a wildcard under not cannot be combined with the keyword with';
  throw new CompileError([
    { file: QUERY_FILE, line: location.row - WRAPPED_AT, code: 'wildcard_with', message, remedy },
  ]);
}

/** `index1`, `index2`, ...: none that occurs anywhere in the query, be it in a string. */
function freshNames(text: string): () => string {
  let stem = 'index';
  while (text.includes(stem)) stem += '_';
  let last = 0;
  return () => {
    last += 1;
    return `${stem}${String(last)}`;
  };
}

/** Offset in the query of a location in its wrapped text: OPA counts code points, JavaScript UTF-16 units. */
function offsets(text: string): (location: Location) => number {
  const lines = text.split('\n');
  const starts = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length + 1);
  return ({ row, col }) => {
    const index = row - WRAPPED_AT - 1;
    const before = Array.from(lines[index] ?? '')
      .slice(0, col - 1)
      .join('');
    return (starts[index] ?? 0) + before.length;
  };
}

/** The query's lines with names and generators put in, each with the line that it comes from. */
function editLines(text: string, lifts: readonly Lift[]): [string, number][] {
  // Indenting would change a raw string that spans lines.
  const indent = text.includes('`') ? '' : '\t';
  const names = lifts.flatMap((lift) => lift.names).sort((a, b) => a.at - b.at);
  let start = 0;
  return text.split('\n').flatMap((line, index): [string, number][] => {
    const end = start + line.length;
    const own = lifts.filter(({ at }) => at >= start && at < end);
    const margin = /^\s*/.exec(line)?.[0] ?? '';
    const above = own
      .filter(({ at }) => at === start + margin.length)
      .flatMap(({ generators }) => generators);
    const inline = own.filter(({ at }) => at !== start + margin.length);
    let edited = '';
    let done = start;
    for (const { at, generators } of inline) {
      edited += `${replaceNames(text, done, at, names)}${generators.join('; ')}; `;
      done = at;
    }
    edited += replaceNames(text, done, end, names);
    start = end + 1;
    const lines = [...above.map((generator) => margin + generator), edited].flatMap((piece) =>
      piece.split('\n'),
    );
    return lines.map((piece) => [piece.trim() === '' ? '' : indent + piece, index + 1]);
  });
}

function unixLines(text: string): string {
  return text.replaceAll('\r\n', '\n');
}
