/** Who signs the certificate that istiod itself presents, to proxies and to the API server. */

/** `values.global.pilotCertProvider` as it reaches istiod. */
const certProviderVariable = 'PILOT_CERT_PROVIDER';

/**
 * Who signs istiod's own certificate instead of its CA: `kubernetes`, `k8s.io/SIGNER`, `custom`, `none`, …; undefined where
 * its CA does, as by default. Source: istio/istio pilot/pkg/bootstrap/certcontroller.go (initDNSCerts),
 * pilot/pkg/features/pilot.go.
 */
export function otherCertProvider(env: Readonly<Record<string, string>>): string | undefined {
  const said = env[certProviderVariable] ?? '';
  return said === '' || said === 'istiod' ? undefined : said;
}
