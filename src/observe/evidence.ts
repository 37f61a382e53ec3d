/** Gathers the facts that the selected checks need, from all clusters at the same time. */
import {type Check, requiredFacts, notApplicableReason} from '../domain/checks/check.js';
import {
  type ClusterFactValues,
  type Evidence,
  type Fact,
  type FactKey,
  type Facts,
  factKeys,
  stageOf,
  stages,
  summarizesOthers,
  isMeshFact,
  omittedBy,
  isMeasured,
  type MeshFactKey,
  type ReadFactKey,
} from '../domain/facts/facts.js';
import type {Mesh, MeshCluster} from '../domain/mesh/mesh.js';
import {memoizeAsync} from '../domain/memoize.js';
import type {Limits} from '../domain/facts/limits.js';
import type {Deps} from '../engine/deps.js';
import {clusterFacts} from './cluster-facts.js';
import {attempt, eachCluster} from './cluster-reader.js';
import type {ClusterFacts, ObservedCluster} from './fact-sources.js';
import {meshFactsOf} from './mesh-facts.js';

/** The facts to gather. */
export interface GatherRequest {
  readonly mesh: Mesh;
  readonly clusters: readonly MeshCluster[];
  readonly checks: readonly Check[];
  /** Facts to gather in addition to those that the checks need. */
  readonly extraFacts: readonly FactKey[];
  readonly limits: Limits;
  /** Clusters read at the same time. */
  readonly concurrency: number;
}

/** Gathers the facts. Throws what aborts the run; the evidence contains the reasons of unknown facts. */
export async function gatherEvidence(deps: Deps, request: GatherRequest): Promise<Evidence> {
  const {mesh, clusters, limits} = request;
  const needed = [...factsToGather(request)];
  const journal = memoizeAsync(() => deps.workspace.journal.read());
  const ofMesh = meshFactsOf(deps, mesh, clusters, journal);
  const [facts, ofClusters] = await Promise.all([
    gatherFacts<Evidence['facts'], MeshFactKey>(deps, needed.filter(isMeshFact), limits, (key) => ofMesh[key]()),
    gatherClusters(
      request,
      needed.filter((key) => !isMeshFact(key) && !isMeasured(key)),
      {deps, mesh, limits, journal},
    ),
  ]);
  return {now: deps.now(), mesh, facts, clusters: ofClusters};
}

function factsToGather({checks, extraFacts, mesh}: GatherRequest): ReadonlySet<FactKey> {
  const applicable = checks.filter((check) => notApplicableReason(check, mesh) === undefined);
  const keys = new Set<FactKey>([...requiredFacts(applicable), ...extraFacts, 'issuing']);
  // The summary of access is meaningless if nothing is read: alone, it covers every fact of a cluster.
  const isAlone =
    [...keys].some(summarizesOthers) && [...keys].every((key) => summarizesOthers(key) || isMeshFact(key));
  return isAlone ? new Set([...keys, ...factKeys.filter((key) => !isMeshFact(key))]) : keys;
}

/** Gathers the facts of the clusters, in the order of the stages. */
async function gatherClusters(
  {clusters, concurrency}: GatherRequest,
  keys: readonly ReadFactKey[],
  shared: Omit<ObservedCluster, 'cluster' | 'all'>,
): Promise<Evidence['clusters']> {
  const {deps, limits} = shared;
  const all = new Map<string, ClusterFacts>();
  for (const cluster of clusters) all.set(cluster.name, clusterFacts({...shared, cluster, all}));
  let gathered = clusters.map((cluster): {cluster: MeshCluster; facts: Facts<ClusterFactValues>} => ({
    cluster,
    facts: {},
  }));
  for (const stage of stages) {
    const ofStage = keys.filter((key) => stageOf(key) === stage);
    if (ofStage.length === 0) continue;
    gathered = [
      ...(await eachCluster(gathered, concurrency, async ({cluster, facts}) => {
        const own = all.get(cluster.name);
        const derive = (key: ReadFactKey): Promise<unknown> => own?.fact(key) ?? Promise.resolve();
        try {
          const more = await gatherFacts<typeof facts, ReadFactKey>(deps, ofStage, limits, derive);
          return {cluster, facts: {...facts, ...more}};
        } finally {
          await own?.close();
        }
      })),
    ];
  }
  return gathered;
}

/** Each fact, or why it is unknown or omitted. */
async function gatherFacts<Answers, Key extends FactKey>(
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
  // Each key has its own derivation, so the types match.
  return Object.fromEntries(facts) as Answers;
}
