/** What stands between % and the verb. */

export type GoArgument =
  | { type: 'string'; value: string }
  | { type: 'int' | 'int64'; value: bigint }
  | { type: '*big.Int'; value: bigint }
  | { type: 'float64'; value: number };

export interface Spec {
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  /** of %+v and %#v */
  plusV: boolean;
  sharpV: boolean;
  width: number | undefined;
  precision: number | undefined;
}

export const noSpec: Readonly<Spec> = {
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  plusV: false,
  sharpV: false,
  width: undefined,
  precision: undefined,
};

/** To the width, in code points: on the right with minus, else on the left, there with zeros if asked for. */
export function pad(text: string, { width = 0, minus, zero }: Spec): string {
  // A text has at most as many code points as units: no need to count those of a long one.
  const missing = width === 0 ? 0 : width - Array.from(text).length;
  if (missing <= 0) return text;
  if (minus) return text + ' '.repeat(missing);
  return (zero ? '0' : ' ').repeat(missing) + text;
}
