/** Public and private keys, RFC 5280, 5915, 5958 and 8017, as Go writes them in JSON, and as JSON Web Keys. */
import { type RegoValue, numberOf } from '../values.ts';
import { fail } from './builtin.ts';
import { base64Of, base64UrlOf } from './bytes.ts';
import {
  type Der,
  TAG,
  bitStringOf,
  context,
  expectTag,
  integerOf,
  membersOf,
  oidOf,
  only,
  unsigned,
} from './der.ts';
import type { PemBlock } from './pem.ts';
import { record } from './x509-names.ts';

const RSA = '1.2.840.113549.1.1.1';
const EC = '1.2.840.10045.2.1';
const ED25519 = '1.3.101.112';
const DSA = '1.2.840.10040.4.1';

interface Curve {
  name: string;
  /** of a coordinate */
  bytes: number;
  /** y² = x³ - 3x + b modulo p, SEC 2 */
  p: bigint;
  b: bigint;
}

const CURVES: Readonly<Record<string, Curve>> = {
  '1.3.132.0.33': {
    name: 'P-224',
    bytes: 28,
    p: 2n ** 224n - 2n ** 96n + 1n,
    b: 0xb4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4n,
  },
  '1.2.840.10045.3.1.7': {
    name: 'P-256',
    bytes: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  '1.3.132.0.34': {
    name: 'P-384',
    bytes: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
  '1.3.132.0.35': {
    name: 'P-521',
    bytes: 66,
    p: 2n ** 521n - 1n,
    b: 0x51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  },
};

export interface PublicKey {
  /** Go's number of the algorithm */
  algorithm: number;
  json: RegoValue;
}

/** Of a SubjectPublicKeyInfo. */
export function publicKeyOf(der: Der): PublicKey {
  const [identifier, bits] = membersOf(der);
  const [oid, parameters] = membersOf(identifier);
  const key = bitStringOf(bits);
  switch (oidOf(oid)) {
    case RSA: {
      const [modulus, exponent] = membersOf(only(key)).map((part) => integerOf(part));
      if (modulus === undefined || exponent === undefined || modulus <= 0n || exponent <= 0n)
        return fail('invalid RSA key');
      return { algorithm: 1, json: record({ N: numberOf(modulus), E: numberOf(exponent) }) };
    }
    case DSA: {
      const [P = 0n, Q = 0n, G = 0n] = membersOf(parameters).map((part) => integerOf(part));
      const domain = record({ P: numberOf(P), Q: numberOf(Q), G: numberOf(G) });
      return { algorithm: 2, json: record({ Parameters: domain, Y: numberOf(integerOf(only(key))) }) };
    }
    case EC:
      return { algorithm: 3, json: record({ Curve: record({}), ...pointOf(key, curveOf(parameters)) }) };
    case ED25519:
      if (key.length !== 32) return fail('wrong Ed25519 public key size');
      return { algorithm: 4, json: base64Of(key) };
    default:
      return { algorithm: 0, json: null };
  }
}

function curveOf(der: Der | undefined): Curve {
  return CURVES[oidOf(der)] ?? fail('unsupported elliptic curve');
}

function pointOf(bytes: Uint8Array, { bytes: size, p, b }: Curve): { X: RegoValue; Y: RegoValue } {
  const [x, y] = [unsigned(bytes.subarray(1, 1 + size)), unsigned(bytes.subarray(1 + size))];
  const uncompressed = bytes[0] === 4 && bytes.length === 1 + 2 * size;
  const onCurve = x < p && y < p && (x * x * x - 3n * x + b - y * y) % p === 0n;
  if (!uncompressed || !onCurve) return fail('failed to unmarshal elliptic curve point');
  return { X: numberOf(x), Y: numberOf(y) };
}

export interface PrivateKey {
  json: RegoValue;
  jwk: RegoValue;
  /** JSON of the public key that belongs to it */
  publicKey: RegoValue;
}

/** Undefined for a block of another type, which is passed over. Ed25519 keys are not read. */
export function privateKeyOf({ type, bytes }: PemBlock): PrivateKey | undefined {
  switch (type) {
    case 'RSA PRIVATE KEY':
      return rsaKeyOf(bytes);
    case 'EC PRIVATE KEY':
      return ecKeyOf(bytes, undefined);
    case 'PRIVATE KEY':
      return pkcs8KeyOf(bytes);
    default:
      return undefined;
  }
}

function pkcs8KeyOf(bytes: Uint8Array): PrivateKey {
  const [, identifier, key] = membersOf(only(bytes));
  const [oid, parameters] = membersOf(identifier);
  const inner = expectTag(key, TAG.octetString).content;
  switch (oidOf(oid)) {
    case RSA:
      return rsaKeyOf(inner);
    case EC:
      return ecKeyOf(inner, curveOf(parameters));
    default:
      return fail('unsupported private key');
  }
}

function rsaKeyOf(bytes: Uint8Array): PrivateKey {
  const numbers = membersOf(only(bytes)).map((part) => integerOf(part));
  const [version, N = 0n, E = 0n, D = 0n, p = 0n, q = 0n, dp = 0n, dq = 0n, qInverse = 0n] = numbers;
  if (version !== 0n || numbers.length !== 9) return fail('unsupported RSA private key');
  const consistent =
    p > 1n && q > 1n && p * q === N && (D * E - 1n) % (p - 1n) === 0n && (D * E - 1n) % (q - 1n) === 0n;
  if (!consistent) return fail('invalid RSA private key');
  const size = bytesOf(N).length;
  return {
    publicKey: record({ N: numberOf(N), E: numberOf(E) }),
    json: record({
      N: numberOf(N),
      E: numberOf(E),
      D: numberOf(D),
      Primes: [numberOf(p), numberOf(q)],
      Precomputed: record({ Dp: numberOf(dp), Dq: numberOf(dq), Qinv: numberOf(qInverse), CRTValues: [] }),
    }),
    jwk: record({
      kty: 'RSA',
      n: base64UrlOf(bytesOf(N, size)),
      e: base64UrlOf(bytesOf(E)),
      d: base64UrlOf(bytesOf(D)),
      p: base64UrlOf(bytesOf(p)),
      q: base64UrlOf(bytesOf(q)),
      dp: base64UrlOf(bytesOf(dp)),
      dq: base64UrlOf(bytesOf(dq)),
      qi: base64UrlOf(bytesOf(qInverse)),
    }),
  };
}

/** A key without its public half is not read: to compute it takes the curve. */
function ecKeyOf(bytes: Uint8Array, outer: Curve | undefined): PrivateKey {
  const [version, secret, ...optional] = membersOf(only(bytes));
  if (integerOf(version) !== 1n) return fail('unknown EC private key version');
  const tagged = (number: number): Der | undefined => {
    const tag = context(number, { constructed: true });
    const found = optional.find((one) => one.tag === tag);
    return found === undefined ? undefined : only(found.content);
  };
  const named = tagged(0);
  const curve = outer ?? curveOf(named);
  const point = pointOf(bitStringOf(tagged(1)), curve);
  const D = unsigned(expectTag(secret, TAG.octetString).content);
  const coordinate = (value: RegoValue): string =>
    typeof value === 'object' && value !== null && 'text' in value
      ? base64UrlOf(bytesOf(BigInt(value.text), curve.bytes))
      : '';
  const publicKey = { Curve: record({}), ...point };
  return {
    publicKey: record(publicKey),
    json: record({ ...publicKey, D: numberOf(D) }),
    jwk: record({
      kty: 'EC',
      crv: curve.name,
      d: base64UrlOf(bytesOf(D, curve.bytes)),
      x: coordinate(point.X),
      y: coordinate(point.Y),
    }),
  };
}

function bytesOf(value: bigint, size = 0): Uint8Array {
  const hex = value.toString(16);
  const even = hex.padStart(Math.max(2 * size, hex.length + (hex.length % 2)), '0');
  return Uint8Array.from(even.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
