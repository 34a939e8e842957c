/** net.cidr_*: what OPA's Wasm runtime has not. */
import { type RegoSet, type RegoValue, isArray, numberOf, setOf } from '../values.ts';
import {
  type Address,
  type Network,
  baseOf,
  contains,
  isMapped,
  lastOf,
  networksOf,
  parseAddress,
  parseNetwork,
  printAddress,
  printNetwork,
} from './address.ts';
import { type Family, fail, isObject, isSet, membersOf, stringOf } from './builtin.ts';

/** Bits of the addresses of a network that is written out: more would not fit into a module's memory. */
const LARGEST = 20;

export const net: Family = {
  'net.cidr_contains_matches': ([networks = null, others = null]) => containsMatches(networks, others),
  'net.cidr_expand': ([network]) => expand(networkOf(network)),
  'net.cidr_is_valid': ([network]) => typeof network === 'string' && parseNetwork(network) !== undefined,
  'net.cidr_merge': ([networks]) => merge(membersOf(networks).map(mergeable)),
};

function networkOf(value: RegoValue | undefined): Network {
  return parseNetwork(stringOf(value)) ?? fail('invalid CIDR address');
}

/** Pairs of the indexes, keys or members of what contains and what is contained. */
function containsMatches(networks: RegoValue, others: RegoValue): RegoSet {
  const pairs: RegoValue[] = [];
  for (const [index, network] of indexed(networks)) {
    for (const [otherIndex, other] of indexed(others)) {
      if (hasAll(networkOf(network), stringOf(other))) pairs.push([index, otherIndex]);
    }
  }
  return setOf(pairs);
}

/** A network as it is, or the first of an array that carries more; by its place, itself, or its key. */
function indexed(value: RegoValue): [index: RegoValue, network: RegoValue][] {
  if (typeof value === 'string') return [[value, value]];
  if (isArray(value)) return value.map((item, at) => [numberOf(at), firstOf(item)]);
  if (isSet(value)) return value.items.map((item) => [item, firstOf(item)]);
  return isObject(value) ? value.entries.map(([key, item]) => [key, firstOf(item)]) : [];
}

function firstOf(value: RegoValue): RegoValue {
  if (typeof value === 'string') return value;
  const [first] = isArray(value) ? value : [];
  return first ?? fail('element must be string or non-empty array');
}

function hasAll(network: Network, text: string): boolean {
  const single = parseAddress(text);
  if (single !== undefined) return contains(network, single.address);
  const other = networkOf(text);
  const [base, otherBase] = [baseOf(network), baseOf(other)];
  if (network.bits === 128 && other.bits === 128 && !isMapped(base) && !isMapped(otherBase)) {
    const host = BigInt(128 - network.prefix);
    return network.prefix <= other.prefix && base >> host === otherBase >> host;
  }
  return contains(network, otherBase) && contains(network, lastOf(other));
}

function expand(network: Network): RegoSet {
  const host = network.bits - network.prefix;
  if (host > LARGEST) throw new RangeError(`no memory for the 2^${String(host)} addresses of a network`);
  const base = baseOf(network);
  const addresses = Array.from({ length: 2 ** host }, (_none, at) => printAddress(base + BigInt(at)));
  return setOf(addresses);
}

/** An IPv4 address alone stands for the network of its class. */
function mergeable(value: RegoValue): Network {
  const text = stringOf(value);
  const single = parseAddress(text);
  if (single === undefined) {
    const network = networkOf(value);
    return { ...network, address: baseOf(network) };
  }
  if (!isMapped(single.address)) return fail('IPv6 invalid: needs prefix length');
  const first = Number((single.address >> 24n) & 0xffn);
  return { address: single.address, prefix: first < 0x80 ? 8 : first < 0xc0 ? 16 : 24, bits: 32 };
}

interface Range {
  first: Address;
  last: Address;
  /** undefined once it was merged with another */
  network: Network | undefined;
}

/** From the end, each range with the one before it where they touch or overlap. */
function merge(networks: readonly Network[]): RegoSet {
  const ranges = networks
    .map((network): Range => ({ first: baseOf(network), last: lastOf(network), network }))
    .sort((a, b) => compare(a.last, b.last) || compare(a.first, b.first));
  const merged: Range[] = [];
  for (const before of ranges.reverse()) {
    const range = merged.at(-1);
    if (range === undefined || previous(range.first) > before.last) merged.push(before);
    else {
      range.first = before.first < range.first ? before.first : range.first;
      range.network = undefined;
    }
  }
  const texts = merged.flatMap(({ first, last, network }) =>
    (network === undefined ? networksOf(first, last) : [network]).map(printNetwork),
  );
  return setOf(texts);
}

/** There is none before 0.0.0.0 and before ::. */
function previous(address: Address): Address {
  return address === 0n || address === 0xffffn << 32n ? address : address - 1n;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}
