/** A certificate authority for one cluster: it signs the API servers, and the API server as a client of the kubelet. */
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type X509Certificate,
} from '@peculiar/x509';

export interface Authority {
  /** path of its certificate, PEM */
  file: string;
  certificate: X509Certificate;
  key: webcrypto.CryptoKey;
}

export interface KeyPair {
  certFile: string;
  keyFile: string;
}

export interface Subject {
  /** names its files */
  name: string;
  /** RFC 4514, as `CN=admin,O=system:masters` */
  subject: string;
  /** DNS names and IPv4 addresses it is served under; none for a client */
  names?: readonly string[];
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const LIFE_MS = 365 * 86_400_000;
/** A clock that is set back a little must not make a fresh certificate invalid. */
const BACKDATE_MS = 3_600_000;

export async function createAuthority(folder: string): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      ...validity(),
      name: 'CN=cogniforge-cluster-ca',
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    },
    webcrypto,
  );
  const file = join(folder, 'ca.crt');
  writeFileSync(file, certificate.toString('pem'));
  return { file, certificate, key: keys.privateKey };
}

/** Writes NAME.crt and NAME.key beside the authority's certificate. */
export async function issue(authority: Authority, folder: string, subject: Subject): Promise<KeyPair> {
  const { name, names = [] } = subject;
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const alternatives = names.map((value) => ({
    type: /^[\d.]+$/.test(value) ? ('ip' as const) : ('dns' as const),
    value,
  }));
  const certificate = await X509CertificateGenerator.create(
    {
      ...validity(),
      subject: subject.subject,
      issuer: authority.certificate.subject,
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: authority.key,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([
          names.length === 0 ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth,
        ]),
        ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(alternatives)]),
      ],
    },
    webcrypto,
  );
  const pair = { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
  writeFileSync(pair.certFile, certificate.toString('pem'));
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  writeFileSync(pair.keyFile, PemConverter.encode(key, 'PRIVATE KEY'), { mode: 0o600 });
  return pair;
}

function validity(): { serialNumber: string; notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return {
    // A leading 0 bit keeps the number positive (RFC 5280, 4.1.2.2).
    serialNumber: `0${randomBytes(16).toString('hex').slice(1)}`,
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + LIFE_MS),
  };
}
