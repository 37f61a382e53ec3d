/** Parses environment variables as istiod does. */

/**
 * Parses a boolean variable of istiod, as Go's strconv.ParseBool does; an invalid value counts as unset (istio/istio
 * pkg/env/var.go).
 */
export function parseBool(value: string | undefined, unset: boolean): boolean {
  if (value === undefined || value === '') return unset;
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value) ? false : unset;
}

/** The units of Go's time.ParseDuration that are used for certificate lifetimes, in milliseconds. */
const units: Readonly<Record<string, number>> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000};

/** A time.Duration is an int64 of nanoseconds; time.ParseDuration rejects longer ones (about 292 years). */
const maxDurationMs = Number(2n ** 63n / 1_000_000n);

/**
 * Parses a duration variable of istiod, as Go's time.ParseDuration does (`24h0m0s`), and returns milliseconds. Undefined
 * for an invalid value, which counts as unset (istio/istio pkg/env/var.go).
 */
export function parseGoDuration(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  const milliseconds = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, number, unit = '']) => sum + Number(number) * (units[unit] ?? 0),
    0,
  );
  return milliseconds > maxDurationMs ? undefined : milliseconds;
}

/**
 * Returns the provider of istiod's own certificate (`values.global.pilotCertProvider`): `kubernetes`, `k8s.io/SIGNER`,
 * `custom`, `none`, …; undefined for the default, istiod's CA. Source: istio/istio pilot/pkg/bootstrap/certcontroller.go
 * (initDNSCerts), pilot/pkg/features/pilot.go.
 */
export function externalCertProvider(env: Readonly<Record<string, string>>): string | undefined {
  const provider = env.PILOT_CERT_PROVIDER ?? '';
  return provider === '' || provider === 'istiod' ? undefined : provider;
}
