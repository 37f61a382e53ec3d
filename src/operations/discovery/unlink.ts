/** `unlink`: a cluster and the others no longer read each other. */
import {concernsTarget, type LastingToken, type UnlinkScope} from '../../domain/discovery/decide-unlink.js';
import type {LosingService} from '../../domain/discovery/lost-endpoints.js';
import type {StoredRemoteSecret} from '../../domain/discovery/observation.js';
import {undeclaredCluster} from '../../domain/discovery/undeclared-cluster.js';
import {defined} from '../../domain/defined.js';
import {asMeshError, MeshError} from '../../domain/errors.js';
import {canBeDataKey, clusterOfIstioName} from '../../domain/mesh/istio-name.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {isKnown} from '../../domain/observed.js';
import type {Hint} from '../../domain/suggest/suggestion.js';
import type {Deps} from '../../engine/deps.js';
import {onePhase, type PhaseRun, type Warning} from '../../engine/operation.js';
import {
  clusterOutcomesWithCause,
  concludeClusters,
  outcomeOfError,
  outcomesOf,
  type ClusterResult,
  type CommonResult,
} from '../../engine/report.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {type DiscoveryState, type DiscoveryTarget, readDiscovery} from '../../observe/discovery-state.js';
import {loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {unlinkNotes} from './unlink-notes.js';
import {type DecidedUnlink, planUnlink, type UnlinkFacts, type UnlinkPlan} from './plan-unlink.js';

/** `unlink CLUSTER`. */
export interface UnlinkRequest extends Pick<MeshRequest, 'context' | 'istioNamespace'> {
  /** The name in mesh.yaml, or Istio's name, also of a cluster that is no longer in mesh.yaml. */
  readonly target: string;
  readonly acceptUid: boolean;
}

/** One cluster of {@link UnlinkResult}. */
export interface UnlinkedCluster extends ClusterResult {
  readonly namespace: string;
  /** The Secrets (to be) deleted, or from which clusters are (to be) removed. */
  readonly remoteSecrets: readonly string[];
  readonly readerSecrets: readonly string[];
  /** The services that lose endpoints; absent if unknown. */
  readonly losing?: readonly LosingService[];
  /** Tokens that stay valid. */
  readonly lasting: readonly LastingToken[];
  /** What istiod confirmed afterwards; absent: nothing. */
  readonly proven?: UnlinkProven;
}

/** What the istiod pods of a cluster report after the change. */
export interface UnlinkProven {
  readonly pods: readonly string[];
  /** How many services of each other cluster have endpoints. */
  readonly kept: readonly {readonly cluster: string; readonly before: number; readonly after: number}[];
}

/** The result of `unlink`. */
export interface UnlinkResult extends CommonResult {
  readonly target: string;
  /** Whether mesh.yaml still declares the target: then the next link reads it again. */
  readonly isDeclared: boolean;
  /** The target first, if it is declared. */
  readonly clusters: readonly UnlinkedCluster[];
  readonly warnings: readonly Warning[];
  /** What the command cannot change. */
  readonly notes: readonly Hint[];
}

/** `unlink`: removes remote secrets, then revokes the tokens. */
export const unlink = onePhase<UnlinkRequest, UnlinkResult, UnlinkFacts, UnlinkPlan>({
  command: 'unlink',
  changes: true,
  title: () => 'read the clusters',
  gather: (deps, request, {concurrency}) => gatherUnlink(deps, request, concurrency),
  plan: planUnlink,
  report,
  conclude: ({clusters}) => concludeClusters(clusters),
});

async function gatherUnlink(deps: Deps, request: UnlinkRequest, concurrency: number): Promise<UnlinkFacts> {
  const {loaded, target: named, undeclared} = await loadTarget(deps, request);
  const {mesh} = loaded;
  const read = (target: MeshCluster): Promise<readonly DiscoveryState[]> =>
    eachCluster(targetsOf(target, mesh, undeclared === undefined), concurrency, (one) =>
      readDiscovery(deps, mesh, one),
    );
  const scopeOf = (target: MeshCluster): UnlinkScope => ({
    target,
    clusters: mesh.clusters,
    namespace: mesh.istio.namespace,
  });
  const states = await read(named);
  if (!undeclared) return {loaded, scope: scopeOf(named), isDeclared: true, states};
  const target = {...named, ...undeclaredCluster(named.name, states.flatMap(remoteSecretsOf), mesh.clusters)};
  const isSame = target.name === named.name && target.istioName === named.istioName;
  const again = isSame ? states : await read(target);
  const scope = scopeOf(target);
  // A name that no cluster knows is misspelled.
  const isKnownName = again.some(({cluster, seen}) => !isKnown(seen) || concernsTarget(scope, cluster, seen.value));
  if (!isKnownName) throw undeclared;
  return {loaded, scope, isDeclared: false, states: again};
}

/** The clusters to read, and what of them: the target first, if it is declared. */
function targetsOf(target: MeshCluster, {clusters}: Mesh, isDeclared: boolean): readonly DiscoveryTarget[] {
  const others = clusters.filter(({name}) => name !== target.name);
  const own: DiscoveryTarget = {
    cluster: target,
    peers: target.role === 'primary' ? others : [],
    readers: others,
    unlinks: {keeps: [], revokesAll: true},
  };
  return [
    ...(isDeclared ? [own] : []),
    ...others.map((cluster): DiscoveryTarget => ({
      cluster,
      peers: cluster.role === 'primary' ? [target] : [],
      readers: [target],
      unlinks: {keeps: others, revokesAll: false},
    })),
  ];
}

function remoteSecretsOf({seen}: DiscoveryState): readonly StoredRemoteSecret[] {
  if (!isKnown(seen)) return [];
  return [...seen.value.remoteSecrets.values()].flatMap((one) => (isKnown(one) && one.value ? [one.value] : []));
}

interface LoadedTarget {
  readonly loaded: LoadedMesh;
  readonly target: MeshCluster;
  /** The error for a name that mesh.yaml does not contain. */
  readonly undeclared?: MeshError;
}

/** Throws the errors of {@link loadMesh}, but for a name that mesh.yaml does not contain. */
async function loadTarget(deps: Deps, {target: name, context, istioNamespace}: UnlinkRequest): Promise<LoadedTarget> {
  const mesh = await loadMesh(deps, {clusters: [], istioNamespace});
  const known = clusterOfIstioName(mesh.mesh.clusters, name);
  const load = (cluster: string) => loadMesh(deps, {clusters: [cluster], context, istioNamespace});
  try {
    const isNamed = mesh.mesh.clusters.some((cluster) => cluster.name === name);
    const loaded = await load(isNamed || !known ? name : known.name);
    const [target] = loaded.clusters;
    if (target) return {loaded, target};
  } catch (thrown) {
    const undeclared = asMeshError(thrown);
    const isOtherError = undeclared.code !== 'UNKNOWN_CLUSTER' && undeclared.code !== 'INVALID_CLUSTER_NAME';
    if (isOtherError || context !== undefined || !canBeDataKey(name)) throw thrown;
    return {loaded: mesh, target: {name, istioName: name, role: 'primary'}, undeclared};
  }
  throw new MeshError('INTERNAL', 'no cluster was selected');
}

function report({facts, plan, outcomes}: PhaseRun<UnlinkFacts, UnlinkPlan>): UnlinkResult {
  const {scope, isDeclared} = facts;
  const names = plan.decided.map(({cluster}) => cluster.name);
  const results = clusterOutcomesWithCause(names, {plan, outcomes});
  const proofs = outcomesOf({outcomes}, 'await-unlinked');
  const clusters = plan.decided.flatMap((one, index): readonly UnlinkedCluster[] => {
    const result = results[index];
    if (!result) return [];
    const {remotes = [], readerSecrets = [], losing, lasting = [], proof} = one.decision ?? {};
    const proven = proofs.find(({cluster}) => cluster === result.name)?.result;
    return [
      defined<UnlinkedCluster>({
        ...withOwnError(result, one),
        namespace: scope.namespace,
        remoteSecrets: remotes.map(({secret}) => secret.metadata.name),
        readerSecrets: readerSecrets.map(({metadata}) => metadata.name),
        losing: losing && isKnown(losing) ? losing.value : undefined,
        lasting,
        proven: proven && {
          pods: proven.pods,
          kept: (proof?.kept ?? []).map(({cluster, services}) => ({
            cluster,
            before: services,
            after: proven.kept.find((now) => now.cluster === cluster)?.services ?? 0,
          })),
        },
      }),
    ];
  });
  return {target: scope.target.name, isDeclared, clusters, warnings: plan.warnings, notes: unlinkNotes(facts, plan)};
}

/** An unreachable target blocks nothing, so its error is not part of the plan. */
function withOwnError(result: ClusterResult, {seen, errors: [error]}: DecidedUnlink): ClusterResult {
  return seen || !error || result.error ? result : {name: result.name, outcome: outcomeOfError(error), error};
}
