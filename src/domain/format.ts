/** How counts, dates, durations and sizes are written, in findings and messages as in the program's output. */
import {dayMs, minuteMs} from './time.js';

const hourMs = 60 * minuteMs;

/** `1 check`, `31 checks`, `2 entries`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${String(count)} ${count === 1 ? one : many}`;
}

/** The first names of a list, and how many more there are: `c1, c2 and 3 more`. */
export function some(names: readonly string[], atMost = 5): string {
  const rest = names.length - atMost;
  return names.slice(0, atMost).join(', ') + (rest > 0 ? ` and ${String(rest)} more` : '');
}

/** `2028-11-27`, in UTC. */
export function formatDay(time: Date | string): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** `2028-11-27 12:05 UTC`. */
export function formatMinute(time: Date | string): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `2028-11-27T12:05:09Z`, of ISO 8601; other text is returned as it is. */
export function formatSecond(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}

/** `in 729 days`, `3 days ago`; in hours or minutes below two days. Rounded down. */
export function formatDistance(time: Date | string, now: Date): string {
  const ms = new Date(time).getTime() - now.getTime();
  const left = Math.abs(ms);
  const count = (unitMs: number, unit: string): string => plural(Math.floor(left / unitMs), unit);
  const length =
    left >= 2 * dayMs ? count(dayMs, 'day') : left >= 2 * hourMs ? count(hourMs, 'hour') : count(minuteMs, 'minute');
  return ms > 0 ? `in ${length}` : `${length} ago`;
}

/** The end of a validity: `2028-11-27, in 729 days`; with the time of day within two days. */
export function formatExpiry(notAfter: Date | string, now: Date): string {
  const isNear = Math.abs(new Date(notAfter).getTime() - now.getTime()) < 2 * dayMs;
  return `${isNear ? formatMinute(notAfter) : formatDay(notAfter)}, ${formatDistance(notAfter, now)}`;
}

/** The same to the second: `2028-11-27T12:05:09Z, in 729 days`. */
export function formatExactExpiry(notAfter: string, now: Date): string {
  return `${formatSecond(notAfter)}, ${formatDistance(notAfter, now)}`;
}

/** `12 s`, `5 min`, `2 min 30 s`, `3 h`; from half a day on in whole days. */
export function formatDuration(ms: number): string {
  if (ms < 2 * minuteMs) return `${String(Math.round(ms / 1000))} s`;
  if (ms < 2 * hourMs) {
    const seconds = Math.round(ms / 1000);
    return `${String(Math.floor(seconds / 60))} min${seconds % 60 === 0 ? '' : ` ${String(seconds % 60)} s`}`;
  }
  const days = Math.round(ms / dayMs);
  return days < 1 ? `${String(Math.round(ms / hourMs))} h` : plural(days, 'day');
}

/** `64 KiB`, `512 bytes`. */
export function formatSize(bytes: number): string {
  return bytes < 1024 ? plural(bytes, 'byte') : `${String(Math.round(bytes / 1024))} KiB`;
}
