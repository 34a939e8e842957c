/** Reading a time in a layout of Go's time package. */
import { type Moment, daysInMonth, daysOf, instantOf, isLeap } from './civil-time.ts';
import { fail } from './builtin.ts';
import { DAYS, MONTHS, type Chunk, chunksOf, isFraction, isOffset } from './time-layout.ts';

interface Parsed {
  year: number;
  month: number | undefined;
  day: number | undefined;
  yearDay: number | undefined;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  half: 'am' | 'pm' | undefined;
  /** seconds east of UTC; a zone that is only named has none */
  offset: number | undefined;
  /** Z or UTC, which win over an offset */
  universal: boolean;
}

interface Reader {
  rest: string;
}

/** ns since 1970. A time without a zone is in UTC, and so is one whose zone has a mere name, GMT+3 too. */
export function parseTime(layout: string, text: string): bigint {
  const parsed: Parsed = {
    year: 0,
    month: undefined,
    day: undefined,
    yearDay: undefined,
    hour: 0,
    minute: 0,
    second: 0,
    nanosecond: 0,
    half: undefined,
    offset: undefined,
    universal: false,
  };
  const reader: Reader = { rest: text };
  const chunks = chunksOf(layout);
  for (const [at, { prefix, field }] of chunks.entries()) {
    skipText(reader, prefix);
    if (field !== '') readField(reader, field, parsed, chunks[at + 1]);
  }
  if (reader.rest !== '') fail('extra text');
  return complete(parsed);
}

/** One space in the layout stands for any number of them, none only at the end. */
function skipText(reader: Reader, prefix: string): void {
  for (let left = prefix; left !== '';) {
    if (left.startsWith(' ')) {
      if (reader.rest !== '' && !reader.rest.startsWith(' ')) fail('no space');
      left = left.replace(/^ +/, '');
      reader.rest = reader.rest.replace(/^ +/, '');
    } else {
      if (!reader.rest.startsWith(left.slice(0, 1))) fail('other text');
      left = left.slice(1);
      reader.rest = reader.rest.slice(1);
    }
  }
}

function readField(reader: Reader, field: string, into: Parsed, next: Chunk | undefined): void {
  if (isFraction(field)) into.nanosecond = readFraction(reader, field) ?? into.nanosecond;
  else if (isOffset(field)) readOffset(reader, field, into);
  else if (field === 'MST') readZone(reader, into);
  else if (!readDate(reader, field, into)) readClock(reader, field, into, next);
}

function take(reader: Reader, pattern: RegExp): string {
  const [found] = pattern.exec(reader.rest) ?? fail('other text');
  reader.rest = reader.rest.slice(found.length);
  return found;
}

/** One or two digits, two when the field has a zero. */
function readNumber(reader: Reader, field: string): number {
  return Number(take(reader, field.startsWith('0') ? /^[0-9]{2}/ : /^[0-9]{1,2}/));
}

function within(value: number, least: number, most: number): number {
  return value >= least && value <= most ? value : fail('out of range');
}

function readDate(reader: Reader, field: string, into: Parsed): boolean {
  switch (field) {
    case '2006':
      into.year = Number(take(reader, /^[0-9]{4}/));
      return true;
    case '06': {
      // Go reads a sign here.
      const year = Number(take(reader, /^(?:[0-9]{2}|[+-][0-9])/));
      into.year = year + (year >= 69 ? 1900 : 2000);
      return true;
    }
    case 'January':
    case 'Jan':
      into.month = readName(reader, MONTHS, field === 'Jan') + 1;
      return true;
    case '01':
    case '1':
      into.month = within(readNumber(reader, field), 1, 12);
      return true;
    case 'Monday':
    case 'Mon':
      readName(reader, DAYS, field === 'Mon');
      return true;
    case '_2':
    case '2':
    case '02':
      if (field === '_2') take(reader, /^ ?/);
      into.day = readNumber(reader, field);
      return true;
    case '__2':
    case '002':
      if (field === '__2') take(reader, /^ {0,2}/);
      into.yearDay = Number(take(reader, field === '002' ? /^[0-9]{3}/ : /^[0-9]{1,3}/));
      return true;
    default:
      return false;
  }
}

function readName(reader: Reader, names: readonly string[], short: boolean): number {
  const index = names.findIndex((name) => {
    const wanted = short ? name.slice(0, 3) : name;
    return reader.rest.slice(0, wanted.length).toLowerCase() === wanted.toLowerCase();
  });
  const name = names[index] ?? fail('no name');
  reader.rest = reader.rest.slice(short ? 3 : name.length);
  return index;
}

function readClock(reader: Reader, field: string, into: Parsed, next: Chunk | undefined): void {
  switch (field) {
    case '15':
      into.hour = within(readNumber(reader, field), 0, 23);
      break;
    case '3':
    case '03':
      into.hour = within(readNumber(reader, field), 0, 12);
      break;
    case '4':
    case '04':
      into.minute = within(readNumber(reader, field), 0, 59);
      break;
    case '5':
    case '05':
      into.second = within(readNumber(reader, field), 0, 59);
      // A fraction may stand in the text though the layout has none.
      if (/^[.,][0-9]/.test(reader.rest) && !isFraction(next?.field ?? '')) {
        into.nanosecond = nanoseconds(take(reader, /^[.,][0-9]+/));
      }
      break;
    default:
      into.half = take(reader, field === 'PM' ? /^[AP]M/ : /^[ap]m/).toLowerCase() as 'am' | 'pm';
  }
}

/** Undefined when it is left out, which the layout with nines allows. */
function readFraction(reader: Reader, field: string): number | undefined {
  if (field[1] === '9') {
    return /^[.,][0-9]/.test(reader.rest) ? nanoseconds(take(reader, /^[.,][0-9]+/)) : undefined;
  }
  const text = reader.rest.slice(0, field.length);
  if (text.length < field.length) fail('no fraction');
  reader.rest = reader.rest.slice(field.length);
  return nanoseconds(text);
}

/** Of a point and digits; Go reads a sign too, and no digits behind one as 0. */
function nanoseconds(text: string): number {
  const [, sign, digits] = /^[.,]([+-]?)([0-9]*)$/.exec(text.slice(0, 10)) ?? fail('no fraction');
  const value = Number(digits) * 10 ** (10 - Math.min(text.length, 10));
  return sign === '-' && value > 0 ? fail('out of range') : value;
}

function readOffset(reader: Reader, field: string, into: Parsed): void {
  if (field.startsWith('Z') && reader.rest.startsWith('Z')) {
    reader.rest = reader.rest.slice(1);
    into.universal = true;
    return;
  }
  const text = reader.rest.slice(0, field.length);
  const [, sign, hours, minutes = '00', seconds = '00'] =
    (field.includes(':')
      ? /^([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?$/
      : /^([+-])([0-9]{2})(?:([0-9]{2})([0-9]{2})?)?$/
    ).exec(text) ?? fail('no offset');
  if (text.length < field.length) fail('no offset');
  reader.rest = reader.rest.slice(field.length);
  const [hour, minute, second] = [
    within(Number(hours), 0, 24),
    within(Number(minutes), 0, 60),
    Number(seconds),
  ];
  const size = (hour * 60 + minute) * 60 + within(second, 0, 60);
  into.offset = sign === '-' ? -size : size;
}

/** Three to five capital letters, UTC, GMT with hours, or an offset as a name. */
function readZone(reader: Reader, into: Parsed): void {
  if (reader.rest.startsWith('UTC')) {
    reader.rest = reader.rest.slice(3);
    into.universal = true;
    return;
  }
  if (/^[+-]/.test(reader.rest)) take(reader, /^(?=...)[+-]0*(?:[01]?[0-9]|2[0-3])(?![0-9])/);
  else if (reader.rest.startsWith('GMT')) take(reader, /^GMT(?:[+-]0*(?:[01]?[0-9]|2[0-3])(?![0-9]))?/);
  else take(reader, /^(?:ChST|MeST|[A-Z]{4}T(?![A-Z])|(?:[A-Z]{3}T|WITA)(?![A-Z])|[A-Z]{3}(?![A-Z]))/);
}

function complete(parsed: Parsed): bigint {
  const { year, minute, second, nanosecond, half, universal, offset } = parsed;
  let { hour } = parsed;
  if (half === 'pm' && hour < 12) hour += 12;
  else if (half === 'am' && hour === 12) hour = 0;
  const { month, day } = dayOf(parsed);
  const moment: Moment = { year, month, day, hour, minute, second, nanosecond };
  if (universal || offset === undefined) return instantOf(moment, 'UTC');
  return instantOf({ ...moment, second: second - offset }, 'UTC');
}

function dayOf({ year, month, day, yearDay }: Parsed): { month: number; day: number } {
  if (yearDay === undefined) {
    const date = { month: month ?? 1, day: day ?? 1 };
    within(date.day, 1, daysInMonth(year, date.month));
    return date;
  }
  within(yearDay, 1, isLeap(year) ? 366 : 365);
  let found = 1;
  const first = daysOf(year, 1, 1);
  while (found < 12 && daysOf(year, found + 1, 1) - first < yearDay) found += 1;
  const date = { month: found, day: yearDay - (daysOf(year, found, 1) - first) };
  if ((month ?? found) !== found || (day ?? date.day) !== date.day) fail('day-of-year does not match');
  return date;
}
