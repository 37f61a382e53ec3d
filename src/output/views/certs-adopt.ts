import {shortFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import type {AdoptedCluster, AdoptResult} from '../../operations/certs/adopt.js';
import {hintLines} from '../format.js';
import type {Printed, View} from '../view.js';

/** `certs adopt`: a line for each context with its CA below it; what became of the work directory; how to go on. */
export const certsAdoptView: View<AdoptResult> = {
  text: (result) =>
    [
      ...result.clusters.flatMap((cluster) => clusterLines(cluster, result.dryRun !== undefined)),
      ...changeLines(result),
      ...result.errors.flatMap(({message, hints}) => [message, ...hintLines(hints)]),
    ].join('\n'),
  name: ({clusters}) => clusters.flatMap(({name, error}) => (error ? [] : [name])).join('\n'),
};

function clusterLines(cluster: Printed<AdoptedCluster>, dryRun: boolean): readonly string[] {
  const {name, context, error, outcome, versions = [], files} = cluster;
  if (error) {
    return [`${printableLine(name)}: not adopted: ${printableLine(error.message)}`, ...hintLines(error.hints)];
  }
  const would = dryRun && outcome === 'skipped';
  const words = would ? 'would be adopted' : outcome === 'done' ? 'adopted' : outcome;
  return [
    `${name}: ${words} (context ${printableLine(context)}, Istio ${versions.map(printableLine).join(', ')})`,
    `  ${caLine(cluster)}`,
    ...files.map((file) => `  ${would ? 'would write' : 'wrote'} ${file}`),
  ];
}

function caLine({ca, keptIn, keeper}: Printed<AdoptedCluster>): string {
  if (keptIn === 'elsewhere') return 'workload certificates come from elsewhere: it has no CA';
  if (keptIn === 'istio-ca-secret') return 'its CA is a root that istiod made for itself (Secret istio-ca-secret)';
  const one = ca?.clusterCa;
  const who = keeper === undefined ? '' : `, kept by ${printableLine(keeper)}`;
  if (!one) return `its CA cannot be read${who}`;
  return `CA ${shortFingerprint(one.fingerprint)} ${printableLine(one.subject)}, until ${one.notAfter.slice(0, 10)}${who}`;
}

function changeLines({changes, clusters, workDir, dryRun, errors}: Printed<AdoptResult>): readonly string[] {
  if (errors.length > 0 || clusters.every(({error}) => error)) return [];
  if (changes.length === 0) return [`${workDir}: nothing more to write`];
  return [dryRun === undefined ? `${workDir}:` : `${workDir}, dry run:`, ...changes.map((change) => `  ${change}`)];
}
