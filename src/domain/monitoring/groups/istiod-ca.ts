/**
 * The expiry of the CA and the first root that istiod has loaded, as istiod reports it: istio/istio
 * security/pkg/server/ca/monitoring.go. 0 and negative values mean that nothing was recorded. Lifetimes are not exported, so
 * only the days of `trust.expiry` are used.
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

/** Returns the remaining seconds. Replicas in one cluster are one alert. */
function secondsLeft({clusterLabel, istiod}: RuleContext, family: string): string {
  return `min by (${clusterLabel}) ((${istiod(family)} > 0) - time())`;
}

function fixFor(how: string, {has}: RuleContext): string {
  return has('expiryMetricsFollowReload')
    ? how
    : `${how} Before Istio 1.24 istiod reports the values from its start: restart it to see the new date.`;
}

function expiring(
  name: string,
  what: string,
  family: string,
  fix: string,
  more: Pick<AlertRule, 'requires'> = {},
): readonly AlertRule[] {
  const summary = ({clusterLabel}: RuleContext): string =>
    `${clusterPrefix(clusterLabel)}${what} that istiod has loaded expires in {{ humanizeDuration $value }}`;
  return [
    warning(`${name}ExpiresSoon`, '1h', {
      ...more,
      expr: (context) =>
        `${secondsLeft(context, family)} < ${daysInSeconds(context.expiry.warn.days)} >= ${daysInSeconds(context.expiry.error.days)}`,
      summary,
      description: (context) => fixFor(fix, context),
    }),
    critical(`${name}ExpiresVerySoon`, '15m', {
      ...more,
      expr: (context) => `${secondsLeft(context, family)} < ${daysInSeconds(context.expiry.error.days)}`,
      summary,
      description: (context) =>
        fixFor(`After it expires, no certificate that istiod issues is accepted. ${fix}`, context),
    }),
  ];
}

/** Rules for the CA and root that istiod has loaded. */
export const istiodCaRules: RuleGroup = {
  name: 'kubectl-mesh.istiod-ca',
  source: 'istiod',
  requiresIstiodCa: true,
  rules: [
    ...expiring('IstiodCa', 'the CA', caExpiry, 'Run kubectl mesh trust rotate cluster-ca CLUSTER.', {
      requires: 'caExpiryMetric',
    }),
    ...expiring(
      'IstiodRoot',
      'the first root',
      rootExpiry,
      'A new cluster CA does not help: the root must be replaced in every cluster, and workloads must trust the new root first. kubectl mesh certs list shows what depends on it.',
    ),
    warning('IstiodRootsDiffer', '1h', {
      expr: ({istiod}) => `max(${istiod(rootExpiry)} > 0) - min(${istiod(rootExpiry)} > 0) > 0`,
      summary: () =>
        'Not all istiods have loaded the same first root: their expiry times differ by {{ humanizeDuration $value }}',
      description: () =>
        'This is expected while a root is replaced; otherwise clusters of one mesh, or replicas of one istiod, have different roots. kubectl mesh verify --only MESH3 shows which. Only clusters with metrics in this Prometheus are compared. If it also has other meshes, generate the rules with --istiod-selector.',
    }),
  ],
};
