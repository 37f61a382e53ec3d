import {type ErrorReport, problem} from '../../domain/errors.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {isKnown, unknownsOf, valueOr} from '../../domain/observed.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import {annotations, type CacertsSecret} from '../../domain/trust/cacerts.js';
import {cacertsName, previousName} from '../../domain/istio/names.js';
import {type ClusterTrust, secretOf} from '../../domain/trust/cluster-trust.js';
import {liveCa} from '../../domain/trust/wrong-cluster.js';
import type {Action} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {asWarnings, groupOf, onePhase} from '../../engine/operation.js';
import {concludeClusters} from '../../engine/report.js';
import {declareGroups, loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {presentsOtherCa, readTrust} from '../../observe/trust-state.js';
import {describeShort, type TrustTarget} from './actions.js';
import {
  blockersOf,
  decideEach,
  factsOf,
  planChanges,
  type TrustFacts,
  type TrustPlan,
  type TrustRules,
} from './plan-changes.js';
import {reportChanges, type PushResult} from './report-changes.js';

/** `trust rollback CLUSTER`; `forget` deletes the previous Secret instead. */
export interface RollbackRequest extends MeshRequest, TrustRules {
  readonly forget: boolean;
}

/** The result of `trust rollback`: as for a push. */
export interface RollbackResult extends PushResult {
  /** Whether the previous Secret was (to be) deleted instead. */
  readonly forgotten: boolean;
}

/** `trust rollback`: swaps `cacerts` and the previous Secret. */
export const rollbackTrust = onePhase<RollbackRequest, RollbackResult, TrustFacts, TrustPlan>({
  command: 'trust rollback',
  changes: true,
  title: () => 'read the cluster',
  async gather(deps, request, {concurrency}) {
    const loaded = await loadMesh(deps, request);
    const gather = (cluster: MeshCluster): Promise<TrustTarget> => gatherTarget(deps, loaded, cluster, request);
    return factsOf(deps, loaded, await eachCluster(loaded.clusters, concurrency, gather));
  },
  plan(facts, request) {
    if (request.forget) return planForget(facts, request);
    const plan = planChanges(facts, request);
    const message =
      'the last rollback ended before istiod loaded the CA: this run completes it. To undo it, run the command again afterwards';
    const unfinished = facts.targets.filter(({target}) => target.pendingReload);
    return {...plan, warnings: [...plan.warnings, ...unfinished.map(({target: {cluster}}) => ({cluster, message}))]};
  },
  report: (run, {forget}) => ({...reportChanges(run), forgotten: forget}),
  conclude: ({clusters}) => concludeClusters(clusters),
});

async function gatherTarget(
  deps: Deps,
  {mesh}: LoadedMesh,
  cluster: MeshCluster,
  {allowRootChange, forget}: RollbackRequest,
): Promise<TrustTarget> {
  const {namespace} = mesh.istio;
  const trust = await readTrust(deps, mesh, cluster, ({previous}) => {
    const saved = valueOr(previous, 'absent');
    return allowRootChange || forget || saved === 'absent' ? undefined : saved.inspection;
  });
  const saved = forget ? secretOf(trust, 'previous') : await secretToRestore(deps, trust, namespace);
  const pendingReload = saved !== undefined && saved === secretOf(trust, 'cacerts');
  const common = {cluster: cluster.name, namespace, isRollback: true, pendingReload};
  const what = `Secret ${namespace}/${pendingReload ? cacertsName : previousName}`;
  const change = {trust, order: 'write-first', removesKey: false} as const;
  if (!saved) {
    const own = {files: {}, inspection: {findings: [], loads: false}};
    return {...change, target: {...common, own, what}, data: undefined, nothingToWrite: noPrevious(trust, namespace)};
  }
  // Exactly the saved contents: revocation lists that were added later are removed.
  const files = {...saved.files, crl: saved.files.crl ?? ''};
  const {inspection, foreignKeys, misplacedKeys} = saved;
  const own = {files, inspection, foreignKeys, misplacedKeys};
  return {...change, target: {...common, own, what}, data: saved.data};
}

/**
 * The Secret to restore: the previous one, or `cacerts` itself if a rollback wrote it and ended before istiod loaded
 * it. A second rollback then completes the first: swapping again would silently undo it. Throws errors that prevent
 * telling the two cases apart.
 */
async function secretToRestore(deps: Deps, trust: ClusterTrust, namespace: string): Promise<CacertsSecret | undefined> {
  const [cacerts, previous] = [secretOf(trust, 'cacerts'), secretOf(trust, 'previous')];
  if (!cacerts) return previous;
  const rolledBackFrom = cacerts.annotations[annotations.rolledBackFrom];
  const caFingerprint = cacerts.inspection.certificate?.fingerprint;
  // The replaced CA is in the previous Secret, or the run ended before saving it and both Secrets have the restored CA.
  const isLast = rolledBackFrom !== undefined && [rolledBackFrom, caFingerprint].includes(liveCa(previous));
  return isLast && (await presentsOtherCa(deps, trust, namespace, caFingerprint)) ? cacerts : previous;
}

/** Why there is nothing to restore; an unreadable cluster is reported separately. */
function noPrevious({cluster: {name}, seen}: ClusterTrust, namespace: string): ErrorReport | undefined {
  if (!isKnown(seen)) return undefined;
  const [unknown] = unknownsOf(seen.value.previous);
  const missing = problem(
    'NOTHING_TO_ROLL_BACK',
    `${name} has no Secret ${namespace}/${previousName}`,
    advice`to see the differences: ${kubectlMesh('trust diff', [name])}`,
    'trust push creates this Secret when it replaces a CA',
  );
  return unknown ?? missing;
}

/**
 * Plans `--forget`. Makes no decision about cacerts: deleting the previous Secret does not depend on it. Without a
 * previous Secret nothing has to change, so that a second run succeeds.
 */
function planForget(facts: TrustFacts, rules: TrustRules): TrustPlan {
  const {loaded, targets} = facts;
  const decided = decideEach(facts, rules, (_, {uid, previous}) => ({errors: unknownsOf(uid, previous)}));
  return {
    decided,
    groups: [...declareGroups(loaded), ...groupOf(targets.flatMap(forgetActions))],
    blockers: blockersOf(decided),
    warnings: asWarnings(loaded.notes),
  };
}

function forgetActions({trust, target: {cluster, namespace}}: TrustTarget): readonly Action[] {
  const previous = secretOf(trust, 'previous');
  if (!previous) return [];
  const what = `Secret ${namespace}/${previousName}`;
  return [
    {
      kind: 'delete-object',
      id: `${cluster}/${previousName}-delete`,
      cluster,
      context: trust.cluster.context ?? '',
      title: `delete ${what}`,
      confirm: `delete ${what} (${describeShort(previous.inspection)})`,
      ref: {apiVersion: 'v1', kind: 'Secret', namespace, name: previousName},
      preconditions: {uid: previous.uid, resourceVersion: previous.resourceVersion},
    },
  ];
}
