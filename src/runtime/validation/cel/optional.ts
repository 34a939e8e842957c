/** CEL's optional values: `oldSelf.?spec.?name.orValue("")`. */
import {
  isCelError,
  isCelList,
  isCelMap,
  isCelUint,
  type CelFunc,
  type CelInput,
  type CelValue,
} from '@bufbuild/cel';
import { isReflectMessage } from '@bufbuild/protobuf/reflect';
import { BOOL, DYN, func, integer, method, STRING } from './functions.ts';
import { opaqueType } from './opaque.ts';

interface Optional {
  value: CelValue | undefined;
}

const optional = opaqueType<Optional>('optional_type');

/** What the select and index operators of optional values are called once they have been parsed. */
export const OPTIONAL_SELECT = '_optionalSelect';
export const OPTIONAL_INDEX = '_optionalIndex';

/** Functions whose result is optional, so that a select on it is optional, too. */
export const OPTIONAL_RESULTS: ReadonlySet<string> = new Set([
  OPTIONAL_SELECT,
  OPTIONAL_INDEX,
  'optional.of',
  'optional.none',
  'optional.ofNonZeroValue',
  'or',
  'first',
  'last',
  'validate',
]);

export function none(): CelInput {
  return optional.wrap({ value: undefined }, '');
}

export function some(value: CelValue): CelInput {
  return optional.wrap({ value }, 'value');
}

/** The optional's content; the outer undefined is for a value that is no optional. */
export function unwrapOptional(value: unknown): Optional | undefined {
  return optional.unwrap(value);
}

function contentOf(value: CelValue | undefined): CelValue | undefined {
  const found = unwrapOptional(value);
  if (found === undefined) throw new TypeError('no such overload: an optional is expected');
  return found.value;
}

function isZero(value: CelValue): boolean {
  if (value === null || value === '' || value === 0 || value === 0n || value === false) return true;
  if (isCelList(value) || isCelMap(value)) return value.size === 0;
  if (isCelUint(value)) return value.value === 0n;
  if (value instanceof Uint8Array) return value.length === 0;
  return isReflectMessage(value) && unwrapOptional(value) !== undefined && contentOf(value) === undefined;
}

/** A field, key or index of a value or of what is inside an optional. */
function find(target: CelValue | undefined, key: CelValue | undefined): CelInput {
  const outer = unwrapOptional(target);
  const value = outer === undefined ? target : outer.value;
  if (value === undefined) return none();
  let found: CelValue | undefined;
  if (isCelMap(value)) found = value.get(key as string);
  else if (isCelList(value)) found = value.get(Number(integer(key)));
  else throw new TypeError('no such overload: a map or a list is expected');
  return found === undefined || isCelError(found) ? none() : some(found);
}

export const optionalFunctions: readonly CelFunc[] = [
  func('optional.none', [], optional.type, none),
  func('optional.of', [DYN], optional.type, (value) => some(value)),
  func('optional.ofNonZeroValue', [DYN], optional.type, (value) => (isZero(value) ? none() : some(value))),
  method('hasValue', optional.type, [], BOOL, (self) => contentOf(self) !== undefined),
  method('value', optional.type, [], DYN, (self) => {
    const value = contentOf(self);
    if (value === undefined) throw new Error('optional.none() dereference');
    return value;
  }),
  method('orValue', optional.type, [DYN], DYN, (self, other) => contentOf(self) ?? other),
  method('or', optional.type, [optional.type], optional.type, (self, other) =>
    contentOf(self) === undefined ? other : self,
  ),
  method(OPTIONAL_SELECT, DYN, [STRING], optional.type, find),
  method(OPTIONAL_INDEX, DYN, [DYN], optional.type, find),
];
