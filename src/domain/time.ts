/** Durations. */

/** A day of 24 hours, in milliseconds. */
export const dayMs = 24 * 60 * 60_000;

/** Formats a duration in whole days; below half a day, in hours. */
export function formatDuration(ms: number): string {
  const count = Math.round(ms / dayMs);
  if (count < 1) return `${String(Math.round(ms / 3_600_000))} h`;
  return count === 1 ? '1 day' : `${String(count)} days`;
}
