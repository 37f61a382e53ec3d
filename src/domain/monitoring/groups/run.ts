/** Whether anybody still looks: a metric that is no longer written never says that something is wrong. */
import {metricFamilies} from '../metrics.js';
import type {RuleGroup} from '../rule.js';

const lastRun = metricFamilies.lastRun.name;

/** Rules about the run itself. */
export const runRules: RuleGroup = {
  name: 'kubectl-mesh.run',
  source: 'textfile',
  rules: [
    {
      alert: 'MeshMetricsStale',
      severity: 'warning',
      for: '10m',
      expr: ({staleAfter}) => `time() - max(${lastRun}) > ${String(staleAfter)}`,
      summary: () => 'kubectl mesh certs list has not written its metrics for {{ humanizeDuration $value }}',
      description: () =>
        'The cron job, timer or CronJob that runs it has stopped or fails: what these metrics say of the mesh is as old. Run its command by hand and look at its exit code.',
    },
    {
      alert: 'MeshMetricsAbsent',
      severity: 'warning',
      for: '30m',
      expr: () => `absent(${lastRun})`,
      summary: () => 'No metrics of kubectl mesh certs list reach this Prometheus',
      description: () =>
        'The file is gone, is not readable for the textfile collector, or its node is not scraped. Where only istiod is to be watched, make the rules with --source istiod.',
    },
  ],
};
