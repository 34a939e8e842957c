/** What a case says must be found, and whether it was. */
import { RE2JS } from 're2js';
import { cut, plain } from '../verdict.ts';

/** `yes`: at least one; `no`: none; a number: exactly that many */
export type Count = 'yes' | 'no' | number;

export interface Expectation {
  violations: Count;
  /** an RE2 expression; only messages in which it is found count */
  message?: string | undefined;
}

const MAX_SHOWN = 5;
const MAX_MESSAGE = 300;

/** Why the expectation does not hold of these messages; undefined when it does. */
export function unmet({ violations, message }: Expectation, messages: readonly string[]): string | undefined {
  const pattern = message === undefined ? undefined : compiled(message);
  if (typeof pattern === 'string') return pattern;
  const found = messages.filter((text) => pattern === undefined || pattern.matcher(text).find()).length;
  const holds = violations === 'yes' ? found > 0 : violations === 'no' ? found === 0 : found === violations;
  if (holds) return undefined;
  const like = message === undefined ? '' : ` whose message matches ${JSON.stringify(message)}`;
  return `expected ${wanted(violations)}${like}, found ${String(found)}${among(messages, message !== undefined)}`;
}

function compiled(pattern: string): RE2JS | string {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `message ${JSON.stringify(pattern)} is no RE2 expression: ${why}`;
  }
}

function wanted(violations: Count): string {
  if (violations === 'yes') return 'a violation';
  if (violations === 'no') return 'no violation';
  return violations === 1 ? 'exactly 1 violation' : `exactly ${String(violations)} violations`;
}

function among(messages: readonly string[], selective: boolean): string {
  if (messages.length === 0) return '';
  const shown = messages.slice(0, MAX_SHOWN).map((text) => JSON.stringify(cut(plain(text), MAX_MESSAGE)));
  const rest = messages.length - shown.length;
  const more = rest === 0 ? '' : ` and ${String(rest)} more`;
  return `${selective ? `; all ${String(messages.length)}` : ''}: ${shown.join(', ')}${more}`;
}
