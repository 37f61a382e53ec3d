/**
 * A cluster is who the UID of its kube-system namespace says it is: it stays the same for as long as the cluster lives,
 * whatever contexts and addresses are called. A renamed context must not send one cluster's key to another.
 */
import {type ErrorReport, problem} from '../errors.js';
import {advice} from '../suggest/advice.js';
import {kubectlMesh, words} from '../suggest/suggestion.js';
import type {Mesh} from './mesh.js';

/** The UID that a cluster of this run answered with. */
export interface SeenCluster {
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
  mesh: Pick<Mesh, 'clusters'>,
  seen: readonly SeenCluster[],
  acceptUid: boolean,
): readonly IdentityProblem[] {
  return seen.flatMap(({name, uid}) => {
    const error = problemOf(mesh, seen, name, uid, acceptUid);
    return error ? [{cluster: name, error}] : [];
  });
}

/** The UIDs to record in mesh.yaml, by cluster: those it does not have, or has otherwise. */
export function uidsToRecord(mesh: Mesh, seen: readonly SeenCluster[]): Readonly<Record<string, string>> {
  const recorded = new Map(mesh.clusters.map((cluster) => [cluster.name, cluster.uid]));
  return Object.fromEntries(seen.filter(({name, uid}) => recorded.get(name) !== uid).map(({name, uid}) => [name, uid]));
}

function problemOf(
  mesh: Pick<Mesh, 'clusters'>,
  seen: readonly SeenCluster[],
  name: string,
  uid: string,
  acceptUid: boolean,
): ErrorReport | undefined {
  const twin =
    seen.find((other) => other.name !== name && other.uid === uid)?.name ??
    mesh.clusters.find((other) => other.name !== name && other.uid === uid && !isSeenElsewhere(seen, other.name, uid))
      ?.name;
  if (twin !== undefined) {
    return problem(
      'UID_MISMATCH',
      `${contextOf(mesh, name)} leads to the cluster that is ${twin} already (UID ${uid})`,
      advice`give ${name} its own context: --context, contexts.yaml, or ${kubectlMesh('init', words`${name}=CONTEXT`)}`,
    );
  }
  const recorded = mesh.clusters.find((cluster) => cluster.name === name)?.uid;
  if (recorded === undefined || recorded === uid || acceptUid) return undefined;
  return problem(
    'UID_MISMATCH',
    `${contextOf(mesh, name)} leads to another cluster: mesh.yaml recorded kube-system with UID ${recorded}, this one has ${uid}`,
    advice`name the right context: --context, or ${kubectlMesh('init', words`${name}=CONTEXT`)}`,
    'if the cluster was made anew on purpose, say --accept-uid',
  );
}

/** The context by its name, where one is known. */
function contextOf(mesh: Pick<Mesh, 'clusters'>, name: string): string {
  const context = mesh.clusters.find((cluster) => cluster.name === name)?.context;
  return context === undefined ? `the context of ${name}` : `context ${context} of ${name}`;
}

/** A cluster of this run whose recorded UID is out of date: it has been seen with another one. */
function isSeenElsewhere(seen: readonly SeenCluster[], name: string, uid: string): boolean {
  return seen.some((other) => other.name === name && other.uid !== uid);
}
