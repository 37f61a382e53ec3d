/** How istiod reads the variables of its environment. */

/**
 * A switch in istiod's environment, as Go's strconv.ParseBool reads it; anything else counts as not set (istio/istio
 * pkg/env/var.go).
 */
export function parseBool(value: string | undefined, unset: boolean): boolean {
  if (value === undefined || value === '') return unset;
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value) ? false : unset;
}

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

/**
 * Who signs istiod's own certificate instead of its CA (`values.global.pilotCertProvider`): `kubernetes`, `k8s.io/SIGNER`, `custom`, `none`, …; undefined where
 * its CA does, as by default. Source: istio/istio pilot/pkg/bootstrap/certcontroller.go (initDNSCerts),
 * pilot/pkg/features/pilot.go.
 */
export function externalCertProvider(env: Readonly<Record<string, string>>): string | undefined {
  const said = env.PILOT_CERT_PROVIDER ?? '';
  return said === '' || said === 'istiod' ? undefined : said;
}
