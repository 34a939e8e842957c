/** uri.*: as Go's net/url takes a reference apart. */
import type { RegoValue } from '../values.ts';
import { type Family, fail, stringOf } from './builtin.ts';
import { parseAddress } from './address.ts';
import { hexOf, textOf, utf8 } from './bytes.ts';

export interface Uri {
  scheme: string;
  /** behind a scheme, what does not begin with a slash */
  opaque: string;
  /** whether there is somebody before the host */
  user: boolean;
  /** name and port as they stand, escapes taken out */
  host: string;
  hostname: string;
  port: string;
  /** a scheme with a path and no host */
  omitHost: boolean;
  path: string;
  rawPath: string;
  query: string;
  /** a question mark with nothing behind it */
  forceQuery: boolean;
  fragment: string;
}

export const uri: Family = {
  'uri.parse': ([text]) => {
    const { scheme, hostname, port, path, rawPath, query, fragment } =
      parseUri(stringOf(text)) ?? fail('no URI');
    const fields: [string, string][] = [
      ['scheme', scheme],
      ['hostname', hostname],
      ['port', port],
      ['path', path],
      ['raw_path', rawPath],
      ['raw_query', query],
      ['fragment', fragment],
    ];
    return { type: 'object', entries: fields.filter(([, value]) => value !== '') };
  },
  'uri.is_valid': ([text]: readonly RegoValue[]) =>
    typeof text === 'string' && text !== '' && parseUri(text) !== undefined,
};

/** Undefined when it is none. */
export function parseUri(text: string): Uri | undefined {
  const [front, rawFragment] = cut(text, '#');
  const fragment = unescape(rawFragment);
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(front) || fragment === undefined) return undefined;
  const none: Uri = { ...NOTHING, fragment };
  if (front === '*') return { ...none, path: '*', rawPath: '*' };
  if (front.startsWith(':')) return undefined;
  const [, scheme = ''] = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(front) ?? [];
  const [rest, query] = cut(scheme === '' ? front : front.slice(scheme.length + 1), '?');
  const forceQuery = query === '' && front.endsWith('?');
  const known: Uri = { ...none, scheme: scheme.toLowerCase(), query, forceQuery };
  if (!rest.startsWith('/') && scheme !== '') return { ...known, opaque: rest };
  if (!rest.startsWith('/') && cut(rest, '/')[0].includes(':')) return undefined;
  const [, authority, path = ''] = /^\/\/([^/]*)(.*)$/s.exec(rest) ?? [undefined, undefined, rest];
  if (authority === undefined || (scheme === '' && rest.startsWith('///'))) {
    return withPath({ ...known, omitHost: scheme !== '' && rest.startsWith('/') }, rest);
  }
  const place = hostOf(authority, known.scheme);
  return place === undefined
    ? undefined
    : withPath({ ...known, ...place, user: authority.includes('@') }, path);
}

const NOTHING: Uri = {
  scheme: '',
  opaque: '',
  user: false,
  host: '',
  hostname: '',
  port: '',
  omitHost: false,
  path: '',
  rawPath: '',
  query: '',
  forceQuery: false,
  fragment: '',
};

function withPath(known: Uri, raw: string): Uri | undefined {
  const path = unescape(raw);
  if (path === undefined) return undefined;
  // A path that is escaped as one would by default is not kept as it was.
  return { ...known, path, rawPath: escapePath(path) === raw ? path : raw };
}

function cut(text: string, mark: string): [before: string, after: string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + mark.length)];
}

function unescape(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  if (!text.includes('%')) return text;
  const bytes = utf8(text);
  const result: number[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at] !== 0x25) result.push(bytes[at] ?? 0);
    else {
      result.push(Number.parseInt(String.fromCharCode(bytes[at + 1] ?? 0, bytes[at + 2] ?? 0), 16));
      at += 2;
    }
  }
  return textOf(Uint8Array.from(result));
}

function escapePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-_.~$&+,/:;=@]/gu, (char) =>
    hexOf(utf8(char)).toUpperCase().replace(/../g, '%$&'),
  );
}

// eslint-disable-next-line no-control-regex
const HOST = /^(?:[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]|[^\u0000-\u007f]|%25|%[89A-Fa-f][0-9A-Fa-f])*$/u;

type Host = Pick<Uri, 'host' | 'hostname' | 'port'>;

/** Undefined when it is none. */
function hostOf(authority: string, scheme: string): Host | undefined {
  const at = authority.lastIndexOf('@');
  const user = authority.slice(0, Math.max(0, at));
  const host = authority.slice(at + 1);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) || unescape(user) === undefined) return undefined;
  if (host.includes('[')) return bracketed(host);
  // More colons than one are let through but for the web.
  const colon = /^https?$/.test(scheme) ? host.indexOf(':') : host.lastIndexOf(':');
  if (colon >= 0 && !/^:[0-9]*$/.test(host.slice(colon))) return undefined;
  const plain = HOST.test(host) ? unescape(host) : undefined;
  if (plain === undefined) return undefined;
  const [, hostname = plain, port = ''] = /^(.*):([0-9]*)$/s.exec(plain) ?? [];
  return { host: plain, hostname: hostname.replace(/^\[(.*)\]$/s, '$1'), port };
}

function bracketed(host: string): Host | undefined {
  const [, inner = '', port = ''] = /^\[([^[]*)\](?::([0-9]*))?$/s.exec(host) ?? [];
  const [address, zone] = cut(inner, '%25');
  const parsed = parseAddress(address);
  if (parsed === undefined || parsed.bits === 32) return undefined;
  const rest = host.slice(host.lastIndexOf(']'));
  if (!inner.includes('%25')) return { host, hostname: inner, port };
  const name = HOST.test(zone.replaceAll('%20', '')) || zone.includes('%') ? unescape(zone) : undefined;
  if (name === undefined || name === '') return undefined;
  const hostname = `${address}%${name}`;
  return { host: `[${hostname}${rest}`, hostname, port };
}
