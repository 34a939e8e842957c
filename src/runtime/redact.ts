/** What must never be read in a log: credentials by the names they travel under, and by what they look like. */
import { messageOf } from './errors.ts';
import { isRawJson } from './json.ts';

const CENSORED = '[redacted]';

/** Compared without case, dashes, dots and underscores: `client-key-data`, `tls.key` and `clientKeyData` are one. */
const NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'token',
  'accesstoken',
  'idtoken',
  'refreshtoken',
  'bearertoken',
  'password',
  'passwd',
  'apikey',
  'clientsecret',
  'clientkey',
  'clientkeydata',
  'privatekey',
  'tlskey',
  'cakey',
  // Of a Secret; of a ConfigMap too, which is no loss.
  'data',
  'stringdata',
  'binarydata',
]);

/** Each with what is kept of it. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{4,}/gi, `$1 ${CENSORED}`],
  // A JSON Web Token: two parts of JSON in base64url begin with {".
  [/\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]*/g, CENSORED],
  [/-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]*?(-----END \1PRIVATE KEY-----|$)/g, CENSORED],
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${CENSORED}@`],
  [
    /\b(token|password|client-key-data|clientSecret|api[_-]?key)("?\s*[:=]\s*"?)[^\s"',;&}]+/gi,
    `$1$2${CENSORED}`,
  ],
];

const DEEPEST = 8;
/** Longer ones are cut before they are searched: a log line is not a file. */
const LONGEST = 32_768;

export function redactText(text: string): string {
  const short = text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
  return SHAPES.reduce((left, [shape, kept]) => left.replace(shape, kept), short);
}

/** A copy fit for a log; whatever comes in, it never throws: cycles, depth and getters are bounded. */
export function redact(value: unknown, path: readonly object[] = []): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (path.length >= DEEPEST) return '[too deep]';
  if (path.includes(value)) return '[circular]';
  if (value instanceof Error) return redactText(messageOf(value));
  const inside = [...path, value];
  try {
    if (Array.isArray(value)) return value.map((item: unknown) => redact(item, inside));
    if (value instanceof Date || isRawJson(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, isSecret(name) ? CENSORED : redact(item, inside)]),
    );
  } catch (error) {
    return `[not shown: ${redactText(messageOf(error))}]`;
  }
}

function isSecret(name: string): boolean {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  // The annotation of `kubectl apply` holds the whole object, Secrets included.
  return NAMES.has(plain) || plain.endsWith('lastappliedconfiguration');
}
