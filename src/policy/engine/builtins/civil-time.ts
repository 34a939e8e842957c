/**
 * Dates and clocks of instants, in the proleptic Gregorian calendar and in IANA time zones. Instants are ns since 1970 in
 * UTC, as bigint; the zones are those of the JavaScript runtime (Intl).
 */
import { fail } from './builtin.ts';

export const SECOND = 1_000_000_000n;
const DAY = 86_400;

export interface Civil {
  year: number;
  /** 1 to 12 */
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  /** ns within the second */
  nanosecond: number;
  /** 0 is Sunday */
  weekday: number;
  /** 1 to 366 */
  yearDay: number;
}

/** Days since 1970-01-01; month and day may be out of their ranges. Algorithm: Howard Hinnant, days_from_civil. */
export function daysOf(year: number, month: number, day: number): number {
  const months = year * 12 + month - 1;
  const [y, m] = [Math.floor(months / 12), months - 12 * Math.floor(months / 12) + 1];
  const shifted = m > 2 ? y : y - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (m + (m > 2 ? -3 : 9)) + 2) / 5);
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468 + day - 1;
}

export function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

export function daysInMonth(year: number, month: number): number {
  return daysOf(year, month + 1, 1) - daysOf(year, month, 1);
}

/** Howard Hinnant, civil_from_days. */
function dateOf(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** `instant` in ns. */
export function civilOf(instant: bigint, zone: string): Civil {
  const nanosecond = Number(((instant % SECOND) + SECOND) % SECOND);
  const utc = Number((instant - BigInt(nanosecond)) / SECOND);
  const local = utc + offsetAt(utc, zone);
  const days = Math.floor(local / DAY);
  const clock = local - days * DAY;
  const date = dateOf(days);
  return {
    ...date,
    hour: Math.floor(clock / 3600),
    minute: Math.floor(clock / 60) % 60,
    second: clock % 60,
    nanosecond,
    weekday: (((days + 4) % 7) + 7) % 7,
    yearDay: days - daysOf(date.year, 1, 1) + 1,
  };
}

export type Moment = Pick<Civil, 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'nanosecond'>;

/**
 * The instant, in ns, at which a zone's calendar and clock show this; parts out of their ranges run over. What a clock
 * that is set forward never shows, and what one that is set back shows twice, is settled as Go's time.Date does.
 */
export function instantOf(civil: Moment, zone: string): bigint {
  const { year, month, day, hour, minute, second, nanosecond } = civil;
  const days = daysOf(year, month, day);
  if (!Number.isSafeInteger(days * DAY)) return fail('time outside of valid range');
  const unzoned = days * DAY + hour * 3600 + minute * 60 + second;
  const guess = offsetAt(unzoned, zone);
  const offset = guess === 0 ? 0 : offsetAt(unzoned - guess, zone);
  return BigInt(unzoned - offset) * SECOND + BigInt(nanosecond);
}

/** Seconds east of UTC at a time in seconds since 1970. */
export function offsetAt(seconds: number, zone: string): number {
  if (zone === 'UTC') return 0;
  const parts = new Map(
    formatOf(zone)
      // Beyond what a Date holds the rules are those of its last year.
      .formatToParts(new Date(Math.max(-8.64e15, Math.min(8.64e15, seconds * 1000))))
      .map(({ type, value }) => [type, value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
  const year = parts.get('era') === 'BC' ? 1 - part('year') : part('year');
  const days = daysOf(year, part('month'), part('day'));
  return days * DAY + part('hour') * 3600 + part('minute') * 60 + part('second') - seconds;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = zoneFormat(zone) ?? fail(`unknown time zone ${zone}`);
  formats.set(zone, format);
  return format;
}

/** Undefined when there is no such zone. Go takes the names of the database and no other spelling, and no bare offsets. */
function zoneFormat(zone: string): Intl.DateTimeFormat | undefined {
  if (!/^[A-Z]/.test(zone)) return undefined;
  try {
    const numeric = 'numeric' as const;
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      hourCycle: 'h23',
      era: 'short',
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      second: numeric,
    });
    const { timeZone } = format.resolvedOptions();
    const misspelt = timeZone !== zone && timeZone.toLowerCase() === zone.toLowerCase();
    return misspelt ? undefined : format;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
