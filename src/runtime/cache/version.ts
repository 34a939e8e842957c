/** Order of resourceVersions: decimal integers of any length, comparable within one resource type (KEP-5504). */

const DECIMAL = /^[1-9][0-9]*$/;

/** Whether `candidate` is strictly newer than `known`. What cannot be compared counts as newer: it must not be lost. */
export function isNewer(candidate: string, known: string | undefined): boolean {
  if (known === undefined || !DECIMAL.test(candidate) || !DECIMAL.test(known)) return true;
  if (candidate.length !== known.length) return candidate.length > known.length;
  return candidate > known;
}
