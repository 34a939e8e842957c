/** ASN.1 in its distinguished encoding, X.690. */
import { type RegoNumber, numberOf } from '../values.ts';
import { fail } from './builtin.ts';

export interface Der {
  /** the first byte: class, constructed, number */
  tag: number;
  content: Uint8Array;
  /** tag and length too */
  raw: Uint8Array;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8: 0x0c,
  numeric: 0x12,
  printable: 0x13,
  t61: 0x14,
  ia5: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmp: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag of a choice or an optional field. */
export function context(number: number, { constructed }: { constructed: boolean }): number {
  return 0x80 | (constructed ? 0x20 : 0) | number;
}

function malformed(): never {
  return fail('malformed ASN.1');
}

/** What stands at the beginning of the bytes, more may follow. */
export function readDer(bytes: Uint8Array): Der {
  const [tag = malformed(), first = malformed()] = bytes;
  // Numbers beyond 30 take more bytes, and nothing here has them.
  if ((tag & 0x1f) === 0x1f) malformed();
  let [start, length] = [2, first];
  if (first > 0x7f) {
    const count = first & 0x7f;
    if (count === 0 || count > 4 || bytes.length < 2 + count) malformed();
    length = bytes.subarray(2, 2 + count).reduce((sum, byte) => sum * 256 + byte, 0);
    // The shortest form only.
    if (length < 0x80 || bytes[2] === 0) malformed();
    start += count;
  }
  if (start + length > bytes.length) malformed();
  return { tag, content: bytes.subarray(start, start + length), raw: bytes.subarray(0, start + length) };
}

/** All that stand one after the other. */
export function readAll(bytes: Uint8Array): Der[] {
  const all: Der[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const one = readDer(rest);
    all.push(one);
    rest = rest.subarray(one.raw.length);
  }
  return all;
}

export function expectTag(der: Der | undefined, tag: number): Der {
  return der?.tag === tag ? der : malformed();
}

/** The members of a SEQUENCE or SET. */
export function membersOf(der: Der | undefined, tag: number = TAG.sequence): Der[] {
  return readAll(expectTag(der, tag).content);
}

/** The first members of a SEQUENCE, whatever may follow them. */
export function leadingMembersOf(der: Der | undefined, count: number): Der[] {
  const members: Der[] = [];
  for (let rest = expectTag(der, TAG.sequence).content; members.length < count;) {
    const one = readDer(rest);
    members.push(one);
    rest = rest.subarray(one.raw.length);
  }
  return members;
}

/** The one value that the bytes are. */
export function only(bytes: Uint8Array): Der {
  const [one, more] = readAll(bytes);
  return one === undefined || more !== undefined ? malformed() : one;
}

export function integerOf(der: Der | undefined, tag: number = TAG.integer): bigint {
  const { content } = expectTag(der, tag);
  const [first = malformed(), second] = content;
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second > 0x7f)))
    malformed();
  return BigInt.asIntN(8 * content.length, unsigned(content));
}

export function unsigned(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** Whole bytes, as all keys and signatures are. */
export function bitStringOf(der: Der | undefined): Uint8Array {
  const { content } = expectTag(der, TAG.bitString);
  const [padding = malformed()] = content;
  return padding === 0 ? content.subarray(1) : malformed();
}

/** The bits that are set, by number. */
export function flagsOf(der: Der | undefined): number {
  const { content } = expectTag(der, TAG.bitString);
  let flags = 0;
  for (let bit = 0; bit < 9; bit += 1) {
    const byte = content[1 + (bit >> 3)] ?? 0;
    if ((byte & (0x80 >> (bit & 7))) !== 0) flags |= 1 << bit;
  }
  return flags;
}

export function booleanOf(der: Der | undefined): boolean {
  const { content } = expectTag(der, TAG.boolean);
  return content.length === 1 && (content[0] === 0 || content[0] === 0xff)
    ? content[0] === 0xff
    : malformed();
}

/** `2.5.29.17` */
export function oidOf(der: Der | undefined): string {
  return oidText(expectTag(der, TAG.oid).content);
}

function oidText(bytes: Uint8Array): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const [at, byte] of bytes.entries()) {
    // An arc does not begin with zeros.
    if (arc === 0n && byte === 0x80) malformed();
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0n;
    } else if (at === bytes.length - 1) malformed();
  }
  const [first = malformed(), ...rest] = arcs;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - 40n * root, ...rest].join('.');
}

/** As Go writes an object identifier in JSON. */
export function arcsOf(oid: string): RegoNumber[] {
  return oid.split('.').map((arc) => numberOf(BigInt(arc)));
}

const latin1 = new TextDecoder('latin1');
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A character string of any of the kinds that names have. */
export function characterStringOf({ tag, content }: Der): string {
  switch (tag) {
    case TAG.t61:
      return Array.from(content, (byte) => String.fromCharCode(byte)).join('');
    case TAG.printable:
      return matching(content, /^[A-Za-z0-9 '()+,\-./:=?*&]*$/);
    case TAG.numeric:
      return matching(content, /^[0-9 ]*$/);
    case TAG.ia5:
      return asciiOf(content);
    case TAG.utf8:
      return utf8Of(content);
    case TAG.bmp:
      return bmpOf(content);
    default:
      return fail('unsupported string type');
  }
}

function matching(content: Uint8Array, pattern: RegExp): string {
  const text = latin1.decode(content);
  return pattern.test(text) ? text : malformed();
}

export function asciiOf(content: Uint8Array): string {
  return content.every((byte) => byte < 0x80) ? latin1.decode(content) : malformed();
}

function utf8Of(content: Uint8Array): string {
  try {
    return utf8.decode(content);
  } catch {
    return malformed();
  }
}

function bmpOf(content: Uint8Array): string {
  if (content.length % 2 !== 0) malformed();
  const codes = Array.from(
    { length: content.length / 2 },
    (_none, at) => (content[2 * at] ?? 0) * 256 + (content[2 * at + 1] ?? 0),
  );
  if (codes.at(-1) === 0) codes.pop();
  const reserved = codes.some(
    (code) => code >= 0xfffe || (code >= 0xfdd0 && code <= 0xfdef) || (code >= 0xd800 && code <= 0xdfff),
  );
  return reserved ? malformed() : String.fromCharCode(...codes);
}

/** RFC 3339 in UTC. Years of two digits are those from 1950 on. */
export function timeOf(der: Der | undefined): string {
  const { tag, content } = der ?? malformed();
  const text = latin1.decode(content);
  const long = tag === TAG.generalizedTime;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '00', zone = ''] =
    (long
      ? /^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(Z)$/
      : /^([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})?(Z)$/
    ).exec(text) ?? malformed();
  if (zone !== 'Z' || (!long && tag !== TAG.utcTime)) malformed();
  const full = long ? year : `${Number(year) >= 50 ? '19' : '20'}${year}`;
  const stamp = `${full}-${month}-${day}T${hour}:${minute}:${second}Z`;
  return Number.isNaN(Date.parse(stamp)) ? malformed() : stamp;
}
