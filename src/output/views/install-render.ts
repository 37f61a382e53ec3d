import {printable} from '../../domain/printable.js';
import type {PrintResult, RenderedCluster, RenderResult} from '../../operations/install/render.js';
import {failedLines} from '../lines.js';
import type {Printed, View} from '../view.js';

/** `install render`: a line for each cluster, and what changed in a file that was there. */
export const renderView: View<RenderResult> = {
  text: (result) => result.clusters.flatMap((cluster) => clusterLines(cluster, result.dryRun !== undefined)).join('\n'),
  name: (result) => result.clusters.map(({path}) => path).join('\n'),
};

/** `install render --output-file -`: the document alone; by name the cluster it is for, since no file was written. */
export const printView: View<PrintResult> = {text: ({document}) => document, name: ({cluster}) => cluster};

function clusterLines(cluster: Printed<RenderedCluster>, dryRun: boolean): readonly string[] {
  const {name, outcome, path, diff = [], kept, error} = cluster;
  if (error) return failedLines(cluster, error);
  const form = `Istio ${cluster.istioVersion ?? '?'} from ${cluster.versionFrom ?? '?'}, form of ${cluster.dialect ?? '?'}`;
  const what = outcome === 'done' ? 'written' : outcome === 'skipped' && dryRun ? 'would be written' : outcome;
  return [
    `${name}: ${path} ${what} (${form})`,
    ...(kept === undefined ? [] : [`  what was edited by hand ${dryRun ? 'would be' : 'is'} kept as ${kept}`]),
    ...diff.map((line) => `  ${printable(line)}`),
  ];
}
