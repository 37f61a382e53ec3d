/**
 * Identifies clusters by the UID of their kube-system namespace. It never changes during a cluster's lifetime, unlike
 * contexts and addresses: a renamed context must not cause one cluster's key to be sent to another.
 */
import {type ErrorReport, problem} from '../errors.js';
import {groupBy} from '../group-by.js';
import {memoizePerObject} from '../memoize.js';
import {isKnown, type Observed} from '../observed.js';
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';
import type {Mesh} from './mesh.js';

/** The UID that a cluster of this run returned. */
export interface ClusterUid {
  readonly name: string;
  readonly uid: string;
}

/** Returns the UIDs of the clusters that were read, as far as they are known. */
export function knownUids(
  clusters: readonly {
    readonly cluster: {readonly name: string};
    readonly seen?: {readonly uid: Observed<string>} | undefined;
  }[],
): readonly ClusterUid[] {
  return clusters.flatMap(({cluster: {name}, seen}) =>
    seen && isKnown(seen.uid) ? [{name, uid: seen.uid.value}] : [],
  );
}

/** Why a cluster is not the expected one. It has the structure of an engine's blocker. */
export interface IdentityProblem {
  readonly cluster: string;
  readonly error: ErrorReport;
}

/** The clusters by the UIDs in mesh.yaml: for each pair of clusters, two are compared. */
const recordedNames = memoizePerObject((clusters: Mesh['clusters']) => groupBy(clusters, ({uid}) => uid));

/**
 * Compares the returned UIDs with those in mesh.yaml. Returns `UID_MISMATCH` for a cluster with a different recorded UID,
 * unless `acceptUid` (`--accept-uid`) is set, and always for a cluster with the UID of another cluster.
 */
export function identityProblems(
  {clusters}: Pick<Mesh, 'clusters'>,
  seen: readonly ClusterUid[],
  acceptUid: boolean,
): readonly IdentityProblem[] {
  const names = recordedNames(clusters);
  const isExpected = ({name, uid}: ClusterUid): boolean =>
    names.get(uid)?.every((one) => one.name === name) === true &&
    seen.every((one) => one.name === name || one.uid !== uid);
  if (seen.every(isExpected)) return [];
  // If a cluster of this run returned a different UID, its recorded one is outdated.
  const recorded = clusters.filter(({name, uid}) => !seen.some((one) => one.name === name && one.uid !== uid));
  return seen.flatMap(({name, uid}) => {
    const own = clusters.find((cluster) => cluster.name === name);
    const context =
      own?.context === undefined ? `the context of cluster ${name}` : `context ${own.context} of cluster ${name}`;
    const refuse = (message: string, ...hints: readonly Hint[]): readonly IdentityProblem[] => [
      {cluster: name, error: problem('UID_MISMATCH', `${context} ${message}`, ...hints)},
    ];
    const init = kubectlMesh('init', words`${name}=CONTEXT`);
    const other = [...seen, ...recorded].find((one) => one.name !== name && one.uid === uid);
    if (other) {
      return refuse(
        `points to cluster ${other.name} (UID ${uid})`,
        advice`set the context of ${name} with --context, in contexts.yaml, or with: ${init}`,
      );
    }
    if (own?.uid === undefined || own.uid === uid || acceptUid) return [];
    return refuse(
      `points to a different cluster: its UID is ${uid}, mesh.yaml has ${own.uid}`,
      advice`set the correct context with --context, or with: ${init}`,
      'if the cluster was recreated intentionally, use --accept-uid',
    );
  });
}

/** Returns, by cluster, why a cluster must not be read: facts about a different cluster would be wrong. */
export function uidMismatches(
  mesh: Pick<Mesh, 'clusters'>,
  seen: readonly {readonly name: string; readonly uid: string | undefined}[],
): ReadonlyMap<string, ErrorReport> {
  const known = seen.flatMap(({name, uid}) => (uid === undefined ? [] : [{name, uid}]));
  return new Map(identityProblems(mesh, known, false).map(({cluster, error}) => [cluster, error]));
}

/** Returns the UIDs to record in mesh.yaml, by cluster: those that are missing or different. */
export function uidsToRecord(mesh: Mesh, seen: readonly ClusterUid[]): Readonly<Record<string, string>> {
  const recorded = new Map(mesh.clusters.map((cluster) => [cluster.name, cluster.uid]));
  return Object.fromEntries(seen.filter(({name, uid}) => recorded.get(name) !== uid).map(({name, uid}) => [name, uid]));
}
