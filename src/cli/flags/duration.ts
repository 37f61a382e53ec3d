import {dayMs} from '../../domain/time.js';
import type {ExpiryThreshold} from '../../domain/x509/expiry.js';
import {Flags} from '@oclif/core';
import {invalidFlag} from '../usage-error.js';

const unitMs: Readonly<Record<string, number>> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000};

/**
 * Milliseconds of a Go duration as kubectl accepts it: `300ms`, `30s`, `5m`, `1h30m`. Undefined for other text and for
 * zero.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  const total = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, amount = '', unit = '']) => sum + Number(amount) * (unitMs[unit] ?? 0),
    0,
  );
  return total > 0 ? Math.round(total) : undefined;
}

/** A flag whose value is a duration; parsed to milliseconds. */
export const durationFlag = Flags.custom<number>({
  helpValue: 'DURATION',
  parse: parseWith(parseDuration, 'a duration such as 300ms, 30s, 5m or 1h30m', withUnit('s')),
});

/** Days of `30d` or of a duration as above (`36h` is 1.5). Undefined for other text and for zero. */
export function parseDayCount(text: string): number | undefined {
  const [, days] = /^(\d{1,6})d$/.exec(text) ?? [];
  if (days !== undefined) return Number(days) > 0 ? Number(days) : undefined;
  const duration = parseDuration(text);
  return duration === undefined ? undefined : duration / dayMs;
}

/** A flag whose value is a number of days; parsed to days. */
export const daysFlag = Flags.custom<number>({
  helpValue: 'DURATION',
  parse: parseDays((days) => days),
});

function parseDays(convert: (days: number) => number) {
  const read = (text: string): number | undefined => {
    const days = parseDayCount(text);
    return days === undefined ? undefined : convert(days);
  };
  return parseWith(read, 'a duration such as 30d, 36h or 90m', withUnit('d'));
}

/** Like {@link daysFlag}, parsed to milliseconds: the validity of a certificate. */
export const validityFlag = Flags.custom<number>({
  helpValue: 'DURATION',
  parse: parseDays((days) => Math.round(days * dayMs)),
});

/** The remaining lifetime of a certificate: `30%` of its lifetime, or a number of days as above. Undefined for other text. */
export function parseRemaining(text: string): ExpiryThreshold | undefined {
  const [, percent] = /^(\d{1,3})%$/.exec(text) ?? [];
  if (percent === undefined) {
    const days = parseDayCount(text);
    return days === undefined ? undefined : {share: 0, days};
  }
  const share = Number(percent) / 100;
  return share > 0 && share <= 1 ? {share, days: 0} : undefined;
}

/** A flag whose value is a share of a certificate's lifetime or a duration. */
export const remainingFlag = Flags.custom<ExpiryThreshold>({
  helpValue: 'PERCENT|DURATION',
  parse: parseWith(
    parseRemaining,
    'a share of the lifetime such as 30%, or a duration such as 30d or 36h',
    withUnit('%'),
  ),
});

/** RFC 3339 section 5.6, with an offset: without one the time is ambiguous. */
const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Milliseconds since 1970 of an RFC 3339 time, or of a duration before `now` such as `24h`, `30d` or `1d12h` (a day is
 * 24 h). Undefined for other text.
 */
export function parseMoment(text: string, now: Date): number | undefined {
  const [, date] = rfc3339.exec(text) ?? [];
  if (date !== undefined) {
    const moment = Date.parse(text.toUpperCase());
    // JavaScript parses February 30 as March 2.
    const day = new Date(`${date}T00:00:00Z`);
    const isDay = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
    return Number.isNaN(moment) || !isDay ? undefined : moment;
  }
  const [, days = '0', rest = ''] = /^(?:(\d{1,6})d)?(.*)$/s.exec(text) ?? [];
  const time = rest === '' ? 0 : parseDuration(rest);
  const span = time === undefined ? 0 : Number(days) * dayMs + time;
  return span > 0 ? now.getTime() - span : undefined;
}

/** A flag whose value is a point in time; parsed to milliseconds since 1970. */
export const momentFlag = Flags.custom<number>({
  helpValue: 'TIME',
  parse: parseWith(
    (text) => parseMoment(text, new Date()),
    'an age such as 24h or 30d, or a time such as 2026-05-01T00:00:00Z',
    withUnit('d'),
  ),
});

/** Returns what a number without a unit probably means. */
function withUnit(unit: string) {
  return (text: string): string | undefined => (/^[1-9]\d*$/.test(text) ? `${text}${unit}` : undefined);
}

/**
 * Returns a flag parser that rejects text for which `read` returns undefined. `requirement` completes "must be"; `meant`
 * returns the value that was probably meant.
 */
export function parseWith<T>(
  read: (text: string) => T | undefined,
  requirement: string,
  meant?: (text: string) => string | undefined,
) {
  return (text: string, _command: unknown, {name = ''}: {readonly name?: string}): Promise<T> => {
    const value = read(text);
    return value === undefined
      ? Promise.reject(invalidFlag(name, text, requirement, meant?.(text)))
      : Promise.resolve(value);
  };
}
