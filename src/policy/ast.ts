/** The part of `opa parse --format json --json-include locations` that we read. */

export interface Location {
  file?: string;
  /** from 1 */
  row: number;
  /** from 1, in code points */
  col: number;
}

export interface Term {
  type: string;
  value: unknown;
  location?: Location;
}

export interface With {
  target: Term;
  value: Term;
  location?: Location;
}

export interface Expression {
  location?: Location;
  negated?: boolean;
  /** one term, or an operator and its operands, or a `some`/`every` declaration */
  terms: Term | Term[] | { symbols?: Term[]; [field: string]: unknown };
  with?: With[];
}

export interface Head {
  name?: string;
  ref?: Term[];
  args?: Term[];
  key?: Term;
  value?: Term;
  location?: Location;
}

export interface Rule {
  head: Head;
  body?: Expression[];
  default?: boolean;
  else?: unknown;
  location?: Location;
}

export interface Module {
  package: { path: Term[]; location?: Location };
  imports?: { path: Term; location?: Location }[];
  rules?: Rule[];
}

export function isTerm(value: unknown): value is Term {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    'value' in value
  );
}

/** Visits every term below `node`, outermost first; where `visit` returns false, what is inside is left out. */
export function walkTerms(node: unknown, visit: (term: Term) => boolean): void {
  if (typeof node !== 'object' || node === null) return;
  if (Array.isArray(node)) {
    for (const item of node) walkTerms(item, visit);
    return;
  }
  if (isTerm(node)) {
    if (visit(node)) walkTerms(node.value, visit);
    return;
  }
  for (const [field, value] of Object.entries(node)) if (field !== 'location') walkTerms(value, visit);
}

/** Constant leading part of a ref (or package path) as strings; stops at the first part that is not a constant string. */
export function constantPath(parts: readonly Term[]): string[] {
  const path: string[] = [];
  for (const [at, { type, value }] of parts.entries()) {
    if (typeof value !== 'string' || (type !== 'string' && !(at === 0 && type === 'var'))) break;
    path.push(value);
  }
  return path;
}

/** Parts of a term that is a ref. */
export function refParts(term: Term): Term[] | undefined {
  return term.type === 'ref' && Array.isArray(term.value) ? (term.value as Term[]) : undefined;
}

/** The name of the rule that a head defines, when it is a plain one. */
export function ruleName({ name, ref }: Head): string | undefined {
  const first = ref?.[0]?.value;
  return name ?? (typeof first === 'string' ? first : undefined);
}
