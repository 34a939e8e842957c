/** URLs as Go's net/url.ParseRequestURI reads them (Go 1.25); the WHATWG parser mends what Go refuses. */
import { parseIp } from './go-ip.ts';

export interface GoUrl {
  scheme: string;
  /** as in the URL, with the port and the brackets of an IPv6 address */
  host: string;
  escapedPath: string;
  rawQuery: string;
  text: string;
}

const PERCENT = /%(?![0-9A-Fa-f]{2})/;
/** What validEncoded of net/url leaves as it stands in a path. */
const PLAIN_PATH = /^[A-Za-z0-9\-._~!$&'()*+,;=:@[\]/%]*$/;
const USERINFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
/** Bytes of a host that Go wants escaped. */
const HOST_FORBIDDEN = /[ #%/?@\\^`{|}]/;

/** Undefined where Go reports an error. Neither a fragment nor a relative path: both are errors, or part of the path. */
export function parseRequestUri(text: string): GoUrl | undefined {
  // Control characters are what is looked for.
  // eslint-disable-next-line no-control-regex
  if (text === '' || /[\u0000-\u001f\u007f]/.test(text)) return undefined;
  if (text === '*') return { scheme: '', host: '', escapedPath: '*', rawQuery: '', text };
  const scheme = schemeOf(text);
  if (scheme === undefined) return undefined;
  const { name, rest: afterScheme } = scheme;
  const query = afterScheme.indexOf('?');
  const rawQuery = query < 0 ? '' : afterScheme.slice(query + 1);
  const rest = query < 0 ? afterScheme : afterScheme.slice(0, query);
  if (!rest.startsWith('/')) {
    // Opaque: nothing of it is looked at.
    return name === '' ? undefined : { scheme: name, host: '', escapedPath: '', rawQuery, text };
  }
  // Without a scheme ParseRequestURI takes two slashes for the start of a path.
  if (!rest.startsWith('//') || name === '') return path(name, '', rest, rawQuery, text);
  const slash = rest.indexOf('/', 2);
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
  const host = hostOf(authority, name === 'http' || name === 'https');
  return host === undefined
    ? undefined
    : path(name, host, slash < 0 ? '' : rest.slice(slash), rawQuery, text);
}

function path(scheme: string, host: string, raw: string, rawQuery: string, text: string): GoUrl | undefined {
  if (PERCENT.test(raw)) return undefined;
  return { scheme, host, escapedPath: escapedPath(raw), rawQuery, text };
}

/** As it stands where that is a valid encoding, else encoded anew. */
function escapedPath(raw: string): string {
  if (PLAIN_PATH.test(raw)) return raw;
  return raw.replace(/[^A-Za-z0-9\-._~$&+/:=@%]/gu, (char) =>
    encodeURIComponent(char).replace(
      /[!'()*]/g,
      (plain) => `%${plain.charCodeAt(0).toString(16).toUpperCase()}`,
    ),
  );
}

/** An empty name where there is none; undefined where the URL begins with a colon. */
function schemeOf(text: string): { name: string; rest: string } | undefined {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text);
  if (match !== null) return { name: (match[1] ?? '').toLowerCase(), rest: text.slice(match[0].length) };
  if (text.startsWith(':')) return undefined;
  return { name: '', rest: text };
}

/** `strict`: one colon at most, for a port. Other schemes carry lists of hosts. */
function hostOf(authority: string, strict: boolean): string | undefined {
  const at = authority.lastIndexOf('@');
  const userinfo = at < 0 ? '' : authority.slice(0, at);
  if (!USERINFO.test(userinfo) || PERCENT.test(userinfo)) return undefined;
  const host = authority.slice(at + 1);
  if (host.startsWith('[')) {
    const end = host.lastIndexOf(']');
    if (end < 0 || !isPort(host.slice(end + 1))) return undefined;
    const [address = '', zone] = host.slice(1, end).split('%25', 2);
    const ip = parseIp(address);
    return ip?.family !== 6 || zone === '' ? undefined : host;
  }
  if (host.includes('[') || host.includes(']')) return undefined;
  const colon = strict ? host.indexOf(':') : host.lastIndexOf(':');
  if (colon >= 0 && !isPort(host.slice(colon))) return undefined;
  // In a host only bytes beyond ASCII may be escaped.
  const unescaped = host.replace(/%[89A-Fa-f][0-9A-Fa-f]/g, '');
  return HOST_FORBIDDEN.test(unescaped) ? undefined : host;
}

function isPort(text: string): boolean {
  return text === '' || /^:\d*$/.test(text);
}

export function isRequestUri(text: string): boolean {
  return parseRequestUri(text) !== undefined;
}
