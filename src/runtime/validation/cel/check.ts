/** What can be said of a rule before it runs: every name, function and field in it is known. */
import type { CelEnv } from '@bufbuild/cel';
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import type { Schema } from '../../schema.ts';
import { unescape } from './values.ts';

/** Planned by the library itself, without a function. */
const OPERATORS: ReadonlySet<string> = new Set([
  '_[_]',
  '_?_:_',
  '_&&_',
  '_||_',
  '@not_strictly_false',
  '__not_strictly_false__',
]);

const TYPES: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'int',
  'list',
  'map',
  'null_type',
  'optional_type',
  'string',
  'type',
  'uint',
  'google',
  'kubernetes',
  'net',
]);

export interface Scope {
  /** variables, with their schema where they have one */
  names: ReadonlyMap<string, Schema | undefined>;
}

/** Not a gap in what local validation knows: nobody else knows the name either. */
export class UndeclaredReference extends Error {
  override readonly name = 'UndeclaredReference';
  readonly reference: string;

  constructor(reference: string) {
    super(`undeclared reference to ${reference}`);
    this.reference = reference;
  }
}

/** Throws an Error that names the first thing that is not known. Gives the schema of the value where there is one. */
export function check(env: CelEnv, expr: Expr, scope: Scope): Schema | undefined {
  const { exprKind: kind } = expr;
  switch (kind.case) {
    case 'identExpr':
      if (!scope.names.has(kind.value.name) && !TYPES.has(kind.value.name)) {
        throw new UndeclaredReference(kind.value.name);
      }
      return scope.names.get(kind.value.name);
    case 'selectExpr': {
      const operand = kind.value.operand === undefined ? undefined : check(env, kind.value.operand, scope);
      return operand === undefined ? undefined : fieldOf(operand, kind.value.field);
    }
    case 'callExpr':
      return checkCall(env, kind.value, scope);
    case 'listExpr':
      for (const item of kind.value.elements) check(env, item, scope);
      return undefined;
    case 'structExpr':
      for (const { keyKind, value } of kind.value.entries) {
        if (keyKind.case === 'mapKey') check(env, keyKind.value, scope);
        if (value !== undefined) check(env, value, scope);
      }
      return undefined;
    case 'comprehensionExpr':
      checkFold(env, kind.value, scope);
      return undefined;
    case 'constExpr':
      return undefined;
    default:
      throw new Error('an expression that local validation does not know');
  }
}

function fieldOf(schema: Schema, name: string): Schema | undefined {
  const { properties, additionalProperties } = schema;
  if (properties !== undefined) {
    const field = unescape(name);
    if (!Object.hasOwn(properties, field)) throw new Error(`undefined field ${name}`);
    return properties[field];
  }
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

type Call = Extract<Expr['exprKind'], { case: 'callExpr' }>['value'];
type Fold = Extract<Expr['exprKind'], { case: 'comprehensionExpr' }>['value'];

function checkCall(env: CelEnv, { function: name, target, args }: Call, scope: Scope): Schema | undefined {
  const namespace = target?.exprKind.case === 'identExpr' ? target.exprKind.value.name : '';
  const spaced = namespace === '' ? undefined : env.funcs.find(`${namespace}.${name}`);
  if (target !== undefined && spaced === undefined) check(env, target, scope);
  const schemas = args.map((arg) => check(env, arg, scope));
  if (name === '_[_]') {
    const list = schemas[0];
    return (
      list?.items ?? (typeof list?.additionalProperties === 'object' ? list.additionalProperties : undefined)
    );
  }
  if (OPERATORS.has(name)) return undefined;
  const method = target !== undefined && spaced === undefined;
  const found = [...(spaced ?? env.funcs.find(name) ?? [])].some(
    (declared) => declared.arguments.length === args.length && (declared.target !== undefined) === method,
  );
  if (found) return undefined;
  const shown = `${namespace !== '' && !method ? `${namespace}.` : ''}${name}`;
  throw new Error(`no ${method ? 'method' : 'function'} ${shown} of ${String(args.length)} arguments`);
}

function checkFold(env: CelEnv, fold: Fold, scope: Scope): void {
  if (fold.iterVar2 !== '') throw new Error('comprehensions over two variables are not supported');
  const range = fold.iterRange === undefined ? undefined : check(env, fold.iterRange, scope);
  const start = fold.accuInit === undefined ? undefined : check(env, fold.accuInit, scope);
  const withAccumulator = new Map(scope.names).set(fold.accuVar, start);
  const inside = { names: new Map(withAccumulator).set(fold.iterVar, range?.items) };
  if (fold.loopCondition !== undefined) check(env, fold.loopCondition, inside);
  if (fold.loopStep !== undefined) check(env, fold.loopStep, inside);
  if (fold.result !== undefined) check(env, fold.result, { names: withAccumulator });
}

/** Whether the expression reads a variable of the name that is not its own. */
export function reads(expr: Expr, name: string): boolean {
  const { exprKind: kind } = expr;
  const any = (children: readonly (Expr | undefined)[]): boolean =>
    children.some((child) => child !== undefined && reads(child, name));
  switch (kind.case) {
    case 'identExpr':
      return kind.value.name === name;
    case 'selectExpr':
      return any([kind.value.operand]);
    case 'callExpr':
      return any([kind.value.target, ...kind.value.args]);
    case 'listExpr':
      return any(kind.value.elements);
    case 'structExpr':
      return any(
        kind.value.entries.flatMap(({ keyKind, value }) => [
          keyKind.case === 'mapKey' ? keyKind.value : undefined,
          value,
        ]),
      );
    case 'comprehensionExpr': {
      const { iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
      return any([iterRange, accuInit, loopCondition, loopStep, result]);
    }
    default:
      return false;
  }
}
