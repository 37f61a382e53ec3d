import {defined} from '../../domain/defined.js';
import type {SecretData} from '../../domain/kube/object.js';
import type {ErrorReport} from '../../domain/errors.js';
import {isKnown, observe} from '../../domain/observed.js';
import {caFileNames, type CaFiles} from '../../domain/ca/ca-files.js';
import {inspectCaFiles} from '../../domain/ca/inspect-ca.js';
import {dataOfBundle} from '../../domain/trust/cacerts.js';
import type {Difference} from '../../domain/trust/diff.js';
import type {ClusterTrust} from '../../domain/trust/facts.js';
import {isInPlace, type PushKind} from '../../domain/trust/plan-push.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {madeElsewhere} from '../../domain/mesh/signer.js';
import type {Deps} from '../../engine/deps.js';
import type {Operation, Phase, PhaseRun, Warning} from '../../engine/operation.js';
import {
  clusterOutcomesWithCause,
  concludeClusters,
  outcomesOf,
  type ClusterResult,
  type CommonResult,
} from '../../engine/report.js';
import {loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {readCaFiles} from '../../observe/ca-files.js';
import {inspectWithoutKey} from '../../observe/cacerts.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {presentsOther, readTrust} from '../../observe/trust-state.js';
import {summarise, summariseSecret, type CaSummary} from '../../domain/trust/ca-summary.js';
import {
  planChanges,
  secretOf,
  type TrustFacts,
  type TrustPlan,
  type TrustRules,
  type TrustTarget,
} from './plan-changes.js';

/** `trust push CLUSTER...`. */
export interface PushRequest extends MeshRequest, TrustRules {}

/** One cluster of {@link PushResult}. */
export interface PushedCluster extends ClusterResult {
  readonly context?: string;
  readonly namespace: string;
  /** What was decided; absent where the cluster could not be looked at, and where a kept CA is only deleted. */
  readonly plan?: PushKind;
  /** What was in the cluster, and what the work directory has. */
  readonly before?: CaSummary;
  readonly after: CaSummary;
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
export const pushTrust: Operation<PushRequest, PushResult> = {
  command: 'trust push',
  changes: true,
  async execute(request, engine) {
    return reportChanges(await engine.run(pushPhase(request, engine.settings.concurrency)));
  },
  conclude: (result) => concludeClusters(result.clusters),
};

/** The phase that pushes; {@link reportChanges} makes its report. */
function pushPhase(request: PushRequest, concurrency: number): Phase<TrustFacts, TrustPlan> {
  return {
    title: 'look at the clusters',
    async gather(deps) {
      const loaded = await loadMesh(deps, request);
      if (madeElsewhere(loaded.mesh.trust.signer) !== undefined) {
        return {loaded, targets: [], journal: await observe(() => deps.workspace.journal.read())};
      }
      // All files first: then clusters are opened in the order they are declared in, which is the order in which
      // credential plugins ask.
      const files = new Map(
        await Promise.all(
          loaded.clusters.map(async ({name}) => [name, await readCaFiles(deps.workspace, name)] as const),
        ),
      );
      const targets = await eachCluster(loaded.clusters, concurrency, (cluster) =>
        gatherTarget(deps, loaded, {cluster, files: files.get(cluster.name) ?? {}}, request),
      );
      return {loaded, targets, journal: await observe(() => deps.workspace.journal.read())};
    },
    plan: (facts) => planChanges(facts, request),
  };
}

async function gatherTarget(
  deps: Deps,
  loaded: LoadedMesh,
  {cluster, files}: {readonly cluster: MeshCluster; readonly files: CaFiles},
  rules: TrustRules,
): Promise<TrustTarget> {
  const options = inspectWithoutKey(loaded.mesh, deps.now());
  const inspection = inspectCaFiles(files, options);
  const own = {files, inspection};
  const {namespace} = loaded.mesh.istio;
  const trust = await readTrust(deps, cluster, {
    namespace,
    options,
    wanted: (seen) => (rules.allowRootChange || isInPlace(own, seen) ? undefined : inspection),
  });
  const inPlace = isKnown(trust.seen) && isInPlace(own, trust.seen.value);
  const ca = inspection.certificate?.fingerprint;
  return {
    trust,
    target: {
      cluster: cluster.name,
      namespace,
      // Asked only where a restart was allowed: it takes a connection to every istiod pod.
      unfinished: rules.restartIstiod && inPlace && (await presentsOther(deps, trust, namespace, ca)),
      network: cluster.network,
      own,
      what: `${cluster.name}/${caFileNames.caCert}`,
    },
    data: dataToWrite(files, trust),
    order: 'keep-first',
    forgetKey: !loaded.mesh.trust.keepClusterKeys && files.caKey !== undefined,
  };
}

/** The Secret's data: from the work directory, its key from the cluster where the work directory no longer has it. */
function dataToWrite(files: CaFiles, trust: ClusterTrust): SecretData | undefined {
  const {caCert, rootCert, certChain, crl} = files;
  const cacerts = secretOf(trust, 'cacerts');
  const caKey = files.caKey ?? (cacerts === 'absent' ? undefined : cacerts.files.caKey);
  if (caCert === undefined || rootCert === undefined || certChain === undefined || caKey === undefined)
    return undefined;
  return dataOfBundle({caCert, rootCert, certChain, caKey}, crl, cacerts);
}

/** The clusters of the result, from what was seen, decided and done. */
export function reportChanges(run: PhaseRun<TrustFacts, TrustPlan>): PushResult {
  const {targets, loaded} = run.facts;
  const why = madeElsewhere(loaded.mesh.trust.signer);
  if (why !== undefined && targets.length === 0)
    return {clusters: nothingToPush(loaded, why), warnings: run.plan.warnings};
  const {decided} = run.plan;
  const outcomes = clusterOutcomesWithCause(
    targets.map(({target}) => target.cluster),
    run,
  );
  return {
    clusters: outcomes.flatMap((outcome, index): readonly PushedCluster[] => {
      const one = targets[index];
      const decision = decided[index]?.decision;
      if (!one) return [];
      const {trust, target} = one;
      const before = summariseSecret(secretOf(trust, 'cacerts'));
      const notValidated = outcomesOf(run, 'put-object').flatMap(({cluster, id, result}) =>
        cluster === target.cluster && result && 'reason' in result ? [`${id}: ${result.reason}`] : [],
      );
      return [
        defined({
          ...outcome,
          context: trust.context,
          namespace: target.namespace,
          plan: decision?.kind,
          before,
          after: summarise(target.own.inspection),
          differences: decision?.differences ?? [],
          keepsPrevious: decision?.keepPrevious ?? false,
          restarts: (decision?.restart ?? []).map(({name}) => name),
          refusals: decided[index]?.errors ?? [],
          notValidated: notValidated.length > 0 ? notValidated : undefined,
        }),
      ];
    }),
    warnings: run.plan.warnings,
  };
}

/** A step of `up` and of scripts: what nobody has to push is no failure. */
function nothingToPush({clusters, mesh}: LoadedMesh, why: string): readonly PushedCluster[] {
  return clusters.map(({name, context}) =>
    defined({
      name,
      outcome: 'unchanged',
      context,
      namespace: mesh.istio.namespace,
      after: {roots: []},
      differences: [],
      keepsPrevious: false,
      restarts: [],
      refusals: [],
      madeElsewhere: why,
    }),
  );
}
