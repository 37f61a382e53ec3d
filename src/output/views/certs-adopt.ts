import {printableLine} from '../../domain/printable.js';
import type {AdoptedCluster, AdoptResult} from '../../operations/certs/adopt.js';
import {clusterCaText, generalErrorLines, failedLines} from '../format.js';
import type {Printed, View} from '../view.js';

/** `certs adopt`: each context with its CA and files, then the changes to the work directory and the errors. */
export const certsAdoptView: View<AdoptResult> = {
  text: (result, {now}) =>
    [
      ...result.clusters.flatMap((cluster) => clusterLines(cluster, result.dryRun !== undefined, now)),
      ...changeLines(result),
      ...generalErrorLines(result.errors),
    ].join('\n'),
  name: ({clusters}) => clusters.flatMap(({name, error}) => (error ? [] : [name])).join('\n'),
};

function clusterLines(cluster: Printed<AdoptedCluster>, dryRun: boolean, now: Date): readonly string[] {
  const {name, context, error, outcome, istioName, versions = [], files} = cluster;
  const renamed = istioName === undefined ? '' : `, clusterName ${printableLine(istioName)}`;
  if (error) return failedLines({name: printableLine(name), outcome}, error);
  const would = dryRun && outcome === 'skipped';
  const words = would ? 'would be adopted' : outcome === 'done' ? 'adopted' : outcome;
  return [
    `${name}: ${words} (context ${printableLine(context)}, Istio ${versions.map(printableLine).join(', ')}${renamed})`,
    `  ${caLine(cluster, now)}`,
    ...files.map((file) => `  ${would ? 'would write' : 'wrote'} ${file}`),
  ];
}

function caLine({ca, keptIn, keeper}: Printed<AdoptedCluster>, now: Date): string {
  if (keptIn === 'elsewhere' && keeper !== undefined) return `cluster CA: not readable (${printableLine(keeper)})`;
  if (keptIn === 'elsewhere') return 'no cluster CA: an external CA issues the workload certificates';
  if (keptIn === 'istio-ca-secret') return "cluster CA: istiod's self-signed root (Secret istio-ca-secret)";
  const manager = keeper === undefined ? '' : `, managed by ${printableLine(keeper)}`;
  return `${ca?.clusterCa ? clusterCaText(ca.clusterCa, now) : 'unreadable cluster CA'}${manager}`;
}

function changeLines({changes, clusters, workDir, dryRun, errors}: Printed<AdoptResult>): readonly string[] {
  if (errors.length > 0 || clusters.every(({error}) => error)) return [];
  if (changes.length === 0) return [`${workDir}: unchanged`];
  return [dryRun === undefined ? `${workDir}:` : `${workDir} (dry run):`, ...changes.map((change) => `  ${change}`)];
}
