/** What the value of a rule's entry point means: the violations, in words, bounded. */
import type { PolicyRule } from './policyrule/types.gen.ts';

export type Entrypoint = 'violation' | 'deny' | 'warn' | 'allow';

/** The order in which a module is searched for the rule that gives its verdict. */
export const ENTRYPOINTS: readonly Entrypoint[] = ['violation', 'deny', 'warn', 'allow'];

export interface Violation {
  message: string;
  details?: unknown;
}

export interface RuleWords {
  name: string;
  /** stands in where the Rego code gives no message */
  violationMessage?: string | undefined;
}

export function wordsOf({ metadata, spec }: PolicyRule): RuleWords {
  return { name: metadata.name, violationMessage: spec.violationMessage };
}

/** More than anybody reads, far less than fills etcd or an HTTP header. */
const MAX_VIOLATIONS = 50;
const MAX_MESSAGE = 2_048;
const MAX_DETAILS = 4_096;

/**
 * `raw` is the document at the entry point, undefined when it has no value. `violation`, `deny` and `warn` list what is
 * wrong (objects with msg and details, or strings); `allow` must be true. `most`: those beyond are only counted.
 */
export function violationsOf(
  raw: unknown,
  entrypoint: Entrypoint,
  rule: RuleWords,
  most = MAX_VIOLATIONS,
): Violation[] {
  const found = entrypoint === 'allow' ? ofAllow(raw, rule) : ofDenial(raw, rule);
  const distinct = new Map<string, Violation>();
  for (const { message, details } of found) {
    const violation = bounded(message, details);
    distinct.set(JSON.stringify(violation), violation);
  }
  const all = [...distinct.values()];
  if (all.length <= most) return all;
  const rest = all.length - most + 1;
  return [...all.slice(0, most - 1), { message: `and ${String(rest)} more violations of ${rule.name}` }];
}

/** Fails closed: only true, or a non-empty collection of what is allowed, allows. */
function ofAllow(raw: unknown, rule: RuleWords): Violation[] {
  const allows = typeof raw === 'object' && raw !== null ? Object.keys(raw).length > 0 : raw === true;
  return allows ? [] : [{ message: rule.violationMessage ?? `${rule.name} does not allow this` }];
}

function ofDenial(raw: unknown, rule: RuleWords): Violation[] {
  if (raw === undefined || raw === null || raw === false || raw === '') return [];
  if (Array.isArray(raw)) return (raw as unknown[]).map((member) => ofMember(member, rule));
  if (typeof raw !== 'object') return [ofMember(raw, rule)];
  if (isMessage(raw)) return [ofMember(raw, rule)];
  // deny[msg] = details: a partial object, keyed by message.
  return Object.entries(raw as Record<string, unknown>).map(([message, details]) => ({ message, details }));
}

function ofMember(member: unknown, rule: RuleWords): Violation {
  if (typeof member === 'string' && member !== '') return { message: member };
  if (typeof member !== 'object' || member === null || Array.isArray(member)) {
    return { message: rule.violationMessage ?? `${rule.name} is violated` };
  }
  const { msg, message = msg, details } = member as Record<string, unknown>;
  const words = msg ?? message;
  return {
    message: asText(words) ?? rule.violationMessage ?? `${rule.name} is violated`,
    ...(details === undefined ? {} : { details }),
  };
}

function isMessage(value: object): boolean {
  return Object.hasOwn(value, 'msg') || Object.hasOwn(value, 'message') || Object.hasOwn(value, 'details');
}

function asText(words: unknown): string | undefined {
  if (typeof words === 'string') return words === '' ? undefined : words;
  return words === undefined || words === null ? undefined : JSON.stringify(words);
}

function bounded(message: string, details: unknown): Violation {
  const text = cut(plain(message), MAX_MESSAGE);
  if (details === undefined || isEmptyRecord(details)) return { message: text };
  const size = JSON.stringify(details).length;
  return {
    message: text,
    details: size <= MAX_DETAILS ? details : { omitted: `${String(size)} characters` },
  };
}

function isEmptyRecord(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  );
}

/** Control characters break terminals and the Warning header; a lone surrogate breaks the JSON of the answer. */
export function plain(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.toWellFormed().replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}

export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}
