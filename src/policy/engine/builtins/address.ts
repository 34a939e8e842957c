/** IP addresses and networks as Go's net package reads and prints them. */

/** All in 128 bits: 1.2.3.4 is ::ffff:1.2.3.4. */
export type Address = bigint;

export interface Network {
  /** as it was given: bits behind the prefix are not always cleared */
  address: Address;
  /** bits of the prefix, of 32 or 128 */
  prefix: number;
  bits: 32 | 128;
}

const MAPPED = 0xffffn << 32n;
const MAPPED_BITS = 96;
const ALL = (1n << 128n) - 1n;

export function isMapped(address: Address): boolean {
  return address >> 32n === 0xffffn;
}

/** Undefined when it is none. `familyBits` is how it was written, 32 for dotted. */
export function parseAddress(text: string): { address: Address; bits: 32 | 128 } | undefined {
  if (!text.includes(':')) {
    const dotted = parseDotted(text);
    return dotted === undefined ? undefined : { address: MAPPED | dotted, bits: 32 };
  }
  const address = parseColons(text);
  return address === undefined ? undefined : { address, bits: 128 };
}

function parseDotted(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  if (bytes.some((byte) => byte > 255)) return undefined;
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function parseColons(text: string): bigint | undefined {
  let source = text;
  const dots = /(?<=:)[0-9.]*\.[0-9.]*$/.exec(text)?.[0];
  if (dots !== undefined) {
    const dotted = parseDotted(dots);
    if (dotted === undefined) return undefined;
    const groups = [dotted >> 16n, dotted & 0xffffn].map((group) => group.toString(16));
    source = text.slice(0, -dots.length) + groups.join(':');
  }
  const [head = '', tail, ...more] = source.split('::');
  if (more.length > 0) return undefined;
  const [left, right] = [groupsOf(head), tail === undefined ? [] : groupsOf(tail)];
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.length - right.length;
  // Two colons stand for at least one group.
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...left, ...Array.from({ length: missing }, () => 0n), ...right].reduce(
    (sum, group) => (sum << 16n) | group,
    0n,
  );
}

function groupsOf(text: string): bigint[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  return groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))
    ? groups.map((group) => BigInt(`0x${group}`))
    : undefined;
}

/** `address` keeps its host bits; see `baseOf`. Undefined when it is none. */
export function parseNetwork(text: string): Network | undefined {
  const [, front = '', digits = ''] = /^([^/]*)\/([0-9]+)$/.exec(text) ?? [];
  const parsed = parseAddress(front);
  const prefix = Number(digits);
  if (parsed === undefined || digits === '' || prefix > parsed.bits) return undefined;
  return { address: parsed.address, prefix, bits: parsed.bits };
}

function hostBits({ prefix, bits }: Network): bigint {
  return BigInt(bits - prefix);
}

/** The first address. */
export function baseOf(network: Network): Address {
  const host = hostBits(network);
  return (network.address >> host) << host;
}

export function lastOf(network: Network): Address {
  return baseOf(network) | ((1n << hostBits(network)) - 1n);
}

/** Whether a network has an address: of the same family, and with its prefix. */
export function contains(network: Network, address: Address): boolean {
  if (isMapped(baseOf(network)) !== isMapped(address)) return false;
  const host = hostBits(network);
  return baseOf(network) >> host === address >> host;
}

export function printAddress(address: Address): string {
  if (isMapped(address)) {
    return [24n, 16n, 8n, 0n].map((shift) => String((address >> shift) & 0xffn)).join('.');
  }
  const groups = Array.from({ length: 8 }, (_none, at) =>
    ((address >> BigInt(16 * (7 - at))) & 0xffffn).toString(16),
  );
  const { start, length } = longestZeros(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [at, group] of groups.entries()) {
    length = group === '0' ? length + 1 : 0;
    if (length > best.length) best = { start: at - length + 1, length };
  }
  return best;
}

export function printNetwork(network: Network): string {
  const { address, prefix, bits } = network;
  const shown = isMapped(address) && bits === 128 ? prefix - MAPPED_BITS : prefix;
  return `${printAddress(address)}/${String(shown)}`;
}

/** The fewest networks that make up a range of addresses. */
export function networksOf(first: Address, last: Address): Network[] {
  const bits = isMapped(first) ? 32 : 128;
  const networks: Network[] = [];
  for (let address = first; address <= last;) {
    let host = 0n;
    // As large as the address is aligned to and the range has room for.
    while (
      host < BigInt(bits) &&
      (address & ((1n << (host + 1n)) - 1n)) === 0n &&
      address + (1n << (host + 1n)) - 1n <= last
    ) {
      host += 1n;
    }
    networks.push({ address, prefix: bits - Number(host), bits });
    address += 1n << host;
    if (address > ALL) break;
  }
  return networks;
}
