/** hex.*, base64url.encode_no_pad, urlquery.*, glob.quote_meta */
import type { RegoObject, RegoValue } from '../values.ts';
import { type Family, fail, isSet, membersOf, objectOf, stringOf } from './builtin.ts';
import { base64UrlOf, bytesOfHex, hexOf, textOf, utf8 } from './bytes.ts';
import { keyText, sortedItems } from './json-text.ts';

export const encoding: Family = {
  'hex.encode': ([text]) => hexOf(utf8(stringOf(text))),
  'hex.decode': ([text]) => textOf(bytesOfHex(stringOf(text)) ?? fail('no hexadecimal text')),
  'base64url.encode_no_pad': ([text]) => base64UrlOf(utf8(stringOf(text))),
  'urlquery.encode': ([text]) => queryEscape(stringOf(text)),
  'urlquery.decode': ([text]) => queryUnescape(stringOf(text)),
  'urlquery.encode_object': ([object]) => encodeObject(objectOf(object)),
  'urlquery.decode_object': ([text]) => decodeObject(stringOf(text)),
  'glob.quote_meta': ([text]) => stringOf(text).replace(/[*?\\[\]{}]/g, '\\$&'),
};

export function queryEscape(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (mark) => `%${hexOf(utf8(mark)).toUpperCase()}`)
    .replaceAll('%20', '+');
}

function queryUnescape(text: string): string {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) fail('invalid URL escape');
  const bytes: number[] = [];
  const source = utf8(text);
  for (let at = 0; at < source.length; at += 1) {
    const byte = source[at] ?? 0;
    if (byte === 0x25) {
      bytes.push(Number.parseInt(String.fromCharCode(source[at + 1] ?? 0, source[at + 2] ?? 0), 16));
      at += 2;
    } else bytes.push(byte === 0x2b ? 0x20 : byte);
  }
  return textOf(Uint8Array.from(bytes));
}

function encodeObject({ entries }: RegoObject): string {
  const fields = new Map(entries.map(([key, value]) => [keyText(key), texts(value)]));
  return [...fields]
    .sort(([a], [b]) => Buffer.compare(utf8(a), utf8(b)))
    .flatMap(([key, values]) => values.map((value) => `${queryEscape(key)}=${queryEscape(value)}`))
    .join('&');
}

function texts(value: RegoValue): string[] {
  if (typeof value === 'string') return [value];
  return (isSet(value) ? sortedItems(value) : membersOf(value)).map(stringOf);
}

function decodeObject(text: string): RegoObject {
  const fields = new Map<string, string[]>();
  for (const pair of text.split('&')) {
    if (pair.includes(';')) fail('invalid semicolon separator in query');
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const [key, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    const name = queryUnescape(key);
    const values = fields.get(name) ?? [];
    values.push(queryUnescape(value));
    fields.set(name, values);
  }
  return { type: 'object', entries: [...fields] };
}
