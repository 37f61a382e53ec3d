/** Gathers the facts that the selected checks need, from all clusters at the same time. */
import {type Check, requiredFacts, notApplicableReason} from '../domain/checks/check.js';
import {
  type ClusterFactKey,
  type Evidence,
  type Fact,
  type FactKey,
  factKeys,
  summarizesOthers,
  isMeshFact,
  omittedBy,
  type MeshFactKey,
} from '../domain/facts/facts.js';
import type {Mesh, MeshCluster} from '../domain/mesh/mesh.js';
import {memoizeAsync} from '../domain/memoize.js';
import type {Limits} from '../domain/facts/limits.js';
import type {Deps} from '../engine/deps.js';
import {clusterFacts} from './cluster-facts.js';
import {attempt, eachCluster} from './cluster-reader.js';
import type {ObservedCluster} from './fact-sources.js';
import {meshFactsOf} from './mesh-facts.js';

/** What is to be gathered. */
export interface GatherRequest {
  readonly mesh: Mesh;
  readonly clusters: readonly MeshCluster[];
  readonly checks: readonly Check[];
  /** Facts that are wanted besides those that the checks need. */
  readonly also: readonly FactKey[];
  readonly limits: Limits;
  /** Clusters read at the same time. */
  readonly concurrency: number;
}

/** Gathers. Throws what ends the run; what keeps a fact from being known is in the evidence. */
export async function gatherEvidence(deps: Deps, request: GatherRequest): Promise<Evidence> {
  const {mesh, clusters, limits, concurrency} = request;
  const needed = [...wanted(request)];
  const journal = memoizeAsync(() => deps.workspace.journal.read());
  const ofMesh = meshFactsOf(deps, mesh, clusters, journal);
  const [facts, ofClusters] = await Promise.all([
    answer<Evidence['facts'], MeshFactKey>(deps, needed.filter(isMeshFact), limits, (key) => ofMesh[key]()),
    eachCluster(clusters, concurrency, (cluster) =>
      clusterEvidence(
        {deps, mesh, cluster, limits, journal},
        needed.filter((key) => !isMeshFact(key)),
      ),
    ),
  ]);
  return {now: deps.now(), mesh, facts, clusters: ofClusters};
}

function wanted({checks, also, mesh}: GatherRequest): ReadonlySet<FactKey> {
  const judged = checks.filter((check) => notApplicableReason(check, mesh) === undefined);
  const keys = new Set([...requiredFacts(judged), ...also]);
  // Whether everything may be read says nothing where nothing is read: alone, it is about every fact of a cluster.
  const isAlone =
    [...keys].some(summarizesOthers) && [...keys].every((key) => summarizesOthers(key) || isMeshFact(key));
  return isAlone ? new Set([...keys, ...factKeys.filter((key) => !isMeshFact(key))]) : keys;
}

async function clusterEvidence(
  observed: ObservedCluster,
  keys: readonly ClusterFactKey[],
): Promise<Evidence['clusters'][number]> {
  const {deps, cluster, limits} = observed;
  const all = clusterFacts(observed);
  const answerAll = (some: readonly ClusterFactKey[]): Promise<Evidence['clusters'][number]['facts']> =>
    answer(deps, some, limits, (key) => all.fact(key));
  try {
    const facts = await answerAll(keys.filter((key) => !summarizesOthers(key)));
    // Whether everything may be read is known when everything was read.
    return {cluster, facts: {...facts, ...(await answerAll(keys.filter(summarizesOthers)))}};
  } finally {
    await all.close();
  }
}

/** Each fact, or why it is unknown or left out. */
async function answer<Answers, Key extends FactKey>(
  deps: Deps,
  keys: readonly Key[],
  limits: Limits,
  derive: (key: Key) => Promise<unknown>,
): Promise<Answers> {
  const facts = await Promise.all(
    keys.map(async (key): Promise<readonly [string, Fact<unknown>]> => {
      const omitted = omittedBy(key, limits);
      return [key, omitted === undefined ? await attempt(deps.signal, () => derive(key)) : {omitted}];
    }),
  );
  // Each key was derived by its own function.
  return Object.fromEntries(facts) as Answers;
}
