import {MeshError, reportError} from '../../domain/errors.js';
import {identityProblems} from '../../domain/mesh/identity.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {isKnown, observe} from '../../domain/observed.js';
import {type CaInspection, inspectCaFiles} from '../../domain/ca/inspect-ca.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import {annotations, type CacertsSecret} from '../../domain/trust/cacerts.js';
import {cacertsName, previousName} from '../../domain/istio/names.js';
import {identified, type ClusterTrust} from '../../domain/trust/facts.js';
import {liveCa} from '../../domain/trust/misplaced.js';
import type {Deps} from '../../engine/deps.js';
import {emptyPlan, type Blocker, type Operation, type Phase, type Warning} from '../../engine/operation.js';
import {concludeClusters} from '../../engine/report.js';
import {declareGroups, loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {inspectWithoutKey} from '../../observe/cacerts.js';
import {presentsOther, readTrust} from '../../observe/trust-state.js';
import {describeShort} from './actions.js';
import {
  decideAll,
  planChanges,
  secretOf,
  type TrustFacts,
  type TrustPlan,
  type TrustRules,
  type TrustTarget,
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
export const rollbackTrust: Operation<RollbackRequest, RollbackResult> = {
  command: 'trust rollback',
  changes: true,
  async execute(request, engine) {
    return {...reportChanges(await engine.run(rollbackPhase(request))), forgotten: request.forget};
  },
  conclude: (result) => concludeClusters(result.clusters),
};

function rollbackPhase(request: RollbackRequest): Phase<TrustFacts, TrustPlan> {
  return {
    title: 'look at the cluster',
    async gather(deps) {
      const loaded = await loadMesh(deps, request);
      return {
        loaded,
        targets: await Promise.all(loaded.clusters.map((cluster) => gatherTarget(deps, loaded, cluster, request))),
        journal: await observe(() => deps.workspace.journal.read()),
      };
    },
    plan: (facts) => {
      // Nothing left to forget is what was asked for: running again must be fine.
      if (request.forget) return planForget(facts, request);
      const missing = facts.targets.flatMap(nothingKept);
      if (missing.length > 0) return {...emptyPlan, blockers: missing, decided: decideAll(facts, request)};
      const plan = planChanges(facts, request);
      const unfinished = facts.targets.filter(({target}) => target.unfinished).map(({target}) => target.cluster);
      return {...plan, warnings: [...plan.warnings, ...unfinished.map(unfinishedWarning)]};
    },
  };
}

function unfinishedWarning(cluster: string): Warning {
  const message =
    'the last rollback ended before istiod took the CA over: this run finishes it. To undo it instead, run it once more afterwards';
  return {cluster, message};
}

async function gatherTarget(
  deps: Deps,
  loaded: LoadedMesh,
  cluster: MeshCluster,
  {allowRootChange, forget}: RollbackRequest,
): Promise<TrustTarget> {
  const {namespace} = loaded.mesh.istio;
  const options = inspectWithoutKey(loaded.mesh, deps.now());
  const trust = await readTrust(deps, cluster, {
    namespace,
    options,
    wanted: (seen): CaInspection | undefined =>
      !allowRootChange && !forget && isKnown(seen.previous) && seen.previous.value !== 'absent'
        ? seen.previous.value.inspection
        : undefined,
  });
  const kept = forget ? secretOf(trust, 'previous') : await wantedSecret(deps, trust, namespace);
  const unfinished = kept !== 'absent' && kept === secretOf(trust, 'cacerts');
  const own =
    kept === 'absent'
      ? {files: {}, inspection: inspectCaFiles({}, options)}
      : // All that was kept, and nothing else: revocation lists that came later go, too.
        {files: {...kept.files, crl: kept.files.crl ?? ''}, inspection: kept.inspection, foreignKeys: kept.foreignKeys};
  return {
    trust,
    target: {
      cluster: cluster.name,
      namespace,
      own,
      kept: true,
      unfinished,
      what: `Secret ${namespace}/${unfinished ? cacertsName : previousName}`,
    },
    data: kept === 'absent' ? undefined : kept.data,
    order: 'write-first',
    forgetKey: false,
  };
}

/**
 * The Secret that the cluster is to run with: the kept one, or `cacerts` itself where a rollback wrote it and ended before
 * istiod took it over. A second rollback then finishes the first: swapping again would silently undo it. Throws what
 * keeps it from being told which of the two it is.
 */
async function wantedSecret(deps: Deps, trust: ClusterTrust, namespace: string): Promise<CacertsSecret | 'absent'> {
  const [cacerts, kept] = [secretOf(trust, 'cacerts'), secretOf(trust, 'previous')];
  if (cacerts === 'absent') return kept;
  const takenOut = cacerts.annotations[annotations.rolledBackFrom];
  const caFingerprint = cacerts.inspection.certificate?.fingerprint;
  // Kept already, or ended before it could be kept: then both Secrets hold what was put back.
  const isLast = takenOut !== undefined && [takenOut, caFingerprint].includes(liveCa(kept));
  return isLast && (await presentsOther(deps, trust, namespace, caFingerprint)) ? cacerts : kept;
}

/** Nothing to put back; what cannot be told is left to the plan, which says why. */
function nothingKept({trust, target}: TrustTarget): readonly Blocker[] {
  const {cluster, namespace} = target;
  if (!isKnown(trust.seen)) return [];
  const {previous} = trust.seen.value;
  if (!isKnown(previous)) return [{cluster, error: previous.unknown}];
  if (previous.value !== 'absent') return [];
  const error = new MeshError('NOTHING_TO_ROLL_BACK', `${cluster} has no Secret ${namespace}/${previousName}`, {
    hints: [
      'it is made when trust push replaces a CA',
      advice`see what differs: ${kubectlMesh('trust diff', [cluster])}`,
    ],
  });
  return [{cluster, error: reportError(error)}];
}

/** Nothing is decided about cacerts: what a push would make of the kept CA is nothing to somebody who has it deleted. */
function planForget(facts: TrustFacts, {acceptUid}: TrustRules): TrustPlan {
  const all = facts.targets.map(({trust}) => trust);
  const strangers = identityProblems(facts.loaded.mesh, identified(all), acceptUid);
  const unknown = facts.targets.flatMap(({trust, target}): readonly Blocker[] => {
    if (!isKnown(trust.seen)) return [{cluster: target.cluster, error: trust.seen.unknown}];
    const {uid, previous} = trust.seen.value;
    const unknown = [...(isKnown(uid) ? [] : [uid.unknown]), ...(isKnown(previous) ? [] : [previous.unknown])];
    return unknown.map((error) => ({cluster: target.cluster, error}));
  });
  return {
    decided: [],
    groups: [
      ...declareGroups(facts.loaded),
      {title: 'forget the kept CA', lanes: facts.targets.flatMap(forgetLane), onFailure: 'stop'},
    ],
    blockers: [...strangers, ...unknown],
    warnings: [],
  };
}

function forgetLane({trust, target}: TrustTarget) {
  const kept = secretOf(trust, 'previous');
  if (kept === 'absent') return [];
  const {cluster, namespace} = target;
  return [
    {
      key: cluster,
      cluster,
      title: `${cluster}: forget the kept CA`,
      actions: [forgetAction(kept, trust, cluster, namespace)],
    },
  ];
}

function forgetAction(kept: CacertsSecret, {context = ''}: ClusterTrust, cluster: string, namespace: string) {
  const what = `Secret ${namespace}/${previousName}`;
  return {
    kind: 'delete-object' as const,
    id: `${cluster}/${previousName}-delete`,
    cluster,
    context,
    title: `delete ${what}`,
    confirm: `delete ${what} (${describeShort(kept.inspection)})`,
    ref: {apiVersion: 'v1', kind: 'Secret', namespace, name: previousName},
    preconditions: {uid: kept.uid, resourceVersion: kept.resourceVersion},
  };
}
