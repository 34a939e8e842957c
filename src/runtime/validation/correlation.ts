/**
 * Which value of the old object a value of the new one has come from. What did not change is not refused even where the
 * schema has become stricter since ("ratcheting"): after k8s.io/apiserver/pkg/cel/common/equality.go.
 */
import { isObject } from './numbers.ts';
import type { Schema } from '../schema.ts';
import { canonical } from './list-types.ts';
import type { Segments } from './problem.ts';
import { schemaOfField } from './prune.ts';

export interface Correlation {
  schema: Schema;
  value: unknown;
  old: unknown;
}

/** The old item of a list map that has the new item's keys; undefined where a key is missing or no scalar. */
export function oldItemOf(item: unknown, oldList: readonly unknown[], keys: readonly string[]): unknown {
  const key = keyOf(item, keys);
  return key === undefined ? undefined : oldList.find((old) => keyOf(old, keys) === key);
}

function keyOf(item: unknown, keys: readonly string[]): string | undefined {
  if (!isObject(item)) return undefined;
  const values = keys.map((key) => (Object.hasOwn(item, key) ? item[key] : undefined));
  if (!values.every((value) => ['string', 'number', 'bigint', 'boolean'].includes(typeof value)))
    return undefined;
  return canonical(values);
}

function child({ schema, value, old }: Correlation, segment: string | number): Correlation | undefined {
  if (typeof segment === 'string') {
    const known = schemaOfField(schema, segment);
    if (known === undefined || !isObject(value) || !isObject(old)) return undefined;
    if (!Object.hasOwn(value, segment) || !Object.hasOwn(old, segment)) return undefined;
    return { schema: known, value: value[segment], old: old[segment] };
  }
  if (!Array.isArray(value) || !Array.isArray(old) || schema.items === undefined) return undefined;
  if (schema['x-kubernetes-list-type'] !== 'map') return undefined;
  const item: unknown = value[segment];
  const match = oldItemOf(item, old, schema['x-kubernetes-list-map-keys'] ?? []);
  return match === undefined ? undefined : { schema: schema.items, value: item, old: match };
}

function isUnchanged({ schema, value, old }: Correlation): boolean {
  if (Array.isArray(value) && Array.isArray(old) && schema['x-kubernetes-list-type'] === 'map') {
    return (
      value.length === old.length &&
      value.every((_item, at) => {
        const item = child({ schema, value, old }, at);
        return item !== undefined && isUnchanged(item);
      })
    );
  }
  if (!isObject(value) || !isObject(old)) return canonical(value) === canonical(old);
  return (
    Object.keys(value).length === Object.keys(old).length &&
    Object.keys(value).every((key) => {
      const field = child({ schema, value, old }, key);
      return field !== undefined && isUnchanged(field);
    })
  );
}

/** Whether the value at the segments, or what it is inside of, is the same as in the old object. */
export function isRatcheted(root: Correlation, segments: Segments): boolean {
  // Old and new are always of the version and kind that is being written: no change of them could be seen.
  if (segments.length === 1 && (segments[0] === 'apiVersion' || segments[0] === 'kind'))
    return isUnchanged(root);
  let deepest = root;
  for (const segment of segments) {
    const next = child(deepest, segment);
    if (next === undefined) break;
    deepest = next;
  }
  return isUnchanged(deepest);
}
