import type { Catalog } from './en.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Dates, times and lists in one language and in the machine's time zone. All times are ms since the Unix epoch. */
export interface Format {
  /** Time of day, "14:05". */
  time(at: number): string;
  /** Full date and time, for tooltips and expiry. */
  dateTime(at: number): string;
  /** A day separator: "Today", "Yesterday", "Monday", "3 March", "3 March 2024". */
  day(at: number, now: number): string;
  /** Shortest useful stamp for a list: time today, weekday this week, else the date. */
  stamp(at: number, now: number): string;
  /** "in 5 minutes", "2 hours ago". */
  relative(at: number, now: number): string;
  /** "4:05" or "1:02:09" from milliseconds. */
  duration(ms: number): string;
  list(items: readonly string[]): string;
  collator: Intl.Collator;
}

/** Calendar days from `from` to `to` in local time, whatever daylight saving does in between. */
export function daysBetween(from: number, to: number): number {
  return Math.round((startOfDay(to) - startOfDay(from)) / DAY);
}

function startOfDay(at: number): number {
  const date = new Date(at);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** In place of a time that no calendar has. */
const NO_TIME = '–';
/** ECMA-262, section 21.4.1.1: a `Date` reaches this far from the epoch on either side. Milliseconds. */
const LAST_TIME = 8.64e15;

function isTime(at: number): boolean {
  return Math.abs(at) <= LAST_TIME;
}

/** For the `datetime` attribute of `<time>`; undefined for a time that no calendar has. Never throws. */
export function isoTime(at: number): string | undefined {
  return isTime(at) ? new Date(at).toISOString() : undefined;
}

/** Nothing that this returns ever throws for a number: what cannot be said is a dash. */
export function createFormat(locale: string, catalog: Catalog): Format {
  const date = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(locale, options);
    return { format: (at: number) => (isTime(at) ? format.format(at) : NO_TIME) };
  };
  const time = date({ hour: '2-digit', minute: '2-digit' });
  const dateTime = date({ dateStyle: 'medium', timeStyle: 'short' });
  const weekday = date({ weekday: 'long' });
  const shortWeekday = date({ weekday: 'short' });
  const dayMonth = date({ day: 'numeric', month: 'long' });
  const shortDay = date({ day: 'numeric', month: 'short' });
  const fullDay = date({ day: 'numeric', month: 'long', year: 'numeric' });
  const numericDay = date({ day: '2-digit', month: '2-digit', year: '2-digit' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const list = new Intl.ListFormat(locale, { type: 'conjunction' });
  const sameYear = (a: number, b: number) => new Date(a).getFullYear() === new Date(b).getFullYear();

  return {
    time: (at) => time.format(at),
    dateTime: (at) => dateTime.format(at),
    day(at, now) {
      const ago = daysBetween(at, now);
      if (ago === 0) return catalog.chat.today;
      if (ago === 1) return catalog.chat.yesterday;
      if (ago > 1 && ago < 7) return weekday.format(at);
      return (sameYear(at, now) ? dayMonth : fullDay).format(at);
    },
    stamp(at, now) {
      const ago = daysBetween(at, now);
      if (ago === 0) return time.format(at);
      if (ago > 0 && ago < 7) return shortWeekday.format(at);
      return (sameYear(at, now) ? shortDay : numericDay).format(at);
    },
    relative: (at, now) => relativeTime(relative, at - now),
    duration: formatDuration,
    list: (items) => list.format(items),
    collator: new Intl.Collator(locale, { sensitivity: 'base', numeric: true }),
  };
}

function relativeTime(format: Intl.RelativeTimeFormat, difference: number): string {
  const size = Math.abs(difference);
  if (!isTime(size)) return NO_TIME;
  if (size < MINUTE) return format.format(0, 'minute');
  if (size < HOUR) return format.format(Math.round(difference / MINUTE), 'minute');
  if (size < DAY) return format.format(Math.round(difference / HOUR), 'hour');
  return format.format(Math.round(difference / DAY), 'day');
}

function formatDuration(ms: number): string {
  if (!isTime(ms)) return NO_TIME;
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const tail = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${tail}` : `${minutes}:${tail}`;
}
