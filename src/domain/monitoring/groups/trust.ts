/** Whether clusters trust each other and can be asked, from `certs list --live -o prometheus`. */
import {metricFamilies} from '../metrics.js';
import type {RuleGroup} from '../rule.js';

const reachable = metricFamilies.reachable.name;
const readable = metricFamilies.readable.name;

/** Rules about roots and reach. */
export const trustRules: RuleGroup = {
  name: 'kubectl-mesh.trust',
  source: 'textfile',
  rules: [
    {
      alert: 'MeshRootDisagrees',
      severity: 'critical',
      for: '10m',
      expr: () => `min by (cluster) (${metricFamilies.rootAgrees.name}) == 0`,
      summary: () => '{{ $labels.cluster }}: what its CA signs is not accepted by every cluster of the mesh',
      description: () =>
        'Workloads of another cluster, or of this one, do not trust the root that its CA stands under: connections fail with "certificate verify failed". kubectl mesh verify --only MESH3 says who refuses whom and what mends it.',
    },
    {
      alert: 'MeshClusterUnreachable',
      severity: 'warning',
      for: '2h',
      expr: () => `min by (cluster) (${reachable}) == 0`,
      summary: () => '{{ $labels.cluster }}: its API server could not be asked, or is another one',
      description: () =>
        'Nothing is known of what runs in this cluster: its certificates may end unseen. kubectl mesh certs list CLUSTER --live says why.',
    },
    {
      alert: 'MeshSourceUnreadable',
      severity: 'warning',
      for: '2h',
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
    },
  ],
};
