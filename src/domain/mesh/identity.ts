/**
 * A cluster is who the UID of its kube-system namespace says it is: it stays the same for as long as the cluster lives,
 * whatever contexts and addresses are called. A renamed context must not send one cluster's key to another.
 */
import {type ErrorReport, problem} from '../errors.js';
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';
import type {Mesh} from './mesh.js';

/** The UID that a cluster of this run answered with. */
export interface ClusterUid {
  readonly name: string;
  readonly uid: string;
}

/** Why one of the clusters is not who it should be. The shape of an engine's blocker. */
export interface IdentityProblem {
  readonly cluster: string;
  readonly error: ErrorReport;
}

/**
 * Compares what answered with what mesh.yaml recorded. `UID_MISMATCH` for a cluster that recorded another UID, unless
 * `acceptUid` (`--accept-uid`), and in any case for one whose UID belongs to another name.
 */
export function identityProblems(
  {clusters}: Pick<Mesh, 'clusters'>,
  seen: readonly ClusterUid[],
  acceptUid: boolean,
): readonly IdentityProblem[] {
  // Where a cluster of this run has been seen with another UID, its recorded one is out of date.
  const recorded = clusters.filter(({name, uid}) => !seen.some((one) => one.name === name && one.uid !== uid));
  return seen.flatMap(({name, uid}) => {
    const own = clusters.find((cluster) => cluster.name === name);
    const leads =
      own?.context === undefined ? `the context of ${name} leads` : `context ${own.context} of ${name} leads`;
    const refuse = (message: string, ...hints: readonly Hint[]): readonly IdentityProblem[] => [
      {cluster: name, error: problem('UID_MISMATCH', `${leads} to ${message}`, ...hints)},
    ];
    const init = kubectlMesh('init', words`${name}=CONTEXT`);
    const twin = [...seen, ...recorded].find((other) => other.name !== name && other.uid === uid);
    if (twin) {
      return refuse(
        `the cluster that is ${twin.name} already (UID ${uid})`,
        advice`give ${name} its own context: --context, contexts.yaml, or ${init}`,
      );
    }
    if (own?.uid === undefined || own.uid === uid || acceptUid) return [];
    return refuse(
      `another cluster: mesh.yaml recorded kube-system with UID ${own.uid}, this one has ${uid}`,
      advice`name the right context: --context, or ${init}`,
      'if the cluster was made anew on purpose, say --accept-uid',
    );
  });
}

/** By cluster, what keeps those from being looked at that are not who they should be: another cluster says nothing of them. */
export function uidMismatches(
  mesh: Pick<Mesh, 'clusters'>,
  seen: readonly {readonly name: string; readonly uid: string | undefined}[],
): ReadonlyMap<string, ErrorReport> {
  const known = seen.flatMap(({name, uid}) => (uid === undefined ? [] : [{name, uid}]));
  return new Map(identityProblems(mesh, known, false).map(({cluster, error}) => [cluster, error]));
}

/** The UIDs to record in mesh.yaml, by cluster: those it does not have, or has otherwise. */
export function uidsToRecord(mesh: Mesh, seen: readonly ClusterUid[]): Readonly<Record<string, string>> {
  const recorded = new Map(mesh.clusters.map((cluster) => [cluster.name, cluster.uid]));
  return Object.fromEntries(seen.filter(({name, uid}) => recorded.get(name) !== uid).map(({name, uid}) => [name, uid]));
}
