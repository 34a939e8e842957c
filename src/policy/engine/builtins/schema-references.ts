/** Where the references of a JSON Schema lead. */
import { fail } from './builtin.ts';
import { type Json, isList, isMap } from './schema-json.ts';

/** Documents by their absolute identifiers; the whole has the empty one. */
export type Pool = ReadonlyMap<string, Json>;

export function poolOf(root: Json): Pool {
  const pool = new Map<string, Json>();
  collect(root, '', pool);
  pool.set('', root);
  return pool;
}

/** What is data in a schema, and has no schemas within. */
const LITERAL = ['const', 'enum'];
/** Objects whose members are schemas, and which are none themselves. */
const NAMED = ['properties', 'dependencies', 'patternProperties'];

function collect(node: Json, base: string, pool: Map<string, Json>): void {
  if (isList(node)) for (const item of node) collect(item, base, pool);
  if (!isMap(node)) return;
  const id = node.get(node.has('id') ? 'id' : '$id');
  let here = base;
  if (typeof id === 'string') {
    here = resolve(base, id);
    if (pool.has(here)) fail(`Reference already exists: "${here}"`);
    pool.set(here, node);
  }
  for (const [key, child] of node) {
    if (LITERAL.includes(key)) continue;
    if (!NAMED.includes(key)) collect(child, here, pool);
    else if (isMap(child)) for (const member of child.values()) collect(member, here, pool);
  }
}

/** The reference seen from a base; an empty fragment is none. */
export function resolve(base: string, reference: string): string {
  const absolute = joined(base, reference);
  return absolute.replace(/#$/, '');
}

function joined(base: string, reference: string): string {
  const document = base.replace(/#.*$/s, '');
  if (reference.startsWith('#')) return document + reference;
  try {
    return new URL(reference, document === '' ? undefined : document).href;
  } catch {
    return reference;
  }
}

/** The document and the base that its own references are seen from. */
export function documentAt(reference: string, pool: Pool): { document: Json; base: string } {
  const whole = pool.get(reference);
  if (whole !== undefined) return { document: whole, base: reference };
  const [front = '', fragment = ''] = reference.split('#');
  const document = pool.get(front);
  if (document !== undefined) return { document: follow(document, fragment), base: reference };
  return fail(`Reference ${reference} must be canonical`);
}

/** RFC 6901, as a fragment of a URI. */
function follow(document: Json, fragment: string): Json {
  const pointer = decodeURIComponent(fragment);
  if (pointer !== '' && !pointer.startsWith('/')) fail('no JSON pointer');
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<Json>((parent, part) => {
      const child = isMap(parent) ? parent.get(part) : isList(parent) ? parent[Number(part)] : undefined;
      return child === undefined ? fail(`Object has no key '${part}'`) : child;
    }, document);
}
