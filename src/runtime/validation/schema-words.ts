/** What a schema may be made of, so that no rule is passed over in silence. */
import type { Schema } from '../schema.ts';

const WORDS: ReadonlySet<string> = new Set([
  'additionalProperties',
  'default',
  'description',
  'enum',
  'example',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'externalDocs',
  'format',
  'items',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'multipleOf',
  'nullable',
  'pattern',
  'properties',
  'required',
  'title',
  'type',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
]);

/** Throws where the schema has a word that the API server knows and the local validation does not. */
export function requireKnownWords(schema: Schema, path: string): void {
  const unknown = Object.keys(schema).find((word) => !WORDS.has(word));
  if (unknown !== undefined)
    throw new Error(`${path}: local validation does not know the schema word ${unknown}`);
  if (typeof schema.additionalProperties === 'boolean') {
    throw new Error(`${path}: additionalProperties must be a schema; local validation knows no other`);
  }
}

/** Calls the visitor for the schema and every schema inside it. */
export function visitSchemas(
  schema: Schema,
  path: string,
  visit: (schema: Schema, path: string) => void,
): void {
  visit(schema, path);
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    visitSchemas(field, path === '' ? name : `${path}.${name}`, visit);
  }
  if (schema.items !== undefined) visitSchemas(schema.items, `${path}[]`, visit);
  if (typeof schema.additionalProperties === 'object')
    visitSchemas(schema.additionalProperties, `${path}[*]`, visit);
}
