/**
 * Whether istiod reads the other clusters: istio/istio pkg/kube/multicluster/secretcontroller.go. Its label `cluster` is the
 * remote cluster. If Prometheus adds a label with the same name, istiod's becomes `exported_cluster`.
 */
import {critical, warning, counterIncrease, clusterPrefix, type RuleContext, type RuleGroup} from '../rule.js';

const remote = '{{ with $labels.exported_cluster }}{{ . }}{{ else }}{{ $labels.cluster }}{{ end }}';

function byRemote({clusterLabel}: RuleContext): string {
  return [...new Set([clusterLabel, 'cluster', 'exported_cluster'])].join(', ');
}

/** Returns a prefix for the reporting cluster. If the cluster label is `cluster`, it may be the remote cluster instead. */
function reportedBy({clusterLabel}: RuleContext): string {
  return clusterLabel === 'cluster'
    ? '{{ if $labels.exported_cluster }}{{ $labels.cluster }}: {{ end }}'
    : clusterPrefix(clusterLabel);
}

const fix =
  'Its services are missing or outdated in this cluster. kubectl mesh verify --only MESH5 shows the cause and how to fix it; istioctl remote-clusters shows the state too.';

/** Rules for remote clusters. */
export const discoveryRules: RuleGroup = {
  name: 'kubectl-mesh.istiod-discovery',
  source: 'istiod',
  rules: [
    critical('IstiodRemoteClusterNotSynced', '10m', {
      requires: 'remoteClusterSyncMetric',
      // `closed` remains after a remote secret is replaced, so it does not describe the current cluster.
      expr: (context) =>
        `max by (${byRemote(context)}, status) (${context.istiod('istiod_remote_cluster_sync_status', 'status=~"syncing|timeout"')}) == 1`,
      summary: (context) => `${reportedBy(context)}istiod cannot sync cluster ${remote} ({{ $labels.status }})`,
      description: () => fix,
    }),
    warning('IstiodRemoteClusterTimesOut', '5m', {
      requires: 'remoteClusterTimeoutMetric',
      supersededBy: 'remoteClusterSyncMetric',
      expr: (context) =>
        `sum by (${byRemote(context)}) (${counterIncrease(context, context.istiod('remote_cluster_sync_timeouts_total'), '1h')}) > 0`,
      summary: (context) => `${reportedBy(context)}istiod timed out syncing a remote cluster and continues without it`,
      description: () => fix,
    }),
    warning('IstiodRemoteClusterLost', '10m', {
      requires: 'managedClustersMetric',
      expr: ({clusterLabel, istiod}) => {
        const managed = istiod('istiod_managed_clusters', 'cluster_type="remote"');
        return `max by (${clusterLabel}) (max_over_time(${managed}[1h])) - max by (${clusterLabel}) (${managed}) > 0`;
      },
      summary: ({clusterLabel}) =>
        `${clusterPrefix(clusterLabel)}istiod reads {{ $value }} clusters fewer than in the last hour`,
      description: () =>
        'A remote secret was deleted or changed. If this was intended, the alert resolves itself within an hour. kubectl -n istio-system get secrets -l istio/multiCluster=true shows the remaining remote secrets.',
    }),
    warning('IstiodMetricsAbsent', '30m', {
      expr: ({istiod}) => `absent(${istiod('istio_build', 'component="pilot"')})`,
      summary: () => 'This Prometheus has no metrics of istiod',
      description: () =>
        'Port 15014 of istiod is not scraped, so none of the alerts for istiod can fire. To monitor only kubectl mesh certs list, generate the rules with --source textfile.',
    }),
  ],
};
