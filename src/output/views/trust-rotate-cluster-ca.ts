import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {RotationStep} from '../../domain/trust/rotation.js';
import type {RotatedCluster, RotateResult} from '../../operations/trust/rotation/report-rotation.js';
import {indent, withoutRepeatedHints} from '../format.js';
import type {Printed} from '../view.js';
import {caLines, failureLines, type Style, withFingerprints} from './trust.js';

/** `trust rotate cluster-ca`: the CA of each cluster before and after, the order of a dry run, and how to continue. */
export const trustRotateClusterCaView = withFingerprints<RotateResult>(({clusters, dryRun}, style) => {
  const isDryRun = dryRun !== undefined;
  return [
    ...withoutRepeatedHints(clusters.flatMap((cluster) => clusterLines(cluster, isDryRun, style))),
    ...(isDryRun ? orderLines(clusters) : continuationLines(clusters, style)),
  ].join('\n');
});

type ShownCluster = Printed<RotatedCluster>;

function clusterLines(cluster: ShownCluster, isDryRun: boolean, style: Style): readonly string[] {
  const {name, outcome, error, step = 'none', before, after, namespace} = cluster;
  if (error) {
    const sides = cluster.proven === undefined ? {current: before} : {previous: before, new: after};
    return [...failureLines(cluster), ...indent(caLines(sides, style))];
  }
  if (outcome === 'unchanged') return [`${name}: nothing to do`, ...indent(caLines({current: before}, style))];
  if (outcome === 'cancelled') return [`${name}: cancelled: to complete it, run the command again`];
  if (outcome === 'skipped' && !isDryRun) return [`${name}: not started`];
  const would = isDryRun ? 'would be ' : '';
  const shown = isDryRun ? {current: before, new: after} : {previous: before, current: after};
  return [
    `${name}: ${(isDryRun ? planned : done)[step]}`,
    ...indent([
      ...caLines(step === 'prove' ? {current: after} : shown, style),
      ...(cluster.keepsPrevious ? [`previous CA ${would}saved as Secret ${namespace}/cacerts-previous`] : []),
      ...cluster.restarts.map((deployment) => `Deployment ${deployment} ${would}restarted`),
      ...(isDryRun
        ? []
        : [cluster.proven === true ? 'every istiod pod presents the new CA' : 'not verified: no istiod is running']),
    ]),
  ];
}

const done: Readonly<Record<RotationStep, string>> = {
  renew: 'cluster CA rotated',
  push: 'cluster CA rotated (it was issued by an earlier run)',
  prove: 'cluster CA verified (it was pushed by an earlier run)',
  none: 'nothing to do',
};

const planned: Readonly<Record<RotationStep, string>> = {
  renew: 'a new cluster CA would be issued, pushed and verified',
  push: 'the new cluster CA in the work directory would be pushed and verified',
  prove: 'the new cluster CA would be verified',
  none: 'nothing to do',
};

/** The order of changes: `cluster1; then cluster2, cluster3`. */
function orderLines(clusters: readonly ShownCluster[]): readonly string[] {
  const waves = [...new Set(clusters.flatMap(({wave}) => wave ?? []))].toSorted((one, other) => one - other);
  if (waves.length < 2) return [];
  const names = waves.map((number) => clusters.flatMap(({name, wave}) => (wave === number ? [name] : [])).join(', '));
  return [`Order: ${names.join('; then ')}`];
}

/** The command for the clusters that are left. */
function continuationLines(clusters: readonly ShownCluster[], {command}: Style): readonly string[] {
  const left = clusters.filter(({outcome}) => outcome !== 'done' && outcome !== 'unchanged').map(({name}) => name);
  if (left.length === 0 || left.length === clusters.length) return [];
  return [`To continue: ${command(kubectlMesh('trust rotate cluster-ca', left))}`];
}
