import {defined} from '../../domain/defined.js';
import {isKnown, observe, type Observed} from '../../domain/observed.js';
import {impersonationUnsupported} from '../../domain/install/istioctl-output.js';
import {liveDigest} from '../../domain/install/live.js';
import {runningVersion, reportedVersion, type ReportedVersion} from '../../domain/istio/running-version.js';
import {asMeshError, MeshError} from '../../domain/errors.js';
import {defaultRevision} from '../../domain/istio/names.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Deps} from '../../engine/deps.js';
import {
  emptyPlan,
  type Engine,
  groupOf,
  type Operation,
  type Outcome,
  type Phase,
  type PhaseRun,
  type Warning,
} from '../../engine/operation.js';
import {
  clusterOutcomesWithCause,
  concludeClusters,
  outcomesOf,
  type ClusterResult,
  type CommonResult,
} from '../../engine/report.js';
import {readCaFiles} from '../../observe/ca-files.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {readInstalledCluster, readInstalledObjects, type InstalledCluster} from '../../observe/installed-cluster.js';
import {chooseVersion, gatherRenderings} from '../../observe/renderings.js';
import {loadMesh, type MeshRequest} from '../shared/load-mesh.js';
import {
  type ApplyFacts,
  type ApplyOptions,
  type DecidedInstall,
  type InstallChange,
  installationOf,
  type TargetFacts,
} from './decide-apply.js';
import {type ApplyPlan, planApply, putRecord} from './plan-apply.js';

/** `install apply CLUSTER...`. */
export interface ApplyRequest extends MeshRequest, ApplyOptions {
  /** `--as`: rejected, since many istioctl versions lack the flag and would act with the caller's own rights. */
  readonly as?: string | undefined;
}

/** One cluster of {@link ApplyResult}. */
export interface AppliedCluster extends ClusterResult {
  readonly context?: string;
  /** The file that was applied. */
  readonly path: string;
  /** The planned change; absent if it could not be determined. */
  readonly change?: InstallChange;
  /** The version that was running before. */
  readonly running?: string;
  /** What the change also changes for other control planes in the cluster: `the ingress gateway of revision default`. */
  readonly alsoChanges?: readonly string[];
}

/** The result of `install apply`. */
export interface ApplyResult extends CommonResult {
  readonly clusters: readonly AppliedCluster[];
  /** The version that istioctl reports. */
  readonly istioctl: string;
  readonly warnings: readonly Warning[];
}

/** `install apply`: applies install.yaml with istioctl, to one cluster first, then the rest, and records the result. */
export const applyInstalls: Operation<ApplyRequest, ApplyResult> = {
  command: 'install apply',
  changes: true,
  async execute(request, engine) {
    const run = await engine.run({
      title: 'read the clusters',
      gather: (deps) => gatherApply(request, engine.settings.concurrency, deps),
      plan: (facts) => planApply(facts, request),
    });
    const recordWarnings = await recordInstalled(run, engine);
    return report(run, recordWarnings);
  },
  conclude: (result) => concludeClusters(result.clusters),
};

/** Gathers the facts, `concurrency` clusters at a time. Throws `UNSUPPORTED_FLAG`, `TOOL_MISSING`, `TOOL_OUTPUT`. */
export async function gatherApply(
  request: MeshRequest & Pick<ApplyRequest, 'as'>,
  concurrency: number,
  deps: Deps,
): Promise<ApplyFacts> {
  if (request.as !== undefined) throw impersonationUnsupported();
  const loaded = await loadMesh(deps, request);
  const {mesh, clusters} = loaded;
  const istioctl = reportedVersion(await deps.istioctl.version());
  const version = await chooseVersion(mesh, request.istioVersion, deps);
  const renderings = await gatherRenderings(mesh, clusters, version.known, deps);
  const targets = await eachCluster(renderings, concurrency, async (rendering): Promise<TargetFacts> => {
    // The cluster first: credential plugins then prompt in the order in which clusters are declared.
    const [live, {caCert, rootCert, certChain}] = await Promise.all([
      observe(() => readInstalledCluster(deps, mesh, rendering.cluster)),
      readCaFiles(deps.workspace, rendering.cluster.name),
    ]);
    return {rendering, certificates: {caCert, rootCert, certChain}, live};
  });
  return {loaded, version, istioctl, targets};
}

/** The names of the clusters whose istioctl run has this status. */
function clustersWith(run: Pick<PhaseRun<unknown>, 'outcomes'>, status: Outcome['status']): readonly string[] {
  return outcomesOf(run, 'run-istioctl').flatMap((one) =>
    one.status === status && one.cluster !== undefined ? [one.cluster] : [],
  );
}

/**
 * Adds the live state to the record of each cluster where istioctl succeeded: the next `install apply` can then prove
 * that nothing changed. A failure loses only that proof, so it is a warning.
 */
async function recordInstalled(run: PhaseRun<ApplyFacts, ApplyPlan>, engine: Engine): Promise<readonly Warning[]> {
  const names = clustersWith(run, 'done');
  if (names.length === 0) return [];
  const finished = names.flatMap((name) => run.plan.decided.get(name) ?? []);
  const recorded = await engine.run(recordPhase(finished, run.facts.istioctl)).catch((thrown: unknown) => {
    const error = asMeshError(thrown);
    // A run that was interrupted before this step reports that in its own cluster, with the outcomes of the others.
    if (error.class === 'bug' || !run.outcomes.some(({status}) => status === 'cancelled')) throw error;
    return error;
  });
  if (recorded instanceof MeshError) return names.map((name) => notRecorded(name, recorded.message));
  return [
    ...names
      .filter((name) => !run.plan.decided.has(name))
      .map((name) => notRecorded(name, 'the cluster could not be read again')),
    ...recorded.facts.flatMap(({cluster, now}) =>
      isKnown(now) ? [] : [notRecorded(cluster.name, now.unknown.message)],
    ),
    ...recorded.outcomes.flatMap(({cluster, error}) =>
      error && cluster !== undefined ? [notRecorded(cluster, error.message)] : [],
    ),
  ];
}

function notRecorded(cluster: string, why: string): Warning {
  const what = 'Istio is installed, but its live state was not recorded, so the next install apply runs istioctl again';
  return {cluster, message: `${what}: ${why}`};
}

/** A cluster where istioctl succeeded, and its current installation. */
interface InstalledNow extends DecidedInstall {
  readonly now: Observed<Pick<InstalledCluster, 'installed' | 'record'>>;
}

function recordPhase(finished: readonly DecidedInstall[], istioctl: ReportedVersion): Phase<readonly InstalledNow[]> {
  return {
    title: 'record the installation',
    gather: (deps) =>
      Promise.all(
        finished.map(async (one) => ({
          ...one,
          now: await observe(() => readInstalledObjects(deps, one.cluster, one.rendered)),
        })),
      ),
    plan: (clusters) => {
      const actions = clusters.flatMap((one) => {
        if (!isKnown(one.now)) return [];
        const {installed, record} = one.now.value;
        const installation = installationOf(one.rendered, [one.rendered.revision ?? defaultRevision]);
        const live = liveDigest(installed, installation) ?? '';
        return [
          putRecord({...one, live: {...one.live, record}}, istioctl, {
            id: 'install-note',
            what: 'the live state',
            live,
          }),
        ];
      });
      return {...emptyPlan, groups: groupOf(actions)};
    },
  };
}

function report(run: PhaseRun<ApplyFacts, ApplyPlan>, recordWarnings: readonly Warning[]): ApplyResult {
  const interrupted = clustersWith(run, 'cancelled');
  return {
    clusters: run.facts.targets.flatMap(({rendering: {cluster, path}, live}) => {
      const {change, shared = []} = run.plan.decided.get(cluster.name) ?? {};
      return clusterOutcomesWithCause([cluster.name], run).map((outcome) =>
        defined<AppliedCluster>({
          ...(interrupted.includes(cluster.name) ? withPartialInstall(outcome) : outcome),
          path,
          context: isKnown(live) ? live.value.context : undefined,
          change,
          running: isKnown(live) && live.value.istiod ? runningVersion(live.value.istiod).text : undefined,
          alsoChanges: change === 'unchanged' || shared.length === 0 ? undefined : shared.map(({what}) => what),
        }),
      );
    }),
    istioctl: run.facts.istioctl.text,
    warnings: [...run.plan.warnings, ...recordWarnings],
  };
}

/** Adds what an interruption leaves: istioctl applies one object after the other, so some may be missing. */
function withPartialInstall(result: ClusterResult): ClusterResult {
  const {name, error} = result;
  if (!error) return result;
  const message = `${error.message} while istioctl was running: Istio in ${name} may be partly installed`;
  const hint = advice`to complete it, run: ${kubectlMesh('install apply', [name])}`;
  return {...result, error: {...error, message, hints: [hint, ...error.hints]}};
}
