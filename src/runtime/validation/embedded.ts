/** x-kubernetes-embedded-resource: an object inside an object keeps the rules of objects. */
import { isObject } from './numbers.ts';
import type { Schema } from '../schema.ts';
import { commonProblems, readMetadata } from './metadata.ts';
import { label1035Problems } from './names.ts';
import type { Problem } from './problem.ts';
import { mapFields, schemaOfField } from './prune.ts';

/** A copy in which the metadata of embedded objects has only what ObjectMeta knows, and the problems in the way. */
export function coerceEmbedded(
  value: unknown,
  schema: Schema | undefined,
): { value: unknown; problems: Problem[] } {
  const problems: Problem[] = [];
  const visit = (item: unknown, at: Schema | undefined, path: string): unknown => {
    if (at === undefined) return item;
    if (Array.isArray(item))
      return item.map((element, n) => visit(element, at.items, `${path}[${String(n)}]`));
    if (!isObject(item)) return item;
    return mapFields(item, (key, field) => {
      const place = path === '' ? key : `${path}.${key}`;
      if (at['x-kubernetes-embedded-resource'] !== true || key !== 'metadata') {
        return visit(field, schemaOfField(at, key), place);
      }
      const read = readMetadata(field, place);
      problems.push(...read.problems);
      return read.metadata;
    });
  };
  return { value: visit(value, schema, ''), problems };
}

/** apiVersion and kind are there and well-formed, metadata holds to the rules. */
export function embeddedProblems(value: unknown, schema: Schema | undefined, path = ''): Problem[] {
  if (schema === undefined) return [];
  if (Array.isArray(value)) {
    return value.flatMap((item, at) => embeddedProblems(item, schema.items, `${path}[${String(at)}]`));
  }
  if (!isObject(value)) return [];
  const own = schema['x-kubernetes-embedded-resource'] === true ? problemsOf(value, path) : [];
  return [
    ...own,
    ...Object.entries(value).flatMap(([key, field]) =>
      embeddedProblems(field, schemaOfField(schema, key), path === '' ? key : `${path}.${key}`),
    ),
  ];
}

function problemsOf(value: Record<string, unknown>, path: string): Problem[] {
  const { apiVersion, kind, metadata } = value;
  return [
    ...word(apiVersion, `${path}.apiVersion`, 'a group and version such as apps/v1', (text) =>
      text.split('/').length > 2 ? ['has more than one slash'] : [],
    ),
    ...word(kind, `${path}.kind`, 'a kind such as Deployment', (text) =>
      label1035Problems(text.toLowerCase()),
    ),
    ...(isObject(metadata) ? commonProblems(metadata, `${path}.metadata`) : []),
  ];
}

function word(
  value: unknown,
  path: string,
  accepted: string,
  problems: (text: string) => readonly string[],
): Problem[] {
  if (value === undefined) return [{ code: 'FieldValueRequired', path, message: 'is required', accepted }];
  const messages =
    typeof value !== 'string' ? ['must be a string'] : value === '' ? ['must not be empty'] : problems(value);
  return messages.map((message) => ({ code: 'FieldValueInvalid', path, message, accepted }));
}
