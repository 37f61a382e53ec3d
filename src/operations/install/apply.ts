import {isKnown, observe, type Observed} from '../../domain/observed.js';
import {impersonationUnsupported} from '../../domain/install/istioctl-output.js';
import type {EastWestGateway} from '../../domain/install/east-west/choose.js';
import {liveDigest} from '../../domain/install/live.js';
import {reportedVersion, type ReportedVersion} from '../../domain/istio/running-version.js';
import {asMeshError, MeshError} from '../../domain/errors.js';
import {defaultRevision} from '../../domain/istio/names.js';
import type {Deps} from '../../engine/deps.js';
import {
  emptyPlan,
  type Engine,
  groupOf,
  type Operation,
  type Outcome,
  type Phase,
  type PhaseRun,
  type RunSettings,
  type Warning,
} from '../../engine/operation.js';
import {clusterOutcomesWithCause, concludeClusters, type ClusterResult} from '../../engine/report.js';
import {readCaFiles} from '../../observe/ca-files.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {readInstalledCluster, readInstalledObjects, type InstalledCluster} from '../../observe/installed-cluster.js';
import {chooseVersion, gatherRenderings, type Rendering} from '../../observe/renderings.js';
import {loadMesh, type MeshRequest} from '../shared/load-mesh.js';
import {
  type ApplyFacts,
  type ApplyOptions,
  type DecidedInstall,
  installationOf,
  type TargetFacts,
} from './decide-apply.js';
import {type ApplyPlan, planApply, putRecord} from './plan-apply.js';
import {concernsGateways, gatewayPhase} from './plan-gateways.js';
import {type ApplyResult, clustersWith, reportApply} from './report-apply.js';

/** `install apply CLUSTER...`. */
export interface ApplyRequest extends MeshRequest, ApplyOptions {
  /** `--as`: rejected, since many istioctl versions lack the flag and would act with the caller's own rights. */
  readonly as?: string | undefined;
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
    const targets = isStopped(run, engine.settings)
      ? []
      : installedTargets(run, engine.settings).filter(concernsGateways);
    const gateways =
      targets.length === 0
        ? undefined
        : await afterInstall(run, engine.run(gatewayPhase(targets, engine.settings.concurrency, request)));
    return reportApply({
      run,
      gateways: gateways instanceof MeshError ? undefined : gateways,
      recordWarnings,
      settings: engine.settings,
    });
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
      observe(() => readInstalledCluster(deps, mesh, rendering.cluster, eastWestOf(rendering))),
      readCaFiles(deps.workspace, rendering.cluster.name),
    ]);
    return {rendering, certificates: {caCert, rootCert, certChain}, live};
  });
  return {loaded, version, istioctl, targets};
}

function eastWestOf({rendered}: Rendering): EastWestGateway | undefined {
  return rendered instanceof MeshError ? undefined : rendered.eastWest;
}

/** Whether nothing more may be changed: the plan was refused, or a cluster failed. */
function isStopped({plan, outcomes}: PhaseRun<ApplyFacts, ApplyPlan>, {keepGoing}: RunSettings): boolean {
  const isFailure = ({status}: Outcome): boolean => status === 'failed' || status === 'cancelled';
  return !keepGoing && (plan.blockers.length > 0 || outcomes.some(isFailure));
}

/** The clusters where Istio is installed as declared; in a dry run also those where it would be. */
function installedTargets(run: PhaseRun<ApplyFacts, ApplyPlan>, {dryRun}: RunSettings): readonly DecidedInstall[] {
  const outcomes = clusterOutcomesWithCause([...run.plan.decided.keys()], run);
  const isReady = ({outcome}: ClusterResult): boolean =>
    outcome === 'done' || outcome === 'unchanged' || (dryRun !== 'none' && outcome === 'skipped');
  return outcomes.filter(isReady).flatMap(({name}) => run.plan.decided.get(name) ?? []);
}

/**
 * Adds the live state to the record of each cluster where istioctl succeeded: the next `install apply` can then prove
 * that nothing changed. A failure loses only that proof, so it is a warning.
 */
async function recordInstalled(run: PhaseRun<ApplyFacts, ApplyPlan>, engine: Engine): Promise<readonly Warning[]> {
  const names = clustersWith(run, 'done');
  if (names.length === 0) return [];
  const finished = names.flatMap((name) => run.plan.decided.get(name) ?? []);
  const recorded = await afterInstall(run, engine.run(recordPhase(finished, run.facts.istioctl)));
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

/**
 * Returns the error of a later phase, instead of throwing it, if the run was interrupted while istioctl was running: that is
 * reported in its own cluster, with the outcomes of the others.
 */
async function afterInstall<T>(
  {outcomes}: Pick<PhaseRun<unknown>, 'outcomes'>,
  phase: Promise<T>,
): Promise<T | MeshError> {
  try {
    return await phase;
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'bug' || !outcomes.some(({status}) => status === 'cancelled')) throw error;
    return error;
  }
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
