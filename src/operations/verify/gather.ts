/** Gathers the facts that the selected checks need, from all clusters at the same time. */
import pMap from 'p-map';
import {outOfPlace} from '../../domain/checks/applies.js';
import type {Check} from '../../domain/checks/check.js';
import {isMeshFact} from '../../domain/checks/facts.js';
import type {ClusterFactValues, Evidence, Fact, FactKey, Facts, MeshFactKey} from '../../domain/checks/facts.js';
import {leftOutBy, neededFacts} from '../../domain/checks/needs.js';
import type {Limits} from '../../domain/checks/needs.js';
import {asMeshError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {checkMeshFile} from '../../domain/mesh/parse.js';
import {resolveMesh} from '../../domain/mesh/resolve.js';
import type {Deps} from '../../engine/deps.js';
import {loadMesh} from '../shared/load-mesh.js';
import type {MeshRequest} from '../shared/load-mesh.js';
import {attempt} from './attempt.js';
import {clusterReads} from './cluster-reads.js';
import {istiodPods} from './istiod-pods.js';
import {once} from '../../domain/once.js';
import type {Questions} from './questions.js';
import {clusterQuestions} from './questions/cluster.js';
import type {ClusterQuestionOptions} from './questions/cluster.js';
import {askControlPlanes} from './questions/control-plane.js';
import {readOwnCa, workdirQuestions} from './questions/workdir.js';

/** What is to be gathered. */
export interface GatherRequest {
  readonly mesh: MeshRequest;
  readonly checks: readonly Check[];
  /** Facts that are wanted besides those that the checks need. */
  readonly also: readonly FactKey[];
  readonly limits: Limits;
  /** Clusters asked at the same time. */
  readonly concurrency: number;
}

/** Gathers. Throws what loading the mesh throws, and what ends the run. */
export async function gatherEvidence(deps: Deps, request: GatherRequest): Promise<Evidence> {
  const {mesh, clusters} = await loadOrEmpty(deps, request.mesh);
  const needed = wanted(request, mesh);
  const journal = once(() => deps.workspace.journal.read());
  const [facts, clusterFacts] = await Promise.all([
    answer(deps, workdirQuestions(deps, mesh, clusters, journal), keysOf(needed, true), request.limits),
    pMap(clusters, (cluster) => clusterEvidence({deps, mesh, journal}, request, cluster), {
      concurrency: Math.max(1, request.concurrency),
    }),
  ]);
  return {now: deps.now(), mesh, facts, clusters: clusterFacts};
}

function wanted({checks, also}: GatherRequest, mesh: Mesh): ReadonlySet<FactKey> {
  const judged = checks.filter((check) => outOfPlace(check, mesh) === undefined);
  return new Set([...neededFacts(judged), ...also]);
}

async function clusterEvidence(
  shared: Pick<ClusterQuestionOptions, 'deps' | 'mesh' | 'journal'>,
  request: GatherRequest,
  cluster: MeshCluster,
): Promise<Evidence['clusters'][number]> {
  const {limits} = request;
  const {deps, mesh} = shared;
  const {namespace} = mesh.istio;
  const reads = clusterReads(deps, cluster, namespace);
  const controlPlanes = once(() => askControlPlanes(reads));
  const pods = istiodPods({signal: deps.signal, namespace, controlPlanes, forward: reads.forward});
  const ownCa = once(() => readOwnCa(deps, mesh, cluster));
  const {noSecrets, offline} = limits;
  const questions = clusterQuestions({
    ...shared,
    cluster,
    reads,
    controlPlanes,
    pods,
    noSecrets,
    offline,
    ownCa,
  });
  const keys = keysOf(wanted(request, mesh), false);
  try {
    const last = keys.filter((key) => key === 'access');
    const others = keys.filter((key) => key !== 'access');
    const facts = await answer(deps, questions, others, limits);
    // Whether everything may be read is known when everything was read.
    return {cluster, facts: {...facts, ...(await answer(deps, questions, last, limits))}};
  } finally {
    await pods.close();
  }
}

/** A mesh.yaml or contexts.yaml that cannot be used is a finding: what does not depend on it is judged all the same. */
async function loadOrEmpty(
  deps: Deps,
  request: MeshRequest,
): Promise<{readonly mesh: Mesh; readonly clusters: readonly MeshCluster[]}> {
  try {
    return await loadMesh(deps, request);
  } catch (thrown) {
    const {code} = asMeshError(thrown);
    const text = await deps.workspace.readText(layout.meshYaml);
    // One that fits its schema and cannot be used all the same (it declares no cluster) ends this command like any other.
    const isFinding = code === 'MESH_YAML_INVALID' && text !== undefined && 'problems' in checkMeshFile(text);
    if (!isFinding && code !== 'CONTEXTS_YAML_INVALID') throw thrown;
    const {mesh} = resolveMesh({file: undefined, contexts: {}, names: ['unknown'], said: {}});
    return {mesh: {...mesh, clusters: []}, clusters: []};
  }
}

async function answer<Values>(
  deps: Deps,
  questions: Questions<Values>,
  keys: readonly (FactKey & keyof Values)[],
  limits: Limits,
): Promise<Facts<Values>> {
  const facts = await Promise.all(
    keys.map(async (key): Promise<readonly [string, Fact<unknown>]> => {
      const leftOut = leftOutBy(key, limits);
      const ask: () => Promise<unknown> = questions[key];
      return [key, leftOut === undefined ? await attempt(deps.signal, ask) : {leftOut}];
    }),
  );
  // Each key was asked its own question.
  return Object.fromEntries(facts) as Facts<Values>;
}

function keysOf(needed: ReadonlySet<FactKey>, ofMesh: true): readonly MeshFactKey[];
function keysOf(needed: ReadonlySet<FactKey>, ofMesh: false): readonly (keyof ClusterFactValues)[];
function keysOf(needed: ReadonlySet<FactKey>, ofMesh: boolean): readonly FactKey[] {
  return [...needed].filter((key) => isMeshFact(key) === ofMesh);
}
