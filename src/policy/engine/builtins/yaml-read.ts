/**
 * YAML as OPA reads it: the first document of a text, of which all have to be well-formed. The syntax is js-yaml's, the
 * meaning that of go.yaml.in/yaml/v3 with OPA's leniency: the last of equal keys wins.
 */
import {
  EVENT_ID,
  SCALAR_STYLE,
  YAMLException,
  getScalarValue,
  parseEvents,
  type AliasEvent,
  type Event,
  type MappingEvent,
  type ScalarEvent,
  type SequenceEvent,
} from 'js-yaml';
import type { RegoValue } from '../values.ts';
import { fail } from './builtin.ts';
import { bytesOfBase64, textOf } from './bytes.ts';
import { formatFloat } from './go-float.ts';
import { noSpec } from './go-spec.ts';
import { type Scalar, floatNumber, resolveScalar } from './yaml-scalar.ts';

const MAX_DEPTH = 1_000;
/** Nodes of a document with its aliases written out: more is a trick, and no memory has room for it. */
const MAX_NODES = 1_000_000;

interface ListNode {
  kind: 'sequence' | 'mapping';
  /** in a mapping key, value, key, value */
  items: Node[];
}

type Node = { kind: 'scalar'; scalar: Scalar } | ListNode | { kind: 'alias'; target: Node };

/** Throws Failure. */
export function readYaml(text: string): RegoValue {
  const events = eventsOf(text);
  const root = rootOf(text, events);
  return root === undefined ? null : new Composer().value(root);
}

function eventsOf(text: string): Event[] {
  try {
    return parseEvents(text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    return error instanceof YAMLException ? fail(error.reason) : raise(error);
  }
}

function raise(error: unknown): never {
  throw error;
}

type NodeEvent = ScalarEvent | SequenceEvent | MappingEvent | AliasEvent;

/** Of the first document; the others are only looked at by the parser. */
function rootOf(text: string, events: readonly Event[]): Node | undefined {
  const open: ListNode[] = [];
  const anchors = new Map<string, Node>();
  let root: Node | undefined;
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) {
      const newer = event.directives.some((one) => one.kind === 'yaml' && one.version !== '1.1');
      if (newer) fail('found incompatible YAML document');
      continue;
    }
    if (event.type === EVENT_ID.POP) {
      if (open.pop() === undefined) break;
      continue;
    }
    const node = nodeOf(text, event, anchors);
    const parent = open.at(-1);
    if (parent === undefined) root = node;
    else parent.items.push(node);
    if (event.type === EVENT_ID.ALIAS) continue;
    if (event.anchorStart >= 0) anchors.set(text.slice(event.anchorStart, event.anchorEnd), node);
    if (node.kind === 'sequence' || node.kind === 'mapping') open.push(node);
  }
  return root;
}

function nodeOf(text: string, event: NodeEvent, anchors: ReadonlyMap<string, Node>): Node {
  switch (event.type) {
    case EVENT_ID.SEQUENCE:
      return { kind: 'sequence', items: [] };
    case EVENT_ID.MAPPING:
      return { kind: 'mapping', items: [] };
    case EVENT_ID.SCALAR:
      return { kind: 'scalar', scalar: scalarOf(text, event) };
    case EVENT_ID.ALIAS: {
      const target = anchors.get(text.slice(event.anchorStart, event.anchorEnd));
      return { kind: 'alias', target: target ?? fail('unknown anchor') };
    }
  }
}

const CORE = /^(?:!!|!<tag:yaml\.org,2002:)(null|bool|int|float|str|binary|timestamp)>?$/;

function scalarOf(source: string, event: ScalarEvent): Scalar {
  const text = getScalarValue(source, event);
  const string: Scalar = { type: 'str', value: text, text };
  const tag = event.tagStart < 0 ? '' : source.slice(event.tagStart, event.tagEnd);
  const plain = resolveScalar(text);
  if (tag === '') return event.style === SCALAR_STYLE.PLAIN ? plain : string;
  const type = CORE.exec(tag)?.[1];
  switch (type) {
    case undefined:
    case 'str':
      return string;
    case 'binary':
      return {
        ...string,
        value: textOf(bytesOfBase64(text) ?? fail('!!binary value contains invalid base64 data')),
      };
    case 'float':
      if (plain.type === 'int') return { type: 'float', value: Number(numberText(plain)), text };
      break;
    default:
  }
  return plain.type === type ? plain : fail(`cannot decode ${text} as a !!${type}`);
}

function numberText({ value }: Scalar): string {
  return typeof value === 'object' && value !== null && 'text' in value ? value.text : '';
}

class Composer {
  readonly #aliases = new Set<Node>();
  #nodes = 0;

  value(node: Node): RegoValue {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) fail('document contains excessive aliasing');
    switch (node.kind) {
      case 'scalar':
        return node.scalar.type === 'float' ? floatNumber(node.scalar.value) : node.scalar.value;
      case 'alias':
        return this.#through(node, () => this.value(node.target));
      case 'sequence':
        return node.items.map((item) => this.value(item));
      case 'mapping':
        return { type: 'object', entries: [...this.#fields(node)] };
    }
  }

  #through<T>(alias: Node & { kind: 'alias' }, then: () => T): T {
    if (this.#aliases.has(alias.target)) fail('anchor contains itself');
    this.#aliases.add(alias.target);
    const result = then();
    this.#aliases.delete(alias.target);
    return result;
  }

  /** What a mapping says itself stands before what it merges, and of the merged the first. */
  #fields({ items }: ListNode): Map<string, RegoValue> {
    const own = new Map<string, RegoValue>();
    const merged: Map<string, RegoValue>[] = [];
    for (let at = 0; at + 1 < items.length; at += 2) {
      const [key, value] = items.slice(at, at + 2) as [Node, Node];
      if (key.kind === 'scalar' && key.scalar.type === 'merge') merged.push(...this.#merged(value));
      else own.set(this.#key(key), this.value(value));
    }
    for (const fields of merged) for (const [key, value] of fields) if (!own.has(key)) own.set(key, value);
    return own;
  }

  #merged(node: Node): Map<string, RegoValue>[] {
    if (node.kind === 'sequence') return node.items.map((item) => this.#mergedOne(item));
    return [this.#mergedOne(node)];
  }

  #mergedOne(node: Node): Map<string, RegoValue> {
    if (node.kind === 'mapping') return this.#fields(node);
    if (node.kind !== 'alias') return fail('map merge requires map or sequence of maps as the value');
    return this.#through(node, () => this.#mergedOne(node.target));
  }

  #key(node: Node): string {
    if (node.kind === 'alias') return this.#through(node, () => this.#key(node.target));
    if (node.kind !== 'scalar') return fail('invalid map key');
    const { type, value, text } = node.scalar;
    switch (type) {
      case 'null':
        return fail('unsupported map key');
      case 'bool':
        return value === true ? 'true' : 'false';
      case 'int':
        return numberText(node.scalar);
      case 'float':
        return floatKey(value);
      default:
        return typeof value === 'string' ? value : text;
    }
  }
}

/** With the digits that a float32 has. */
function floatKey(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return single > 0 ? '.inf' : '-.inf';
  for (let digits = 1; digits < 10; digits += 1) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return formatFloat(short, 'g', noSpec) ?? '';
  }
  return formatFloat(single, 'g', noSpec) ?? '';
}
