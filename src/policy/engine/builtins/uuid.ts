/** uuid.*: RFC 4122. */
import { type RegoValue, numberOf } from '../values.ts';
import type { BuiltinContext, Family } from './builtin.ts';
import { stringOf } from './builtin.ts';
import { hexOf, utf8 } from './bytes.ts';
import { identity } from './lookup.ts';

/** From the start of the Gregorian calendar (1582-10-15) to 1970, in 100 ns. */
const EPOCH = 122_192_928_000_000_000n;
const DOMAINS = ['Person', 'Group', 'Org'];
const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const uuid: Family = {
  'uuid.rfc4122': ([key = null], context) => versionFour(key, context),
  'uuid.parse': ([text]) => describe(stringOf(text)),
};

/** OPA draws it by chance. A verdict has to be the same when it is asked for again: it is made of the key and the time. */
function versionFour(key: RegoValue, { nowMs, crypto }: BuiltinContext): string {
  const seed = utf8(`${String(nowMs)} ${identity(key)}`);
  const bytes = crypto.digest('sha256', seed).slice(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return hexOf(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function describe(text: string): RegoValue | undefined {
  const hex = digitsOf(text);
  if (hex === undefined) return undefined;
  const bytes = Array.from({ length: 16 }, (_none, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
  const version = Number.parseInt(hex.slice(12, 13), 16);
  const fields: [string, RegoValue][] = [
    ['version', numberOf(version)],
    ['variant', variantOf(bytes[8] ?? 0)],
  ];
  if (version === 1 || version === 2) {
    fields.push(
      ['time', numberOf(BigInt.asIntN(64, (ticksOf(hex) - EPOCH) * 100n))],
      ['nodeid', (hex.slice(20).match(/../g) ?? []).join('-')],
      ['macvariables', macOf(bytes[10] ?? 0)],
      ['clocksequence', numberOf((((bytes[8] ?? 0) & 0x3f) << 8) | (bytes[9] ?? 0))],
    );
  }
  if (version === 2) {
    const domain = bytes[9] ?? 0;
    fields.push(
      ['id', numberOf(Number.parseInt(hex.slice(0, 8), 16))],
      ['domain', DOMAINS[domain] ?? `Domain${String(domain)}`],
    );
  }
  return { type: 'object', entries: fields };
}

/** Lower-case digits of a UUID that stands plain, with urn:uuid: in front, in braces, or without its dashes. */
function digitsOf(text: string): string | undefined {
  let inner = text;
  if (text.length === 45 && text.slice(0, 9).toLowerCase() === 'urn:uuid:') inner = text.slice(9);
  // Whatever stands around it: OPA looks at the length only.
  else if (utf8(text).length === 38) inner = text.slice(1, -1);
  else if (/^[0-9a-f]{32}$/i.test(text)) return text.toLowerCase();
  return FORM.test(inner) ? inner.replaceAll('-', '').toLowerCase() : undefined;
}

function ticksOf(hex: string): bigint {
  return BigInt(`0x${hex.slice(13, 16)}${hex.slice(8, 12)}${hex.slice(0, 8)}`);
}

function variantOf(byte: number): string {
  if ((byte & 0xc0) === 0x80) return 'RFC4122';
  if ((byte & 0xe0) === 0xc0) return 'Microsoft';
  return (byte & 0xe0) === 0xe0 ? 'Future' : 'Reserved';
}

function macOf(byte: number): string {
  return `${(byte & 2) === 0 ? 'global' : 'local'}:${(byte & 1) === 0 ? 'unicast' : 'multicast'}`;
}
