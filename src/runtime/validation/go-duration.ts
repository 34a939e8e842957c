/** Durations as Go's time.ParseDuration reads them, and, where that fails, kube-openapi's strfmt after it. */

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const MOST = 2n ** 63n;

/** Nanoseconds of `1h30m`, `-1.5s`, `0`; undefined where Go reports an error or the value leaves int64. */
export function goDuration(text: string): bigint | undefined {
  const match = /^([+-]?)(.*)$/s.exec(text);
  const [, sign = '', rest = ''] = match ?? [];
  if (rest === '0') return 0n;
  let total = 0n;
  let at = 0;
  const part = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y;
  while (at < rest.length) {
    part.lastIndex = at;
    const found = part.exec(rest);
    if (found === null) return undefined;
    const [whole, digits = '', fraction = '', unit = ''] = found;
    if (digits === '' && fraction === '') return undefined;
    const scale = NANOSECONDS[unit] ?? 0n;
    // Go keeps as many digits of the fraction as an int64 holds; 18 are more than any unit can use.
    const kept = fraction.slice(0, 18);
    total += BigInt(digits === '' ? '0' : digits) * scale;
    total += kept === '' ? 0n : (BigInt(kept) * scale) / 10n ** BigInt(kept.length);
    if (total > MOST) return undefined;
    at += whole.length;
  }
  if (at === 0) return undefined;
  if (sign === '-') return -total;
  return total === MOST ? undefined : total;
}

/** Scala's spellings. The last of a line also stands for anything that begins with it: `minutes`. */
const UNITS: readonly (readonly [bigint, readonly string[]])[] = [
  [1n, ['ns', 'nano']],
  [1_000n, ['us', 'µs', 'micro']],
  [1_000_000n, ['ms', 'milli']],
  [1_000_000_000n, ['s', 'sec']],
  [60_000_000_000n, ['m', 'min']],
  [3_600_000_000_000n, ['h', 'hr', 'hour']],
  [86_400_000_000_000n, ['d', 'day']],
  [604_800_000_000_000n, ['w', 'wk', 'week']],
];

/**
 * Nanoseconds of what the format `duration` accepts: Go's spelling, else every `NUMBER UNIT` found anywhere in the text
 * added up. One known unit is enough: `in 3 days, or so` is three days.
 */
export function durationNanoseconds(text: string): bigint | undefined {
  const exact = goDuration(text);
  if (exact !== undefined) return exact;
  let total: bigint | undefined;
  for (const [, number = '', word = ''] of text.matchAll(/(\d+)[\t\n\f\r ]*([A-Za-zµ]+)/g)) {
    const factor = BigInt(number);
    if (factor >= MOST) return undefined;
    const unit = word.toLowerCase();
    for (const [scale, variants] of UNITS) {
      const hits = variants.filter(
        (variant, at) => variant === unit || (at === variants.length - 1 && unit.startsWith(variant)),
      );
      if (hits.length > 0) total = BigInt.asIntN(64, (total ?? 0n) + factor * scale * BigInt(hits.length));
    }
  }
  return total;
}
