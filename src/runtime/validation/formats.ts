/**
 * The string formats that the API server checks, as strict and as lax as it is: after kube-openapi/pkg/validation/strfmt.
 * A format that is not named here is a hint for readers, to the API server and to us (int32, int64, double).
 */
import { parseCidr, parseIp } from './go-ip.ts';
import { isRequestUri } from './go-url.ts';
import { durationNanoseconds } from './go-duration.ts';

/** Checked by the API server, not by us: a schema with one of these is refused at compile time. */
export const UNSUPPORTED_FORMATS: ReadonlySet<string> = new Set([
  'bsonobjectid',
  'email',
  'isbn',
  'isbn10',
  'isbn13',
  'creditcard',
  'ssn',
  'hexcolor',
  'rgbcolor',
]);

interface Format {
  test: (text: string) => boolean;
  /** an example or the rule, for people */
  accepted: string;
}

const UUID = (version: string): RegExp =>
  // Composed of our own literals: no user's pattern comes here.
  // eslint-disable-next-line no-restricted-syntax
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i');
const UUID_4 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i;
const UUID_5 = /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;
const MAC = /^(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1)*[0-9a-f]{2}$/i;
const MAC_DOTS = /^(?:[0-9a-f]{4}\.)+[0-9a-f]{4}$/i;
const SHORT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LONG_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const TIME = /^(\d{2}):(\d{2}):(\d{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/su;
const HOSTNAME =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.))+([a-zA-Z\p{L}]){2,63})$/u;

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** A full-date of RFC 3339: the day must exist. */
export function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && leap ? 29 : MONTH_DAYS[month - 1];
  return days !== undefined && day >= 1 && day <= days;
}

/** Not quite RFC 3339: no leap second, any character before the fraction, an offset of any size. */
export function isDateTime(text: string): boolean {
  const [date = '', time] = text.toLowerCase().split('t');
  if (time === undefined || !isDate(date)) return false;
  const match = TIME.exec(time);
  const [, hour = '99', minute = '99', second = '99'] = match ?? [];
  return hour <= '23' && minute <= '59' && second <= '59';
}

/** 48 or 64 bits, or the 160 of IP over InfiniBand. */
function isMac(text: string): boolean {
  const bits = text.replace(/[:.-]/g, '').length * 4;
  return (MAC.test(text) || MAC_DOTS.test(text)) && [48, 64, 160].includes(bits);
}

function isHostname(text: string): boolean {
  const length = (part: string): number => new TextEncoder().encode(part).length;
  return HOSTNAME.test(text) && length(text) <= 255 && text.split('.').every((part) => length(part) <= 63);
}

const dateTime: Format = { test: isDateTime, accepted: 'a time such as 2030-01-02T03:04:05Z' };
const uuid = 'a UUID such as 123e4567-e89b-12d3-a456-426614174000';

/** By name without its dashes. */
const FORMATS: Readonly<Record<string, Format>> = {
  datetime: dateTime,
  date: { test: isDate, accepted: 'a date such as 2030-01-02' },
  duration: {
    test: (text) => durationNanoseconds(text) !== undefined,
    accepted: 'a duration such as 30s or 1h30m',
  },
  byte: { test: (text) => BASE64.test(text), accepted: 'base64' },
  ipv4: {
    test: (text) => parseIp(text, { sloppy: true }) !== undefined && text.includes('.'),
    accepted: 'an IPv4 address such as 192.0.2.1',
  },
  ipv6: {
    test: (text) => parseIp(text) !== undefined && text.includes(':'),
    accepted: 'an IPv6 address such as 2001:db8::1',
  },
  cidr: {
    test: (text) => parseCidr(text, { sloppy: true }) !== undefined,
    accepted: 'a CIDR such as 192.0.2.0/24',
  },
  mac: { test: isMac, accepted: 'a MAC address such as 00:00:5e:00:53:01' },
  uri: { test: isRequestUri, accepted: 'a URI such as https://example.com/path' },
  uuid: { test: (text) => UUID('[0-9a-f]{4}').test(text), accepted: uuid },
  uuid3: { test: (text) => UUID('3[0-9a-f]{3}').test(text), accepted: uuid },
  uuid4: { test: (text) => UUID_4.test(text), accepted: uuid },
  uuid5: { test: (text) => UUID_5.test(text), accepted: uuid },
  hostname: { test: isHostname, accepted: 'a host name such as www.example.com' },
  password: { test: () => true, accepted: 'any string' },
  k8sshortname: {
    test: (text) => text.length <= 63 && SHORT_NAME.test(text),
    accepted: "lower case letters, digits and '-', at most 63",
  },
  k8slongname: {
    test: (text) => text.length <= 253 && LONG_NAME.test(text),
    accepted: "lower case letters, digits, '-' and '.', at most 253",
  },
};

/** The checker of a format, undefined where the API server has none. Throws for one that only the API server has. */
export function formatOf(name: string): Format | undefined {
  const normalized = name.replaceAll('-', '');
  if (UNSUPPORTED_FORMATS.has(normalized)) throw new Error(`format ${name} cannot be checked locally`);
  return Object.hasOwn(FORMATS, normalized) ? FORMATS[normalized] : undefined;
}
