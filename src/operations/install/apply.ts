import {defined} from '../../domain/defined.js';
import {isKnown, observe, type Observed} from '../../domain/observed.js';
import {impersonationUnsupported} from '../../domain/install/istioctl-output.js';
import {liveDigest} from '../../domain/install/live.js';
import {runningVersion, reportedVersion, type ReportedVersion} from '../../domain/install/version-change.js';
import {asMeshError, MeshError} from '../../domain/errors.js';
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
  type ApplyPlan,
  type Change,
  type Decided,
  type TargetFacts,
  recordAction,
  planApply,
} from './plan-apply.js';

/** `install apply CLUSTER...`. */
export interface ApplyRequest extends MeshRequest, ApplyOptions {
  /** `--as`: refused, since istioctl has no such flag in many versions and would act with the caller's own rights. */
  readonly as?: string | undefined;
}

/** One cluster of {@link ApplyResult}. */
export interface AppliedCluster extends ClusterResult {
  readonly context?: string;
  /** The file that was applied. */
  readonly path: string;
  /** What was to be done; absent where that could not be told. */
  readonly change?: Change;
  /** The version that ran before. */
  readonly running?: string;
}

/** What `install apply` answers. */
export interface ApplyResult extends CommonResult {
  readonly clusters: readonly AppliedCluster[];
  /** istioctl's version, as it says it. */
  readonly istioctl: string;
  readonly warnings: readonly Warning[];
}

/** `install apply`: hands install.yaml to istioctl, one cluster first, then the rest, and notes what was installed. */
export const applyInstalls: Operation<ApplyRequest, ApplyResult> = {
  command: 'install apply',
  changes: true,
  async execute(request, engine) {
    const run = await engine.run({
      title: 'look at the clusters',
      gather: (deps) => gatherApply(request, engine.settings.concurrency, deps),
      plan: (facts) => planApply(facts, request),
    });
    const notes = await recordInstalled(run, engine);
    return report(run, notes);
  },
  conclude: (result) => concludeClusters(result.clusters),
};

/**
 * Reads everything, `concurrency` clusters at the same time. Throws `UNSUPPORTED_FLAG`, and `TOOL_MISSING` and
 * `TOOL_OUTPUT` for istioctl.
 */
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
    // The cluster first: credential plugins then ask in the order in which clusters are declared.
    const [live, {caCert, rootCert, certChain}] = await Promise.all([
      observe(() => readInstalledCluster(deps, mesh, rendering.cluster)),
      readCaFiles(deps.workspace, rendering.cluster.name),
    ]);
    return {rendering, certificates: {caCert, rootCert, certChain}, live};
  });
  return {loaded, version, istioctl, targets};
}

/** The names of the clusters for which istioctl ended like this. */
function clustersWith(run: Pick<PhaseRun<unknown>, 'outcomes'>, status: Outcome['status']): readonly string[] {
  return outcomesOf(run, 'run-istioctl').flatMap((one) =>
    one.status === status && one.cluster !== undefined ? [one.cluster] : [],
  );
}

/**
 * Completes the record of each cluster that istioctl has finished with what is live now: with it the next `install apply`
 * can prove that nothing changed. Without it nothing is lost but that proof, so a failure is a warning.
 */
async function recordInstalled(run: PhaseRun<ApplyFacts, ApplyPlan>, engine: Engine): Promise<readonly Warning[]> {
  const names = clustersWith(run, 'done');
  if (names.length === 0) return [];
  const finished = names.flatMap((name) => run.plan.decided.get(name) ?? []);
  const noted = await engine.run(recordPhase(finished, run.facts.istioctl)).catch((thrown: unknown) => {
    const error = asMeshError(thrown);
    // What was interrupted before this is told by its own cluster, with what became of the others.
    if (error.class === 'bug' || !run.outcomes.some(({status}) => status === 'cancelled')) throw error;
    return error;
  });
  if (noted instanceof MeshError) return names.map((name) => notRecordedWarning(name, noted.message));
  return [
    ...names
      .filter((name) => !run.plan.decided.has(name))
      .map((name) => notRecordedWarning(name, 'it could not be looked at again')),
    ...noted.facts.flatMap(({cluster, now}) => (isKnown(now) ? [] : [notRecordedWarning(cluster.name, now.unknown.message)])),
    ...noted.outcomes.flatMap(({cluster, error}) =>
      error && cluster !== undefined ? [notRecordedWarning(cluster, error.message)] : [],
    ),
  ];
}

function notRecordedWarning(cluster: string, why: string): Warning {
  const what = 'Istio is installed, but what is live could not be noted, so the next install apply runs istioctl again';
  return {cluster, message: `${what}: ${why}`};
}

/** A cluster that istioctl has finished, and what is installed there now. */
interface InstalledNow extends Decided {
  readonly now: Observed<Pick<InstalledCluster, 'installed' | 'record'>>;
}

function recordPhase(finished: readonly Decided[], istioctl: ReportedVersion): Phase<readonly InstalledNow[]> {
  return {
    title: 'note what was installed',
    gather: (deps) =>
      Promise.all(
        finished.map(async (one) => ({
          ...one,
          now: await observe(() => readInstalledObjects(deps, one.cluster, one.rendered)),
        })),
      ),
    plan: (noted) => {
      const actions = noted.flatMap((one) => {
        if (!isKnown(one.now)) return [];
        const {installed, record} = one.now.value;
        const live = liveDigest(installed) ?? '';
        return [
          recordAction({...one, live: {...one.live, record}}, istioctl, {id: 'install-note', what: 'what is live', live}),
        ];
      });
      return {...emptyPlan, groups: groupOf(actions)};
    },
  };
}

function report(run: PhaseRun<ApplyFacts, ApplyPlan>, notes: readonly Warning[]): ApplyResult {
  const halfDone = clustersWith(run, 'cancelled');
  return {
    clusters: run.facts.targets.flatMap(({rendering: {cluster, path}, live}) =>
      clusterOutcomesWithCause([cluster.name], run).map((outcome) =>
        defined<AppliedCluster>({
          ...(halfDone.includes(cluster.name) ? withPartialInstall(outcome) : outcome),
          path,
          context: isKnown(live) ? live.value.context : undefined,
          change: run.plan.decided.get(cluster.name)?.change,
          running: isKnown(live) && live.value.istiod ? runningVersion(live.value.istiod).said : undefined,
        }),
      ),
    ),
    istioctl: run.facts.istioctl.said,
    warnings: [...run.plan.warnings, ...notes],
  };
}

/** What an interruption leaves: istioctl sets one object after the other, and the cluster goes on with what it has got. */
function withPartialInstall(result: ClusterResult): ClusterResult {
  const {name, error} = result;
  if (!error) return result;
  const message = `${error.message} while istioctl was at work: Istio in ${name} may be half installed`;
  const goOn = advice`go on from there: ${kubectlMesh('install apply', [name])}`;
  return {...result, error: {...error, message, hints: [goOn, ...error.hints]}};
}
