import {shownServices} from '../../domain/discovery/lost-endpoints.js';
import {printableLine} from '../../domain/printable.js';
import type {UnlinkedCluster, UnlinkResult} from '../../operations/discovery/unlink.js';
import {doneNames, failedLines, indent, plural, some, withoutRepeatedHints} from '../format.js';
import type {Printed, View} from '../view.js';

/** `unlink`: for each cluster what was removed, what its pods lose, and what istiod confirmed; then what remains. */
export const unlinkView: View<UnlinkResult> = {
  text: (result) =>
    [
      ...withoutRepeatedHints(
        result.clusters.flatMap((cluster) => clusterLines(cluster, result.target, result.dryRun !== undefined)),
      ),
      ...result.notes.map((note) => `note: ${printableLine(note)}`),
    ].join('\n'),
  name: doneNames,
};

function clusterLines(cluster: Printed<UnlinkedCluster>, target: string, dryRun: boolean): readonly string[] {
  const {name, outcome, error, namespace, remoteSecrets, readerSecrets} = cluster;
  if (error) return failedLines(cluster, error);
  if (outcome === 'cancelled') return [`${name}: cancelled: to complete it, run the command again`];
  if (outcome === 'unchanged') return [`${name}: nothing to remove`];
  if (outcome === 'skipped' && !dryRun) return [`${name}: not started`];
  const would = dryRun ? 'would be ' : '';
  const removed = [...remoteSecrets, ...readerSecrets].map((secret) => `Secret ${namespace}/${secret} ${would}removed`);
  const subject = name === target ? `${name} and the other clusters` : `${name} and ${target}`;
  const head = `${name}: ${dryRun ? `${subject} would be unlinked` : `${subject} are unlinked`}`;
  return [head, ...indent([...removed, ...losingLines(cluster, dryRun), ...provenLines(cluster)])];
}

function losingLines({losing = []}: Printed<UnlinkedCluster>, dryRun: boolean): readonly string[] {
  const words = dryRun ? 'would lose' : 'lost';
  const texts = (services: Printed<UnlinkedCluster>['losing']): string =>
    some(
      (services ?? []).map(
        ({host, lost, left}) => `${printableLine(host)} (${String(lost)} of ${String(lost + left)})`,
      ),
      shownServices,
    );
  const last = losing.filter(({left}) => left === 0);
  const fewer = losing.filter(({left}) => left > 0);
  return [
    ...(last.length === 0 ? [] : [`${plural(last.length, 'service')} ${words} all endpoints: ${texts(last)}`]),
    ...(fewer.length === 0 ? [] : [`${plural(fewer.length, 'service')} ${words} endpoints: ${texts(fewer)}`]),
  ];
}

function provenLines({proven}: Printed<UnlinkedCluster>): readonly string[] {
  if (!proven) return [];
  const kept = proven.kept.map(({cluster, before, after}) => `${String(after)} of ${String(before)} in ${cluster}`);
  const services = kept.length === 0 ? '' : `; services that still have endpoints: ${some(kept, shownServices)}`;
  return [`confirmed by ${plural(proven.pods.length, 'istiod pod')}${services}`];
}
