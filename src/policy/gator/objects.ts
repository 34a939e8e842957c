/** Reading what others wrote: fields that may be of any type, with the path for whoever is told. */
import { isRecord } from '../../runtime/json.ts';

export type Loose = Readonly<Record<string, unknown>>;

/** What is wrong with a template, a constraint or a suite, where, and what to do. */
export class GatorError extends Error {
  override readonly name = 'GatorError';
}

export function refuse(path: string, message: string, remedy?: string): never {
  throw new GatorError(`${path}: ${message}${remedy === undefined ? '' : ` (${remedy})`}`);
}

/** The object below, {} where there is none. */
export function within(object: unknown, ...path: readonly string[]): Loose {
  let found: unknown = object;
  for (const field of path) found = isRecord(found) ? found[field] : undefined;
  return isRecord(found) ? found : {};
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** `templates.gatekeeper.sh` of `templates.gatekeeper.sh/v1`. */
export function groupOf(object: Loose): string {
  const { apiVersion } = object;
  return typeof apiVersion === 'string' && apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

/** `K8sAllowedRepos repo-is-openpolicyagent`. */
export function labelOf(object: Loose): string {
  const name = textOf(within(object, 'metadata')['name']) ?? '(no name)';
  return `${textOf(object['kind']) ?? '(no kind)'} ${name}`;
}
