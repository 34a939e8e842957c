/** Layouts of Go's time package: the reference time, 2006-01-02 15:04:05.000 -0700 MST, as one wants it shown. */

/** A piece of a layout: text that stands for itself, then the field that follows it. */
export interface Chunk {
  prefix: string;
  /** the field as it is spelt in the layout, `''` at the end */
  field: string;
}

const CONSTANTS: ReadonlyMap<string, string> = new Map([
  ['ANSIC', 'Mon Jan _2 15:04:05 2006'],
  ['UnixDate', 'Mon Jan _2 15:04:05 MST 2006'],
  ['RubyDate', 'Mon Jan 02 15:04:05 -0700 2006'],
  ['RFC822', '02 Jan 06 15:04 MST'],
  ['RFC822Z', '02 Jan 06 15:04 -0700'],
  ['RFC850', 'Monday, 02-Jan-06 15:04:05 MST'],
  ['RFC1123', 'Mon, 02 Jan 2006 15:04:05 MST'],
  ['RFC1123Z', 'Mon, 02 Jan 2006 15:04:05 -0700'],
  ['RFC3339', '2006-01-02T15:04:05Z07:00'],
  ['RFC3339Nano', '2006-01-02T15:04:05.999999999Z07:00'],
]);

export const RFC3339 = '2006-01-02T15:04:05Z07:00';
export const RFC3339_NANO = '2006-01-02T15:04:05.999999999Z07:00';

/** The layout that a name stands for, or the text itself. */
export function layoutOf(text: string): string {
  return CONSTANTS.get(text) ?? text;
}

/** In the order in which they are looked for at each place: the longest that begin alike first. */
const FIELDS = [
  'January',
  'Jan(?![a-z])',
  'Monday',
  'Mon(?![a-z])',
  'MST',
  '0[1-6]',
  '002',
  '15',
  '1',
  '2006',
  '2',
  '_2(?!006)',
  '__2',
  '3',
  '4',
  '5',
  'PM',
  'pm',
  '[-Z]070000',
  '[-Z]07:00:00',
  '[-Z]0700',
  '[-Z]07:00',
  '[-Z]07',
  '[.,](?:0+|9+)(?![0-9])',
];
// eslint-disable-next-line no-restricted-syntax -- of nobody's making but ours
const FIELD = new RegExp(FIELDS.join('|'), 'g');

export function chunksOf(layout: string): Chunk[] {
  const chunks: Chunk[] = [];
  let end = 0;
  for (const { 0: field, index } of layout.matchAll(FIELD)) {
    chunks.push({ prefix: layout.slice(end, index), field });
    end = index + field.length;
  }
  chunks.push({ prefix: layout.slice(end), field: '' });
  return chunks;
}

/** Whether a field is the fraction of a second. */
export function isFraction(field: string): boolean {
  return /^[.,]/.test(field);
}

/** Whether a field is a numeric offset, which may be shown as Z when it begins with it. */
export function isOffset(field: string): boolean {
  return /^[-Z]07/.test(field);
}

export const MONTHS =
  'January February March April May June July August September October November December'.split(' ');
export const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
