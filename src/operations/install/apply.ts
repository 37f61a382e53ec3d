import {defined} from '../../domain/defined.js';
import {isKnown, observe, type Observed} from '../../domain/observed.js';
import {impersonationUnsupported} from '../../domain/install/istioctl-output.js';
import type {EastWestGateway} from '../../domain/install/east-west/choose.js';
import {decideGateways, hostnamesFrom, unusableAddresses} from '../../domain/install/east-west/decide.js';
import {liveDigest} from '../../domain/install/live.js';
import {runningVersion, reportedVersion, type ReportedVersion} from '../../domain/istio/running-version.js';
import {asMeshError, MeshError} from '../../domain/errors.js';
import {defaultRevision} from '../../domain/istio/names.js';
import {describeRef, refOf} from '../../domain/kube/paths.js';
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
  type RunSettings,
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
import {chooseVersion, gatherRenderings, type Rendering} from '../../observe/renderings.js';
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
import {concernsGateways, type GatewayFacts, gatewayPhase} from './plan-gateways.js';

/** `install apply CLUSTER...`. */
export interface ApplyRequest extends MeshRequest, ApplyOptions {
  /** `--as`: rejected, since many istioctl versions lack the flag and would act with the caller's own rights. */
  readonly as?: string | undefined;
}

/** The east-west gateway of one cluster. */
export interface AppliedGateway {
  /** The objects that were, or would be, applied and removed: `Gateway istio-system/cross-network-gateway`. */
  readonly applied: readonly string[];
  readonly removed: readonly string[];
  /** Its addresses for other networks. */
  readonly addresses: readonly string[];
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
  /** Absent in a mesh with one network. */
  readonly gateway?: AppliedGateway;
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
    const targets = installedTargets(run, engine.settings).filter(concernsGateways);
    const gateways =
      targets.length === 0
        ? undefined
        : await afterInstall(run, engine.run(gatewayPhase(targets, engine.settings.concurrency, request)));
    return report(run, gateways instanceof MeshError ? undefined : gateways, recordWarnings);
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

/** The clusters where Istio is installed as declared; in a dry run also those where it would be. */
function installedTargets(run: PhaseRun<ApplyFacts, ApplyPlan>, {dryRun}: RunSettings): readonly DecidedInstall[] {
  const outcomes = clusterOutcomesWithCause([...run.plan.decided.keys()], run);
  const isReady = ({outcome}: ClusterResult): boolean =>
    outcome === 'done' || outcome === 'unchanged' || (dryRun !== 'none' && outcome === 'skipped');
  return outcomes.filter(isReady).flatMap(({name}) => run.plan.decided.get(name) ?? []);
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

function report(
  run: PhaseRun<ApplyFacts, ApplyPlan>,
  gateways: PhaseRun<readonly GatewayFacts[]> | undefined,
  recordWarnings: readonly Warning[],
): ApplyResult {
  const interrupted = clustersWith(run, 'cancelled');
  return {
    clusters: run.facts.targets.flatMap(({rendering: {cluster, path}, live}) => {
      const {change, shared = []} = run.plan.decided.get(cluster.name) ?? {};
      return clusterOutcomesWithCause([cluster.name], run).map((outcome) =>
        defined<AppliedCluster>({
          ...withGateway(interrupted.includes(cluster.name) ? withPartialInstall(outcome) : outcome, gateways),
          path,
          context: isKnown(live) ? live.value.context : undefined,
          change,
          running: isKnown(live) && live.value.istiod ? runningVersion(live.value.istiod).text : undefined,
          gateway: gateways && gatewayOf(cluster.name, gateways),
          alsoChanges: change === 'unchanged' || shared.length === 0 ? undefined : shared.map(({what}) => what),
        }),
      );
    }),
    istioctl: run.facts.istioctl.text,
    warnings: [...run.plan.warnings, ...recordWarnings, ...addressWarnings(gateways)],
  };
}

/** The outcome of both phases: that of the gateway, unless nothing was left to do there. */
function withGateway(install: ClusterResult, gateways: PhaseRun<readonly GatewayFacts[]> | undefined): ClusterResult {
  const {name} = install;
  if (!gateways?.facts.some(({decided}) => decided.cluster.name === name)) return install;
  const [gateway] = clusterOutcomesWithCause([name], gateways);
  if (!gateway || gateway.outcome === 'unchanged') return install;
  // What was installed before is not undone by a gateway that cannot be applied.
  return gateway.error && install.outcome === 'done' ? {...gateway, outcome: 'failed'} : gateway;
}

/** The addresses that other networks cannot use, because istiod of this version does not resolve hostnames. */
function addressWarnings(run: PhaseRun<readonly GatewayFacts[]> | undefined): readonly Warning[] {
  return (run?.facts ?? []).flatMap(({decided: {cluster, rendered}}) => {
    const {eastWest} = rendered;
    const addresses = run && gatewayOf(cluster.name, run)?.addresses;
    if (eastWest === undefined || addresses === undefined) return [];
    return unusableAddresses(eastWest, addresses).map((address) => {
      const message = `other networks cannot use the gateway's address ${address}: istiod resolves hostnames since Istio ${hostnamesFrom}`;
      return {cluster: cluster.name, message};
    });
  });
}

function gatewayOf(name: string, run: PhaseRun<readonly GatewayFacts[]>): AppliedGateway | undefined {
  const facts = run.facts.find(({decided}) => decided.cluster.name === name);
  if (!facts || !isKnown(facts.live)) return undefined;
  const {writes, removes, addresses} = decideGateways(facts.live.value, facts.decided.rendered.eastWest);
  const awaited = outcomesOf(run, 'await-address').find(({cluster}) => cluster === name)?.result?.addresses;
  return {
    applied: writes.map((object) => describeRef(refOf(object))),
    removed: removes.map((object) => describeRef(refOf(object))),
    addresses: awaited ?? addresses,
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
