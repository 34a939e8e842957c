/** The nodes of one document, from the events of js-yaml's parser; refuses what kubectl's parser reads otherwise. */
import {
  COLLECTION_STYLE,
  EVENT_ID,
  getScalarValue,
  SCALAR_STYLE,
  type Event,
  type ScalarEvent,
} from 'js-yaml';
import { Fault } from './error.ts';
import { parseSyntax, type Syntax } from './syntax.ts';

export interface ScalarNode {
  kind: 'scalar';
  text: string;
  /** the full name; '' without one */
  tag: string;
  plain: boolean;
  at: number;
}

export interface SequenceNode {
  kind: 'sequence';
  items: Node[];
  at: number;
}

export interface MappingNode {
  kind: 'mapping';
  /** key, value, key, value */
  items: Node[];
  at: number;
}

export interface AliasNode {
  kind: 'alias';
  name: string;
  target: Node;
  at: number;
}

export type Node = ScalarNode | SequenceNode | MappingNode | AliasNode;

/** libyaml: a key that is not announced by `?` ends within as many characters. */
const MAX_KEY = 1024;
/** Line breaks to YAML 1.1, ordinary characters to YAML 1.2. */
const ODD_BREAK = /[\u0085\u2028\u2029]/;
// The control characters that YAML forbids are what it is about.
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]|(?!^)\ufeff/;

/** undefined for a document without content. Throws Fault. */
export function parseDocument(text: string, maxDepth: number): Node | undefined {
  for (const [pattern, what] of [
    [FORBIDDEN, 'a control character'],
    [ODD_BREAK, 'a Unicode line break'],
  ] as const) {
    const match = pattern.exec(text);
    if (match !== null)
      throw new Fault(
        `${what} (${codePoint(match[0])}) must be escaped in a double-quoted string`,
        match.index,
      );
  }
  const syntax = parseSyntax(text, maxDepth);
  try {
    return new Builder(syntax).document();
  } catch (error) {
    throw error instanceof Fault ? new Fault(error.message, syntax.origin(error.at)) : error;
  }
}

function codePoint(char: string): string {
  return `U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}

interface Open {
  node: SequenceNode | MappingNode;
  flow: boolean;
}

class Builder {
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #origin: (offset: number) => number;
  readonly #anchors = new Map<string, Node>();
  readonly #open: Open[] = [];
  #root: Node | undefined;

  constructor({ text, events, origin }: Syntax) {
    this.#text = text;
    this.#events = events;
    this.#origin = origin;
  }

  document(): Node | undefined {
    for (const event of this.#events) {
      if (event.type === EVENT_ID.POP) {
        if (this.#open.pop() === undefined) break;
      } else if (event.type !== EVENT_ID.DOCUMENT) this.#add(event);
    }
    return this.#root;
  }

  #add(event: Exclude<Event, { type: typeof EVENT_ID.DOCUMENT | typeof EVENT_ID.POP }>): void {
    const node = this.#nodeOf(event);
    const parent = this.#open.at(-1)?.node;
    if (parent === undefined) this.#root = node;
    else parent.items.push(node);
    if (event.type === EVENT_ID.ALIAS) return;
    if (event.anchorStart !== -1) this.#anchors.set(this.#anchorName(event), node);
    if (event.type !== EVENT_ID.SCALAR && (node.kind === 'sequence' || node.kind === 'mapping'))
      this.#open.push({ node, flow: event.style === COLLECTION_STYLE.FLOW });
  }

  #nodeOf(event: Exclude<Event, { type: typeof EVENT_ID.DOCUMENT | typeof EVENT_ID.POP }>): Node {
    // A collection is what its syntax says: kubectl does not look at its tag.
    if (event.type === EVENT_ID.SEQUENCE)
      return { kind: 'sequence', items: [], at: this.#origin(event.start) };
    if (event.type === EVENT_ID.MAPPING) return { kind: 'mapping', items: [], at: this.#origin(event.start) };
    if (event.type === EVENT_ID.SCALAR) return this.#scalar(event);
    const name = this.#anchorName(event);
    const target = this.#anchors.get(name);
    if (target === undefined) throw new Fault(`there is no anchor &${name} before this`, event.anchorStart);
    return { kind: 'alias', name, target, at: this.#origin(event.anchorStart) };
  }

  #anchorName({ anchorStart, anchorEnd }: { anchorStart: number; anchorEnd: number }): string {
    const name = this.#text.slice(anchorStart, anchorEnd);
    if (!/^[0-9A-Za-z_-]+$/.test(name))
      throw new Fault('the name of an anchor consists of letters, digits, _ and -', anchorStart);
    return name;
  }

  #scalar(event: ScalarEvent): ScalarNode {
    const parent = this.#open.at(-1);
    if (parent?.flow === true && event.style === SCALAR_STYLE.PLAIN) this.#checkFlowScalar(event);
    if (event.style === SCALAR_STYLE.DOUBLE_QUOTED) this.#checkEscapes(event);
    if (isBlock(event)) this.#checkTabs(event);
    if (parent?.node.kind === 'mapping' && parent.node.items.length % 2 === 0) this.#checkKey(event);
    if (event.tagStart !== -1 && this.#text[event.tagEnd] === ',')
      throw new Fault('a space must stand between a tag and a comma', event.tagEnd);
    const tag = event.tagStart === -1 ? '' : this.#text.slice(event.tagStart, event.tagEnd);
    return {
      kind: 'scalar',
      text: getScalarValue(this.#text, event),
      tag: fullTag(tag),
      plain: event.style === SCALAR_STYLE.PLAIN,
      at: this.#origin(Math.max(event.valueStart, event.tagStart, event.anchorStart, 0)),
    };
  }

  /** Where a block scalar's indentation is found out, libyaml takes no tab. */
  #checkTabs({ valueStart, valueEnd }: ScalarEvent): void {
    const header = this.#text.slice(this.#text.lastIndexOf('\n', valueStart - 2) + 1, valueStart);
    if (/[|>][-+]?[1-9]/.test(header)) return;
    const first = this.#text.slice(valueStart, valueEnd).search(/[^ \r\n]/);
    if (first !== -1 && this.#text[valueStart + first] === '\t')
      throw new Fault('the first line of a block scalar must not begin with a tab', valueStart + first);
  }

  #checkKey(event: ScalarEvent): void {
    const { valueStart, valueEnd } = event;
    if (valueEnd - valueStart > MAX_KEY)
      throw new Fault(`a key of more than ${String(MAX_KEY)} characters`, valueStart);
    if (isBlock(event) || !/[\r\n]/.test(this.#text.slice(valueStart, valueEnd))) return;
    const behind = /["']?\s*:/y;
    behind.lastIndex = valueEnd;
    if (behind.test(this.#text)) throw new Fault('a key must stand on one line', valueStart);
  }

  /** Between brackets, YAML 1.2 gave `?` and `:` back to plain scalars; to kubectl they are indicators still. */
  #checkFlowScalar({ valueStart, valueEnd }: ScalarEvent): void {
    if (valueStart === -1) return;
    const raw = this.#text.slice(valueStart, valueEnd);
    const colon = /[ \t]*:[,[\]{}]/y;
    colon.lastIndex = valueEnd;
    const ambiguous = raw.includes('?') || raw.startsWith(':') || colon.test(this.#text);
    if (ambiguous) throw new Fault('a value with ? or : between brackets must stand in quotes', valueStart);
  }

  #checkEscapes({ valueStart, valueEnd }: ScalarEvent): void {
    const raw = this.#text.slice(valueStart, valueEnd);
    if (!raw.includes('\\')) return;
    for (const match of raw.matchAll(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|.)/gs)) {
      const at = valueStart + match.index;
      if (match[0] === '\\/') throw new Fault('YAML 1.1 has no escape \\/', at);
      // libyaml keeps the empty lines behind an escaped line break, YAML 1.2 drops them.
      if (/^\\\s*[\r\n][ \t]*[\r\n]/.test(raw.slice(match.index, match.index + MAX_KEY)))
        throw new Fault('an empty line must not follow an escaped line break', at);
      const code = parseInt(match[1] ?? match[2] ?? '0', 16);
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        throw new Fault(`${match[0]} is no Unicode character`, at);
    }
  }
}

function isBlock({ style }: ScalarEvent): boolean {
  return style === SCALAR_STYLE.LITERAL_BLOCK || style === SCALAR_STYLE.FOLDED_BLOCK;
}

function fullTag(raw: string): string {
  if (raw.startsWith('!<')) return decodeTag(raw.slice(2, -1));
  return decodeTag(raw.startsWith('!!') ? `tag:yaml.org,2002:${raw.slice(2)}` : raw);
}

function decodeTag(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
