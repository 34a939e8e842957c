/**
 * The events of js-yaml's parser, for the texts that kubectl's parser takes: where YAML 1.2 wants the lines of a flow
 * collection or a quoted scalar indented deeper than what surrounds it, libyaml does not look at indentation at all, and
 * people do close a bracket at the margin. Such lines are moved to the right, which changes no value.
 */
import { parseEvents, YAMLException, type Event } from 'js-yaml';
import { Fault } from './error.ts';
import { endOfQuoted } from './quotes.ts';

export interface Syntax {
  /** what the events' offsets count in */
  text: string;
  events: Event[];
  /** the offset in the text as it was given */
  origin: (offset: number) => number;
}

const SHALLOW = 'deficient indentation';
/** Each round reads the text again and moves one level of brackets; bounds their product, in UTF-16 units. */
const MAX_WORK = 2 ** 24;
const FIRST_SHIFT = 16;
const MAX_SHIFT = 2 ** 12;

/** Throws Fault. */
export function parseSyntax(given: string, maxDepth: number): Syntax {
  const shifts = new Shifts(given);
  for (let work = given.length; ; work += 2 * given.length) {
    const text = shifts.text();
    try {
      return { text, events: parseEvents(text, { maxDepth }), origin: (offset) => shifts.origin(offset) };
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error;
      const at = error.mark?.position ?? 0;
      const mendable = error.reason === SHALLOW && work < MAX_WORK;
      if (mendable && shifts.add(shallowLines(text, at, maxDepth))) continue;
      throw new Fault(reasonOf(error, maxDepth), shifts.origin(at));
    }
  }
}

function reasonOf({ reason }: YAMLException, maxDepth: number): string {
  if (reason === SHALLOW)
    return 'between brackets or quotes, lines must be indented deeper than what surrounds them, with spaces';
  return reason.startsWith('nesting exceeded') ? `nested more than ${String(maxDepth)} levels deep` : reason;
}

/** A text with spaces put at the beginning of some of its lines. */
class Shifts {
  readonly #given: string;
  /** line start in the given text -> spaces */
  readonly #spaces = new Map<number, number>();
  /** ascending by line; `added`: spaces before this line */
  #sorted: { start: number; spaces: number; added: number }[] = [];

  constructor(given: string) {
    this.#given = given;
  }

  /** Moves lines, given by their starts in `text()`; those moved before further. false: none can be moved any more. */
  add(starts: readonly number[]): boolean {
    const origins = starts.map((start) => this.origin(start));
    const movable = origins.filter((start) => (this.#spaces.get(start) ?? 0) < MAX_SHIFT);
    for (const start of movable) this.#spaces.set(start, (this.#spaces.get(start) ?? FIRST_SHIFT / 4) * 4);
    let added = 0;
    this.#sorted = [...this.#spaces]
      .sort(([a], [b]) => a - b)
      .map(([start, spaces]) => {
        const shift = { start, spaces, added };
        added += spaces;
        return shift;
      });
    return movable.length > 0;
  }

  text(): string {
    const parts: string[] = [];
    let from = 0;
    for (const { start, spaces } of this.#sorted) {
      parts.push(this.#given.slice(from, start), ' '.repeat(spaces));
      from = start;
    }
    return parts.join('') + this.#given.slice(from);
  }

  /** The offset in the given text. */
  origin(offset: number): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const shift = this.#sorted[middle];
      if (shift !== undefined && shift.start + shift.added < offset) low = middle + 1;
      else high = middle;
    }
    const shift = this.#sorted[low - 1];
    return shift === undefined ? offset : Math.max(shift.start, offset - shift.added - shift.spaces);
  }
}

/** The starts of the lines from the one at `at` to the end of the quoted scalar, or of the level of brackets, there. */
function shallowLines(text: string, at: number, maxDepth: number): number[] {
  const first = lineStart(text, at);
  // Without the line's end, which the parser would take for another line that is not indented.
  const quote = openQuote(text.slice(0, first).replace(/[\s\\]+$/, ''), maxDepth);
  if (quote === undefined) return [];
  const end = quote === '' ? endOfLevel(text, first) : (endOfQuoted(text, first, quote) ?? text.length);
  const starts = [first];
  const lineBreak = /\r\n|\r|\n/g;
  lineBreak.lastIndex = first;
  for (let found = lineBreak.exec(text); found !== null && found.index < end; found = lineBreak.exec(text))
    starts.push(lineBreak.lastIndex);
  return starts;
}

function lineStart(text: string, at: number): number {
  return at === 0 ? 0 : Math.max(text.lastIndexOf('\n', at - 1), text.lastIndexOf('\r', at - 1)) + 1;
}

/** What is open at the end of a text: a quote, '' for brackets; undefined for neither. */
function openQuote(text: string, maxDepth: number): '"' | "'" | '' | undefined {
  try {
    parseEvents(text, { maxDepth });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    if (error.reason.endsWith('a double quoted scalar')) return '"';
    if (error.reason.endsWith('a single quoted scalar')) return "'";
    // With a comment at the margin before its end.
    if (error.reason.endsWith('a flow collection') || error.reason === SHALLOW) return '';
  }
  return undefined;
}

/** The bracket that closes the innermost level open at `from`; quotes and comments hide brackets. */
function endOfLevel(text: string, from: number): number {
  const token = /[[{\]}]|(?<![^\s[{,:])["']|(?<!\S)#[^\r\n]*/g;
  token.lastIndex = from;
  let depth = 0;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const [first] = found[0];
    if (first === '[' || first === '{') depth += 1;
    else if (first === ']' || first === '}') depth -= 1;
    else if (first === '"' || first === "'")
      token.lastIndex = endOfQuoted(text, token.lastIndex, first) ?? text.length;
    if (depth < 0) return found.index;
  }
  return text.length;
}
