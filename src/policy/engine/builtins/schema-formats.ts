/** The formats that OPA's JSON Schema knows; any other holds. */
import { parseAddress } from './address.ts';
import { Failure } from './builtin.ts';
import { isPattern } from './regex.ts';
import { parseTime } from './time-parse.ts';
import { parseUri } from './uri.ts';

const LABEL = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;
const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;
const RELATIVE_POINTER = /^(?:0|[1-9][0-9]*)(?:#|(?:\/(?:[^~/]|~[01])*)*)$/;
const UUID = /^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$/i;
/** An address of RFC 5322 alone or behind a name; comments, quoted names and folding apart. */
const ADDRESS = /^(?:[^<>@",;:()]*<([^<>]+)>|([^<>]+))$/;
const PLAIN_ADDRESS =
  /^(?:[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\uffff]+(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\uffff]+)*|"[^"\\]*")@(?:[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\uffff]+(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\uffff]+)*|\[[0-9.]+\])$/;

const CLOCK = ['15:04:05', '15:04:05Z07:00'];
const DATE = '2006-01-02';
const STAMP = '2006-01-02T15:04:05Z07:00';

const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  date: (text) => isTime(text, [DATE]),
  time: (text) => isTime(text, CLOCK),
  'date-time': (text) => isTime(text, [...CLOCK, DATE, STAMP]),
  hostname: (text) => text.length < 256 && text.split('.').every((label) => LABEL.test(label)),
  email: isEmail,
  'idn-email': isEmail,
  ipv4: (text) => text.includes('.') && parseAddress(text) !== undefined,
  ipv6: (text) => text.includes(':') && parseAddress(text) !== undefined,
  uri: isUri,
  iri: isUri,
  'uri-reference': isReference,
  'iri-reference': isReference,
  'uri-template': (text) => isReference(text) && balanced(parseUri(text)?.path ?? ''),
  uuid: (text) => UUID.test(text),
  regex: (text) => text === '' || isPattern(text),
  'json-pointer': (text) => POINTER.test(text),
  'relative-json-pointer': (text) => RELATIVE_POINTER.test(text),
};

export function hasFormat(format: string, text: string): boolean {
  return Object.hasOwn(FORMATS, format) ? (FORMATS[format]?.(text) ?? true) : true;
}

function isTime(text: string, layouts: readonly string[]): boolean {
  return layouts.some((layout) => {
    try {
      parseTime(layout, text);
      return true;
    } catch (error) {
      if (error instanceof Failure) return false;
      throw error;
    }
  });
}

function isEmail(text: string): boolean {
  const [, named, bare] = ADDRESS.exec(text.trim()) ?? [];
  return PLAIN_ADDRESS.test((named ?? bare ?? '').trim());
}

function isUri(text: string): boolean {
  return !text.includes('\\') && (parseUri(text)?.scheme ?? '') !== '';
}

function isReference(text: string): boolean {
  return !text.includes('\\') && parseUri(text) !== undefined;
}

/** Each brace that opens is closed before the next. */
function balanced(path: string): boolean {
  return !path.replace(/\{[^}]*\}/g, '').includes('{');
}
