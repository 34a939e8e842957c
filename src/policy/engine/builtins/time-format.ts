/** A time in a layout of Go's time package. */
import { type Civil, civilOf, offsetAt, SECOND } from './civil-time.ts';
import { DAYS, MONTHS, chunksOf, isFraction, isOffset } from './time-layout.ts';
import { zoneName } from './zone-names.ts';

/** `instant` in ns since 1970. */
export function formatTime(instant: bigint, zone: string, layout: string): string {
  const civil = civilOf(instant, zone);
  const seconds = Number((instant - BigInt(civil.nanosecond)) / SECOND);
  const offset = offsetAt(seconds, zone);
  return chunksOf(layout)
    .map(({ prefix, field }) => prefix + (field === '' ? '' : formatField(field, civil, offset, zone)))
    .join('');
}

function formatField(field: string, civil: Civil, offset: number, zone: string): string {
  if (isFraction(field)) return fractionOf(field, civil.nanosecond);
  if (isOffset(field)) return formatOffset(field, offset);
  if (field === 'MST') return zone === 'UTC' ? 'UTC' : zoneName(zone, offset);
  return dateField(field, civil) ?? clockField(field, civil);
}

function dateField(field: string, { year, month, day, weekday, yearDay }: Civil): string | undefined {
  switch (field) {
    case '2006':
      return padded(year, 4);
    case '06':
      return padded(Math.abs(year) % 100, 2);
    case 'January':
      return MONTHS[month - 1] ?? '';
    case 'Jan':
      return (MONTHS[month - 1] ?? '').slice(0, 3);
    case '01':
      return padded(month, 2);
    case '1':
      return String(month);
    case 'Monday':
      return DAYS[weekday] ?? '';
    case 'Mon':
      return (DAYS[weekday] ?? '').slice(0, 3);
    case '2':
      return String(day);
    case '_2':
      return String(day).padStart(2);
    case '02':
      return padded(day, 2);
    case '__2':
      return String(yearDay).padStart(3);
    case '002':
      return padded(yearDay, 3);
    default:
      return undefined;
  }
}

function clockField(field: string, { hour, minute, second }: Civil): string {
  const twelve = hour % 12 === 0 ? 12 : hour % 12;
  const half = hour >= 12 ? 'PM' : 'AM';
  const fields: Readonly<Record<string, string>> = {
    '15': padded(hour, 2),
    '3': String(twelve),
    '03': padded(twelve, 2),
    '4': String(minute),
    '04': padded(minute, 2),
    '5': String(second),
    '05': padded(second, 2),
    PM: half,
    pm: half.toLowerCase(),
  };
  return fields[field] ?? '';
}

function padded(value: number, width: number): string {
  return `${value < 0 ? '-' : ''}${String(Math.abs(value)).padStart(width, '0')}`;
}

/** With nines, zeros at the end are left out, and the point with the last of them. */
function fractionOf(field: string, nanosecond: number): string {
  const digits = padded(nanosecond, 9).slice(0, field.length - 1);
  if (field[1] === '0') return field.slice(0, 1) + digits;
  const kept = digits.replace(/0+$/, '');
  return kept === '' ? '' : field.slice(0, 1) + kept;
}

function formatOffset(field: string, offset: number): string {
  if (field.startsWith('Z') && offset === 0) return 'Z';
  const size = Math.abs(offset);
  const colon = field.includes(':') ? ':' : '';
  // The sign is that of whole minutes.
  let text = `${offset <= -60 ? '-' : '+'}${padded(Math.floor(size / 3600), 2)}`;
  if (field.length > 3) text += colon + padded(Math.floor(size / 60) % 60, 2);
  if (field.length > 6) text += colon + padded(size % 60, 2);
  return text;
}
