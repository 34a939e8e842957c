/** x-kubernetes-validations: after apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go, without its budget of cost. */
import { isObject } from '../numbers.ts';
import { isCelError, type CelInput, type CelValue } from '@bufbuild/cel';
import type { Schema, ValidationRule } from '../../schema.ts';
import { isRatcheted, oldItemOf, type Correlation } from '../correlation.ts';
import type { Problem, ProblemCode, Segments } from '../problem.ts';
import { compileExpression, type Expression } from './compile.ts';
import { none, some } from './optional.ts';
import { celOf, resourceSchema } from './values.ts';

interface CompiledRule {
  rule: ValidationRule;
  condition: Expression;
  message: Expression | undefined;
  /** what the rule's fieldPath adds to a path */
  suffix: string;
}

/** The rules of a schema and of the schemas inside it; only branches that have some. */
interface Node {
  schema: Schema;
  rules: readonly CompiledRule[];
  properties: ReadonlyMap<string, Node>;
  items: Node | undefined;
  values: Node | undefined;
}

interface Place {
  value: unknown;
  old: unknown;
  segments: Segments;
  path: string;
}

export type RuleValidator = (
  view: Record<string, unknown>,
  old: Record<string, unknown> | undefined,
) => Problem[];

/** Throws an Error that names the schema's path and the rule for one that cannot be compiled locally. */
export function compileRules(schema: Schema, kind: string): RuleValidator {
  const tree = nodeOf(schema, kind, true);
  return (view, old) => {
    if (tree === undefined) return [];
    const root: Correlation | undefined = old === undefined ? undefined : { schema, value: view, old };
    return judge(tree, { value: view, old, segments: [], path: '' }, root);
  };
}

function nodeOf(declared: Schema, path: string, resource: boolean): Node | undefined {
  const schema = resource ? resourceSchema(declared) : declared;
  const { items, additionalProperties } = declared;
  const nested = (inner: Schema, place: string): Node | undefined =>
    nodeOf(inner, place, inner['x-kubernetes-embedded-resource'] === true);
  const properties = new Map(
    Object.entries(declared.properties ?? {}).flatMap(([name, field]) => {
      const node = nested(field, `${path}.${name}`);
      return node === undefined ? [] : [[name, node] as const];
    }),
  );
  const node: Node = {
    schema,
    rules: (declared['x-kubernetes-validations'] ?? []).map((rule) => compileRule(rule, schema, path)),
    properties,
    items: items === undefined ? undefined : nested(items, `${path}[]`),
    values: typeof additionalProperties === 'object' ? nested(additionalProperties, `${path}[*]`) : undefined,
  };
  const isEmpty = node.rules.length === 0 && properties.size === 0;
  return isEmpty && node.items === undefined && node.values === undefined ? undefined : node;
}

function compileRule(rule: ValidationRule, schema: Schema, path: string): CompiledRule {
  try {
    return {
      rule,
      condition: compileExpression(rule.rule, schema, rule.optionalOldSelf === true),
      message:
        rule.messageExpression === undefined ? undefined : compileExpression(rule.messageExpression, schema),
      suffix: suffixOf(rule.fieldPath ?? '', schema),
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${path}: rule ${JSON.stringify(rule.rule)} cannot be compiled locally: ${reason}`, {
      cause,
    });
  }
}

/** `.a['b']` as field.Path writes it: a field of an object after a dot, the key of a map in brackets. */
function suffixOf(fieldPath: string, schema: Schema): string {
  let current: Schema = schema;
  let suffix = '';
  const step = /\.([^.[\]]+)|\['((?:\\.|[^'\\])*)'\]/y;
  while (step.lastIndex < fieldPath.length) {
    const match: RegExpExecArray | null = step.exec(fieldPath);
    if (match === null) throw new Error(`fieldPath ${fieldPath} is not a path of fields and keys`);
    const name: string = match[1] ?? (match[2] ?? '').replace(/\\(.)/g, '$1');
    const { properties, additionalProperties }: Schema = current;
    if (properties !== undefined) {
      const field: Schema | undefined = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (field === undefined) throw new Error(`fieldPath ${fieldPath}: no field ${name}`);
      suffix += `.${name}`;
      current = field;
    } else {
      // The dot before the bracket is the API server's: it adds the whole as if it were a field.
      suffix += suffix === '' ? `.[${name}]` : `[${name}]`;
      current = typeof additionalProperties === 'object' ? additionalProperties : {};
    }
  }
  return suffix;
}

function judge(node: Node, place: Place, root: Correlation | undefined): Problem[] {
  const { value, old, segments, path } = place;
  if (value === null || value === undefined) return [];
  const problems = ownProblems(node, place, root);
  if (Array.isArray(value) && node.items !== undefined) {
    const oldList: readonly unknown[] = Array.isArray(old) ? old : [];
    const keys =
      node.schema['x-kubernetes-list-type'] === 'map' ? node.schema['x-kubernetes-list-map-keys'] : undefined;
    for (const [at, item] of value.entries()) {
      // Only the items of a map can be told to be the same as before.
      const before = keys === undefined ? undefined : oldItemOf(item, oldList, keys);
      const inside = {
        value: item as unknown,
        old: before,
        segments: [...segments, at],
        path: `${path}[${String(at)}]`,
      };
      problems.push(...judge(node.items, inside, root));
    }
  }
  if (!isObject(value)) return problems;
  for (const [key, field] of Object.entries(value)) {
    const known = node.properties.get(key);
    const next = known ?? (Object.hasOwn(node.schema.properties ?? {}, key) ? undefined : node.values);
    if (next === undefined) continue;
    const before = isObject(old) && Object.hasOwn(old, key) ? old[key] : undefined;
    const name = known === undefined ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    problems.push(
      ...judge(next, { value: field, old: before, segments: [...segments, key], path: name }, root),
    );
  }
  return problems;
}

function ownProblems({ rules, schema }: Node, place: Place, root: Correlation | undefined): Problem[] {
  if (rules.length === 0) return [];
  const self = celOf(place.value, schema);
  const hasOld = place.old !== undefined && place.old !== null;
  const oldSelf = hasOld ? celOf(place.old, schema) : undefined;
  const ratcheted = root !== undefined && isRatcheted(root, place.segments);
  return rules.flatMap((compiled) => {
    const { rule, condition } = compiled;
    const optional = rule.optionalOldSelf === true;
    if (condition.usesOldSelf && oldSelf === undefined && !optional) return [];
    const plain: Record<string, CelInput> = oldSelf === undefined ? { self } : { self, oldSelf };
    const wrapped = oldSelf === undefined ? none() : some(oldSelf as CelValue);
    const result = condition.evaluate(optional ? { self, oldSelf: wrapped } : plain);
    if (isCelError(result)) {
      const message = `${result.message} evaluating rule: ${rule.message ?? rule.rule}`.trim();
      return [{ code: 'FieldValueInvalid' as const, path: place.path, message, accepted: acceptedBy(rule) }];
    }
    if (result === true || (!condition.usesOldSelf && ratcheted)) return [];
    const path = compiled.suffix === '' ? place.path : `${place.path}${compiled.suffix}`.replace(/^\./, '');
    return [{ code: codeOf(rule), path, message: messageOf(compiled, plain), accepted: acceptedBy(rule) }];
  });
}

function acceptedBy({ rule }: ValidationRule): string {
  return `what satisfies the rule ${rule.trim()}`;
}

const CODES: ReadonlySet<string> = new Set([
  'FieldValueForbidden',
  'FieldValueRequired',
  'FieldValueDuplicate',
]);

function codeOf({ reason }: ValidationRule): ProblemCode {
  return reason !== undefined && CODES.has(reason) ? (reason as ProblemCode) : 'FieldValueInvalid';
}

const MOST_MESSAGE_BYTES = 5 * 1024;

/** A message expression that fails, is empty, too long or of several lines gives way to the message. */
function messageOf({ rule, message }: CompiledRule, variables: Record<string, CelInput>): string {
  const made = message?.evaluate(variables);
  const text = typeof made === 'string' ? made.trim() : '';
  if (text !== '' && !text.includes('\n') && Buffer.byteLength(text) <= MOST_MESSAGE_BYTES) return text;
  return rule.message?.trim() ?? `failed rule: ${rule.rule.trim()}`;
}
