/** graph.reachable_paths */
import { type RegoObject, type RegoValue, isArray, setOf } from '../values.ts';
import { type Family, isSet, membersOf, objectOf } from './builtin.ts';
import { identity } from './lookup.ts';

export const graph: Family = {
  'graph.reachable_paths': ([edges, initial]) => setOf(paths(objectOf(edges), membersOf(initial))),
};

/** Every path from an initial vertex to where it ends: no edges, a vertex that the graph does not know, or a cycle. */
function paths(object: RegoObject, initial: readonly RegoValue[]): RegoValue[] {
  const edges = new Map(object.entries.map(([vertex, next]) => [identity(vertex), neighbours(next)]));
  const found: RegoValue[][] = [];
  const follow = (vertex: RegoValue, path: readonly RegoValue[], seen: ReadonlySet<string>): void => {
    const name = identity(vertex);
    const next = edges.get(name);
    if (next === undefined) {
      found.push([...path]);
      return;
    }
    const longer = [...path, vertex];
    if (next.length === 0) found.push(longer);
    const visited = new Set(seen).add(name);
    for (const neighbour of next) {
      if (visited.has(identity(neighbour))) found.push(longer);
      else follow(neighbour, longer, visited);
    }
  };
  // From a vertex to itself is a path of its own in OPA: the first one is not looked for among those seen.
  for (const vertex of initial) {
    const next = edges.get(identity(vertex));
    if (next === undefined) continue;
    if (next.length === 0) found.push([vertex]);
    for (const neighbour of next) follow(neighbour, [vertex], new Set([identity(vertex)]));
  }
  return found;
}

function neighbours(value: RegoValue): readonly RegoValue[] {
  if (isArray(value)) return value;
  return isSet(value) ? value.items : [];
}
