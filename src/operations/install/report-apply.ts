/** The result of `install apply`: what its phases did in each cluster. Pure. */
import {defined} from '../../domain/defined.js';
import {decideGateways, hostnamesFrom, unusableAddresses} from '../../domain/install/east-west/decide.js';
import {runningVersion} from '../../domain/istio/running-version.js';
import {isKnown} from '../../domain/observed.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Outcome, PhaseRun, RunSettings, Warning} from '../../engine/operation.js';
import {
  clusterOutcomesWithCause,
  outcomesOf,
  type ClusterOutcome,
  type ClusterResult,
  type CommonResult,
} from '../../engine/report.js';
import type {ApplyFacts, InstallChange} from './decide-apply.js';
import type {ApplyPlan} from './plan-apply.js';
import {changedObjects, type ChangedObjects, type GatewayFacts} from './plan-gateways.js';

/** The east-west gateway of one cluster. */
export interface AppliedGateway extends ChangedObjects {
  /** `skipped`: not started, because of a dry run or another failure. */
  readonly outcome: ClusterOutcome;
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

/** The names of the clusters whose istioctl run has this status. */
export function clustersWith(run: Pick<PhaseRun<unknown>, 'outcomes'>, status: Outcome['status']): readonly string[] {
  return outcomesOf(run, 'run-istioctl').flatMap((one) =>
    one.status === status && one.cluster !== undefined ? [one.cluster] : [],
  );
}

/** The phases of a run. */
export interface ApplyRun {
  readonly run: PhaseRun<ApplyFacts, ApplyPlan>;
  /** Absent if no gateway was to be applied, or if the run was interrupted before. */
  readonly gateways: PhaseRun<readonly GatewayFacts[]> | undefined;
  readonly recordWarnings: readonly Warning[];
  readonly settings: RunSettings;
}

/** Combines the phases to one outcome for each cluster. */
export function reportApply({run, gateways, recordWarnings, settings}: ApplyRun): ApplyResult {
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
          gateway: gateways && gatewayOf(cluster.name, gateways, settings),
          alsoChanges: change === 'unchanged' || shared.length === 0 ? undefined : shared.map(({what}) => what),
        }),
      );
    }),
    istioctl: run.facts.istioctl.text,
    warnings: [...run.plan.warnings, ...recordWarnings, ...addressWarnings(gateways, settings)],
  };
}

/** The outcome of both phases. What was installed stays installed if the gateway fails or was not started. */
function withGateway(install: ClusterResult, gateways: PhaseRun<readonly GatewayFacts[]> | undefined): ClusterResult {
  const {name, outcome} = install;
  if (!gateways?.facts.some(({decided}) => decided.cluster.name === name)) return install;
  const [gateway] = clusterOutcomesWithCause([name], gateways);
  if (!gateway || gateway.outcome === 'unchanged') return install;
  if (outcome !== 'done') return gateway;
  if (!gateway.error) return install;
  return gateway.outcome === 'cancelled' ? gateway : {...gateway, outcome: 'failed'};
}

function gatewayOf(
  name: string,
  run: PhaseRun<readonly GatewayFacts[]>,
  settings: RunSettings,
): AppliedGateway | undefined {
  const facts = run.facts.find(({decided}) => decided.cluster.name === name);
  const [outcome] = clusterOutcomesWithCause([name], run);
  if (!facts || !outcome) return undefined;
  const {addresses} = isKnown(facts.live)
    ? decideGateways(facts.live.value, facts.decided.rendered.eastWest)
    : {addresses: []};
  const awaited = outcomesOf(run, 'await-address').find(({cluster}) => cluster === name)?.result?.addresses;
  return {
    outcome: outcome.outcome,
    ...changedObjects(facts, run, settings),
    addresses: awaited ?? addresses,
  };
}

/** The addresses that other networks cannot use, because istiod of this version does not resolve hostnames. */
function addressWarnings(
  run: PhaseRun<readonly GatewayFacts[]> | undefined,
  settings: RunSettings,
): readonly Warning[] {
  return (run?.facts ?? []).flatMap(({decided: {cluster, rendered}}) => {
    const {eastWest} = rendered;
    const addresses = run && gatewayOf(cluster.name, run, settings)?.addresses;
    if (eastWest === undefined || addresses === undefined) return [];
    return unusableAddresses(eastWest, addresses).map((address) => {
      const message = `other networks cannot use the gateway's address ${address}: istiod resolves hostnames since Istio ${hostnamesFrom}`;
      return {cluster: cluster.name, message};
    });
  });
}

/** Adds what an interruption leaves: istioctl applies one object after the other, so some may be missing. */
function withPartialInstall(result: ClusterResult): ClusterResult {
  const {name, error} = result;
  if (!error) return result;
  const message = `${error.message} while istioctl was running: Istio in ${name} may be partly installed`;
  const hint = advice`to complete it, run: ${kubectlMesh('install apply', [name])}`;
  return {...result, error: {...error, message, hints: [hint, ...error.hints]}};
}
