/** Chains of certificates up to a root, RFC 5280 section 6, with the rules of Go's crypto/x509. */
import { type Address, parseAddress } from './address.ts';
import type { Crypto } from './builtin.ts';
import { base64Of } from './bytes.ts';
import { type Subtrees, addressNumber } from './x509-names.ts';
import { parseUri } from './uri.ts';
import type { Certificate } from './x509-certificate.ts';

export interface Verification {
  /** ms since the epoch */
  now: number;
  /** what the leaf is to be valid for: a name, an address, or nothing */
  dnsName: string;
  /** Go's numbers of extended usages; 0 is any */
  usages: readonly number[];
}

const SIGNS_CERTIFICATES = 1 << 5;
const SHA1_AND_OLDER = [1, 2, 3, 7, 9];
const ANY_USAGE = 0;

/** From the leaf to the root; undefined when there is none. The first is the root, the last the leaf. */
export function verifiedChain(
  certificates: readonly Certificate[],
  crypto: Crypto,
  wanted: Verification,
): Certificate[] | undefined {
  const [root, leaf] = [certificates[0], certificates.at(-1)];
  if (root === undefined || leaf === undefined || certificates.length < 2) return undefined;
  if (!isUsable(leaf, [], wanted.now)) return undefined;
  if (wanted.dnsName !== '' && !bears(leaf, wanted.dnsName)) return undefined;
  const between = certificates.slice(1, -1);
  const chains = same(leaf, root) ? [[leaf]] : chainsFrom([leaf], { root, between, crypto, now: wanted.now });
  const usages = wanted.usages.length === 0 ? [1] : wanted.usages;
  return chains.find((chain) => usages.includes(ANY_USAGE) || allows(chain, usages));
}

interface Search {
  root: Certificate;
  between: readonly Certificate[];
  crypto: Crypto;
  now: number;
}

function chainsFrom(chain: readonly Certificate[], search: Search): Certificate[][] {
  const child = chain.at(-1);
  if (child === undefined) return [];
  const found: Certificate[][] = [];
  for (const parent of [search.root, ...search.between]) {
    const isRoot = parent === search.root;
    if (base64Of(parent.subject) !== base64Of(child.issuer) || chain.some((one) => same(one, parent)))
      continue;
    if (!signedBy(child, parent, search.crypto) || !mayStand(parent, isRoot, chain, search.now)) continue;
    if (isRoot) found.push([...chain, parent]);
    else found.push(...chainsFrom([...chain, parent], search));
  }
  return found;
}

function same(a: Certificate, b: Certificate): boolean {
  return base64Of(a.raw) === base64Of(b.raw);
}

function signedBy(child: Certificate, parent: Certificate, crypto: Crypto): boolean {
  const { authority, keyUsage } = parent.extensions;
  if ((parent.version === 3 && authority === undefined) || authority === false) return false;
  if (keyUsage !== 0 && (keyUsage & SIGNS_CERTIFICATES) === 0) return false;
  if (child.signatureAlgorithm === 0 || SHA1_AND_OLDER.includes(child.signatureAlgorithm)) return false;
  return crypto.verify(child.signatureAlgorithm, parent.key, child.body, child.signature);
}

/** As an authority above a chain. */
function mayStand(parent: Certificate, isRoot: boolean, chain: readonly Certificate[], now: number): boolean {
  if (!isRoot && parent.extensions.authority !== true) return false;
  return isUsable(parent, chain, now);
}

function isUsable(
  { extensions, notBefore, notAfter }: Certificate,
  below: readonly Certificate[],
  now: number,
): boolean {
  const { unhandledCritical, constraints, maxPathLength, authority } = extensions;
  if (unhandledCritical.length > 0 || now < notBefore || now >= notAfter + 1000) return false;
  if (authority !== undefined && maxPathLength >= 0 && below.length - 1 > maxPathLength) return false;
  return below.every(
    (certificate) =>
      within(certificate, constraints.permitted, true) && within(certificate, constraints.excluded, false),
  );
}

/** Whether all names are in the permitted subtrees of their kind, or none in the excluded ones. */
function within({ extensions: { names } }: Certificate, subtrees: Subtrees, permitted: boolean): boolean {
  const holds = <T>(list: readonly T[], trees: readonly unknown[], matches: (one: T) => boolean): boolean =>
    trees.length === 0 || list.every((one) => matches(one) === permitted);
  const hosts = names.uris.map((uri) => parseUri(uri)?.hostname ?? '');
  return (
    holds(names.dns, subtrees.dns, (name) => subtrees.dns.some((tree) => inDomain(name, tree, true))) &&
    holds(hosts, subtrees.uris, (host) => subtrees.uris.some((tree) => inDomain(host, tree, false))) &&
    holds(names.emails, subtrees.emails, (email) =>
      subtrees.emails.some((tree) => inMailboxes(email, tree)),
    ) &&
    holds(names.addresses, subtrees.ranges, (address) =>
      subtrees.ranges.some(
        (range) =>
          range.address.length === address.length &&
          range.address.every((byte, at) => byte === ((address[at] ?? 0) & (range.mask[at] ?? 0))),
      ),
    )
  );
}

/** `.example.com` is what is below example.com; without the point it is that too, and for DNS names itself. */
function inDomain(name: string, tree: string, bare: boolean): boolean {
  const [domain, constraint] = [name.toLowerCase().replace(/\.$/, ''), tree.toLowerCase()];
  if (constraint === '') return true;
  if (constraint.startsWith('.')) return domain.endsWith(constraint);
  return domain === constraint || (bare && domain.endsWith(`.${constraint}`));
}

function inMailboxes(email: string, tree: string): boolean {
  if (tree.includes('@')) return email.toLowerCase() === tree.toLowerCase();
  return inDomain(email.slice(email.lastIndexOf('@') + 1), tree, false);
}

/** Each certificate that restricts usages has to leave one of those that are asked for. */
function allows(chain: readonly Certificate[], usages: readonly number[]): boolean {
  return (
    [...chain].reverse().reduce<readonly number[]>((left, { extensions }) => {
      const { extendedUsages, unknownUsages } = extensions;
      if (extendedUsages.length === 0 && unknownUsages.length === 0) return left;
      return extendedUsages.includes(ANY_USAGE)
        ? left
        : left.filter((usage) => extendedUsages.includes(usage));
    }, usages).length > 0
  );
}

function bears({ extensions: { names } }: Certificate, host: string): boolean {
  const literal = host.replace(/^\[(.*)\]$/, '$1');
  const address: Address | undefined = parseAddress(literal)?.address;
  if (address !== undefined) return names.addresses.some((bytes) => addressNumber(bytes) === address);
  return names.dns.some((name) => matchesHost(name, host));
}

/** A star stands for the whole first label. */
function matchesHost(name: string, host: string): boolean {
  const [patterns, labels] = [name, host].map((text) => text.toLowerCase().replace(/\.$/, '').split('.'));
  if (patterns?.length !== labels?.length || labels === undefined || labels.includes('')) return false;
  return labels.every((label, at) => patterns?.[at] === label || (at === 0 && patterns?.[0] === '*'));
}
