/** CEL that is not of a CRD: the matchConditions of a webhook, over the variables that the API server gives them. */
import { parse } from '@bufbuild/cel';
import { check, UndeclaredReference } from './check.ts';
import { environment } from './compile.ts';
import { expand, withoutOptionalOperators } from './syntax.ts';

/** https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchconditions */
const VARIABLES = ['object', 'oldObject', 'request', 'authorizer'];

/**
 * What is wrong with the condition beyond doubt; undefined when nothing is, or when only the API server can tell: it has
 * functions (those of authorizer, for one) and syntax that we have not, and it alone checks types.
 */
export function conditionProblem(text: string): string | undefined {
  let source: string;
  try {
    source = withoutOptionalOperators(text);
  } catch {
    return undefined;
  }
  let expr;
  try {
    ({ expr } = parse(source));
  } catch (error) {
    // Names in backticks are CEL to the API server, and none to our parser.
    return text.includes('`')
      ? undefined
      : `it is no CEL: ${error instanceof Error ? error.message : String(error)}`;
  }
  try {
    check(environment, expand(expr, new Set()), {
      names: new Map(VARIABLES.map((name) => [name, undefined])),
    });
  } catch (error) {
    if (error instanceof UndeclaredReference && !variables(text).has(error.reference))
      return `${error.message}; there are ${VARIABLES.join(', ')}`;
  }
  return undefined;
}

/** What may be a variable of a macro that we have not, such as the two of `m.all(k, v, ...)`. */
function variables(text: string): Set<string> {
  return new Set([...text.matchAll(/[(,]\s*([A-Za-z_]\w*)\s*(?=,)/g)].map(([, name = '']) => name));
}
