/** Defaulting in the API server's order: an object's own fields first, then what is inside them. */
import { isObject } from './numbers.ts';
import type { Schema } from '../schema.ts';
import { copyOf, mapFields, schemaOfField } from './prune.ts';

function isReplaced(value: unknown, schema: Schema | undefined): boolean {
  return value === null && schema !== undefined && schema.nullable !== true;
}

/** A copy with the schema's defaults filled in, and in place of nulls that are not allowed where a default is. */
export function withDefaults(value: unknown, schema: Schema | undefined): unknown {
  if (schema === undefined) return value;
  if (Array.isArray(value)) {
    return value.map((item) =>
      withDefaults(
        isReplaced(item, schema.items) ? copyOf(schema.items?.default ?? null) : item,
        schema.items,
      ),
    );
  }
  if (!isObject(value)) return value;
  const missing = Object.entries(schema.properties ?? {}).flatMap(([key, field]) =>
    field.default !== undefined && !Object.hasOwn(value, key) ? [[key, copyOf(field.default)] as const] : [],
  );
  return mapFields({ ...value, ...Object.fromEntries(missing) }, (key, field) => {
    const known = schemaOfField(schema, key);
    return withDefaults(isReplaced(field, known) ? copyOf(known?.default ?? null) : field, known);
  });
}
