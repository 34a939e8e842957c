/** Certificates and certificate requests, RFC 5280 and 2986, in the JSON that Go makes of them. */
import { type RegoValue, numberOf } from '../values.ts';
import { Failure, fail } from './builtin.ts';
import { base64Of } from './bytes.ts';
import {
  type Der,
  TAG,
  arcsOf,
  bitStringOf,
  booleanOf,
  characterStringOf,
  context,
  expectTag,
  integerOf,
  membersOf,
  oidOf,
  only,
  readAll,
  timeOf,
} from './der.ts';
import { type Extensions, extensionFields, extensionOf, readExtensions } from './x509-extensions.ts';
import { publicKeyOf } from './x509-keys.ts';
import { alternativeNameFields, alternativeNamesOf, listOrNull, nameOf, record } from './x509-names.ts';

export interface Certificate {
  json: Readonly<Record<string, RegoValue>>;
  raw: Uint8Array;
  /** what is signed */
  body: Uint8Array;
  signature: Uint8Array;
  /** Go's number */
  signatureAlgorithm: number;
  publicKeyAlgorithm: number;
  /** DER of the SubjectPublicKeyInfo */
  key: Uint8Array;
  version: number;
  /** DER */
  issuer: Uint8Array;
  subject: Uint8Array;
  /** ms since the epoch */
  notBefore: number;
  notAfter: number;
  extensions: Extensions;
}

/** By Go's numbers, from 1. */
const SIGNATURES: readonly (string | undefined)[] = [
  undefined,
  '1.2.840.113549.1.1.2',
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10040.4.3',
  '2.16.840.1.101.3.4.3.2',
  '1.2.840.10045.4.1',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
];
const SHA1_OF_ISO = '1.3.14.3.2.29';
const PSS = '1.2.840.113549.1.1.10';
const ED25519 = '1.3.101.112';
/** Hashes of RSA-PSS and the numbers of the algorithms. */
const PSS_HASHES: Readonly<Record<string, number>> = {
  '2.16.840.1.101.3.4.2.1': 13,
  '2.16.840.1.101.3.4.2.2': 14,
  '2.16.840.1.101.3.4.2.3': 15,
};
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

function signatureAlgorithmOf(der: Der | undefined): number {
  const [id, parameters] = membersOf(der);
  const oid = oidOf(id);
  if (oid === ED25519) return 16;
  if (oid === SHA1_OF_ISO) return 3;
  if (oid !== PSS) return Math.max(0, SIGNATURES.indexOf(oid));
  const [hash] = parameters === undefined ? [] : membersOf(parameters);
  if (hash?.tag !== context(0, { constructed: true })) return 0;
  return PSS_HASHES[oidOf(membersOf(only(hash.content))[0])] ?? 0;
}

/** All that stand one after the other in the bytes. Throws Failure. */
export function certificatesOf(bytes: Uint8Array): Certificate[] {
  return readAll(bytes).map(certificateOf);
}

function certificateOf(der: Der): Certificate {
  const [body, outer, signature] = membersOf(der);
  const parts = membersOf(body);
  const versioned = parts[0]?.tag === context(0, { constructed: true });
  const version = versioned ? Number(integerOf(only(parts.shift()?.content ?? new Uint8Array()))) + 1 : 1;
  if (version < 1 || version > 3) fail('invalid version');
  const [serial, inner, issuer, validity, subject, key, ...rest] = parts;
  const serialNumber = integerOf(serial);
  if (serialNumber < 0n) fail('negative serial number');
  if (outer === undefined || inner === undefined || base64Of(outer.raw) !== base64Of(inner.raw)) {
    fail('inner and outer signature algorithm identifiers do not match');
  }
  const [notBefore, notAfter] = membersOf(validity).map(timeOf);
  const extended =
    version === 3 ? rest.find(({ tag }) => tag === context(3, { constructed: true })) : undefined;
  const list = extended === undefined ? [] : membersOf(only(extended.content)).map(extensionOf);
  const extensions = readExtensions(list);
  const publicKey = publicKeyOf(expectTag(key, TAG.sequence));
  const made = {
    raw: der.raw,
    body: expectTag(body, TAG.sequence).raw,
    signature: bitStringOf(signature),
    signatureAlgorithm: signatureAlgorithmOf(inner),
    publicKeyAlgorithm: publicKey.algorithm,
    key: expectTag(key, TAG.sequence).raw,
    version,
    issuer: expectTag(issuer, TAG.sequence).raw,
    subject: expectTag(subject, TAG.sequence).raw,
    notBefore: Date.parse(notBefore ?? ''),
    notAfter: Date.parse(notAfter ?? ''),
    extensions,
  };
  const json = {
    ...extensions.fields,
    Extensions: extensionFields(list),
    ExtraExtensions: null,
    Raw: base64Of(made.raw),
    RawTBSCertificate: base64Of(made.body),
    RawSubjectPublicKeyInfo: base64Of(made.key),
    RawSubject: base64Of(made.subject),
    RawIssuer: base64Of(made.issuer),
    Signature: base64Of(made.signature),
    SignatureAlgorithm: numberOf(made.signatureAlgorithm),
    PublicKeyAlgorithm: numberOf(publicKey.algorithm),
    PublicKey: publicKey.json,
    Version: numberOf(version),
    SerialNumber: numberOf(serialNumber),
    Issuer: nameOf(issuer),
    Subject: nameOf(subject),
    NotBefore: notBefore ?? fail('malformed validity'),
    NotAfter: notAfter ?? fail('malformed validity'),
  };
  return { ...made, json };
}

/** With the URIs as texts too, which is OPA's addition. */
export function withUriTexts({ json, extensions }: Certificate): RegoValue {
  return record({ ...json, URIStrings: listOrNull(extensions.names.uris) });
}

/** Throws Failure. */
export function requestOf(bytes: Uint8Array): RegoValue {
  const [body, algorithm, signature] = membersOf(only(bytes));
  const [version, subject, key, attributes] = membersOf(body);
  const listed = attributes === undefined ? [] : readAll(attributes.content);
  const requested = listed
    .map((attribute) => membersOf(attribute))
    .filter(([id]) => oidOf(id) === EXTENSION_REQUEST)
    .flatMap(([, values]) => membersOf(membersOf(values, TAG.set)[0]).map(extensionOf));
  const names = requested.find(({ id }) => id === '2.5.29.17');
  const publicKey = publicKeyOf(expectTag(key, TAG.sequence));
  const none = { dns: [], emails: [], addresses: [], uris: [] };
  return record({
    ...alternativeNameFields(names === undefined ? none : alternativeNamesOf(names.value)),
    Raw: base64Of(bytes),
    RawTBSCertificateRequest: base64Of(expectTag(body, TAG.sequence).raw),
    RawSubjectPublicKeyInfo: base64Of(expectTag(key, TAG.sequence).raw),
    RawSubject: base64Of(expectTag(subject, TAG.sequence).raw),
    Version: numberOf(integerOf(version)),
    Signature: base64Of(bitStringOf(signature)),
    SignatureAlgorithm: numberOf(signatureAlgorithmOf(algorithm)),
    PublicKeyAlgorithm: numberOf(publicKey.algorithm),
    PublicKey: publicKey.json,
    Subject: nameOf(subject),
    Attributes: listOrNull(listed.flatMap(attributeOf)),
    Extensions: extensionFields(requested),
    ExtraExtensions: null,
  });
}

/** Those that are sets of lists of identifiers and values; Go leaves others out. */
function attributeOf(der: Der): RegoValue[] {
  try {
    const [id, values] = membersOf(der);
    const lists = membersOf(values, TAG.set).map((list) =>
      membersOf(list).map((pair) => {
        const [type, value] = membersOf(pair);
        return record({ Type: arcsOf(oidOf(type)), Value: plainOf(value ?? fail('no value')) });
      }),
    );
    return [record({ Type: arcsOf(oidOf(id)), Value: lists })];
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}

function plainOf(der: Der): RegoValue {
  switch (der.tag) {
    case TAG.boolean:
      return booleanOf(der);
    case TAG.octetString:
      return base64Of(der.content);
    case TAG.integer:
      return numberOf(integerOf(der));
    case TAG.oid:
      return arcsOf(oidOf(der));
    default:
      return characterStringOf(der);
  }
}
