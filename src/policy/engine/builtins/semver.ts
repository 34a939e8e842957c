/** semver.*: Semantic Versioning 2.0.0, with a v in front if one likes. Numbers are int64. https://semver.org */
import { type RegoValue, numberOf } from '../values.ts';
import { type Family, fail, stringOf } from './builtin.ts';

interface Version {
  numbers: readonly bigint[];
  preRelease: string;
}

const LARGEST = (1n << 63n) - 1n;
const IDENTIFIERS = /^[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*$/;

export const semver: Family = {
  'semver.compare': ([a, b]) =>
    numberOf(
      compareVersions(parse(stringOf(a)) ?? fail('no SemVer'), parse(stringOf(b)) ?? fail('no SemVer')),
    ),
  'semver.is_valid': ([version]: readonly RegoValue[]) =>
    typeof version === 'string' && parse(version) !== undefined,
};

function parse(text: string): Version | undefined {
  const [rest, metadata] = cut(text.replace(/^v/, ''), '+');
  if (metadata !== undefined && !IDENTIFIERS.test(metadata)) return undefined;
  const [core, preRelease] = cut(rest, '-');
  if (preRelease !== undefined && !validPreRelease(preRelease)) return undefined;
  const parts = core.split('.');
  if (parts.length !== 3 || !parts.every((part) => /^(?:0|[1-9][0-9]*)$/.test(part))) return undefined;
  const numbers = parts.map(BigInt);
  return numbers.every((number) => number <= LARGEST) ? { numbers, preRelease: preRelease ?? '' } : undefined;
}

function validPreRelease(text: string): boolean {
  return IDENTIFIERS.test(text) && !text.split('.').some((part) => /^0[0-9]+$/.test(part));
}

function cut(text: string, mark: string): [before: string, after?: string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function compareVersions(a: Version, b: Version): number {
  for (const [at, number] of a.numbers.entries()) {
    const order = compare(number, b.numbers[at] ?? 0n);
    if (order !== 0) return order;
  }
  if (a.preRelease === b.preRelease) return 0;
  if (a.preRelease === '') return 1;
  return b.preRelease === '' ? -1 : comparePreReleases(a.preRelease.split('.'), b.preRelease.split('.'));
}

function comparePreReleases(a: readonly string[], b: readonly string[]): number {
  for (const [at, left] of a.entries()) {
    const right = b[at];
    if (right === undefined) return 1;
    const order = compareIdentifiers(left, right);
    if (order !== 0) return order;
  }
  return a.length < b.length ? -1 : 0;
}

/** Numbers before words. OPA reads numbers as int64 and takes those beyond for the largest there is. */
function compareIdentifiers(a: string, b: string): number {
  const [aNumber, bNumber] = [isNumeric(a), isNumeric(b)];
  if (aNumber !== bNumber) return aNumber ? -1 : 1;
  return aNumber ? compare(int64(a), int64(b)) : compare(a, b);
}

function isNumeric(text: string): boolean {
  return /^[0-9]+$/.test(text);
}

function int64(text: string): bigint {
  const number = BigInt(text);
  return number > LARGEST ? LARGEST : number;
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : Number(a > b);
}
