/** cast_*: deprecated, and only in Rego v0. */
import { type RegoValue, isArray, setOf } from '../values.ts';
import { type Family, fail, isObject, isSet } from './builtin.ts';
import { sortedItems } from './json-text.ts';

export const casts: Family = {
  cast_array: ([value = null]) =>
    isSet(value) ? sortedItems(value) : isArray(value) ? value : fail('no array'),
  cast_set: ([value = null]) => (isArray(value) ? setOf(value) : isSet(value) ? value : fail('no set')),
  cast_string: keep((value) => typeof value === 'string'),
  cast_boolean: keep((value) => typeof value === 'boolean'),
  cast_null: keep((value) => value === null),
  cast_object: keep(isObject),
};

function keep(suits: (value: RegoValue) => boolean): (args: readonly RegoValue[]) => RegoValue {
  return ([value = null]) => (suits(value) ? value : fail('of another type'));
}
