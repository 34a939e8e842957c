/** Names as apimachinery/pkg/util/validation knows them. Each function gives what is wrong, or nothing. */

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const NAME_PART = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const bytes = new TextEncoder();

/** Lengths of names are counted in bytes. */
function longer(text: string, most: number): string[] {
  return bytes.encode(text).length > most ? [`must be no more than ${String(most)} bytes`] : [];
}

function unmatched(text: string, pattern: RegExp, message: string): string[] {
  return pattern.test(text) ? [] : [message];
}

export const SUBDOMAIN_ACCEPTED =
  "lower case letters, digits, '-' and '.', starting and ending with a letter or digit, at most 253";
export const LABEL_ACCEPTED =
  "lower case letters, digits and '-', starting and ending with a letter or digit, at most 63";
export const QUALIFIED_ACCEPTED =
  "at most 63 letters, digits, '-', '_' and '.', starting and ending with a letter or digit; a DNS subdomain and '/' may stand before";

export function subdomainProblems(name: string): string[] {
  return [...longer(name, 253), ...unmatched(name, SUBDOMAIN, 'is not a DNS subdomain (RFC 1123)')];
}

export function labelProblems(name: string): string[] {
  return [...longer(name, 63), ...unmatched(name, LABEL, 'is not a DNS label (RFC 1123)')];
}

export function label1035Problems(name: string): string[] {
  return [...longer(name, 63), ...unmatched(name, LABEL_1035, 'is not a DNS label (RFC 1035)')];
}

export function labelValueProblems(value: string): string[] {
  return [...longer(value, 63), ...unmatched(value, LABEL_VALUE, 'is not a label value')];
}

/** A prefix for a generated name: what is added after it may mend its end. */
export function prefixOf(name: string): string {
  return name.endsWith('-') && name.length > 1 ? `${name.slice(0, -1)}a` : name;
}

export function qualifiedNameProblems(name: string): string[] {
  const parts = name.split('/');
  if (parts.length > 2) return ['has more than one slash'];
  const part = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  return [
    ...(prefix === undefined ? [] : prefix === '' ? ['has an empty prefix'] : subdomainProblems(prefix)),
    ...(part === '' ? ['has an empty name'] : longer(part, 63)),
    ...unmatched(part, NAME_PART, 'is not a qualified name'),
  ];
}
