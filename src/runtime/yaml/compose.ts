/** A JSON value of a document's nodes, as go.yaml.in/yaml/v2 decodes and sigs.k8s.io/yaml converts them. */
import { parseJson } from '../json.ts';
import { Fault } from './error.ts';
import type { AliasNode, MappingNode, Node, ScalarNode, SequenceNode } from './nodes.ts';
import { keyText, resolvePlain, resolveTagged, type Resolved, type TagName } from './scalar.ts';

const YAML_TAG = 'tag:yaml.org,2002:';
const TYPED = new Map<string, TagName>(
  (['null', 'bool', 'int', 'float', 'str', 'timestamp'] as const).map((name) => [`${YAML_TAG}${name}`, name]),
);

/**
 * Bounds of go-yaml's decoder against documents that expand themselves ("billion laughs"): the share of the decoded nodes
 * that may come out of aliases, 99 % in a small document, 10 % in a very large one.
 */
const SMALL = 400_000;
const LARGE = 4_000_000;

function allowedAliasShare(decoded: number): number {
  if (decoded <= SMALL) return 0.99;
  if (decoded >= LARGE) return 0.1;
  return 0.99 - (0.89 * (decoded - SMALL)) / (LARGE - SMALL);
}

/** Throws Fault. Every alias becomes a copy: nothing in the value is shared. */
export function compose(root: Node, maxDepth: number): unknown {
  return new Composer(maxDepth).compose(root);
}

class Composer {
  readonly #maxDepth: number;
  readonly #aliases = new Set<AliasNode>();
  #decoded = 1;
  #byAlias = 0;
  #depth = 0;

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  compose(node: Node): unknown {
    this.#count(node);
    switch (node.kind) {
      case 'scalar':
        return jsonOf(resolve(node), node);
      case 'alias':
        return this.#throughAlias(node, (target) => this.compose(target));
      case 'sequence':
        return this.#sequence(node);
      case 'mapping':
        return this.#nested(node, () => {
          const object: Record<string, unknown> = {};
          this.#fill(node, object);
          return object;
        });
    }
  }

  #count({ at }: Node): void {
    this.#decoded += 1;
    if (this.#aliases.size > 0) this.#byAlias += 1;
    if (this.#byAlias <= 100 || this.#decoded <= 1000) return;
    if (this.#byAlias / this.#decoded > allowedAliasShare(this.#decoded))
      throw new Fault('aliases expand this document beyond measure', [...this.#aliases][0]?.at ?? at);
  }

  #throughAlias<T>(node: AliasNode, then: (target: Node) => T): T {
    if (this.#aliases.has(node)) throw new Fault(`the anchor &${node.name} contains itself`, node.at);
    this.#aliases.add(node);
    const result = this.#nested(node, () => then(node.target));
    this.#aliases.delete(node);
    return result;
  }

  /** The parser bounds the depth of what is written; aliases can make more of it. */
  #nested<T>(node: Node, then: () => T): T {
    this.#depth += 1;
    if (this.#depth > this.#maxDepth)
      throw new Fault(`nested more than ${String(this.#maxDepth)} levels deep`, node.at);
    const result = then();
    this.#depth -= 1;
    return result;
  }

  #sequence(node: SequenceNode): unknown[] {
    return this.#nested(node, () => node.items.map((item) => this.compose(item)));
  }

  /**
   * In the order of the text, the later wins: a key over the same key, a merge over the keys before it, which is not what
   * the YAML specification says of merges.
   */
  #fill({ items }: MappingNode, object: Record<string, unknown>): void {
    for (let index = 0; index + 1 < items.length; index += 2) {
      const [key, value] = items.slice(index, index + 2) as [Node, Node];
      if (isMerge(key)) this.#merge(value, object);
      else set(object, this.#key(key), this.compose(value));
    }
  }

  #key(node: Node): string {
    this.#count(node);
    if (node.kind === 'alias') return this.#throughAlias(node, (target) => this.#key(target));
    if (node.kind !== 'scalar') throw new Fault('a key must be a scalar', node.at);
    const resolved = resolve(node);
    const text = keyText(resolved);
    if (text !== undefined) return text;
    throw new Fault(
      resolved.value === null
        ? 'a key must not be null'
        : `a key must not be an integer beyond 2^63: ${node.text}`,
      node.at,
    );
  }

  #merge(node: Node, object: Record<string, unknown>): void {
    if (node.kind === 'sequence') {
      // The first of several mappings wins, so it comes last.
      for (const item of node.items.toReversed()) this.#mergeOne(item, object);
    } else this.#mergeOne(node, object);
  }

  #mergeOne(node: Node, object: Record<string, unknown>): void {
    if (node.kind === 'mapping') {
      this.#count(node);
      this.#nested(node, () => {
        this.#fill(node, object);
      });
    } else if (node.kind === 'alias' && node.target.kind === 'mapping') {
      this.#count(node);
      this.#throughAlias(node, (target) => {
        this.#mergeOne(target, object);
      });
    } else throw new Fault('<< takes a mapping, or a sequence of mappings', node.at);
  }
}

/** `object[key] = value` would lose a key named __proto__. */
function set(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

function isMerge(node: Node): boolean {
  if (node.kind !== 'scalar' || node.text !== '<<') return false;
  return node.tag === '' ? node.plain : node.tag === '!' || node.tag === `${YAML_TAG}merge`;
}

function resolve(node: ScalarNode): Resolved {
  const { tag, text, plain, at } = node;
  if (tag === '') return plain ? resolvePlain(text) : { tag: 'str', value: text };
  if (tag === `${YAML_TAG}binary`) return { tag: 'str', value: binaryText(text, at) };
  const typed = TYPED.get(tag);
  // Any other tag is somebody's own type, of which kubectl knows nothing but the text.
  if (typed === undefined) return { tag: 'str', value: text };
  const resolved = resolveTagged(typed, text);
  if (resolved !== undefined) return resolved;
  throw new Fault(`${JSON.stringify(text.slice(0, 40))} is not of the type !!${typed}`, at);
}

/** JSON has no bytes: they become text. What is not UTF-8 would be lost (kubectl loses it without a word). */
function binaryText(text: string, at: number): string {
  const digits = text.replace(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(digits))
    throw new Fault('!!binary takes base64 with its padding', at);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(digits, 'base64'));
  } catch {
    throw new Fault('!!binary holds bytes that are not UTF-8: leave the tag out, and they stay base64', at);
  }
}

/**
 * Beyond 2^53 the number that `parseJson` makes of kubectl's JSON, so that what was read from a file equals what comes
 * back from the API server: digits up to int64, beyond it those of the nearest double.
 */
function jsonOf({ value }: Resolved, node: ScalarNode): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    return parseJson(value >= 2n ** 63n ? String(number) : String(value));
  }
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value)) throw new Fault(`JSON has no number ${node.text}`, node.at);
  return Number.isInteger(value) ? parseJson(JSON.stringify(value)) : value;
}
