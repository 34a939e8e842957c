/**
 * The webhook's own certificate authority and leaf, kept in a Secret that the replicas share.
 *
 * `decideCertificates` is pure. The CA and the leaf expire on their own and are looked at on their own. A new CA is
 * published beside the old one for as long as a leaf of the old one may still be served: no request is refused.
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Client } from './client.ts';
import { sleep, type Clock, type Instant } from './clock.ts';
import { isApiError, messageOf } from './errors.ts';
import type { Log } from './log.ts';
import type { Unstructured } from './resource.ts';
import { SECRET } from './core-types.ts';

const DAY_MS = 86_400_000;
const CA_LIFE_MS = 3650 * DAY_MS;
const LEAF_LIFE_MS = 90 * DAY_MS;
/** Clocks of API servers may be behind ours. */
const BACKDATE_MS = 3_600_000;
const LOOK_MS = 60_000;
/**
 * A new CA is published this long before a leaf of it is served: every replica has looked, the leader has written the
 * webhook configuration, and the API servers have read it.
 */
const PUBLISH_MS = 5 * LOOK_MS;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** PEM texts: what is served, and what the API server must trust. */
export interface ServingCertificate {
  caCert: string;
  /** the CA before this one, published until its last leaf is gone */
  previousCa?: string;
  cert: string;
  key: string;
}

/** With the CA's key, as the Secret holds it. */
export interface Bundle extends ServingCertificate {
  caKey: string;
}

export type CertificateDecision =
  { action: 'keep' } | { action: 'renewLeaf'; why: string } | { action: 'renewCa'; why: string };

/** Renewed when a third of the life is left, or when a name is missing. */
export function decideCertificates(
  bundle: Bundle | undefined,
  names: readonly string[],
  now: Instant,
): CertificateDecision {
  if (bundle === undefined) return { action: 'renewCa', why: 'there is none' };
  try {
    const ca = new X509Certificate(bundle.caCert);
    const leaf = new X509Certificate(bundle.cert);
    if (inLastThird(ca, now))
      return { action: 'renewCa', why: `the CA expires at ${ca.notAfter.toISOString()}` };
    const unpublished = isOf(leaf, bundle.previousCa, now) && isYoung(ca, now);
    if (!unpublished && leaf.issuer !== ca.subject)
      return { action: 'renewLeaf', why: 'the certificate is of another CA' };
    if (!unpublished && inLastThird(leaf, now))
      return { action: 'renewLeaf', why: `the certificate expires at ${leaf.notAfter.toISOString()}` };
    const missing = names.filter((name) => !namesOf(leaf).includes(name));
    if (missing.length > 0)
      return { action: 'renewLeaf', why: `the certificate lacks ${missing.join(', ')}` };
    return { action: 'keep' };
  } catch (error) {
    return { action: 'renewCa', why: `the Secret holds no certificate: ${messageOf(error)}` };
  }
}

/** Whether the leaf can still be verified by that CA. */
function isOf(leaf: X509Certificate, ca: string | undefined, now: Instant): boolean {
  if (ca === undefined) return false;
  try {
    const issuer = new X509Certificate(ca);
    return leaf.issuer === issuer.subject && isValid(issuer, now) && isValid(leaf, now);
  } catch {
    return false;
  }
}

function isValid(certificate: X509Certificate, now: Instant): boolean {
  return now >= certificate.notBefore.getTime() && now < certificate.notAfter.getTime();
}

function isYoung(ca: X509Certificate, now: Instant): boolean {
  return now < ca.notBefore.getTime() + BACKDATE_MS + PUBLISH_MS;
}

function inLastThird(certificate: X509Certificate, now: Instant): boolean {
  const from = certificate.notBefore.getTime();
  const to = certificate.notAfter.getTime();
  return now < from || now > to - (to - from) / 3;
}

function namesOf(certificate: X509Certificate): string[] {
  const extension = certificate.getExtension(SubjectAlternativeNameExtension);
  return extension?.names.items.map((item) => item.value) ?? [];
}

/** What the API server is to trust: the CA, and the one before it while its leaves may still be served. */
export function caBundleOf(bundle: ServingCertificate): string {
  return Buffer.from([bundle.caCert, bundle.previousCa ?? ''].join('\n').trim() + '\n').toString('base64');
}

/** Carries a decision out. `names`: DNS names and IP addresses of the leaf. */
export async function renew(
  bundle: Bundle | undefined,
  decision: CertificateDecision,
  names: readonly string[],
  now: Instant,
): Promise<Bundle> {
  if (decision.action === 'keep' && bundle !== undefined) return bundle;
  if (decision.action === 'renewLeaf' && bundle !== undefined)
    return { ...bundle, ...(await makeLeaf(bundle, names, now)) };
  const ca = await makeCa(now);
  // What does not parse must not be published: the API server would refuse the whole configuration.
  if (bundle === undefined || !parses(bundle.caCert)) return { ...ca, ...(await makeLeaf(ca, names, now)) };
  const { caCert: previousCa, cert, key } = bundle;
  // Nobody trusts the new CA yet: the old leaf is served on where somebody can still verify it.
  const leaf = parses(cert) && isOf(new X509Certificate(cert), previousCa, now);
  return { ...ca, previousCa, ...(leaf ? { cert, key } : await makeLeaf(ca, names, now)) };
}

function parses(certificate: string): boolean {
  try {
    return new X509Certificate(certificate).subject !== '';
  } catch {
    return false;
  }
}

async function makeCa(now: Instant): Promise<Pick<Bundle, 'caCert' | 'caKey'>> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serial(),
      // The name tells one CA from the next: a leaf is matched with its issuer by it.
      name: `CN=cogniforge-webhook-ca-${String(now)}`,
      notBefore: new Date(now - BACKDATE_MS),
      notAfter: new Date(now + CA_LIFE_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    },
    webcrypto,
  );
  return { caCert: certificate.toString('pem'), caKey: await pemOf(keys.privateKey) };
}

async function makeLeaf(
  ca: Pick<Bundle, 'caCert' | 'caKey'>,
  names: readonly string[],
  now: Instant,
): Promise<Pick<Bundle, 'cert' | 'key'>> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const caKey = PemConverter.decodeFirst(ca.caKey);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', caKey, ALGORITHM, false, ['sign']);
  const [commonName = 'cogniforge'] = names;
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: serial(),
      subject: `CN=${commonName.slice(0, 60)}`,
      issuer: new X509Certificate(ca.caCert).subject,
      notBefore: new Date(now - BACKDATE_MS),
      notAfter: new Date(now + LEAF_LIFE_MS),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(
          names.map((value) => ({ type: /^[0-9.]+$|:/.test(value) ? 'ip' : 'dns', value })),
        ),
      ],
    },
    webcrypto,
  );
  return { cert: certificate.toString('pem'), key: await pemOf(keys.privateKey) };
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

/** 127 random bits; the first is 0 so that the number is positive. */
function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return Buffer.from(bytes).toString('hex');
}

interface Secret extends Unstructured {
  data?: Record<string, string>;
}

export interface KeeperOptions {
  client: Client;
  namespace: string;
  secretName: string;
  names: readonly string[];
  clock: Clock;
  log: Log;
  /** what this replica serves: where the Secret was deleted, its CA is still published beside the new one */
  served?: Bundle | undefined;
}

/**
 * The bundle in force, renewed when due; a deleted Secret asks for a new CA and a new leaf. Replicas that start together race for one Secret: the loser of a create or
 * update reads what the winner wrote, so all of them serve leaves of one CA.
 */
export async function currentBundle(options: KeeperOptions, signal?: AbortSignal): Promise<Bundle> {
  const { client, namespace, secretName, names, clock, log, served } = options;
  const reading = signal === undefined ? {} : { signal };
  for (;;) {
    const secret = await client.get<Secret>(SECRET, { name: secretName, namespace }, reading).catch(absent);
    const bundle = secret === undefined ? undefined : bundleOf(secret);
    const decision = decideCertificates(bundle, names, clock.now());
    if (decision.action === 'keep' && bundle !== undefined) return bundle;
    log.info('renewing the webhook certificate', {
      secret: secretName,
      action: decision.action,
      why: 'why' in decision ? decision.why : '',
    });
    const renewed = await replacement(bundle, served, decision, names, clock.now());
    const object = secretOf(renewed, secretName, namespace, secret);
    try {
      await (secret === undefined
        ? client.create(SECRET, object, { signal })
        : client.update(SECRET, object, { signal }));
      return renewed;
    } catch (error) {
      if (!isApiError(error, 'conflict', 'alreadyExists')) throw error;
    }
  }
}

/**
 * What takes the place of a Secret that is not to be kept. Where nothing can be read in it, what is served tells the CA
 * that must stay published; a rotation that is under way is gone on with, or the CA of that leaf would be forgotten.
 */
function replacement(
  bundle: Bundle | undefined,
  served: Bundle | undefined,
  decision: CertificateDecision,
  names: readonly string[],
  now: Instant,
): Promise<Bundle> | Bundle {
  if (bundle !== undefined && parses(bundle.caCert)) return renew(bundle, decision, names, now);
  const underWay = served !== undefined && isOf(new X509Certificate(served.cert), served.previousCa, now);
  return underWay ? served : renew(served ?? bundle, decision, names, now);
}

/** Looks at `current` every minute, and hands on what changed. Never throws. */
export async function keepCertificates(
  current: (signal: AbortSignal) => Promise<ServingCertificate>,
  { clock, log }: { clock: Clock; log: Log },
  first: ServingCertificate,
  onChange: (bundle: ServingCertificate) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let known = first;
  for (;;) {
    await sleep(clock, LOOK_MS, signal);
    if (signal.aborted) return;
    try {
      const bundle = await current(signal);
      if (bundle.cert !== known.cert || bundle.caCert !== known.caCert) await onChange(bundle);
      known = bundle;
    } catch (error) {
      if (isApiError(error, 'aborted')) return;
      log.warn('the webhook certificate could not be looked at', { error: messageOf(error) });
    }
  }
}

function absent(error: unknown): undefined {
  if (isApiError(error, 'notFound')) return undefined;
  throw error;
}

function bundleOf({ data = {} }: Secret): Bundle | undefined {
  const text = (key: string): string | undefined => {
    const value = data[key];
    return value === undefined || value === '' ? undefined : Buffer.from(value, 'base64').toString('utf8');
  };
  const [caCert, caKey, cert, key, previousCa] = [
    text('ca.crt'),
    text('ca.key'),
    text('tls.crt'),
    text('tls.key'),
    text('ca-previous.crt'),
  ];
  if (caCert === undefined || caKey === undefined || cert === undefined || key === undefined)
    return undefined;
  return { caCert, caKey, cert, key, ...(previousCa === undefined ? {} : { previousCa }) };
}

function secretOf(
  bundle: Bundle,
  name: string,
  namespace: string,
  before: Secret | undefined,
): Secret & { metadata: { name: string } } {
  const encode = (text: string | undefined): string => Buffer.from(text ?? '').toString('base64');
  const { resourceVersion } = before?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: {
      name,
      namespace,
      labels: { 'app.kubernetes.io/name': 'cogniforge' },
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    data: {
      'ca.crt': encode(bundle.caCert),
      'ca.key': encode(bundle.caKey),
      'ca-previous.crt': encode(bundle.previousCa),
      'tls.crt': encode(bundle.cert),
      'tls.key': encode(bundle.key),
    },
  };
}
