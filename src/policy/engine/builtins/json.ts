/** json.marshal_with_options, json.patch */
import { type RegoObject, type RegoValue, compareValues, isArray, setOf } from '../values.ts';
import { type Family, arrayOf, fail, isNumber, isObject, isSet, objectOf, stringOf } from './builtin.ts';
import { jsonText } from './json-text.ts';
import { field } from './lookup.ts';

export const json: Family = {
  'json.marshal_with_options': ([value = null, options]) => marshal(value, objectOf(options)),
  'json.patch': ([value = null, operations]) =>
    arrayOf(operations).reduce<RegoValue | undefined>(
      (document, operation) => apply(document, objectOf(operation)),
      value,
    ),
};

/** A prefix or an indent asks for lines, unless `pretty` says no. */
function marshal(value: RegoValue, { entries }: RegoObject): string {
  for (const [key] of entries) {
    if (!['prefix', 'indent', 'pretty'].includes(stringOf(key))) fail('unknown option');
  }
  const option = (name: string, otherwise: RegoValue): RegoValue => {
    const found = field(entries, name);
    return found === undefined ? otherwise : found;
  };
  const layout = { prefix: stringOf(option('prefix', '')), indent: stringOf(option('indent', '\t')) };
  const asked = field(entries, 'prefix') !== undefined || field(entries, 'indent') !== undefined;
  const lines = option('pretty', asked);
  if (typeof lines !== 'boolean') return fail('pretty must be a boolean');
  // The encoder leaves the first line without prefix.
  return lines ? layout.prefix + jsonText(value, layout) : jsonText(value, undefined);
}

type Path = readonly RegoValue[];

/** RFC 6902, on sets too: a member is its own key. Undefined is a document that was removed. */
function apply(document: RegoValue | undefined, { entries }: RegoObject): RegoValue | undefined {
  const required = (name: string): RegoValue =>
    given(field(entries, name), `missing required attribute ${name}`);
  const path = pathOf(required('path'));
  const operation = stringOf(required('op'));
  switch (operation) {
    case 'add':
      return insert(document, path, required('value'));
    case 'remove':
      return remove(document, path);
    case 'replace':
      return insert(remove(document, path), path, required('value'));
    case 'move': {
      const from = pathOf(required('from'));
      const moved = find(document, from);
      return insert(remove(document, from), path, moved);
    }
    case 'copy':
      return insert(document, path, find(document, pathOf(required('from'))));
    case 'test':
      return compareValues(find(document, path), required('value')) === 0 ? document : fail('not equal');
    default:
      return fail(`unrecognized op ${operation}`);
  }
}

/** A JSON pointer, with any number of slashes in front, or the keys in an array. */
function pathOf(value: RegoValue): Path {
  if (isArray(value)) return value;
  const text = stringOf(value);
  if (text === '') return [];
  return text
    .replace(/^\/+/, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function find(value: RegoValue | undefined, path: Path): RegoValue {
  return path.reduce<RegoValue>((parent, key) => childOf(parent, key), value ?? fail('document was removed'));
}

function childOf(parent: RegoValue, key: RegoValue): RegoValue {
  if (isObject(parent))
    return given(
      parent.entries.find(([other]) => equal(other, key)),
      'no such key',
    )[1];
  if (isSet(parent)) return parent.items.some((item) => equal(item, key)) ? key : fail('no such member');
  if (!isArray(parent)) return fail('no object, set or array');
  return given(parent[indexOf(parent, key)], 'no such index');
}

function equal(a: RegoValue, b: RegoValue): boolean {
  return compareValues(a, b) === 0;
}

/** What may be null, but must be there. */
function given<T>(found: T | undefined, message: string): T {
  return found === undefined ? fail(message) : found;
}

/** A minus stands for the place behind the last. */
function indexOf(array: readonly RegoValue[], key: RegoValue): number {
  if (key === '-') return array.length;
  const text = isNumber(key) ? key.text : stringOf(key);
  const [, digits] = /^([+-]?[0-9]{1,15})(?:\.0*)?$/.exec(text) ?? fail('no index');
  if (typeof key === 'string' && key !== '0' && key.startsWith('0')) fail('leading zeros are not allowed');
  return Number(digits);
}

/** With the parent of the path's end changed by `change`. */
function update(
  value: RegoValue | undefined,
  path: Path,
  change: (parent: RegoValue, key: RegoValue) => RegoValue,
): RegoValue {
  const [key, ...rest] = path;
  if (value === undefined || key === undefined) return fail('document was removed');
  if (rest.length === 0) return change(value, key);
  const child = update(childOf(value, key), rest, change);
  if (isSet(value)) return setOf([...value.items.filter((item) => !equal(item, key)), child]);
  if (isArray(value)) return value.with(indexOf(value, key), child);
  return isObject(value) ? withField(value, key, child) : fail('no object, set or array');
}

function withField({ entries }: RegoObject, key: RegoValue, value: RegoValue): RegoObject {
  return { type: 'object', entries: [...entries.filter(([other]) => !equal(other, key)), [key, value]] };
}

function insert(document: RegoValue | undefined, path: Path, value: RegoValue): RegoValue {
  if (path.length === 0) return value;
  return update(document, path, (parent, key) => {
    if (isObject(parent)) return withField(parent, key, value);
    if (isSet(parent))
      return equal(key, value) ? setOf([...parent.items, value]) : fail('key and member differ');
    if (!isArray(parent)) return fail('no object, set or array');
    const index = indexOf(parent, key);
    return index >= 0 && index <= parent.length
      ? parent.toSpliced(index, 0, value)
      : fail('index out of bounds');
  });
}

function remove(document: RegoValue | undefined, path: Path): RegoValue | undefined {
  if (path.length === 0) return document === undefined ? fail('document was removed') : undefined;
  return update(document, path, (parent, key) => {
    const gone = childOf(parent, key);
    if (isObject(parent)) {
      return { type: 'object', entries: parent.entries.filter(([other]) => !equal(other, key)) };
    }
    if (isSet(parent)) return { type: 'set', items: parent.items.filter((item) => !equal(item, gone)) };
    return isArray(parent) ? parent.toSpliced(indexOf(parent, key), 1) : fail('no object, set or array');
  });
}
