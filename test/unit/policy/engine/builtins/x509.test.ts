/** crypto.x509.*, crypto.parse_private_keys against the real opa, over certificates that are made here. */
import 'reflect-metadata';
import * as asn1x509 from '@peculiar/x509';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, type webcrypto } from 'node:crypto';
import { hostBuiltins } from '../../../../../src/policy/engine/builtins/index.ts';
import { nodeCrypto } from '../../../../../src/policy/engine/crypto.ts';
import { numberOf, setOf, type RegoValue } from '../../../../../src/policy/engine/values.ts';
import { seeded } from '../../../random.ts';
import { pick } from '../../rego-values.ts';
import { SEED, call, expectSame, type Call } from './both.ts';

interface Issued {
  certificate: asn1x509.X509Certificate;
  keys: webcrypto.CryptoKeyPair;
}

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};
const NOW = Date.parse('2026-01-01T00:00:00Z');
const { ExtendedKeyUsageExtension, BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags } = asn1x509;

let serial = 100;

async function issue(
  subject: string | asn1x509.JsonName,
  issuer: Issued | undefined,
  extensions: asn1x509.Extension[],
  algorithm: webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams = EC,
): Promise<Issued> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  serial += 1;
  const certificate = await asn1x509.X509CertificateGenerator.create({
    serialNumber: serial.toString(16).padStart(4, '0'),
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore: new Date('2025-06-01T00:00:00Z'),
    notAfter: new Date(subject === 'CN=leaf far' ? '2060-06-01T00:00:00Z' : '2049-06-01T00:00:00Z'),
    publicKey: keys.publicKey,
    signingKey: issuer?.keys.privateKey ?? keys.privateKey,
    signingAlgorithm: {
      ...(issuer?.keys.privateKey.algorithm ?? algorithm),
      hash: 'SHA-256',
    } as webcrypto.EcdsaParams,
    extensions,
  });
  return { certificate, keys };
}

function authority(pathLength?: number): asn1x509.Extension[] {
  const usage = new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true);
  return [new BasicConstraintsExtension(true, pathLength, true), usage];
}

const CLIENT = '1.3.6.1.5.5.7.3.2';
const SERVER = '1.3.6.1.5.5.7.3.1';

/** A certificate authority, one below it, and leaves of several kinds. */
async function family(): Promise<Record<string, Issued>> {
  const root = await issue(
    [
      { CN: ['Root'] },
      { O: ['Acme'] },
      { O: ['Labs'] },
      { C: ['DE'] },
      { ST: ['Hesse'] },
      { L: ['Here'] },
      { OU: ['x'] },
      { '2.5.4.5': ['77'] },
    ],
    undefined,
    authority(1),
  );
  const middle = await issue(
    [{ CN: ['Middle é'] }, { '2.5.4.9': ['a'] }, { '2.5.4.17': ['12345'] }],
    root,
    authority(0),
  );
  const names = new asn1x509.SubjectAlternativeNameExtension([
    { type: 'dns', value: 'a.example.com' },
    { type: 'dns', value: '*.b.example.com' },
    { type: 'ip', value: '10.1.2.3' },
    { type: 'ip', value: '2001:db8::1' },
    { type: 'email', value: 'me@example.com' },
    { type: 'url', value: 'spiffe://example.com/a%20b?x=1#f' },
  ]);
  const leaf = await issue('CN=leaf far', middle, [
    names,
    new ExtendedKeyUsageExtension([SERVER, CLIENT, '1.2.3.4.5'], false),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.decipherOnly),
    await asn1x509.SubjectKeyIdentifierExtension.create(middle.keys.publicKey),
    await asn1x509.AuthorityKeyIdentifierExtension.create(middle.keys.publicKey),
    new asn1x509.CertificatePolicyExtension(['2.23.140.1.2.1', '1.3.6.1.4.1.99999999999.1']),
    new asn1x509.CRLDistributionPointsExtension(['http://crl.example.com/a']),
    new asn1x509.AuthorityInfoAccessExtension({
      ocsp: 'http://ocsp.example.com',
      caIssuers: 'http://ca.example.com',
    }),
    new asn1x509.Extension('1.2.3.4', false, new Uint8Array([5, 0])),
  ]);
  const client = await issue('CN=client', middle, [new ExtendedKeyUsageExtension([CLIENT])], RSA);
  const critical = await issue('CN=critical', middle, [
    new asn1x509.Extension('1.2.3.4', true, new Uint8Array([5, 0])),
  ]);
  const tooDeep = await issue('CN=deep', await issue('CN=Sub', middle, authority()), []);
  const plain = await issue('CN=plain', root, []);
  const underPlain = await issue('CN=under', plain, []);
  const rsaRoot = await issue('CN=RSA Root', undefined, authority(), RSA);
  const underRsa = await issue('CN=a.example.com', rsaRoot, [names]);
  return { root, middle, leaf, client, critical, tooDeep, plain, underPlain, rsaRoot, underRsa };
}

let issued: Record<string, Issued>;

beforeAll(async () => {
  asn1x509.cryptoProvider.set(crypto);
  issued = await family();
});

function pem(...names: string[]): string {
  return names.map((name) => `${issued[name]?.certificate.toString('pem') ?? ''}\n`).join('');
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function object(fields: Record<string, RegoValue>): RegoValue {
  return { type: 'object', entries: Object.entries(fields) };
}

describe('x509', () => {
  it('certificates, and what has gone bad', async () => {
    const random = seeded(SEED);
    const names = Object.keys(issued);
    const der = Buffer.from(issued['leaf']?.certificate.rawData ?? new ArrayBuffer());
    const broken = Array.from({ length: 150 }, () => {
      const bytes = Buffer.from(der);
      bytes[Math.floor(random() * 400)] = pick(random, [0, 1, 2, 0x30, 0x7f, 0x80, 0xff]);
      return bytes.toString('base64');
    });
    const texts = [
      ...names.map((name) => pem(name)),
      pem(...names),
      base64(pem('root', 'leaf')),
      der.toString('base64'),
      Buffer.concat([der, der]).toString('base64'),
      der.subarray(0, 100).toString('base64'),
      `text before\n${pem('root')}`,
      `${pem('root')}text behind`,
      pem('root').replaceAll('CERTIFICATE', 'OTHER'),
      '',
      'foobar',
      '!',
    ];
    const calls = [...texts, ...broken].map((text) => call('crypto.x509.parse_certificates', text));
    await expectSame(calls, names.length);
  });

  it('chains', async () => {
    const chains = [
      ['root', 'middle', 'leaf'],
      ['root', 'leaf'],
      ['middle', 'leaf'],
      ['leaf', 'middle', 'root'],
      ['root', 'root'],
      ['root'],
      ['root', 'middle', 'client'],
      ['root', 'middle', 'critical'],
      ['root', 'middle', 'tooDeep'],
      ['root', 'plain', 'underPlain'],
      ['rsaRoot', 'underRsa'],
      ['rsaRoot', 'middle', 'leaf'],
      ['root', 'rsaRoot', 'middle', 'leaf'],
    ];
    const options: Record<string, RegoValue>[] = [
      {},
      { DNSName: 'a.example.com' },
      { DNSName: 'x.b.example.com' },
      { DNSName: 'x.y.b.example.com' },
      { DNSName: '10.1.2.3' },
      { DNSName: '[2001:db8::1]' },
      { KeyUsages: ['KeyUsageClientAuth'] },
      { KeyUsages: setOf(['KeyUsageAny']) },
      { KeyUsages: ['KeyUsageCodeSigning', 'KeyUsageServerAuth'] },
      { KeyUsages: ['nonsense'] },
      { CurrentTime: numberOf(BigInt(NOW) * 1_000_000n) },
      { CurrentTime: numberOf(0) },
      { CurrentTime: 'now' },
      { MaxConstraintComparisons: numberOf(10) },
      { other: true },
    ];
    const calls: Call[] = chains.flatMap((names) => [
      call('crypto.x509.parse_and_verify_certificates', pem(...names)),
      ...options.map((one) =>
        call('crypto.x509.parse_and_verify_certificates_with_options', pem(...names), object(one)),
      ),
    ]);
    const bad = ['', 'foobar', pem('root').replaceAll('CERTIFICATE', 'X')];
    await expectSame([
      ...calls,
      ...bad.map((text) => call('crypto.x509.parse_and_verify_certificates', text)),
    ]);
  });

  it('takes the time of the review', () => {
    const verify = hostBuiltins.get('crypto.x509.parse_and_verify_certificates');
    const at = (nowMs: number): RegoValue | undefined =>
      (verify?.([pem('root', 'middle', 'leaf')], { nowMs, crypto: nodeCrypto }) as RegoValue[])[0];
    expect([at(NOW), at(0), at(Date.parse('2055-01-01T00:00:00Z'))]).toEqual([true, false, false]);
  });

  it('requests', async () => {
    const keys = await crypto.subtle.generateKey(EC, true, ['sign', 'verify']);
    const made = async (extensions: asn1x509.Extension[]): Promise<string> => {
      const request = await asn1x509.Pkcs10CertificateRequestGenerator.create({
        name: 'CN=request, O=Acme',
        keys,
        signingAlgorithm: EC,
        extensions,
        attributes: [new asn1x509.ChallengePasswordAttribute('secret')],
      });
      return `${request.toString('pem')}\n`;
    };
    const names = new asn1x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'a.b' }]);
    const texts = [await made([]), await made([names, new BasicConstraintsExtension(true, 2, true)])];
    const all = [...texts, ...texts.map(base64), '', 'foobar', 'YmFk', pem('root')];
    await expectSame(
      all.map((text) => call('crypto.x509.parse_certificate_request', text)),
      4,
    );
  });

  it('private keys', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const curves = ['P-256', 'P-384', 'P-521'].map(
      (namedCurve) => generateKeyPairSync('ec', { namedCurve }).privateKey,
    );
    const text = (key: typeof rsa, type: 'pkcs1' | 'pkcs8' | 'sec1'): string =>
      key.export({ type, format: 'pem' } as { type: 'pkcs8'; format: 'pem' }) as string;
    const texts = [
      text(rsa, 'pkcs1'),
      text(rsa, 'pkcs8'),
      ...curves.flatMap((key) => [text(key, 'sec1'), text(key, 'pkcs8')]),
      text(rsa, 'pkcs1') + text(rsa, 'pkcs8'),
      `-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n`,
      '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n',
      '',
      'foobar',
      'plain text!',
    ];
    const all = [...texts, ...texts.map(base64)];
    await expectSame(
      all.flatMap((one) => [
        call('crypto.x509.parse_rsa_private_key', one),
        call('crypto.parse_private_keys', one),
      ]),
      20,
    );
  });

  it('pairs', async () => {
    const { certificate, keys } = issued['client'] ?? (await issue('CN=none', undefined, []));
    const other = issued['leaf'];
    const text = async (key: webcrypto.CryptoKey): Promise<string> => {
      const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64');
      return `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
    };
    const client = await text(keys.privateKey);
    const leaf = other === undefined ? '' : await text(other.keys.privateKey);
    const der = Buffer.from(certificate.rawData).toString('base64');
    const pairs: [string, string][] = [
      [pem('client'), client],
      [pem('client', 'middle'), client],
      [base64(pem('client')), base64(client)],
      [der, client],
      [pem('leaf'), leaf],
      [pem('leaf'), client],
      [pem('client'), ''],
      ['', client],
    ];
    await expectSame(
      pairs.map(([chain, key]) => call('crypto.x509.parse_keypair', chain, key)),
      5,
    );
  });
});
