/** Which violations an object had already: an UPDATE is not the one who brought them. Pure. */
import type { Violation } from './verdict.ts';

/**
 * Told apart by what a person reads of them, their words and their place: that one container more is without a probe is
 * news, also where the rule says the same of each.
 */
export function parted(
  now: readonly Violation[],
  before: readonly Violation[],
): { fresh: Violation[]; existing: Violation[] } {
  const known = new Set(before.map(keyOf));
  return {
    fresh: now.filter((violation) => !known.has(keyOf(violation))),
    existing: now.filter((violation) => known.has(keyOf(violation))),
  };
}

function keyOf({ message, details }: Violation): string {
  return JSON.stringify([message, pathOf(details) ?? '']);
}

/** `spec.containers[1]` of `["spec", "containers", 1]`. */
export function pathOf(details: unknown): string | undefined {
  if (typeof details !== 'object' || details === null || !('path' in details) || !Array.isArray(details.path))
    return undefined;
  const path = (details.path as unknown[])
    .map((part) => (typeof part === 'number' ? `[${String(part)}]` : `.${String(part)}`))
    .join('');
  return path === '' ? undefined : path.replace(/^\./, '');
}
