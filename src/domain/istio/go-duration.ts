/** Units of Go's time.ParseDuration that a life of certificates is written in. Milliseconds. */
const units: Readonly<Record<string, number>> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000};

/**
 * A duration in istiod's environment, as Go's time.ParseDuration reads it (`24h0m0s`); undefined for what it refuses,
 * which counts as not set (istio/istio pkg/env/var.go). Milliseconds.
 */
export function parseGoDuration(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, number, unit = '']) => sum + Number(number) * (units[unit] ?? 0),
    0,
  );
}
