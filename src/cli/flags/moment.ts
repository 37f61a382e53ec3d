import {Flags} from '@oclif/core';
import {parsed} from './parsed.js';
import {parseDuration} from './duration.js';
import {dayMs} from '../../domain/time.js';

/** RFC 3339 section 5.6, with an offset: without one nobody knows which moment is meant. */
const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Milliseconds since 1970 of a moment: a time of RFC 3339, or a duration before `now` such as `24h`, `30d` or `1d12h` (a day
 * is 24 h). Undefined when it is neither.
 */
export function parseMoment(text: string, now: Date): number | undefined {
  const [, date] = rfc3339.exec(text) ?? [];
  if (date !== undefined) {
    const moment = Date.parse(text.toUpperCase());
    // JavaScript takes the 30th of February for the 2nd of March.
    const day = new Date(`${date}T00:00:00Z`);
    const isDay = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
    return Number.isNaN(moment) || !isDay ? undefined : moment;
  }
  const [, days = '0', rest = ''] = /^(?:(\d{1,6})d)?(.*)$/s.exec(text) ?? [];
  const time = rest === '' ? 0 : parseDuration(rest);
  const span = time === undefined ? 0 : Number(days) * dayMs + time;
  return span > 0 ? now.getTime() - span : undefined;
}

/** A flag whose value is a moment; parsed to milliseconds since 1970. */
export const momentFlag = Flags.custom<number>({
  helpValue: '24h|30d|TIME',
  parse: parsed(
    (text) => parseMoment(text, new Date()),
    'a moment: write 24h or 30d (so long ago), or a time such as 2026-05-01T00:00:00Z',
  ),
});
