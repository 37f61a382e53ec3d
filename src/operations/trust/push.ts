import {defined} from '../../domain/defined.js';
import type {SecretData} from '../../domain/kube/object.js';
import type {ErrorReport} from '../../domain/errors.js';
import {isKnown} from '../../domain/observed.js';
import {caFileNames, type CaFiles} from '../../domain/ca/ca-files.js';
import {type CacertsSecret, dataOfBundle} from '../../domain/trust/cacerts.js';
import type {Difference, OwnCa} from '../../domain/trust/diff.js';
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
import {readOwnCa} from '../../observe/ca-files.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {presentsOtherCa, readTrust} from '../../observe/trust-state.js';
import {type ShownCa, summarise} from '../../domain/ca/inspect-ca.js';
import type {TrustTarget} from './actions.js';
import {factsOf, planChanges, type TrustFacts, type TrustPlan, type TrustRules} from './plan-changes.js';

/** `trust push CLUSTER...`. */
export interface PushRequest extends MeshRequest, TrustRules {}

/** One cluster of {@link PushResult}. */
export interface PushedCluster extends ClusterResult {
  readonly context?: string;
  readonly namespace: string;
  /** What was decided; absent where a cluster could not be looked at, nothing is kept, or what is kept is deleted. */
  readonly plan?: PushKind;
  /** What was in the cluster, and what the work directory has. */
  readonly before?: ShownCa;
  readonly after: ShownCa;
  readonly differences: readonly Difference[];
  /** Whether the present CA is (to be) kept as Secret `cacerts-previous`. */
  readonly keepsPrevious: boolean;
  /** istiod Deployments (to be) restarted. */
  readonly restarts: readonly string[];
  /** Everything that speaks against it; `error` is the first. */
  readonly refusals: readonly ErrorReport[];
  /** Why nothing is pushed: somebody else makes the CA. */
  readonly madeElsewhere?: string;
  /** With `--dry-run=server`: what the API server could not check, and why. */
  readonly notValidated?: readonly string[];
}

/** What `trust push` answers. */
export interface PushResult extends CommonResult {
  readonly clusters: readonly PushedCluster[];
  readonly warnings: readonly Warning[];
}

/** `trust push`: namespace, network label, Secret `cacerts`. */
export const pushTrust = onePhase<PushRequest, PushResult, TrustFacts, TrustPlan>({
  command: 'trust push',
  changes: true,
  title: () => 'look at the clusters',
  async gather(deps, request, {concurrency}) {
    const loaded = await loadMesh(deps, request);
    const clusters = externalCaReason(loaded.mesh.trust.signer) === undefined ? loaded.clusters : [];
    // All files first: then clusters are opened in the order they are declared in, which is the order in which
    // credential plugins ask.
    const read = clusters.map(async (cluster) => ({cluster, own: await readOwnCa(deps, loaded.mesh, cluster.name)}));
    const look = (one: Wanted): Promise<TrustTarget> => gatherTarget(deps, loaded, one, request);
    return factsOf(deps, loaded, await eachCluster(await Promise.all(read), concurrency, look));
  },
  plan: planChanges,
  report: reportChanges,
  conclude: ({clusters}) => concludeClusters(clusters),
});

interface Wanted {
  readonly cluster: MeshCluster;
  readonly own: OwnCa;
}

async function gatherTarget(
  deps: Deps,
  {mesh}: LoadedMesh,
  {cluster, own}: Wanted,
  {allowRootChange, restartIstiod}: TrustRules,
): Promise<TrustTarget> {
  const {files, inspection} = own;
  const trust = await readTrust(deps, mesh, cluster, (seen) =>
    allowRootChange || isInPlace(own, seen) ? undefined : inspection,
  );
  const {namespace} = mesh.istio;
  const inPlace = isKnown(trust.seen) && isInPlace(own, trust.seen.value);
  const ca = inspection.certificate?.fingerprint;
  return {
    trust,
    target: {
      cluster: cluster.name,
      namespace,
      // Asked only where a restart was allowed: it takes a connection to every istiod pod.
      unfinished: restartIstiod && inPlace && (await presentsOtherCa(deps, trust, namespace, ca)),
      network: cluster.network,
      own,
      what: `${cluster.name}/${caFileNames.caCert}`,
    },
    data: dataToWrite(files, secretOf(trust, 'cacerts')),
    order: 'keep-first',
    forgetKey: !mesh.trust.keepClusterKeys && files.caKey !== undefined,
  };
}

/** The Secret's data: from the work directory, its key from the cluster where the work directory no longer has it. */
function dataToWrite(files: CaFiles, cacerts: CacertsSecret | undefined): SecretData | undefined {
  const {caCert, rootCert, certChain, crl} = files;
  const {caKey = cacerts?.files.caKey} = files;
  return caCert === undefined || rootCert === undefined || certChain === undefined || caKey === undefined
    ? undefined
    : dataOfBundle({caCert, rootCert, certChain, caKey}, crl, cacerts);
}

/** The clusters of the result, from what was seen, decided and done. */
export function reportChanges({facts, plan, outcomes}: PhaseRun<TrustFacts, TrustPlan>): PushResult {
  const {mesh, clusters} = facts.loaded;
  const {decided, warnings} = plan;
  const nothing = {differences: [], keepsPrevious: false, restarts: [], refusals: []};
  const elsewhere = externalCaReason(mesh.trust.signer);
  if (elsewhere !== undefined && decided.length === 0) {
    // It is a step of `up` and of scripts: having nothing to push is no failure.
    const shown = {
      ...nothing,
      outcome: 'unchanged',
      namespace: mesh.istio.namespace,
      madeElsewhere: elsewhere,
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
          before: cacerts && summarise(cacerts.inspection),
          after: summarise(target.own.inspection),
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
