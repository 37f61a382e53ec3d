/** Expiry of the certificates that workloads depend on, from `certs list -o prometheus`. */
import type {ExpiryThreshold} from '../../x509/expiry.js';
import {metricFamilies} from '../metrics.js';
import {critical, warning, daysInSeconds, clusterPrefix, type RuleGroup} from '../rule.js';

const notAfter = metricFamilies.notAfter.name;
const notBefore = metricFamilies.notBefore.name;
const inUse = `${metricFamilies.inUse.name} == 1`;

/** Aggregates a certificate from files, cluster and live observations, and possibly several machines, to one alert. */
function oneAlertPerCertificate(expr: string): string {
  return `min by (cluster, role, subject, fingerprint) (\n${expr.replaceAll(/^/gm, '  ')}\n)`;
}

/**
 * Returns the condition of `trust.expiry`: less than the share and its limit, or less than the days. The value is the remaining
 * seconds.
 */
function remainingBelow({share, days, capDays}: ExpiryThreshold): string {
  const left = `${notAfter} - time()`;
  const cap = capDays === undefined ? '' : ` < ${daysInSeconds(capDays)}`;
  const ofLifetime = `${left} < ${String(share)} * (${notAfter} - ${notBefore})${cap}`;
  return `(\n  ${ofLifetime}\n  or\n  ${left} < ${daysInSeconds(days)}\n)`;
}

const what = `${clusterPrefix('cluster')}{{ $labels.role }} "{{ $labels.subject }}" ({{ $labels.fingerprint }})`;
const renew =
  'To renew a cluster CA, run kubectl mesh trust rotate cluster-ca CLUSTER. No cluster CA outlives its root, and all workloads must trust a new root before it is used. kubectl mesh certs list shows what else depends on the certificate.';

/** Rules for certificate validity. */
export const certificateRules: RuleGroup = {
  name: 'kubectl-mesh.certificates',
  source: 'textfile',
  rules: [
    warning('MeshCertificateExpiresSoon', '1h', {
      expr: ({expiry}) =>
        oneAlertPerCertificate(`${remainingBelow(expiry.warn)}\nunless ${remainingBelow(expiry.error)}\nand ${inUse}`),
      summary: () => `${what} expires in {{ humanizeDuration $value }}`,
      description: () => `Plan its renewal. ${renew}`,
    }),
    critical('MeshCertificateExpiresVerySoon', '15m', {
      expr: ({expiry}) => oneAlertPerCertificate(`${remainingBelow(expiry.error)} > 0\nand ${inUse}`),
      summary: () => `${what} expires in {{ humanizeDuration $value }}, which causes an outage`,
      description: () => `After it expires, mTLS between workloads fails and istiod cannot restart. ${renew}`,
    }),
    critical('MeshCertificateExpired', '1m', {
      expr: () => oneAlertPerCertificate(`${notAfter} - time() <= 0\nand ${inUse}`),
      summary: () => `${what} has expired`,
      description: () => `Everything that depends on it fails. ${renew}`,
    }),
    critical('MeshCertificateNotYetValid', '10m', {
      expr: () => oneAlertPerCertificate(`${notBefore} - time() > 0\nand ${inUse}`),
      summary: () => `${what} becomes valid in {{ humanizeDuration $value }}`,
      description: () =>
        'Either a clock is wrong, or the certificate was deployed too early: workloads reject it until then. Compare date -u on the machine that ran kubectl mesh with the cluster, and see kubectl mesh certs list -o wide.',
    }),
  ],
};
