/** The extensions of a certificate, RFC 5280 section 4.2, in the JSON that Go makes of them. */
import { type RegoValue, numberOf } from '../values.ts';
import { fail } from './builtin.ts';
import { base64Of } from './bytes.ts';
import {
  type Der,
  TAG,
  arcsOf,
  asciiOf,
  booleanOf,
  context,
  expectTag,
  flagsOf,
  integerOf,
  membersOf,
  oidOf,
  only,
  readAll,
} from './der.ts';
import {
  type AlternativeNames,
  type NameConstraints,
  alternativeNameFields,
  alternativeNamesOf,
  constraintFields,
  listOrNull,
  nameConstraintsOf,
  noConstraints,
  record,
} from './x509-names.ts';

export interface Extension {
  id: string;
  critical: boolean;
  value: Uint8Array;
}

/** What verification needs of them. */
export interface Extensions {
  keyUsage: number;
  /** undefined without basic constraints */
  authority: boolean | undefined;
  /** -1 is any */
  maxPathLength: number;
  /** 0 is any, 1 serverAuth, ... as Go numbers them */
  extendedUsages: readonly number[];
  unknownUsages: readonly string[];
  names: AlternativeNames;
  constraints: NameConstraints;
  unhandledCritical: readonly string[];
  fields: Readonly<Record<string, RegoValue>>;
}

/** In the order of Go's constants, from 0. */
const USAGES = [
  '2.5.29.37.0',
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((arc) => `1.3.6.1.5.5.7.3.${String(arc)}`),
  '1.3.6.1.4.1.311.10.3.3',
  '2.16.840.1.113730.4.1',
  '1.3.6.1.4.1.311.2.1.22',
  '1.3.6.1.4.1.311.61.1.1',
];

export function extensionOf(der: Der): Extension {
  const [id, second, third] = membersOf(der);
  const critical = third === undefined ? false : booleanOf(second);
  const value = expectTag(third ?? second, TAG.octetString).content;
  return { id: oidOf(id), critical, value };
}

export function extensionFields(extensions: readonly Extension[]): RegoValue {
  return listOrNull(
    extensions.map(({ id, critical, value }) =>
      record({ Id: arcsOf(id), Critical: critical, Value: base64Of(value) }),
    ),
  );
}

const NO_NAMES: AlternativeNames = { dns: [], emails: [], addresses: [], uris: [] };

export function readExtensions(extensions: readonly Extension[]): Extensions {
  const byId = new Map(extensions.map((extension) => [extension.id, extension]));
  if (byId.size < extensions.length) fail('certificate contains duplicate extension');
  const find = (arc: number): Extension | undefined => byId.get(`2.5.29.${String(arc)}`);
  const [usage, basic, alternative, constraint] = [find(15), find(19), find(17), find(30)];
  const names = alternative === undefined ? NO_NAMES : alternativeNamesOf(alternative.value);
  const constraints = constraint === undefined ? noConstraints : nameConstraintsOf(constraint.value);
  const basics = basic === undefined ? undefined : basicConstraintsOf(basic.value);
  const usages = extendedUsagesOf(find(37)?.value);
  const keyUsage = usage === undefined ? 0 : flagsOf(only(usage.value));
  const unhandledCritical = unhandledOf(extensions, names, constraints);
  return {
    keyUsage,
    authority: basics?.authority,
    maxPathLength: basics === undefined ? -1 : basics.maxPathLength,
    extendedUsages: usages.known,
    unknownUsages: usages.unknown,
    names,
    constraints,
    unhandledCritical,
    fields: {
      ...alternativeNameFields(names),
      ...constraintFields(constraints, constraint?.critical ?? false),
      ...policyFields(byId),
      ...authorityFields(byId),
      KeyUsage: numberOf(keyUsage),
      ExtKeyUsage: listOrNull(usages.known.map(numberOf)),
      UnknownExtKeyUsage: listOrNull(usages.unknown.map(arcsOf)),
      BasicConstraintsValid: basics !== undefined,
      IsCA: basics?.authority ?? false,
      MaxPathLen: numberOf(basics?.maxPathLength ?? 0),
      MaxPathLenZero: basics?.maxPathLength === 0,
      UnhandledCriticalExtensions: listOrNull(unhandledCritical.map(arcsOf)),
    },
  };
}

function basicConstraintsOf(value: Uint8Array): { authority: boolean; maxPathLength: number } {
  const parts = membersOf(only(value));
  const authority = parts[0]?.tag === TAG.boolean ? booleanOf(parts.shift()) : false;
  const length = parts.shift();
  return { authority, maxPathLength: length === undefined ? -1 : Number(integerOf(length)) };
}

function extendedUsagesOf(value: Uint8Array | undefined): { known: number[]; unknown: string[] } {
  const ids = value === undefined ? [] : membersOf(only(value)).map(oidOf);
  return {
    known: ids.map((id) => USAGES.indexOf(id)).filter((index) => index >= 0),
    unknown: ids.filter((id) => !USAGES.includes(id)),
  };
}

/** The arcs under 2.5.29 that are looked at. */
const HANDLED = [14, 15, 17, 19, 30, 31, 32, 33, 35, 36, 37, 54].map((arc) => `2.5.29.${String(arc)}`);
const AUTHORITY_INFORMATION = '1.3.6.1.5.5.7.1.1';

function unhandledOf(
  extensions: readonly Extension[],
  names: AlternativeNames,
  { permitted, excluded }: NameConstraints,
): string[] {
  return extensions
    .filter(({ id, critical }) => {
      if (!critical) return false;
      if (id === '2.5.29.17')
        return Object.values(names).every((list: readonly unknown[]) => list.length === 0);
      if (id === '2.5.29.30') return permitted.unhandled || excluded.unhandled;
      return !HANDLED.includes(id) && id !== AUTHORITY_INFORMATION;
    })
    .map(({ id }) => id);
}

function policyFields(byId: ReadonlyMap<string, Extension>): Record<string, RegoValue> {
  const value = (arc: number): Uint8Array | undefined => byId.get(`2.5.29.${String(arc)}`)?.value;
  const [policies, mappings, limits, inhibit] = [value(32), value(33), value(36), value(54)];
  const ids =
    policies === undefined ? [] : membersOf(only(policies)).map((policy) => oidOf(membersOf(policy)[0]));
  if (new Set(ids).size < ids.length) fail('invalid certificate policies');
  const pairs = (mappings === undefined ? [] : membersOf(only(mappings))).map((mapping) =>
    membersOf(mapping).map(oidOf),
  );
  const constraints = limits === undefined ? [] : membersOf(only(limits));
  const limit = (number: number): number | undefined => {
    const tag = context(number, { constructed: false });
    const found = constraints.find((one) => one.tag === tag);
    return found === undefined ? undefined : Number(integerOf(found, tag));
  };
  const numbered = (name: string, number: number | undefined): Record<string, RegoValue> => ({
    [name]: numberOf(number ?? 0),
    [`${name}Zero`]: number === 0,
  });
  return {
    Policies: listOrNull(ids),
    // Go makes this list, though it be empty, when the extension is there.
    PolicyIdentifiers: policies === undefined ? null : ids.filter(isSmall).map(arcsOf),
    PolicyMappings: listOrNull(
      pairs.map(([issuer = '', subject = '']) =>
        record({ IssuerDomainPolicy: issuer, SubjectDomainPolicy: subject }),
      ),
    ),
    ...numbered('RequireExplicitPolicy', limit(0)),
    ...numbered('InhibitPolicyMapping', limit(1)),
    ...numbered('InhibitAnyPolicy', inhibit === undefined ? undefined : Number(integerOf(only(inhibit)))),
  };
}

/** Whether every arc is an int32. */
function isSmall(oid: string): boolean {
  return oid.split('.').every((arc) => Number(arc) < 2 ** 31);
}

const URI = context(6, { constructed: false });

function authorityFields(byId: ReadonlyMap<string, Extension>): Record<string, RegoValue> {
  const [subject, authority] = [byId.get('2.5.29.14'), byId.get('2.5.29.35')];
  const information = byId.get(AUTHORITY_INFORMATION);
  if (subject?.critical === true || authority?.critical === true || information?.critical === true) {
    fail('extension incorrectly marked critical');
  }
  const id = authority === undefined ? undefined : membersOf(only(authority.value))[0];
  const keyId = id?.tag === context(0, { constructed: false }) ? base64Of(id.content) : null;
  const places = (information === undefined ? [] : membersOf(only(information.value))).map((place) =>
    membersOf(place),
  );
  const placed = (method: string): string[] =>
    places
      .filter(([oid, at]) => oidOf(oid) === method && at?.tag === URI)
      .map(([, at]) => asciiOf(at?.content ?? new Uint8Array()));
  return {
    SubjectKeyId:
      subject === undefined ? null : base64Of(expectTag(only(subject.value), TAG.octetString).content),
    AuthorityKeyId: keyId,
    OCSPServer: listOrNull(placed('1.3.6.1.5.5.7.48.1')),
    IssuingCertificateURL: listOrNull(placed('1.3.6.1.5.5.7.48.2')),
    CRLDistributionPoints: listOrNull(distributionPointsOf(byId.get('2.5.29.31')?.value)),
  };
}

/** Their URIs, up to the first name of another kind. */
function distributionPointsOf(value: Uint8Array | undefined): string[] {
  const points = value === undefined ? [] : membersOf(only(value));
  const tag = context(0, { constructed: true });
  return points.flatMap((point) => {
    const [name] = membersOf(point);
    if (name?.tag !== tag) return [];
    const full = readAll(expectTag(only(name.content), tag).content);
    const other = full.findIndex((one) => one.tag !== URI);
    return (other < 0 ? full : full.slice(0, other)).map(({ content }) => asciiOf(content));
  });
}
