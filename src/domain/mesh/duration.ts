/** Validity periods in mesh.yaml: whole days, such as `3650d`. A day has 24 h. */

export const daysPattern = /^[1-9][0-9]{0,5}d$/;

/** Returns the days of a validity period such as `3650d`. The text must match {@link daysPattern}; the schema ensures it. */
export function parseDays(text: string): number {
  return Number(text.slice(0, -1));
}

/** A share of a lifetime such as `30%`, from 1 to 99. */
export const percentPattern = /^[1-9][0-9]?%$/;

/** Returns a share as a number from 0 to 1. The text must match {@link percentPattern}. */
export function parsePercent(text: string): number {
  return Number(text.slice(0, -1)) / 100;
}
