import {dayMs} from '../../domain/time.js';
import {Flags} from '@oclif/core';
import {parsed} from './parsed.js';

const unitMs: Readonly<Record<string, number>> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000};

/**
 * Milliseconds of a Go-style duration as kubectl takes it: `300ms`, `30s`, `5m`, `1h30m`. Undefined when it is none, or
 * is zero.
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
  helpValue: '30s|5m|1h',
  parse: parsed(parseDuration, 'a duration: write 300ms, 30s, 5m or 1h30m'),
});

/** Days of `30d`, or of a duration as above (`36h` is 1.5). Undefined when it is neither, or is zero. */
export function parseDayCount(text: string): number | undefined {
  const [, days] = /^(\d{1,6})d$/.exec(text) ?? [];
  if (days !== undefined) return Number(days) > 0 ? Number(days) : undefined;
  const duration = parseDuration(text);
  return duration === undefined ? undefined : duration / dayMs;
}

/** A flag whose value is a span of days; parsed to days. */
export const daysFlag = Flags.custom<number>({
  helpValue: '30d|36h',
  parse: parsed(parseDayCount, 'a span of time: write 30d, 36h or 90m'),
});
