/** The hashing and the public-key arithmetic that builtins ask for, by Node. */
import { constants, createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import type { Crypto } from './builtins/builtin.ts';

/** By the numbers of Go's x509.SignatureAlgorithm: hash, and whether the padding is PSS. Without a hash it is Ed25519. */
const SIGNATURES: ReadonlyMap<number, { hash: string | null; pss: boolean }> = new Map([
  [4, { hash: 'sha256', pss: false }],
  [5, { hash: 'sha384', pss: false }],
  [6, { hash: 'sha512', pss: false }],
  [10, { hash: 'sha256', pss: false }],
  [11, { hash: 'sha384', pss: false }],
  [12, { hash: 'sha512', pss: false }],
  [13, { hash: 'sha256', pss: true }],
  [14, { hash: 'sha384', pss: true }],
  [15, { hash: 'sha512', pss: true }],
  [16, { hash: null, pss: false }],
]);
/** Elliptic curves; the others are of RSA. */
const ECDSA = [10, 11, 12];

export const nodeCrypto: Crypto = {
  digest: (algorithm, data) => createHash(algorithm).update(data).digest(),
  hmac: (algorithm, key, data) => createHmac(algorithm, key).update(data).digest(),
  verify(algorithm, der, data, signature) {
    const method = SIGNATURES.get(algorithm);
    if (method === undefined) return false;
    try {
      const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
      const type = method.hash === null ? 'ed25519' : ECDSA.includes(algorithm) ? 'ec' : 'rsa';
      if (key.asymmetricKeyType !== type) return false;
      const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
      return verify(method.hash, data, { key, ...(method.pss ? pss : {}) }, signature);
    } catch {
      // A key that OpenSSL does not read signs nothing.
      return false;
    }
  },
};
