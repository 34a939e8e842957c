/** IP addresses and networks as Go's net and net/netip read them. */

export interface Ip {
  family: 4 | 6;
  value: bigint;
}

export interface Cidr extends Ip {
  bits: number;
}

interface Options {
  /** leading zeros in IPv4 octets are read as decimal digits */
  sloppy?: boolean;
}

function parseIp4(text: string, sloppy: boolean): bigint | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  let value = 0n;
  for (const octet of octets) {
    if (!(sloppy ? /^\d+$/ : /^(0|[1-9]\d{0,2})$/).test(octet) || Number(octet) > 255) return undefined;
    value = (value << 8n) | BigInt(octet);
  }
  return value;
}

function parseIp6(text: string, sloppy: boolean): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : groupsOf(half, sloppy)));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...Array<bigint>(missing).fill(0n), ...(tail ?? [])].reduce(
    (value, group) => (value << 16n) | group,
    0n,
  );
}

/** 16-bit groups; an IPv4 address at the end stands for two. */
function groupsOf(text: string, sloppy: boolean): bigint[] | undefined {
  const words = text.split(':');
  const groups: bigint[] = [];
  for (const [at, word] of words.entries()) {
    if (word.includes('.') && at === words.length - 1) {
      const ip4 = parseIp4(word, sloppy);
      if (ip4 === undefined) return undefined;
      groups.push(ip4 >> 16n, ip4 & 0xffffn);
    } else if (/^[0-9a-f]{1,4}$/i.test(word)) groups.push(BigInt(`0x${word}`));
    else return undefined;
  }
  return groups;
}

/** No zones. An IPv4 address in IPv6 clothes (::ffff:1.2.3.4) is an IPv6 address here. */
export function parseIp(text: string, { sloppy = false }: Options = {}): Ip | undefined {
  const family = text.includes(':') ? 6 : 4;
  const value = family === 6 ? parseIp6(text, sloppy) : parseIp4(text, sloppy);
  return value === undefined ? undefined : { family, value };
}

export function parseCidr(text: string, options: Options = {}): Cidr | undefined {
  const slash = text.indexOf('/');
  const ip = slash < 0 ? undefined : parseIp(text.slice(0, slash), options);
  const length = text.slice(slash + 1);
  if (ip === undefined || !(options.sloppy === true ? /^\d+$/ : /^(0|[1-9]\d*)$/).test(length))
    return undefined;
  const bits = Number(length);
  return bits <= widthOf(ip) ? { ...ip, bits } : undefined;
}

export function widthOf({ family }: Ip): number {
  return family === 4 ? 32 : 128;
}

/** The network's first address. */
export function masked(cidr: Cidr): Cidr {
  const host = BigInt(widthOf(cidr) - cidr.bits);
  return { ...cidr, value: (cidr.value >> host) << host };
}

/** Whether the address lies in the network. */
export function contains(cidr: Cidr, ip: Ip): boolean {
  return cidr.family === ip.family && masked({ ...ip, bits: cidr.bits }).value === masked(cidr).value;
}

export function isMappedIp4({ family, value }: Ip): boolean {
  return family === 6 && value >> 32n === 0xffffn;
}

/** The one spelling of RFC 5952. */
export function ipText({ family, value }: Ip): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join('.');
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16),
  );
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (groups[start + length] === '0') length += 1;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return groups.join(':');
  const end = best.start + best.length;
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(end).join(':')}`;
}

const inRange = (ip: Ip, family: 4 | 6, network: string): boolean => {
  const cidr = parseCidr(network);
  return ip.family === family && cidr !== undefined && contains(cidr, ip);
};

export const isLoopback = (ip: Ip): boolean => inRange(ip, 4, '127.0.0.0/8') || inRange(ip, 6, '::1/128');
export const isUnspecified = ({ value }: Ip): boolean => value === 0n;
export const isLinkLocalUnicast = (ip: Ip): boolean =>
  inRange(ip, 4, '169.254.0.0/16') || inRange(ip, 6, 'fe80::/10');
export const isMulticast = (ip: Ip): boolean => inRange(ip, 4, '224.0.0.0/4') || inRange(ip, 6, 'ff00::/8');
/** Scope 2 of IPv6, whatever its flags. */
export const isLinkLocalMulticast = (ip: Ip): boolean =>
  inRange(ip, 4, '224.0.0.0/24') || (inRange(ip, 6, 'ff00::/8') && ((ip.value >> 112n) & 0xfn) === 2n);
export const isGlobalUnicast = (ip: Ip): boolean =>
  !isUnspecified(ip) &&
  !isLoopback(ip) &&
  !isMulticast(ip) &&
  !isLinkLocalUnicast(ip) &&
  !(ip.family === 4 && ip.value === 0xffffffffn);
