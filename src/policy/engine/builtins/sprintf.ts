/** sprintf as OPA prints: Go's fmt over numbers and strings; every other value is its Rego text first. */
import { type RegoValue, compareValues, isArray, sortedEntries } from '../values.ts';
import { type GoArgument, formatGo, quoteGo } from './go-format.ts';

export function sprintf([format, values]: readonly RegoValue[]): string | undefined {
  if (typeof format !== 'string' || values === undefined || !isArray(values)) return undefined;
  return formatGo(format, values.map(argumentOf));
}

/** Whole numbers as int64 or, beyond, as big integers; numbers with a point or an exponent as float64. */
function argumentOf(value: RegoValue): GoArgument {
  if (typeof value === 'string') return { type: 'string', value };
  if (value === null || typeof value !== 'object' || isArray(value) || value.type !== 'number') {
    return { type: 'string', value: printValue(value) };
  }
  if (/[.eE]/.test(value.text)) {
    const float = Number(value.text);
    return Number.isFinite(float) ? { type: 'float64', value: float } : { type: 'string', value: value.text };
  }
  const whole = BigInt(value.text);
  return { type: BigInt.asIntN(64, whole) === whole ? 'int64' : '*big.Int', value: whole };
}

/** A value as OPA writes it: `{"a": [1, null]}`, `{1, 2}`, `set()`. */
export function printValue(value: RegoValue): string {
  if (typeof value === 'string') return quoteGo(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (isArray(value)) return `[${value.map(printValue).join(', ')}]`;
  switch (value.type) {
    case 'number':
      return value.text;
    case 'set':
      return value.items.length === 0
        ? 'set()'
        : `{${[...value.items].sort(compareValues).map(printValue).join(', ')}}`;
    case 'object':
      return `{${sortedEntries(value)
        .map(([key, item]) => `${printValue(key)}: ${printValue(item)}`)
        .join(', ')}}`;
  }
}
