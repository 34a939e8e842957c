/**
 * The parts of CEL that the library does not parse: optional selects (`a.?b`), optional indexes (`a[?b]`), optMap and
 * optFlatMap. The first two are rewritten in the text, the others in the syntax tree, as cel-go's macros do.
 */
import { create } from '@bufbuild/protobuf';
import { ExprSchema, type Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { OPTIONAL_INDEX, OPTIONAL_RESULTS, OPTIONAL_SELECT } from './optional.ts';

const TOKEN =
  /(?<skip>\s+|\/\/[^\n]*|[bB]?[rR]?(?:"""[\s\S]*?"""|'''[\s\S]*?''')|[rR][bB]?(?:"[^"\n]*"|'[^'\n]*')|[bB]?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))|(?<select>\.\?\s*(?<field>[A-Za-z_][A-Za-z0-9_]*))|(?<index>\[\?)|(?<open>[[({])|(?<close>[\])}])|(?<word>[A-Za-z0-9_]+)|(?<other>[\s\S])/y;

/** The text with optional selects and indexes as method calls. Throws for optional entries of lists and maps. */
export function withoutOptionalOperators(text: string): string {
  const closers: string[] = [];
  let made = '';
  let before = '';
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [token] = match;
    const { skip, select, field = '', index, open, close } = match.groups ?? {};
    if (select !== undefined) made += `.${OPTIONAL_SELECT}("${field}")`;
    else if (index !== undefined) {
      if (!/[A-Za-z0-9_"'\])}]$/.test(before)) throw new Error('optional entries of lists are not supported');
      made += `.${OPTIONAL_INDEX}(`;
      closers.push(')');
    } else if (open !== undefined) {
      made += token;
      closers.push('');
    } else if (close !== undefined) made += closers.pop() === ')' ? ')' : token;
    else if (token === '?' && /[{[,]$/.test(before)) throw new Error('optional entries are not supported');
    else made += token;
    if (skip === undefined || /["']$/.test(token)) before = token;
  }
  return made;
}

type ExprKind = Expr['exprKind'];

function exprOf(id: bigint, exprKind: ExprKind): Expr {
  const expr = create(ExprSchema, { id });
  expr.exprKind = exprKind;
  return expr;
}

function identifier(id: bigint, name: string): Expr {
  return create(ExprSchema, { id, exprKind: { case: 'identExpr', value: { name } } });
}

function call(id: bigint, name: string, target: Expr | undefined, args: Expr[]): Expr {
  const made = create(ExprSchema, { id, exprKind: { case: 'callExpr', value: { function: name } } });
  if (made.exprKind.case === 'callExpr') {
    if (target !== undefined) made.exprKind.value.target = target;
    made.exprKind.value.args = args;
  }
  return made;
}

function textConstant(id: bigint, value: string): Expr {
  const constantKind = { case: 'stringValue' as const, value };
  return create(ExprSchema, { id, exprKind: { case: 'constExpr', value: { constantKind } } });
}

/** `let name = value in body`: a fold over nothing, whose accumulator is the variable. */
function binding(id: bigint, name: string, value: Expr, body: Expr): Expr {
  const never = create(ExprSchema, {
    id,
    exprKind: { case: 'constExpr', value: { constantKind: { case: 'boolValue', value: false } } },
  });
  const made = create(ExprSchema, {
    id,
    exprKind: { case: 'comprehensionExpr', value: { iterVar: '#unused', accuVar: name } },
  });
  if (made.exprKind.case === 'comprehensionExpr') {
    made.exprKind.value.iterRange = create(ExprSchema, { id, exprKind: { case: 'listExpr', value: {} } });
    made.exprKind.value.accuInit = value;
    made.exprKind.value.loopCondition = never;
    made.exprKind.value.loopStep = identifier(id, name);
    made.exprKind.value.result = body;
  }
  return made;
}

/** Expands the macros and spreads optionality: a select on an optional value is an optional select. */
export function expand(expr: Expr, optionalNames: ReadonlySet<string>): Expr {
  const optionals = new WeakSet<Expr>();
  const isOptional = ({ exprKind }: Expr): boolean =>
    (exprKind.case === 'identExpr' && optionalNames.has(exprKind.value.name)) ||
    (exprKind.case === 'callExpr' && OPTIONAL_RESULTS.has(qualified(exprKind.value)));
  const optional = (made: Expr): Expr => {
    optionals.add(made);
    return made;
  };
  const visit = (node: Expr): Expr => {
    const { id, exprKind: kind } = node;
    const value = childrenVisited(kind, visit);
    if (value.case === 'selectExpr' && value.value.operand !== undefined) {
      const { operand, field, testOnly } = value.value;
      if (!isOptional(operand) && !optionals.has(operand)) return exprOf(id, value);
      const made = call(id, OPTIONAL_SELECT, operand, [textConstant(id, field)]);
      return testOnly ? call(id, 'hasValue', made, []) : made;
    }
    if (value.case !== 'callExpr') return exprOf(id, value);
    const { function: name, target, args } = value.value;
    const [first, second] = args;
    if (name === '_[_]' && first !== undefined && second !== undefined) {
      return isOptional(first) || optionals.has(first)
        ? call(id, OPTIONAL_INDEX, first, [second])
        : exprOf(id, value);
    }
    const variable = first?.exprKind.case === 'identExpr' ? first.exprKind.value.name : undefined;
    if (target === undefined || variable === undefined || second === undefined) return exprOf(id, value);
    if (name !== 'optMap' && name !== 'optFlatMap') return exprOf(id, value);
    const bound = binding(id, variable, call(id, 'value', target, []), second);
    const present = name === 'optMap' ? call(id, 'of', identifier(id, 'optional'), [bound]) : bound;
    const absent = call(id, 'none', identifier(id, 'optional'), []);
    return optional(call(id, '_?_:_', undefined, [call(id, 'hasValue', target, []), present, absent]));
  };
  return visit(expr);
}

function isIdentifier({ exprKind }: Expr, name: string): boolean {
  return exprKind.case === 'identExpr' && exprKind.value.name === name;
}

/** `optional.of`, or the bare name of a method or function. */
function qualified({ function: name, target }: { function: string; target?: Expr | undefined }): string {
  return target !== undefined && isIdentifier(target, 'optional') ? `optional.${name}` : name;
}

/** The same node with each of its children visited. */
function childrenVisited(kind: ExprKind, visit: (expr: Expr) => Expr): ExprKind {
  const maybe = (expr: Expr | undefined): (() => Expr) | undefined =>
    expr === undefined ? undefined : () => visit(expr);
  switch (kind.case) {
    case 'selectExpr': {
      const operand = maybe(kind.value.operand);
      if (operand !== undefined) kind.value.operand = operand();
      return kind;
    }
    case 'callExpr': {
      const target = maybe(kind.value.target);
      if (target !== undefined) kind.value.target = target();
      kind.value.args = kind.value.args.map(visit);
      return kind;
    }
    case 'listExpr':
      kind.value.elements = kind.value.elements.map(visit);
      return kind;
    case 'structExpr':
      for (const entry of kind.value.entries) {
        if (entry.value !== undefined) entry.value = visit(entry.value);
        if (entry.keyKind.case === 'mapKey') entry.keyKind.value = visit(entry.keyKind.value);
      }
      return kind;
    case 'comprehensionExpr':
      for (const part of ['iterRange', 'accuInit', 'loopCondition', 'loopStep', 'result'] as const) {
        const child = kind.value[part];
        if (child !== undefined) kind.value[part] = visit(child);
      }
      return kind;
    default:
      return kind;
  }
}
