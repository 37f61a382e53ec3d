/**
 * Whether istiod reads the other clusters: istio/istio pkg/kube/multicluster/secretcontroller.go. Its `cluster` label is the
 * remote cluster; where Prometheus has a label of that name itself, istiod's becomes `exported_cluster`.
 */
import {critical, warning, counterIncrease, clusterPrefix, type RuleContext, type RuleGroup} from '../rule.js';

const remote = '{{ with $labels.exported_cluster }}{{ . }}{{ else }}{{ $labels.cluster }}{{ end }}';

function byRemote({clusterLabel}: RuleContext): string {
  return [...new Set([clusterLabel, 'cluster', 'exported_cluster'])].join(', ');
}

/** Who says it; where the cluster label is `cluster`, it may be the remote one already. */
function reportedBy({clusterLabel}: RuleContext): string {
  return clusterLabel === 'cluster'
    ? '{{ if $labels.exported_cluster }}{{ $labels.cluster }}: {{ end }}'
    : clusterPrefix(clusterLabel);
}

const fix =
  'Its services are missing or out of date here. kubectl mesh verify --only MESH412 says which state it is in and what mends it; istioctl remote-clusters shows the same.';

/** Rules about remote clusters. */
export const discoveryRules: RuleGroup = {
  name: 'kubectl-mesh.istiod-discovery',
  source: 'istiod',
  rules: [
    critical('IstiodRemoteClusterNotSynced', '10m', {
      requires: 'remoteClusterSyncMetric',
      // `closed` stays behind when a remote secret is replaced: it says nothing of the cluster that is read now.
      expr: (context) =>
        `max by (${byRemote(context)}, status) (${context.istiod('istiod_remote_cluster_sync_status', 'status=~"syncing|timeout"')}) == 1`,
      summary: (context) => `${reportedBy(context)}istiod does not read cluster ${remote} ({{ $labels.status }})`,
      description: () => fix,
    }),
    warning('IstiodRemoteClusterTimesOut', '5m', {
      requires: 'remoteClusterTimeoutMetric',
      supersededBy: 'remoteClusterSyncMetric',
      expr: (context) =>
        `sum by (${byRemote(context)}) (${counterIncrease(context, context.istiod('remote_cluster_sync_timeouts_total'), '1h')}) > 0`,
      summary: (context) =>
        `${reportedBy(context)}istiod could not read a remote cluster in time: it serves without it`,
      description: () => fix,
    }),
    warning('IstiodRemoteClusterLost', '10m', {
      requires: 'managedClustersMetric',
      expr: ({clusterLabel, istiod}) => {
        const managed = istiod('istiod_managed_clusters', 'cluster_type="remote"');
        return `max by (${clusterLabel}) (max_over_time(${managed}[1h])) - max by (${clusterLabel}) (${managed}) > 0`;
      },
      summary: ({clusterLabel}) =>
        `${clusterPrefix(clusterLabel)}istiod reads {{ $value }} clusters fewer than within the last hour`,
      description: () =>
        'A remote secret was deleted or changed: if on purpose, this ends by itself within the hour. kubectl -n istio-system get secrets -l istio/multiCluster=true shows those that are left.',
    }),
    warning('IstiodMetricsAbsent', '30m', {
      expr: ({istiod}) => `absent(${istiod('istio_build', 'component="pilot"')})`,
      summary: () => 'No metrics of istiod reach this Prometheus',
      description: () =>
        'Port 15014 of istiod is not scraped, so none of the alerts about it can fire. Where only kubectl mesh certs list is to be watched, make the rules with --source textfile.',
    }),
  ],
};
