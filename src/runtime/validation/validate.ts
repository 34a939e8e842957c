/**
 * What the API server would say of an object of one of our kinds, without asking it: decoding (unknown fields and nulls
 * are taken out, defaults filled in), the structural schema, list types, metadata, and the CEL rules of the CRD.
 *
 * Source: apiextensions-apiserver 0.35, pkg/registry/customresource and pkg/apiserver/schema. Agreement with a real API
 * server is tested in test/integration/validation.
 */
import type { CustomResourceDefinition, Schema } from '../schema.ts';
import { storedVersion } from '../schema.ts';
import { compileRules, type RuleValidator } from './cel/rules.ts';
import { isRatcheted, type Correlation } from './correlation.ts';
import { withDefaults } from './defaults.ts';
import { coerceEmbedded, embeddedProblems } from './embedded.ts';
import { listTypeProblems } from './list-types.ts';
import { createProblems, named, readMetadata, updateProblems, type Metadata } from './metadata.ts';
import { viewOf, isObject } from './numbers.ts';
import { blocksRules, type Problem } from './problem.ts';
import { dropNulls, mapFields, prune } from './prune.ts';
import { problemOf } from './sentences.ts';
import { compileStructure, type Breach } from './structure.ts';

export interface Validation {
  /** a copy: unknown fields and unset nulls are gone, defaults are in; as far as it could be read */
  object: Record<string, unknown>;
  /** empty when the API server would accept the object */
  problems: Problem[];
}

export interface ValidationOptions {
  /** what is written: without it the object, whose status then counts for nothing where status is a subresource */
  subresource?: 'status';
}

interface Validator {
  schema: Schema;
  apiVersion: string;
  kind: string;
  namespaced: boolean;
  hasStatus: boolean;
  breaches: (view: unknown) => Breach[];
  rules: RuleValidator;
}

const compiled = new WeakMap<CustomResourceDefinition, Validator>();

/**
 * Compiles what the CRD's stored version says, once for each CRD object; `validate` does it by itself. Throws an Error
 * that names the place for a word, format or rule that cannot be checked locally.
 */
export function compileValidator(crd: CustomResourceDefinition): Validator {
  const known = compiled.get(crd);
  if (known !== undefined) return known;
  const version = storedVersion(crd);
  const schema = version.schema.openAPIV3Schema;
  const { group, names, scope } = crd.spec;
  const validator: Validator = {
    schema,
    apiVersion: `${group}/${version.name}`,
    kind: names.kind,
    namespaced: scope === 'Namespaced',
    hasStatus: version.subresources?.status !== undefined,
    breaches: compileStructure(schema, names.kind),
    rules: compileRules(schema, names.kind),
  };
  compiled.set(crd, validator);
  return validator;
}

/**
 * Judges an object as the API server does on create, or, given the stored object `old`, on update. Pure; never throws
 * for what is in the object.
 */
export function validate(
  crd: CustomResourceDefinition,
  object: unknown,
  old?: unknown,
  { subresource }: ValidationOptions = {},
): Validation {
  const validator = compileValidator(crd);
  const decoded = decode(validator, object);
  if (decoded.problems.length > 0) return decoded;
  const before = isObject(old) ? (viewOf(old) as Record<string, unknown>) : undefined;
  const written = writtenOf(validator, decoded.object, isObject(old) ? old : undefined, subresource);
  const metadata = named(written['metadata'] as Metadata);
  const view = viewOf({ ...written, metadata }) as Record<string, unknown>;
  const problems = problemsOf(validator, view, before, subresource);
  if (!blocksRules(problems)) problems.push(...validator.rules(view, before));
  return { object: withDefaults(written, validator.schema) as Record<string, unknown>, problems };
}

/** What is left of the object once the API server has read it; the problems that it answers with 400. */
function decode(validator: Validator, object: unknown): Validation {
  if (!isObject(object)) {
    return {
      object: {},
      problems: [invalid('', 'must be an object', `an object of kind ${validator.kind}`)],
    };
  }
  const problems = (['apiVersion', 'kind'] as const)
    .filter((field) => object[field] !== validator[field])
    .map((field) => invalid(field, 'is not the one expected here', `"${validator[field]}"`));
  const { metadata, problems: malformed } = readMetadata(object['metadata'], 'metadata');
  problems.push(...malformed);
  let pruned: unknown;
  try {
    pruned = dropNulls(prune(object, validator.schema, true), validator.schema);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return {
      object: {},
      problems: [invalid('', 'holds a number that no float64 can hold', 'a smaller number')],
    };
  }
  const embedded = coerceEmbedded(pruned, validator.schema);
  problems.push(...embedded.problems);
  const { apiVersion, kind } = validator;
  const whole = { ...(embedded.value as Record<string, unknown>), apiVersion, kind, metadata };
  return { object: withDefaults(whole, validator.schema) as Record<string, unknown>, problems };
}

/** Spec and status are written apart: each write leaves the other as it was. */
function writtenOf(
  { hasStatus }: Validator,
  object: Record<string, unknown>,
  old: Record<string, unknown> | undefined,
  subresource: 'status' | undefined,
): Record<string, unknown> {
  const { status, ...rest } = object;
  if (subresource === 'status') {
    const kept = mapFields(old ?? rest, (field, value) => (field === 'status' ? undefined : value));
    return status === undefined ? kept : { ...kept, status };
  }
  if (!hasStatus) return object;
  return old?.['status'] === undefined ? rest : { ...rest, status: old['status'] };
}

function problemsOf(
  { schema, breaches, namespaced }: Validator,
  view: Record<string, unknown>,
  old: Record<string, unknown> | undefined,
  subresource: 'status' | undefined,
): Problem[] {
  const root: Correlation = { schema, value: view, old };
  const counted = breaches(view).filter(
    ({ segments }) =>
      (subresource === undefined || segments[0] === 'status') &&
      (old === undefined || !isRatcheted(root, segments)),
  );
  const metadata = view['metadata'] as Metadata;
  const ofMetadata =
    old === undefined
      ? createProblems(metadata, namespaced)
      : updateProblems(metadata, readMetadata(old['metadata'], 'metadata').metadata);
  const hadTwins = old !== undefined && listTypeProblems(old, schema).length > 0;
  return [
    ...ofMetadata,
    ...counted.map(problemOf),
    ...(subresource === undefined ? embeddedProblems(view, schema) : []),
    ...(hadTwins ? [] : listTypeProblems(view, schema)),
  ];
}

function invalid(path: string, message: string, accepted: string): Problem {
  return { code: 'FieldValueInvalid', path, message, accepted };
}
