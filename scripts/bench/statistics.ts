import type {RatioRow, Spread, Unit} from './scenario.js';

/** Minimum, median and maximum of measurements; the median of an even number of them is the mean of the middle two. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (index: number): number => sorted[Math.min(Math.max(index, 0), sorted.length - 1)] ?? Number.NaN;
  const half = sorted.length / 2;
  const median = Number.isInteger(half) ? (at(half - 1) + at(half)) / 2 : at(Math.floor(half));
  return {min: at(0), median, max: at(sorted.length - 1), runs: sorted.length};
}

/** A value that was derived, not measured. */
export function exactly(value: number): Spread {
  return {min: value, median: value, max: value, runs: 0};
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A row that compares the medians. */
export function ratioOfMedians(
  what: string,
  against: string,
  ours: Spread,
  alternative: Spread,
  more: {readonly target?: number; readonly unit?: Unit} = {},
): RatioRow {
  const {target, unit = 'ms'} = more;
  const ratio = ours.median / alternative.median;
  return {kind: 'ratio', what, against, ratio, ours, alternative, unit, ...(target !== undefined && {target})};
}
