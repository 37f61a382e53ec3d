import {defined} from '../../domain/defined.js';
import type {SecretData} from '../../domain/kube/object.js';
import type {ErrorReport} from '../../domain/errors.js';
import {isKnown} from '../../domain/observed.js';
import {caFileNames, type CaFiles} from '../../domain/ca/ca-files.js';
import {type CacertsSecret, dataOfFiles} from '../../domain/trust/cacerts.js';
import type {Difference, DesiredCa} from '../../domain/trust/diff.js';
import {secretOf} from '../../domain/trust/cluster-trust.js';
import {isInPlace, type PushKind} from '../../domain/trust/plan-push.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {externalCaReason} from '../../domain/mesh/signer.js';
import type {Deps} from '../../engine/deps.js';
import {onePhase, type PhaseRun, type Warning} from '../../engine/operation.js';
import {
  clusterOutcomesWithCause,
  concludeClusters,
  outcomesOf,
  type ClusterResult,
  type CommonResult,
} from '../../engine/report.js';
import {loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {readWorkDirCa} from '../../observe/ca-files.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {presentsOtherCa, readTrust} from '../../observe/trust-state.js';
import {type ShownCa, summarizeCa} from '../../domain/ca/inspect-ca.js';
import type {TrustTarget} from './actions.js';
import {factsOf, planChanges, type TrustFacts, type TrustPlan, type TrustRules} from './plan-changes.js';

/** `trust push CLUSTER...`. */
export interface PushRequest extends MeshRequest, TrustRules {}

/** One cluster of {@link PushResult}. */
export interface PushedCluster extends ClusterResult {
  readonly context?: string;
  readonly namespace: string;
  /** The decision; absent for an unreadable cluster, a rollback with nothing to restore, and `--forget`. */
  readonly plan?: PushKind;
  /** The CA in the cluster before the run, and the one to write. */
  readonly before?: ShownCa;
  readonly after: ShownCa;
  readonly differences: readonly Difference[];
  /** Whether the current CA is (to be) saved as Secret `cacerts-previous`. */
  readonly keepsPrevious: boolean;
  /** istiod Deployments (to be) restarted. */
  readonly restarts: readonly string[];
  /** All reasons for refusing the change; `error` is the first. */
  readonly refusals: readonly ErrorReport[];
  /** Why nothing is pushed: trust.signer is external. */
  readonly madeElsewhere?: string;
  /** With `--dry-run=server`: what the API server could not check, and why. */
  readonly notValidated?: readonly string[];
}

/** The result of `trust push`. */
export interface PushResult extends CommonResult {
  readonly clusters: readonly PushedCluster[];
  readonly warnings: readonly Warning[];
}

/** `trust push`: writes the namespace, its network label, and Secret `cacerts`. */
export const pushTrust = onePhase<PushRequest, PushResult, TrustFacts, TrustPlan>({
  command: 'trust push',
  changes: true,
  title: () => 'read the clusters',
  async gather(deps, request, {concurrency}) {
    const loaded = await loadMesh(deps, request);
    const clusters = externalCaReason(loaded.mesh.trust.signer) === undefined ? loaded.clusters : [];
    // All files first: clusters are then opened in the order in which they are declared, so that credential plugins
    // prompt in that order.
    const read = clusters.map(async (cluster) => ({
      cluster,
      own: await readWorkDirCa(deps, loaded.mesh, cluster.name),
    }));
    const gather = (one: ClusterCa): Promise<TrustTarget> => gatherTarget(deps, loaded, one, request);
    return factsOf(deps, loaded, await eachCluster(await Promise.all(read), concurrency, gather));
  },
  plan: planChanges,
  report: reportChanges,
  conclude: ({clusters}) => concludeClusters(clusters),
});

interface ClusterCa {
  readonly cluster: MeshCluster;
  readonly own: DesiredCa;
}

async function gatherTarget(
  deps: Deps,
  {mesh}: LoadedMesh,
  {cluster, own}: ClusterCa,
  {allowRootChange, restartIstiod}: TrustRules,
): Promise<TrustTarget> {
  const {files, inspection} = own;
  const trust = await readTrust(deps, mesh, cluster, (observed) =>
    allowRootChange || isInPlace(own, observed) ? undefined : inspection,
  );
  const {namespace} = mesh.istio;
  const inPlace = isKnown(trust.seen) && isInPlace(own, trust.seen.value);
  const ca = inspection.certificate?.fingerprint;
  return {
    trust,
    target: {
      cluster: cluster.name,
      namespace,
      // Checked only if restarts are allowed: it requires a connection to each istiod pod.
      pendingReload: restartIstiod && inPlace && (await presentsOtherCa(deps, trust, namespace, ca)),
      network: cluster.network,
      own,
      what: `${cluster.name}/${caFileNames.caCert}`,
    },
    data: dataToWrite(files, secretOf(trust, 'cacerts')),
    order: 'keep-first',
    removesKey: !mesh.trust.keepClusterKeys && files.caKey !== undefined,
  };
}

/** The Secret's data: from the work directory, the CA key from the cluster if the work directory no longer has it. */
function dataToWrite(files: CaFiles, cacerts: CacertsSecret | undefined): SecretData | undefined {
  const {caKey = cacerts?.files.caKey} = files;
  return dataOfFiles({...files, caKey}, cacerts);
}

/** The result of a push or rollback. */
export function reportChanges({facts, plan, outcomes}: PhaseRun<TrustFacts, TrustPlan>): PushResult {
  const {mesh, clusters} = facts.loaded;
  const {decided, warnings} = plan;
  const noChange = {differences: [], keepsPrevious: false, restarts: [], refusals: []};
  const reason = externalCaReason(mesh.trust.signer);
  if (reason !== undefined && decided.length === 0) {
    // Not an error: `up` and scripts run this step in every mesh.
    const shown = {
      ...noChange,
      outcome: 'unchanged',
      namespace: mesh.istio.namespace,
      madeElsewhere: reason,
    } as const;
    return {
      clusters: clusters.map(({name, context}) => defined({...shown, name, context, after: {roots: []}})),
      warnings,
    };
  }
  const names = decided.map(({target}) => target.cluster);
  const pushed = clusterOutcomesWithCause(names, {plan, outcomes}).flatMap(
    (outcome, index): readonly PushedCluster[] => {
      const one = decided[index];
      if (!one) return [];
      const {trust, target, decision, errors: refusals} = one;
      const cacerts = secretOf(trust, 'cacerts');
      const notValidated = outcomesOf({outcomes}, 'put-object').flatMap(({cluster, id, result}) =>
        cluster === target.cluster && result && 'reason' in result ? [`${id}: ${result.reason}`] : [],
      );
      return [
        defined({
          ...outcome,
          context: trust.cluster.context,
          namespace: target.namespace,
          plan: decision?.kind,
          before: cacerts && summarizeCa(cacerts.inspection),
          after: summarizeCa(target.own.inspection),
          differences: decision?.differences ?? [],
          keepsPrevious: decision?.keepPrevious ?? false,
          restarts: (decision?.restart ?? []).map(({name}) => name),
          refusals,
          notValidated: notValidated.length > 0 ? notValidated : undefined,
        }),
      ];
    },
  );
  return {clusters: pushed, warnings};
}
