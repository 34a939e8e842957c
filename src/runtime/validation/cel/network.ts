/** Kubernetes' CEL libraries of IP addresses, networks and URLs. */
import type { CelFunc, CelInput, CelValue } from '@bufbuild/cel';
import * as net from '../go-ip.ts';
import { parseRequestUri, type GoUrl } from '../go-url.ts';
import { BOOL, func, INT, MAP, method, STRING, text } from './functions.ts';
import { opaqueType } from './opaque.ts';

const ip = opaqueType<net.Ip>('net.IP');
const cidr = opaqueType<net.Cidr>('net.CIDR');
const url = opaqueType<GoUrl>('kubernetes.URL');

function parseIp(value: string): net.Ip | undefined {
  const parsed = net.parseIp(value);
  return parsed === undefined || net.isMappedIp4(parsed) ? undefined : parsed;
}

function parseCidr(value: string): net.Cidr | undefined {
  const parsed = net.parseCidr(value);
  return parsed === undefined || net.isMappedIp4(parsed) ? undefined : parsed;
}

function must<T>(value: T | undefined, what: string, source: CelValue | undefined): T {
  if (value === undefined)
    throw new Error(`${what} parse error during conversion from string: ${JSON.stringify(source)}`);
  return value;
}

/** An address, or the string of one. */
function ipOf(value: CelValue | undefined): net.Ip {
  return ip.unwrap(value) ?? must(parseIp(text(value)), 'IP Address', value);
}

function cidrOf(value: CelValue | undefined): net.Cidr {
  return cidr.unwrap(value) ?? must(parseCidr(text(value)), 'CIDR', value);
}

function urlOf(value: CelValue | undefined): GoUrl {
  return url.unwrap(value) ?? must(parseUrl(text(value)), 'URL', value);
}

/** ParseRequestURI knows no fragments; the API server parses again with them. */
function parseUrl(value: string): GoUrl | undefined {
  return parseRequestUri(value) === undefined ? undefined : parseRequestUri(value.split('#', 1)[0] ?? '');
}

const cidrText = (network: net.Cidr): string => `${net.ipText(network)}/${String(network.bits)}`;
const wrapIp = (address: net.Ip): CelInput => ip.wrap(address, net.ipText(address));
const wrapCidr = (network: net.Cidr): CelInput => cidr.wrap(network, cidrText(network));

function containsCidr(outer: net.Cidr, inner: net.Cidr): boolean {
  return outer.bits <= inner.bits && net.contains(outer, inner);
}

/** Name and port of `name:port` and `[::1]:port`. */
function hostParts(host: string): { name: string; port: string } {
  const match = /^(?:\[(.*)\]|([^:]*))(?::(\d*))?$/.exec(host);
  return { name: match?.[1] ?? match?.[2] ?? host, port: match?.[3] ?? '' };
}

function queryOf(raw: string): CelInput {
  const query = new Map<string, string[]>();
  for (const pair of raw.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const at = pair.indexOf('=');
    const key = unescapeQuery(at < 0 ? pair : pair.slice(0, at));
    const value = unescapeQuery(at < 0 ? '' : pair.slice(at + 1));
    if (key === undefined || value === undefined) continue;
    query.set(key, [...(query.get(key) ?? []), value]);
  }
  return query;
}

function unescapeQuery(escaped: string): string | undefined {
  try {
    return decodeURIComponent(escaped.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

const overIp = (name: string, test: (address: net.Ip) => boolean): CelFunc =>
  method(name, ip.type, [], BOOL, (self) => test(ipOf(self)));
const overUrl = (name: string, part: (parsed: GoUrl) => string): CelFunc =>
  method(name, url.type, [], STRING, (self) => part(urlOf(self)));

export const networkFunctions: readonly CelFunc[] = [
  func('ip', [STRING], ip.type, (value) => wrapIp(ipOf(value))),
  func('isIP', [STRING], BOOL, (value) => parseIp(text(value)) !== undefined),
  func('ip.isCanonical', [STRING], BOOL, (value) => net.ipText(ipOf(value)) === value),
  func('string', [ip.type], STRING, (self) => net.ipText(ipOf(self))),
  method('family', ip.type, [], INT, (self) => BigInt(ipOf(self).family)),
  overIp('isUnspecified', net.isUnspecified),
  overIp('isLoopback', net.isLoopback),
  overIp('isLinkLocalMulticast', net.isLinkLocalMulticast),
  overIp('isLinkLocalUnicast', net.isLinkLocalUnicast),
  overIp('isGlobalUnicast', net.isGlobalUnicast),
  func('cidr', [STRING], cidr.type, (value) => wrapCidr(cidrOf(value))),
  func('isCIDR', [STRING], BOOL, (value) => parseCidr(text(value)) !== undefined),
  func('string', [cidr.type], STRING, (self) => cidrText(cidrOf(self))),
  method('containsIP', cidr.type, [STRING], BOOL, (self, other) => net.contains(cidrOf(self), ipOf(other))),
  method('containsIP', cidr.type, [ip.type], BOOL, (self, other) => net.contains(cidrOf(self), ipOf(other))),
  method('containsCIDR', cidr.type, [STRING], BOOL, (self, other) =>
    containsCidr(cidrOf(self), cidrOf(other)),
  ),
  method('containsCIDR', cidr.type, [cidr.type], BOOL, (self, other) =>
    containsCidr(cidrOf(self), cidrOf(other)),
  ),
  method('ip', cidr.type, [], ip.type, (self) => wrapIp(cidrOf(self))),
  method('masked', cidr.type, [], cidr.type, (self) => wrapCidr(net.masked(cidrOf(self)))),
  method('prefixLength', cidr.type, [], INT, (self) => BigInt(cidrOf(self).bits)),
  func('url', [STRING], url.type, (value) => url.wrap(urlOf(value), text(value))),
  func('isURL', [STRING], BOOL, (value) => parseUrl(text(value)) !== undefined),
  overUrl('getScheme', ({ scheme }) => scheme),
  overUrl('getHost', ({ host }) => host),
  overUrl('getHostname', ({ host }) => hostParts(host).name),
  overUrl('getPort', ({ host }) => hostParts(host).port),
  overUrl('getEscapedPath', ({ escapedPath }) => escapedPath),
  method('getQuery', url.type, [], MAP, (self) => queryOf(urlOf(self).rawQuery)),
];
