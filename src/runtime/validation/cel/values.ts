/** From JSON with its schema to CEL values: after k8s.io/apiserver/pkg/cel/common/valuesunstructured.go. */
import { create } from '@bufbuild/protobuf';
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { celList, celMap, type CelInput, type CelMap, type CelList, type CelValue } from '@bufbuild/cel';
import type { Schema } from '../../schema.ts';
import { durationNanoseconds } from '../go-duration.ts';
import { canonical } from '../list-types.ts';
import { isInt64, isObject } from '../numbers.ts';
import { withNature, withUnsetFields } from './lists.ts';
import { invalid } from './opaque.ts';

const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

const ESCAPES: readonly (readonly [plain: string, escaped: string])[] = [
  ['__', '__underscores__'],
  ['.', '__dot__'],
  ['-', '__dash__'],
  ['/', '__slash__'],
];

/** The name of a field in a rule; undefined for one that no rule can name. */
export function escape(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined;
  return name.replace(/__|[-./]/g, (found) => ESCAPES.find(([plain]) => plain === found)?.[1] ?? found);
}

/** The field that a name in a rule stands for. */
export function unescape(name: string): string {
  return name.replace(/__([^_]+)__/g, (found, word: string) =>
    RESERVED.has(word) ? word : (ESCAPES.find(([, escaped]) => escaped === found)?.[0] ?? found),
  );
}

/** The CEL value of JSON. */
export function celOf(value: unknown, schema: Schema): CelInput {
  if (value === null) return schema.nullable === true ? null : invalid();
  if (schema['x-kubernetes-int-or-string'] === true) {
    return typeof value === 'string' ? value : isInt64(value) ? BigInt(value) : invalid();
  }
  switch (schema.type) {
    case 'object':
      return isObject(value) ? objectOf(value, schema) : invalid();
    case 'array':
      return Array.isArray(value) ? listOf(value, schema) : invalid();
    case 'string':
      return typeof value === 'string' ? (textOf(value, schema.format) ?? invalid()) : invalid();
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : invalid();
    case 'integer':
      return isInt64(value) ? BigInt(value) : invalid();
    case 'boolean':
      return typeof value === 'boolean' ? value : invalid();
    default:
      return untyped(value);
  }
}

const TEXT: Schema = { type: 'string' };
const META: Schema = { type: 'object', properties: { name: TEXT, generateName: TEXT } };

/** The schema of a resource's root in rules: of the metadata only names are to be seen. */
export function resourceSchema(schema: Schema): Schema {
  return { ...schema, properties: { ...schema.properties, apiVersion: TEXT, kind: TEXT, metadata: META } };
}

function objectOf(value: Record<string, unknown>, declared: Schema): CelMap {
  const schema = declared['x-kubernetes-embedded-resource'] === true ? resourceSchema(declared) : declared;
  const { properties, additionalProperties } = schema;
  const fields = new Map<string, CelInput>();
  for (const [key, field] of Object.entries(value)) {
    if (properties === undefined) {
      const isMap = typeof additionalProperties === 'object';
      fields.set(key, isMap ? celOf(field, additionalProperties) : untyped(field));
    } else if (field !== null) {
      // A field of an object that is null is a field that is not there.
      const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
      fields.set(escape(key) ?? key, known === undefined ? untyped(field) : celOf(field, known));
    }
  }
  return withUnsetFields(celMap(fields), Object.keys(value).length - fields.size);
}

function listOf(value: readonly unknown[], schema: Schema): CelList {
  const { items } = schema;
  const list = celList(
    value.map((item) => (items === undefined ? untyped(item) : celOf(item, items)) ?? null),
  );
  const nature = schema['x-kubernetes-list-type'];
  if (nature === 'set') return withNature(list, { identity: (item) => plain(item) });
  if (nature !== 'map') return list;
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []).map((key) => escape(key) ?? key);
  return withNature(list, { identity: (item) => keys.map((key) => plain(fieldOf(item, key))).join('\n') });
}

function fieldOf(item: CelValue, key: string): CelValue | undefined {
  return typeof item === 'object' && item !== null && 'has' in item && 'get' in item
    ? item.get(key)
    : undefined;
}

/** Sets and keys hold scalars. */
function plain(item: CelValue | undefined): string {
  return `${typeof item} ${canonical(item)}`;
}

function untyped(value: unknown): CelInput {
  if (Array.isArray(value)) return celList(value.map(untyped));
  if (isObject(value))
    return celMap(new Map(Object.entries(value).map(([key, field]) => [key, untyped(field)])));
  if (typeof value === 'number') return isInt64(value) ? BigInt(value) : value;
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint' ? value : null;
}

const GIGA = 1_000_000_000n;

function textOf(value: string, format: string | undefined): CelInput | undefined {
  switch (format) {
    case 'byte':
      return new Uint8Array(Buffer.from(value, 'base64'));
    case 'duration': {
      const nanos = durationNanoseconds(value);
      if (nanos === undefined) return undefined;
      return create(DurationSchema, { seconds: nanos / GIGA, nanos: Number(nanos % GIGA) });
    }
    case 'date':
      return timestamp(`${value}T00:00:00Z`);
    case 'date-time':
      return timestamp(value);
    default:
      return value;
  }
}

/** Go's layouts; a time without an offset is in UTC. Finer than a nanosecond is cut off. */
function timestamp(value: string): CelInput | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)?$/.exec(value);
  if (match === null) return undefined;
  const [, whole = '', fraction = '', zone = 'Z'] = match;
  const ms = Date.parse(`${whole}${zone}`);
  if (Number.isNaN(ms)) return undefined;
  return create(TimestampSchema, {
    seconds: BigInt(ms / 1000),
    nanos: Number(fraction.slice(0, 9).padEnd(9, '0')),
  });
}
