/** Figures of a bench: medians, ratios, and the one line each of them is printed as. */

export interface Figure {
  name: string;
  value: number;
  unit: string;
  target?: { at: 'most' | 'least'; value: number };
}

/** Middle of the sorted samples; mean of the two middle ones when their count is even. Throws on none. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const high = sorted[Math.floor(sorted.length / 2)];
  const low = sorted[Math.ceil(sorted.length / 2) - 1];
  if (high === undefined || low === undefined) throw new Error('a median of no samples');
  return (low + high) / 2;
}

export function ok({ value, target }: Figure): boolean {
  if (target === undefined) return true;
  return target.at === 'most' ? value <= target.value : value >= target.value;
}

/** `bench NAME FIGURE = VALUE UNIT (target <= X) ok|short`; a figure without a target stands for itself. */
export function lineOf(bench: string, figure: Figure): string {
  const { name, value, unit, target } = figure;
  const wanted =
    target === undefined
      ? ''
      : ` (target ${target.at === 'most' ? '<=' : '>='} ${String(target.value)}) ${ok(figure) ? 'ok' : 'short'}`;
  return `bench ${bench} ${name} = ${rounded(value)} ${unit}${wanted}`;
}

/** Three significant digits, whole numbers in full. */
function rounded(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toString();
  return Number(value.toPrecision(3)).toString();
}
