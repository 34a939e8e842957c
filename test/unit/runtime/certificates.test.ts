/** Rotation by a clock of ours, judged by OpenSSL's own verification: no moment at which a handshake would fail. */
import { describe, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import {
  caBundleOf,
  decideCertificates,
  renew,
  type Bundle,
  type CertificateDecision,
} from '../../../src/runtime/certificates.ts';

const NAMES = ['hook.ns.svc', '127.0.0.1', '::1'];
const T0 = Date.parse('2026-01-01T00:00:00Z');
const MINUTE = 60_000;
const DAY = 86_400_000;
const first: CertificateDecision = { action: 'renewCa', why: 'first' };

const fresh = (): Promise<Bundle> => renew(undefined, first, NAMES, T0);

/** One look of a replica. */
async function look(bundle: Bundle, now: number, names = NAMES) {
  const decision = decideCertificates(bundle, names, now);
  return { decision, bundle: await renew(bundle, decision, names, now) };
}

function certificatesOf(text: string): X509Certificate[] {
  return [...text.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)].map(
    ([pem]) => new X509Certificate(pem),
  );
}

/** Whether somebody who trusts `published` accepts the leaf that is served. */
function trusted(served: Bundle, published: string): boolean {
  const leaf = new X509Certificate(served.cert);
  const authorities = certificatesOf(Buffer.from(published, 'base64').toString('utf8'));
  return authorities.some((authority) => leaf.checkIssued(authority) && leaf.verify(authority.publicKey));
}

describe('a first bundle', () => {
  it('has a CA and a leaf of it for every name, ECDSA, usable by a server', async () => {
    const bundle = await fresh();
    const leaf = new X509Certificate(bundle.cert);
    expect(trusted(bundle, caBundleOf(bundle))).toBe(true);
    expect(leaf.checkHost('hook.ns.svc')).toBe('hook.ns.svc');
    expect([leaf.checkIP('127.0.0.1'), leaf.checkIP('::1')]).toEqual(['127.0.0.1', '::1']);
    expect(leaf.publicKey.asymmetricKeyType).toBe('ec');
    expect(leaf.ca).toBe(false);
    expect(new X509Certificate(bundle.caCert).ca).toBe(true);
    expect(leaf.checkPrivateKey((await import('node:crypto')).createPrivateKey(bundle.key))).toBe(true);
  });

  it('is valid for an API server whose clock is behind', async () => {
    const bundle = await fresh();
    for (const pem of [bundle.cert, bundle.caCert])
      expect(Date.parse(new X509Certificate(pem).validFrom)).toBeLessThanOrEqual(T0 - 30 * MINUTE);
  });

  it('is kept while nothing is due', async () => {
    const bundle = await fresh();
    const later = await look(bundle, T0 + 59 * DAY);
    expect(later.decision).toEqual({ action: 'keep' });
    expect(later.bundle).toBe(bundle);
  });
});

describe('the decision', () => {
  it.each([
    ['keep', 59 * DAY, NAMES],
    ['renewLeaf', 61 * DAY, NAMES],
    ['renewLeaf', 0, [...NAMES, 'other.ns.svc']],
    ['renewCa', 2_500 * DAY, NAMES],
    // A clock that was a year ahead when they were made.
    ['renewCa', -365 * DAY, NAMES],
  ] as const)('is %s after %d ms', async (action, after, names) => {
    expect(decideCertificates(await fresh(), names, T0 + after).action).toBe(action);
  });

  it('is to start anew where there is nothing, or nothing that can be read', async () => {
    const bundle = await fresh();
    expect(decideCertificates(undefined, NAMES, T0).action).toBe('renewCa');
    for (const broken of [
      { ...bundle, cert: 'x' },
      { ...bundle, caCert: '' },
    ])
      expect(decideCertificates(broken, NAMES, T0)).toMatchObject({ action: 'renewCa' });
  });

  it('is to replace a leaf that is of another CA', async () => {
    const other = await renew(undefined, first, NAMES, T0 + 1);
    const { cert, key } = other;
    expect(decideCertificates({ ...(await fresh()), cert, key }, NAMES, T0 + 2).action).toBe('renewLeaf');
  });
});

describe('a new leaf', () => {
  it('is of the same CA: who trusts it need not be told', async () => {
    const bundle = await fresh();
    const { bundle: renewed } = await look(bundle, T0 + 61 * DAY);
    expect(renewed.cert).not.toBe(bundle.cert);
    expect(caBundleOf(renewed)).toBe(caBundleOf(bundle));
    expect(trusted(renewed, caBundleOf(bundle))).toBe(true);
  });
});

describe('a new CA', () => {
  it('is published before a leaf of it is served, and the old one for as long as its leaf may be', async () => {
    const due = T0 + 2_500 * DAY;
    // As it is then: the leaf has been renewed often, last ten days ago.
    const before = await renew(await fresh(), { action: 'renewLeaf', why: 'test' }, NAMES, due - 10 * DAY);
    let bundle = before;
    let published = caBundleOf(before);
    const actions: string[] = [];
    for (let minute = 0; minute < 15; minute += 1) {
      const now = due + minute * MINUTE;
      const next = await look(bundle, now);
      if (next.decision.action !== 'keep') actions.push(`${String(minute)} ${next.decision.action}`);
      // A replica serves it at once; the API server goes by what it was told two minutes before.
      expect(trusted(next.bundle, published)).toBe(true);
      if (minute % 2 === 1) published = caBundleOf(next.bundle);
      bundle = next.bundle;
      // A replica that has not looked yet still serves the old leaf.
      expect(trusted(before, caBundleOf(bundle))).toBe(true);
    }
    expect(actions).toEqual(['0 renewCa', '5 renewLeaf']);
    expect(new X509Certificate(bundle.cert).checkIssued(new X509Certificate(bundle.caCert))).toBe(true);
    expect(decideCertificates(bundle, NAMES, due + DAY)).toEqual({ action: 'keep' });
  });

  it('comes with a leaf of its own at once when nobody can verify the old one any more', async () => {
    const expired = T0 + 4_000 * DAY;
    const { bundle } = await look(await fresh(), expired);
    expect(new X509Certificate(bundle.cert).checkIssued(new X509Certificate(bundle.caCert))).toBe(true);
    expect(decideCertificates(bundle, NAMES, expired + MINUTE)).toEqual({ action: 'keep' });
  });

  it('does not publish what cannot be read: the API server would refuse the whole configuration', async () => {
    const { bundle } = await look({ ...(await fresh()), caCert: 'garbage' }, T0);
    expect(bundle.previousCa).toBeUndefined();
    expect(certificatesOf(Buffer.from(caBundleOf(bundle), 'base64').toString('utf8'))).toHaveLength(1);
    expect(trusted(bundle, caBundleOf(bundle))).toBe(true);
  });
});
