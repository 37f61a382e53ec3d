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
import {reportChanges, type PushResult} from './push.js';

/** `trust rollback CLUSTER`; `forget` deletes what would be put back. */
export interface RollbackRequest extends MeshRequest, TrustRules {
  readonly forget: boolean;
}

/** What `trust rollback` answers: the shape of a push. */
export interface RollbackResult extends PushResult {
  /** Whether the kept CA was (to be) deleted instead. */
  readonly forgotten: boolean;
}

/** `trust rollback`: puts the kept CA back into `cacerts` and keeps the present one in its place. */
export const rollbackTrust = onePhase<RollbackRequest, RollbackResult, TrustFacts, TrustPlan>({
  command: 'trust rollback',
  changes: true,
  title: () => 'look at the cluster',
  async gather(deps, request, {concurrency}) {
    const loaded = await loadMesh(deps, request);
    const look = (cluster: MeshCluster): Promise<TrustTarget> => gatherTarget(deps, loaded, cluster, request);
    return factsOf(deps, loaded, await eachCluster(loaded.clusters, concurrency, look));
  },
  plan(facts, request) {
    if (request.forget) return planForget(facts, request);
    const plan = planChanges(facts, request);
    const message =
      'the last rollback ended before istiod took the CA over: this run finishes it. To undo it instead, run it once more afterwards';
    const unfinished = facts.targets.filter(({target}) => target.unfinished);
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
    const kept = valueOr(previous, 'absent');
    return allowRootChange || forget || kept === 'absent' ? undefined : kept.inspection;
  });
  const kept = forget ? secretOf(trust, 'previous') : await wantedSecret(deps, trust, namespace);
  const unfinished = kept !== undefined && kept === secretOf(trust, 'cacerts');
  const common = {cluster: cluster.name, namespace, kept: true, unfinished};
  const what = `Secret ${namespace}/${unfinished ? cacertsName : previousName}`;
  const change = {trust, order: 'write-first', forgetKey: false} as const;
  if (!kept) {
    const own = {files: {}, inspection: {findings: [], loads: false}};
    return {...change, target: {...common, own, what}, data: undefined, nothingToWrite: nothingKept(trust, namespace)};
  }
  // All that was kept, and nothing else: revocation lists that came later go, too.
  const files = {...kept.files, crl: kept.files.crl ?? ''};
  const own = {files, inspection: kept.inspection, foreignKeys: kept.foreignKeys};
  return {...change, target: {...common, own, what}, data: kept.data};
}

/**
 * The Secret that the cluster is to run with: the kept one, or `cacerts` itself where a rollback wrote it and ended before
 * istiod took it over. A second rollback then finishes the first: swapping again would silently undo it. Throws what
 * keeps it from being told which of the two it is.
 */
async function wantedSecret(deps: Deps, trust: ClusterTrust, namespace: string): Promise<CacertsSecret | undefined> {
  const [cacerts, kept] = [secretOf(trust, 'cacerts'), secretOf(trust, 'previous')];
  if (!cacerts) return kept;
  const takenOut = cacerts.annotations[annotations.rolledBackFrom];
  const caFingerprint = cacerts.inspection.certificate?.fingerprint;
  // Kept already, or ended before it could be kept: then both Secrets hold what was put back.
  const isLast = takenOut !== undefined && [takenOut, caFingerprint].includes(liveCa(kept));
  return isLast && (await presentsOtherCa(deps, trust, namespace, caFingerprint)) ? cacerts : kept;
}

/** Why there is nothing to put back; what cannot be read of the cluster is reported on its own. */
function nothingKept({cluster: {name}, seen}: ClusterTrust, namespace: string): ErrorReport | undefined {
  if (!isKnown(seen)) return undefined;
  const [unknown] = unknownsOf(seen.value.previous);
  const missing = problem(
    'NOTHING_TO_ROLL_BACK',
    `${name} has no Secret ${namespace}/${previousName}`,
    'it is made when trust push replaces a CA',
    advice`see what differs: ${kubectlMesh('trust diff', [name])}`,
  );
  return unknown ?? missing;
}

/**
 * Nothing is decided about cacerts: what a push would make of the kept CA is nothing to somebody who has it deleted. Nothing
 * left to forget is what was asked for: running again must be fine.
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
  const kept = secretOf(trust, 'previous');
  if (!kept) return [];
  const what = `Secret ${namespace}/${previousName}`;
  return [
    {
      kind: 'delete-object',
      id: `${cluster}/${previousName}-delete`,
      cluster,
      context: trust.cluster.context ?? '',
      title: `delete ${what}`,
      confirm: `delete ${what} (${describeShort(kept.inspection)})`,
      ref: {apiVersion: 'v1', kind: 'Secret', namespace, name: previousName},
      preconditions: {uid: kept.uid, resourceVersion: kept.resourceVersion},
    },
  ];
}
