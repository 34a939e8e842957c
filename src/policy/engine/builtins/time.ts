/** time.*: instants are ns since 1970; the time of the review stands still. */
import { type RegoValue, isArray, numberOf } from '../values.ts';
import { type Family, fail, intOf, numberTextOf, stringOf, wholeOf } from './builtin.ts';
import { type Civil, civilOf, daysInMonth, instantOf } from './civil-time.ts';
import { parseDuration } from './duration.ts';
import { formatTime } from './time-format.ts';
import { DAYS, RFC3339, RFC3339_NANO, layoutOf } from './time-layout.ts';
import { parseTime } from './time-parse.ts';

const FIRST = -(1n << 63n);
const LAST = (1n << 63n) - 1n;

export const time: Family = {
  'time.now_ns': (_none, { nowMs }) => numberOf(BigInt(Math.floor(nowMs)) * 1_000_000n),
  'time.parse_ns': ([layout, text]) => bounded(parseTime(layoutOf(stringOf(layout)), stringOf(text))),
  'time.parse_rfc3339_ns': ([text]) => bounded(parseTime(RFC3339, stringOf(text))),
  'time.parse_duration_ns': ([text]) => numberOf(parseDuration(stringOf(text))),
  'time.format': ([value]) => {
    const { instant, zone, layout } = operand(value);
    return formatTime(instant, zone, layout === '' ? RFC3339_NANO : layoutOf(layout));
  },
  'time.date': ([value]) => {
    const { year, month, day } = civilAt(value);
    return [year, month, day].map(numberOf);
  },
  'time.clock': ([value]) => {
    const { hour, minute, second } = civilAt(value);
    return [hour, minute, second].map(numberOf);
  },
  'time.weekday': ([value]) => DAYS[civilAt(value).weekday],
  'time.add_date': ([value, years, months, days]) => {
    const { instant, zone } = operand(value);
    const civil = civilOf(instant, zone);
    const added = {
      ...civil,
      year: civil.year + Number(intOf(years)),
      month: civil.month + Number(intOf(months)),
      day: civil.day + Number(intOf(days)),
    };
    return bounded(instantOf(added, zone));
  },
  'time.diff': ([a, b]) => difference(a, b).map(numberOf),
};

function bounded(instant: bigint): RegoValue {
  return instant < FIRST || instant > LAST ? fail('time outside of valid range') : numberOf(instant);
}

/** A number of ns, or it with a time zone and a layout. */
function operand(value: RegoValue | undefined): { instant: bigint; zone: string; layout: string } {
  const [number, zone = '', layout = ''] = value !== undefined && isArray(value) ? value : [value];
  const instant = wholeOf(numberTextOf(number)) ?? fail('timestamp too big');
  if (instant < FIRST || instant > LAST) fail('timestamp too big');
  const name = stringOf(zone);
  // OPA's own local time is nobody's here.
  const universal = name === '' || name === 'Local';
  return { instant, zone: universal ? 'UTC' : name, layout: stringOf(layout) };
}

function civilAt(value: RegoValue | undefined): Civil {
  const { instant, zone } = operand(value);
  return civilOf(instant, zone);
}

/** Years, months, days, hours, minutes, seconds between two times, as the calendar of the first one's zone counts them. */
function difference(a: RegoValue | undefined, b: RegoValue | undefined): number[] {
  const { instant, zone } = operand(a);
  const other = operand(b).instant;
  const [from, to] = [
    civilOf(instant < other ? instant : other, zone),
    civilOf(instant < other ? other : instant, zone),
  ];
  const parts = (civil: Civil): number[] => [
    civil.year,
    civil.month,
    civil.day,
    civil.hour,
    civil.minute,
    civil.second,
  ];
  const [start, end] = [parts(from), parts(to)];
  const result = end.map((part, at) => part - (start[at] ?? 0));
  // What each part has to borrow from the one before it, from the last on.
  const wholes = [0, 12, daysInMonth(from.year, from.month), 24, 60, 60];
  for (let at = 5; at > 0; at -= 1) {
    if ((result[at] ?? 0) >= 0) continue;
    result[at] = (result[at] ?? 0) + (wholes[at] ?? 0);
    result[at - 1] = (result[at - 1] ?? 0) - 1;
  }
  return result;
}
