/** crypto.x509.*, crypto.parse_private_keys */
import { type RegoObject, type RegoValue, isArray } from '../values.ts';
import {
  type BuiltinContext,
  type Family,
  Failure,
  fail,
  intOf,
  isSet,
  objectOf,
  stringOf,
} from './builtin.ts';
import { base64Of, bytesOfBase64, textOf, utf8 } from './bytes.ts';
import { identity } from './lookup.ts';
import { pemBlocks } from './pem.ts';
import { type Certificate, certificatesOf, requestOf, withUriTexts } from './x509-certificate.ts';
import { type PrivateKey, privateKeyOf } from './x509-keys.ts';
import { record } from './x509-names.ts';
import { type Verification, verifiedChain } from './x509-verify.ts';

export const x509: Family = {
  'crypto.x509.parse_certificates': ([text]) => certificates(stringOf(text)).map(withUriTexts),
  'crypto.x509.parse_and_verify_certificates': ([text], context) =>
    verify(stringOf(text), context, { now: context.nowMs, dnsName: '', usages: [] }, withUriTexts),
  'crypto.x509.parse_and_verify_certificates_with_options': ([text, options], context) => {
    const wanted = (): Verification => optionsOf(objectOf(options), context);
    objectOf(options);
    return verify(stringOf(text), context, wanted, ({ json }) => record(json));
  },
  'crypto.x509.parse_certificate_request': ([text]) => requestOf(requestBytes(stringOf(text))),
  'crypto.x509.parse_rsa_private_key': ([text]) => {
    const input = stringOf(text);
    if (input === '') return fail('input PEM data was empty');
    const [first] = privateKeys(input.startsWith('-----BEGIN') ? input : decoded(input));
    return first === undefined ? null : first.jwk;
  },
  'crypto.parse_private_keys': ([text]) => {
    const input = stringOf(text);
    return input === '' ? null : privateKeys(input).map(({ json }) => json);
  },
  'crypto.x509.parse_keypair': ([certificate, key]) => keyPair(stringOf(certificate), stringOf(key)),
};

function decoded(text: string): string {
  return textOf(bytesOfBase64(text) ?? fail('illegal base64 data'));
}

/** PEM, or base64 of PEM or of DER. */
function certificates(text: string): Certificate[] {
  if (text.startsWith('-----BEGIN')) return certificatesInPem(text);
  const bytes = bytesOfBase64(text) ?? fail('illegal base64 data');
  const inner = textOf(bytes);
  return inner.startsWith('-----BEGIN') ? certificatesInPem(inner) : certificatesOf(bytes);
}

function certificatesInPem(text: string): Certificate[] {
  return pemBlocks(text).flatMap(({ type, bytes }) =>
    type === 'CERTIFICATE' ? certificatesOf(bytes) : fail(`PEM block type is ${type}`),
  );
}

const INVALID: RegoValue = [false, []];

/** What cannot be read is as little valid as what cannot be verified. */
function verify(
  text: string,
  { crypto }: BuiltinContext,
  wanted: Verification | (() => Verification),
  describe: (certificate: Certificate) => RegoValue,
): RegoValue {
  const parsed = attempt(() => certificates(text));
  if (parsed === undefined) return INVALID;
  const chain = verifiedChain(parsed, crypto, typeof wanted === 'function' ? wanted() : wanted);
  return chain === undefined ? INVALID : [true, chain.map(describe)];
}

function attempt<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** In the order of Go's numbers, from 0. */
const USAGES = [
  'Any',
  'ServerAuth',
  'ClientAuth',
  'CodeSigning',
  'EmailProtection',
  'IPSECEndSystem',
  'IPSECTunnel',
  'IPSECUser',
  'TimeStamping',
  'OCSPSigning',
  'MicrosoftServerGatedCrypto',
  'NetscapeServerGatedCrypto',
  'MicrosoftCommercialCodeSigning',
  'MicrosoftKernelCodeSigning',
].map((name) => `KeyUsage${name}`);

function optionsOf({ entries }: RegoObject, { nowMs }: BuiltinContext): Verification {
  const wanted: Verification = { now: nowMs, dnsName: '', usages: [] };
  for (const [key, value] of entries) {
    if (typeof key !== 'string') continue;
    switch (key) {
      case 'DNSName':
        wanted.dnsName = stringOf(value).replace(/^"+|"+$/g, '');
        break;
      case 'CurrentTime':
        wanted.now = Number(intOf(value)) / 1e6;
        break;
      case 'MaxConstraintComparisons':
        intOf(value);
        break;
      case 'KeyUsages':
        wanted.usages = usagesOf(value);
        break;
      default:
        fail('invalid key option');
    }
  }
  return wanted;
}

function usagesOf(value: RegoValue): number[] {
  const names = isSet(value)
    ? value.items
    : isArray(value)
      ? value
      : fail('KeyUsages should be an Array or Set');
  return names
    .filter((name) => typeof name === 'string')
    .map((name) => {
      const usage = USAGES.indexOf(name.replace(/^"+|"+$/g, ''));
      return usage < 0 ? fail('invalid entries for KeyUsages') : usage;
    });
}

function requestBytes(text: string): Uint8Array {
  const bytes = text.startsWith('-----BEGIN CERTIFICATE REQUEST-----')
    ? utf8(text)
    : (bytesOfBase64(text) ?? fail('illegal base64 data'));
  const [block] = pemBlocks(textOf(bytes));
  if (block === undefined) return bytes;
  return block.type === 'CERTIFICATE REQUEST'
    ? block.bytes
    : fail('invalid PEM-encoded certificate signing request');
}

function privateKeys(text: string): PrivateKey[] {
  const bytes = bytesOfBase64(text);
  const pem = bytes === undefined ? text : textOf(bytes);
  return pemBlocks(pem)
    .map(privateKeyOf)
    .filter((key) => key !== undefined);
}

/** PEM or its base64, or the base64 of DER; the key belongs to the first certificate. */
function keyPair(certificateText: string, keyText: string): RegoValue {
  const chain = blocksOf(certificateText, 'CERTIFICATE').filter(({ type }) => type === 'CERTIFICATE');
  const [leaf] = chain.slice(0, 1).flatMap(({ bytes }) => certificatesOf(bytes));
  const block = blocksOf(keyText, 'PRIVATE KEY').find(
    ({ type }) => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY'),
  );
  const key = block === undefined ? undefined : privateKeyOf(block);
  if (leaf === undefined || key === undefined) return fail('failed to find any PEM data');
  if (identity(leaf.json['PublicKey'] ?? null) !== identity(key.publicKey))
    return fail('private key does not match');
  return record({
    Certificate: chain.map(({ bytes }) => base64Of(bytes)),
    PrivateKey: key.json,
    Leaf: record(leaf.json),
    OCSPStaple: null,
    SignedCertificateTimestamps: null,
    SupportedSignatureAlgorithms: null,
  });
}

function blocksOf(text: string, type: string): { type: string; bytes: Uint8Array }[] {
  if (text.startsWith('-----BEGIN ')) return pemBlocks(text);
  const bytes = bytesOfBase64(text) ?? fail('illegal base64 data');
  const inner = textOf(bytes);
  return inner.startsWith('-----BEGIN ') ? pemBlocks(inner) : [{ type, bytes }];
}
