/** Kubernetes objects out of a file, read as kubectl reads them. */
import { readFileSync } from 'node:fs';
import { isRecord } from '../runtime/json.ts';
import { parseYaml } from '../runtime/yaml.ts';

/** The documents of a YAML or JSON file. Throws when there is none, or one that is no object. */
export function documents(file: string): Record<string, unknown>[] {
  const objects = parseYaml(readFileSync(file), { file });
  if (objects.length === 0 || !objects.every(isRecord))
    throw new Error(`${file} must hold Kubernetes objects`);
  return objects;
}
