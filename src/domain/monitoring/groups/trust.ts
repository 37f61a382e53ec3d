/** Whether clusters trust each other, are reachable, and are still checked, from `certs list --live -o prometheus`. */
import {metricFamilies} from '../metrics.js';
import {critical, warning, type RuleGroup} from '../rule.js';

const lastRun = metricFamilies.lastRun.name;
const reachable = metricFamilies.reachable.name;
const readable = metricFamilies.readable.name;

/** Rules for roots and reachability. */
export const trustRules: RuleGroup = {
  name: 'kubectl-mesh.trust',
  source: 'textfile',
  rules: [
    critical('MeshRootDisagrees', '10m', {
      expr: () => `min by (cluster) (${metricFamilies.rootAgrees.name}) == 0`,
      summary: () => '{{ $labels.cluster }}: not every cluster of the mesh accepts the certificates that its CA signs',
      description: () =>
        'Workloads of another cluster, or of this one, do not trust the root of the cluster\'s CA: connections fail with "certificate verify failed". kubectl mesh verify --only MESH3 shows which clusters reject it and how to fix it.',
    }),
    warning('MeshClusterUnreachable', '2h', {
      expr: () => `min by (cluster) (${reachable}) == 0`,
      summary: () => '{{ $labels.cluster }}: its API server is unreachable, or belongs to a different cluster',
      description: () =>
        'The state of this cluster is unknown, and its certificates may expire undetected. kubectl mesh certs list CLUSTER --live shows the reason.',
    }),
    warning('MeshSourceUnreadable', '2h', {
      // An unreachable cluster causes one alert, not three.
      expr: () =>
        [
          `min by (cluster, source) (${readable}{source="workdir"}) == 0`,
          'or',
          `(min by (cluster, source) (${readable}{source!="workdir"}) == 0 unless on (cluster) min by (cluster) (${reachable}) == 0)`,
        ].join('\n'),
      summary: () =>
        '{{ with $labels.cluster }}{{ . }}: {{ end }}not everything could be read (source {{ $labels.source }})',
      description: () =>
        'workdir: a certificate file cannot be read. cluster: Secret cacerts or the trust bundle cannot be read, often because of missing permissions. live: an istiod did not respond. kubectl mesh certs list --live shows the reason.',
    }),
  ],
};

/** Rules for the runs themselves, because a metric that is no longer written causes no other alert. */
export const runRules: RuleGroup = {
  name: 'kubectl-mesh.run',
  source: 'textfile',
  rules: [
    warning('MeshMetricsStale', '10m', {
      expr: ({staleAfterSeconds}) => `time() - max(${lastRun}) > ${String(staleAfterSeconds)}`,
      summary: () => 'kubectl mesh certs list has not written its metrics for {{ humanizeDuration $value }}',
      description: () =>
        'The cron job, timer or CronJob that runs it has stopped or fails, so all metrics about the mesh are outdated. Run its command manually and check its exit code.',
    }),
    warning('MeshMetricsAbsent', '30m', {
      expr: () => `absent(${lastRun})`,
      summary: () => 'This Prometheus has no metrics of kubectl mesh certs list',
      description: () =>
        'The file is missing, the textfile collector cannot read it, or its node is not scraped. To monitor only istiod, generate the rules with --source istiod.',
    }),
  ],
};
