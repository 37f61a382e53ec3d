import type {AppliedCluster, ApplyResult} from '../../operations/install/apply.js';
import {failedLines} from '../lines.js';
import type {Printed, View} from '../view.js';

/** `install apply`: a line for each cluster; what went wrong, in full. */
export const applyView: View<ApplyResult> = {
  text: (result) =>
    result.clusters
      .flatMap((cluster) => clusterLines(cluster, result.istioctl, result.dryRun !== undefined))
      .join('\n'),
};

const done = {install: 'installed', replace: 'configuration replaced', upgrade: 'upgraded', repair: 'applied again'};
const planned = {
  install: 'would be installed',
  replace: 'configuration would be replaced',
  upgrade: 'would be upgraded',
  repair: 'would be applied again',
};

function clusterLines(cluster: Printed<AppliedCluster>, istioctl: string, dryRun: boolean): readonly string[] {
  const {name, outcome, change, error, path, running} = cluster;
  if (error) return failedLines(cluster, error);
  if (outcome === 'unchanged') return [`${name}: unchanged: Istio ${running ?? istioctl} runs as ${path} says`];
  if (change === undefined || change === 'unchanged') return [`${name}: ${outcome}`];
  const from = change === 'upgrade' && running !== undefined ? ` from ${running}` : '';
  if (outcome === 'done') return [`${name}: Istio ${istioctl} ${done[change]}${from}, from ${path}`];
  return [dryRun ? `${name}: Istio ${istioctl} ${planned[change]}${from}, from ${path}` : `${name}: not started`];
}
