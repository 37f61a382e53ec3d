/** Validities in mesh.yaml: whole days, written `3650d`. A day is 24 h. */

export const daysPattern = /^[1-9][0-9]{0,5}d$/;

/** Days of a validity such as `3650d`. The text must match {@link daysPattern}: the schema sees to that. */
export function parseDays(text: string): number {
  return Number(text.slice(0, -1));
}

/** A share of a lifetime, written `30%`: 1 to 99. */
export const percentPattern = /^[1-9][0-9]?%$/;

/** The share, 0 to 1, of a text that matches {@link percentPattern}. */
export function parsePercent(text: string): number {
  return Number(text.slice(0, -1)) / 100;
}
