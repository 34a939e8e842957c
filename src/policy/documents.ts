/** Kubernetes objects out of a file, read as kubectl reads them. */
import { readFileSync } from 'node:fs';
import { loadAll, YAML11_SCHEMA } from 'js-yaml';
import { isRecord, parseJson } from '../runtime/json.ts';

/** The documents of a YAML or JSON file. Throws when there is none, or one that is no object. */
export function documents(file: string): Record<string, unknown>[] {
  const text = readFileSync(file, 'utf8');
  const found: unknown[] = text.trimStart().startsWith('{')
    ? [parseJson(text)]
    : loadAll(text, { schema: YAML11_SCHEMA, filename: file });
  const objects = found.filter((document) => document !== null && document !== undefined);
  if (objects.length === 0 || !objects.every(isRecord))
    throw new Error(`${file} must hold Kubernetes objects`);
  return objects;
}
