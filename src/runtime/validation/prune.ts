/**
 * What the API server takes out of an object as it decodes it: fields that the schema does not know, and nulls that
 * mean "not set". After apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting}.
 */
import type { Schema } from '../schema.ts';
import { storedNumber, isObject } from './numbers.ts';

const META: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/** The schema of a field of an object; own properties only, so that `__proto__` is a field like any other. */
export function schemaOfField(schema: Schema | undefined, field: string): Schema | undefined {
  if (schema?.properties !== undefined && Object.hasOwn(schema.properties, field))
    return schema.properties[field];
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** A deep copy. Throws RangeError for a number that no float64 holds. */
export function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isObject(value)) return storedNumber(value);
  return mapFields(value, (_key, field) => copyOf(field));
}

/** A copy without the fields that the schema does not know. `resource`: apiVersion, kind and metadata stay. */
export function prune(value: unknown, schema: Schema | undefined, resource = false): unknown {
  const preserve = schema?.['x-kubernetes-preserve-unknown-fields'] === true;
  if (Array.isArray(value)) {
    const keep = preserve && schema.items === undefined;
    return value.map((item) =>
      keep ? copyOf(item) : prune(item, preserve ? open(schema.items) : schema?.items),
    );
  }
  if (!isObject(value)) return copyOf(value);
  const meta = resource || schema?.['x-kubernetes-embedded-resource'] === true;
  return mapFields(value, (key, field) => {
    if (meta && META.has(key)) return copyOf(field);
    const known = schemaOfField(schema, key);
    if (known !== undefined) return prune(field, known);
    return preserve ? copyOf(field) : undefined;
  });
}

/** The items of a list that preserves unknown fields preserve them too. */
function open(schema: Schema | undefined): Schema {
  return { ...schema, 'x-kubernetes-preserve-unknown-fields': true };
}

/** A copy without the nulls of fields that are neither nullable nor have a default. Nulls in lists stay. */
export function dropNulls(value: unknown, schema: Schema | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => dropNulls(item, schema?.items));
  if (!isObject(value)) return value;
  return mapFields(value, (key, field) => {
    const known = schemaOfField(schema, key);
    const dropped =
      field === null && known !== undefined && known.nullable !== true && known.default === undefined;
    return dropped ? undefined : dropNulls(field, known);
  });
}

/** A new object of the fields for which the function gives a value. */
export function mapFields(
  object: Record<string, unknown>,
  field: (key: string, value: unknown) => unknown,
): Record<string, unknown> {
  // fromEntries defines each property: an assignment to __proto__ would not.
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, value]) => {
      const made = field(key, value);
      return made === undefined ? [] : [[key, made]];
    }),
  );
}
