/** Expiry of every certificate that workloads depend on, by what is left of its life, from `certs list -o prometheus`. */
import type {ExpiryThreshold} from '../../x509/expiry.js';
import {metricFamilies} from '../metrics.js';
import {critical, warning, daysInSeconds, clusterPrefix, type RuleGroup} from '../rule.js';

const notAfter = metricFamilies.notAfter.name;
const notBefore = metricFamilies.notBefore.name;
const inUse = `${metricFamilies.inUse.name} == 1`;

/** The same certificate is seen in files, in the cluster and live, and perhaps by two machines: that is one alert. */
function oneAlertPerCertificate(expr: string): string {
  return `min by (cluster, role, subject, fingerprint) (\n${expr.replaceAll(/^/gm, '  ')}\n)`;
}

/** The larger of the share and the days: the rule of `trust.expiry`. The value is the seconds left. */
function remainingBelow({share, days}: ExpiryThreshold): string {
  const left = `${notAfter} - time()`;
  return `(\n  ${left} < ${String(share)} * (${notAfter} - ${notBefore})\n  or\n  ${left} < ${daysInSeconds(days)}\n)`;
}

const what = `${clusterPrefix('cluster')}{{ $labels.role }} "{{ $labels.subject }}" ({{ $labels.fingerprint }})`;
const renew =
  'A cluster CA: kubectl mesh certs generate CLUSTER --renew, then kubectl mesh trust push CLUSTER. A root: no cluster CA outlives it, and all workloads must trust the next one first. kubectl mesh certs list says what else depends on it.';

/** Rules about dates. */
export const certificateRules: RuleGroup = {
  name: 'kubectl-mesh.certificates',
  source: 'textfile',
  rules: [
    warning('MeshCertificateExpiresSoon', '1h', {
      expr: ({expiry}) =>
        oneAlertPerCertificate(`${remainingBelow(expiry.warn)}\nunless ${remainingBelow(expiry.error)}\nand ${inUse}`),
      summary: () => `${what} ends in {{ humanizeDuration $value }}`,
      description: () => `There is time to renew it without haste. ${renew}`,
    }),
    critical('MeshCertificateExpiresVerySoon', '15m', {
      expr: ({expiry}) => oneAlertPerCertificate(`${remainingBelow(expiry.error)} > 0\nand ${inUse}`),
      summary: () => `${what} ends in {{ humanizeDuration $value }}: an outage`,
      description: () => `When it ends, workloads refuse each other and istiod does not start again. ${renew}`,
    }),
    critical('MeshCertificateExpired', '1m', {
      expr: () => oneAlertPerCertificate(`${notAfter} - time() <= 0\nand ${inUse}`),
      summary: () => `${what} has ended`,
      description: () => `Whatever depends on it fails now. ${renew}`,
    }),
    critical('MeshCertificateNotYetValid', '10m', {
      expr: () => oneAlertPerCertificate(`${notBefore} - time() > 0\nand ${inUse}`),
      summary: () => `${what} is valid only in {{ humanizeDuration $value }}`,
      description: () =>
        'Either a clock is wrong, or a certificate was put to use too early: workloads refuse it until then. Compare date -u on the machine that ran kubectl mesh with the cluster, and see kubectl mesh certs list -o wide.',
    }),
  ],
};
