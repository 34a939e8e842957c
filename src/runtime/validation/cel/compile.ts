/** Compiles one CEL expression of a CRD for a value of a schema. */
import { celEnv, isCelError, parse, plan, type CelInput, type CelResult } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import type { Schema } from '../../schema.ts';
import { check, reads } from './check.ts';
import { listFunctions } from './lists.ts';
import { networkFunctions } from './network.ts';
import { opaqueTypes } from './opaque.ts';
import { optionalFunctions } from './optional.ts';
import { quantityFunctions } from './quantity.ts';
import { re2, stringFunctions } from './strings.ts';
import { expand, withoutOptionalOperators } from './syntax.ts';

export const environment = celEnv({
  registry: opaqueTypes,
  re2,
  funcs: [
    ...strings,
    ...optionalFunctions,
    ...listFunctions,
    ...networkFunctions,
    ...quantityFunctions,
    ...stringFunctions,
  ],
});

export interface Expression {
  usesOldSelf: boolean;
  /** Never throws; an error of the evaluation is a value. */
  evaluate(variables: Record<string, CelInput>): CelResult;
}

/** Throws an Error for what is no CEL, or is CEL that the API server may know but we do not. */
export function compileExpression(text: string, schema: Schema, optionalOldSelf = false): Expression {
  const optionalNames = new Set(optionalOldSelf ? ['oldSelf'] : []);
  const expr = expand(parse(withoutOptionalOperators(text)).expr, optionalNames);
  const names = new Map([
    ['self', schema],
    ['oldSelf', optionalOldSelf ? undefined : schema],
  ]);
  check(environment, expr, { names });
  const run = plan(environment, expr);
  return { usesOldSelf: reads(expr, 'oldSelf'), evaluate: (variables) => run(variables) };
}

/** For tests and one-off questions: evaluates an expression without a schema. Throws what the evaluation reports. */
export function evaluate(text: string, self: CelInput = null): CelInput {
  const result = compileExpression(text, {}).evaluate({ self });
  if (isCelError(result)) throw new Error(result.message);
  return result;
}
