/** object.subset */
import { type RegoObject, type RegoValue, compareValues, isArray } from '../values.ts';
import { type Family, fail, isObject, isSet } from './builtin.ts';
import { valueIndex, valueSet } from './lookup.ts';

export const objects: Family = {
  'object.subset': ([whole = null, part = null]) => {
    const answer = isPart(whole, part);
    if (answer !== undefined) return answer;
    if (isArray(whole) && isSet(part)) return arrayHasSet(whole, part.items);
    return fail('both arguments must be of the same type, or array and set');
  },
};

/** Undefined when they are not two objects, two sets or two arrays. */
function isPart(whole: RegoValue, part: RegoValue): boolean | undefined {
  if (isObject(whole) && isObject(part)) return objectHas(whole, part);
  if (isSet(whole) && isSet(part)) {
    const members = valueSet(whole.items);
    return part.items.every((item) => members.has(item));
  }
  return isArray(whole) && isArray(part) ? arrayHas(whole, part) : undefined;
}

function objectHas(whole: RegoObject, part: RegoObject): boolean {
  const index = valueIndex(whole.entries);
  return part.entries.every(([key, value]) => {
    const other = index.get(key);
    return other !== undefined && (compareValues(value, other) === 0 || (isPart(other, value) ?? false));
  });
}

/** As a run of neighbours. */
function arrayHas(whole: readonly RegoValue[], part: readonly RegoValue[]): boolean {
  let start = 0;
  let found = 0;
  while (found < part.length) {
    if (start + found >= whole.length) return false;
    if (compareValues(whole[start + found] ?? null, part[found] ?? null) === 0) found += 1;
    else {
      start += 1;
      found = 0;
    }
  }
  return true;
}

/** In any order. OPA counts: a member that comes twice in the array stands for two of the set. */
function arrayHasSet(whole: readonly RegoValue[], part: readonly RegoValue[]): boolean {
  const wanted = valueSet(part);
  let missing = part.length;
  return whole.some((item) => {
    if (wanted.has(item)) missing -= 1;
    return missing === 0;
  });
}
