/** Whether clusters trust each other, can be reached, and are still checked, from `certs list --live -o prometheus`. */
import {metricFamilies} from '../metrics.js';
import {critical, warning, type RuleGroup} from '../rule.js';

const lastRun = metricFamilies.lastRun.name;
const reachable = metricFamilies.reachable.name;
const readable = metricFamilies.readable.name;

/** Rules about roots and reach. */
export const trustRules: RuleGroup = {
  name: 'kubectl-mesh.trust',
  source: 'textfile',
  rules: [
    critical('MeshRootDisagrees', '10m', {
      expr: () => `min by (cluster) (${metricFamilies.rootAgrees.name}) == 0`,
      summary: () => '{{ $labels.cluster }}: what its CA signs is not accepted by every cluster of the mesh',
      description: () =>
        'Workloads of another cluster, or of this one, do not trust the root that its CA stands under: connections fail with "certificate verify failed". kubectl mesh verify --only MESH3 says who refuses whom and what mends it.',
    }),
    warning('MeshClusterUnreachable', '2h', {
      expr: () => `min by (cluster) (${reachable}) == 0`,
      summary: () => '{{ $labels.cluster }}: its API server could not be asked, or is another one',
      description: () =>
        'Nothing is known of what runs in this cluster: its certificates may end unseen. kubectl mesh certs list CLUSTER --live says why.',
    }),
    warning('MeshSourceUnreadable', '2h', {
      // A cluster that cannot be reached is one alert, not three.
      expr: () =>
        [
          `min by (cluster, source) (${readable}{source="workdir"}) == 0`,
          'or',
          `(min by (cluster, source) (${readable}{source!="workdir"}) == 0 unless on (cluster) min by (cluster) (${reachable}) == 0)`,
        ].join('\n'),
      summary: () =>
        '{{ with $labels.cluster }}{{ . }}: {{ end }}not everything could be read (source {{ $labels.source }})',
      description: () =>
        'workdir: a certificate file cannot be read. cluster: Secret cacerts or the bundle of roots, often a missing right. live: an istiod did not answer. kubectl mesh certs list --live says what and why.',
    }),
  ],
};

/** Rules about the run itself: a metric that is no longer written raises no alert of its own. */
export const runRules: RuleGroup = {
  name: 'kubectl-mesh.run',
  source: 'textfile',
  rules: [
    warning('MeshMetricsStale', '10m', {
      expr: ({staleAfterSeconds}) => `time() - max(${lastRun}) > ${String(staleAfterSeconds)}`,
      summary: () => 'kubectl mesh certs list has not written its metrics for {{ humanizeDuration $value }}',
      description: () =>
        'The cron job, timer or CronJob that runs it has stopped or fails: what these metrics say of the mesh is as old. Run its command by hand and look at its exit code.',
    }),
    warning('MeshMetricsAbsent', '30m', {
      expr: () => `absent(${lastRun})`,
      summary: () => 'No metrics of kubectl mesh certs list reach this Prometheus',
      description: () =>
        'The file is gone, is not readable for the textfile collector, or its node is not scraped. Where only istiod is to be watched, make the rules with --source istiod.',
    }),
  ],
};
