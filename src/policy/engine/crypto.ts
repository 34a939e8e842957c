/** The hashing that builtins ask for, by Node. */
import { createHash, createHmac } from 'node:crypto';
import type { Crypto } from './builtins/builtin.ts';

export const nodeCrypto: Crypto = {
  digest: (algorithm, data) => createHash(algorithm).update(data).digest(),
  hmac: (algorithm, key, data) => createHmac(algorithm, key).update(data).digest(),
};
