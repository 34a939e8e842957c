/** Names, alternative names and name constraints of X.509, RFC 5280, in the JSON that Go makes of them. */
import type { RegoValue } from '../values.ts';
import { printAddress } from './address.ts';
import { fail } from './builtin.ts';
import { base64Of } from './bytes.ts';
import {
  type Der,
  TAG,
  arcsOf,
  asciiOf,
  characterStringOf,
  context,
  leadingMembersOf,
  membersOf,
  oidOf,
  only,
  readAll,
  unsigned,
} from './der.ts';
import { parseUri } from './uri.ts';

/** An object by its fields. */
export function record(fields: Readonly<Record<string, RegoValue>>): RegoValue {
  return { type: 'object', entries: Object.entries(fields) };
}

/** Go writes a list that was never made as null. */
export function listOrNull(list: readonly RegoValue[]): RegoValue {
  return list.length === 0 ? null : list;
}

/** The attributes that have a field of their own, by the last arc under 2.5.4. */
const LISTS: Readonly<Record<string, string>> = {
  Country: '2.5.4.6',
  Organization: '2.5.4.10',
  OrganizationalUnit: '2.5.4.11',
  Locality: '2.5.4.7',
  Province: '2.5.4.8',
  StreetAddress: '2.5.4.9',
  PostalCode: '2.5.4.17',
};

export function nameOf(der: Der | undefined): RegoValue {
  const attributes = membersOf(der)
    .flatMap((part) => membersOf(part, TAG.set))
    .map((attribute) => {
      const [type, value] = leadingMembersOf(attribute, 2);
      return { type: oidOf(type), value: characterStringOf(value ?? fail('invalid attribute value')) };
    });
  const values = (oid: string): string[] =>
    attributes.filter(({ type }) => type === oid).map(({ value }) => value);
  return record({
    ...Object.fromEntries(Object.entries(LISTS).map(([name, oid]) => [name, listOrNull(values(oid))])),
    CommonName: values('2.5.4.3').at(-1) ?? '',
    SerialNumber: values('2.5.4.5').at(-1) ?? '',
    Names: listOrNull(attributes.map(({ type, value }) => record({ Type: arcsOf(type), Value: value }))),
    ExtraNames: null,
  });
}

/** Of a subjectAltName. */
export interface AlternativeNames {
  dns: string[];
  emails: string[];
  /** bytes of 4 or 16 */
  addresses: Uint8Array[];
  uris: string[];
}

export function alternativeNamesOf(extension: Uint8Array): AlternativeNames {
  const names: AlternativeNames = { dns: [], emails: [], addresses: [], uris: [] };
  for (const { tag, content } of membersOf(only(extension))) {
    if (tag === context(1, { constructed: false })) names.emails.push(asciiOf(content));
    if (tag === context(2, { constructed: false })) names.dns.push(asciiOf(content));
    if (tag === context(6, { constructed: false })) {
      const uri = asciiOf(content);
      if (parseUri(uri) === undefined) fail('cannot parse URI');
      names.uris.push(uri);
    }
    if (tag === context(7, { constructed: false })) {
      if (content.length !== 4 && content.length !== 16) fail('cannot parse IP address');
      names.addresses.push(content);
    }
  }
  return names;
}

export function alternativeNameFields({
  dns,
  emails,
  addresses,
  uris,
}: AlternativeNames): Record<string, RegoValue> {
  return {
    DNSNames: listOrNull(dns),
    EmailAddresses: listOrNull(emails),
    IPAddresses: listOrNull(addresses.map(addressText)),
    URIs: listOrNull(uris.map(uriFields)),
  };
}

export function addressText(bytes: Uint8Array): string {
  return printAddress(addressNumber(bytes));
}

export function addressNumber(bytes: Uint8Array): bigint {
  const number = unsigned(bytes);
  return bytes.length === 4 ? (0xffffn << 32n) | number : number;
}

function uriFields(text: string): RegoValue {
  const uri = parseUri(text) ?? fail('cannot parse URI');
  return record({
    Scheme: uri.scheme,
    Opaque: uri.opaque,
    User: uri.user ? record({}) : null,
    Host: uri.host,
    Path: uri.path,
    RawPath: uri.rawPath === uri.path ? '' : uri.rawPath,
    OmitHost: uri.omitHost,
    ForceQuery: uri.forceQuery,
    RawQuery: uri.query,
    Fragment: uri.fragment,
    RawFragment: '',
  });
}

/** What a certificate authority may certify, or may not. */
export interface Subtrees {
  dns: string[];
  emails: string[];
  uris: string[];
  /** address and mask, of the same length */
  ranges: { address: Uint8Array; mask: Uint8Array }[];
  /** one of a kind that is not looked at */
  unhandled: boolean;
}

export interface NameConstraints {
  permitted: Subtrees;
  excluded: Subtrees;
}

export const noConstraints: NameConstraints = { permitted: noSubtrees(), excluded: noSubtrees() };

function noSubtrees(): Subtrees {
  return { dns: [], emails: [], uris: [], ranges: [], unhandled: false };
}

export function nameConstraintsOf(extension: Uint8Array): NameConstraints {
  const parts = membersOf(only(extension));
  const part = (number: number): Subtrees => {
    const tag = context(number, { constructed: true });
    return subtreesOf(parts.find((one) => one.tag === tag)?.content ?? new Uint8Array());
  };
  if (parts.every(({ content }) => content.length === 0)) fail('empty name constraints extension');
  return { permitted: part(0), excluded: part(1) };
}

function subtreesOf(bytes: Uint8Array): Subtrees {
  const subtrees = noSubtrees();
  for (const subtree of readAll(bytes)) {
    const { tag, content } = membersOf(subtree)[0] ?? fail('invalid NameConstraints extension');
    if (tag === context(2, { constructed: false })) subtrees.dns.push(asciiOf(content));
    else if (tag === context(1, { constructed: false })) subtrees.emails.push(asciiOf(content));
    else if (tag === context(6, { constructed: false })) subtrees.uris.push(asciiOf(content));
    else if (tag === context(7, { constructed: false })) {
      if (content.length !== 8 && content.length !== 32) fail('IP constraint of another length');
      const half = content.length / 2;
      subtrees.ranges.push({ address: content.subarray(0, half), mask: content.subarray(half) });
    } else subtrees.unhandled = true;
  }
  return subtrees;
}

export function constraintFields(
  { permitted, excluded }: NameConstraints,
  critical: boolean,
): Record<string, RegoValue> {
  const fields = (prefix: string, { dns, emails, uris, ranges }: Subtrees): Record<string, RegoValue> => ({
    [`${prefix}DNSDomains`]: listOrNull(dns),
    [`${prefix}EmailAddresses`]: listOrNull(emails),
    [`${prefix}URIDomains`]: listOrNull(uris),
    [`${prefix}IPRanges`]: listOrNull(
      ranges.map(({ address, mask }) => record({ IP: addressText(address), Mask: base64Of(mask) })),
    ),
  });
  return {
    ...fields('Permitted', permitted),
    ...fields('Excluded', excluded),
    PermittedDNSDomainsCritical: critical,
  };
}
