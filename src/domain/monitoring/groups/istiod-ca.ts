/**
 * The ends that istiod reports of the CA and the first root that it has loaded: istio/istio
 * security/pkg/server/ca/monitoring.go. 0 and negative values mean that nothing was recorded. How long they live is not
 * exported, so only the days of `trust.expiry` can be asked for.
 */
import {
  critical,
  warning,
  type AlertRule,
  daysInSeconds,
  clusterPrefix,
  type RuleContext,
  type RuleGroup,
} from '../rule.js';

const rootExpiry = 'citadel_server_root_cert_expiry_timestamp';
const caExpiry = 'citadel_server_cert_chain_expiry_timestamp';

/** Seconds left; replicas of one cluster are one alert. */
function secondsLeft({clusterLabel, istiod}: RuleContext, family: string): string {
  return `min by (${clusterLabel}) ((${istiod(family)} > 0) - time())`;
}

function fixFor(how: string, {has}: RuleContext): string {
  return has('expiryMetricsFollowReload')
    ? how
    : `${how} Before Istio 1.24 istiod reports what it had loaded when it started: restart it to see the new date.`;
}

function expiring(
  name: string,
  what: string,
  family: string,
  mend: string,
  more: Pick<AlertRule, 'requires'> = {},
): readonly AlertRule[] {
  const summary = ({clusterLabel}: RuleContext): string =>
    `${clusterPrefix(clusterLabel)}${what} that istiod has loaded ends in {{ humanizeDuration $value }}`;
  return [
    warning(`${name}ExpiresSoon`, '1h', {
      ...more,
      expr: (context) =>
        `${secondsLeft(context, family)} < ${daysInSeconds(context.expiry.warn.days)} >= ${daysInSeconds(context.expiry.error.days)}`,
      summary,
      description: (context) => fixFor(mend, context),
    }),
    critical(`${name}ExpiresVerySoon`, '15m', {
      ...more,
      expr: (context) => `${secondsLeft(context, family)} < ${daysInSeconds(context.expiry.error.days)}`,
      summary,
      description: (context) => fixFor(`When it ends, no certificate that istiod issues is accepted. ${mend}`, context),
    }),
  ];
}

/** Rules about what istiod has loaded. */
export const istiodCaRules: RuleGroup = {
  name: 'kubectl-mesh.istiod-ca',
  source: 'istiod',
  requiresIstiodCa: true,
  rules: [
    ...expiring(
      'IstiodCa',
      'the CA',
      caExpiry,
      'kubectl mesh certs generate CLUSTER --renew, then kubectl mesh trust push CLUSTER.',
      {requires: 'caExpiryMetric'},
    ),
    ...expiring(
      'IstiodRoot',
      'the first root',
      rootExpiry,
      'Another cluster CA changes nothing: the root has to be replaced in every cluster, and workloads must trust the next one first. kubectl mesh certs list says who depends on it.',
    ),
    warning('IstiodRootsDiffer', '1h', {
      expr: ({istiod}) => `max(${istiod(rootExpiry)} > 0) - min(${istiod(rootExpiry)} > 0) > 0`,
      summary: () =>
        'Not every istiod has loaded the same first root: their ends are {{ humanizeDuration $value }} apart',
      description: () =>
        'While a root is replaced this is so for a time; otherwise clusters of one mesh, or replicas of one istiod, stand under different roots. kubectl mesh verify --only MESH3 says which. Only clusters whose metrics are in this Prometheus are compared; where it has other meshes, too, make the rules with --istiod-selector.',
    }),
  ],
};
