import {Errors, Flags} from '@oclif/core';

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
  parse: (input) => {
    const duration = parseDuration(input);
    if (duration === undefined) {
      return Promise.reject(new Errors.CLIError(`${input} is not a duration: write 300ms, 30s, 5m or 1h30m`));
    }
    return Promise.resolve(duration);
  },
});
