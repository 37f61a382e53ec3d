/**
 * `verify --traffic`: creates pods in each cluster, sends requests between them, and removes everything, also after an abort of the
 * run. What a killed run leaves behind, the next one removes first.
 */
import {createHash, randomBytes} from 'node:crypto';
import {defined} from '../../domain/defined.js';
import {asMeshError, errorClasses, type ErrorReport, problem, reportError} from '../../domain/errors.js';
import {
  PerCluster,
  type Evidence,
  type Fact,
  type Facts,
  type MeasuredFactValues,
  type TrafficFacts,
} from '../../domain/facts/facts.js';
import {observe, type Observed} from '../../domain/observed.js';
import {advice} from '../../domain/suggest/suggestion.js';
import type {Deps} from '../../engine/deps.js';
import {type Engine, type PhaseRun, type Warning} from '../../engine/operation.js';
import {outcomeOf, outcomesOf} from '../../engine/report.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {readTrafficState} from '../../observe/traffic-state.js';
import {
  cleanUp,
  planDeploy,
  planRemoval,
  planRequests,
  type DeployPlan,
  type ReadyPods,
  type TrafficCluster,
  type TrafficFactsOfRun,
} from './plan-traffic.js';

/** What was measured. */
export interface TrafficRun {
  /** The facts of each cluster of the evidence, in its order. */
  readonly facts: readonly Facts<MeasuredFactValues>[];
  readonly warnings: readonly Warning[];
  /** Why not everything was removed. */
  readonly leftover: readonly ErrorReport[];
  /** The abort of the run, if there was one. */
  readonly aborted?: ErrorReport;
}

/** Measures. Throws what aborts the run before anything was created. */
export async function measureTraffic(evidence: Evidence, timeoutMs: number, engine: Engine): Promise<TrafficRun> {
  const {mesh} = evidence;
  const {concurrency, dryRun} = engine.settings;
  const run = randomBytes(8).toString('hex');
  const deployed = await engine.run<TrafficFactsOfRun, DeployPlan>({
    title: 'prepare requests',
    gather: async (deps) => ({
      mesh,
      run,
      owner: await ownerOf(deps),
      now: deps.now(),
      timeoutMs,
      concurrency,
      clusters: await readClusters(deps, evidence, concurrency),
    }),
    plan: planDeploy,
  });
  const {participants} = deployed.plan;
  const ready = participants.flatMap((participant): readonly ReadyPods[] => {
    const pods = outcomeOf(deployed, participant.deploy)?.result?.pods;
    return pods ? [{participant, ...pods}] : [];
  });
  let sent: Pick<PhaseRun<unknown>, 'outcomes'> = {outcomes: []};
  let removed: Pick<PhaseRun<unknown>, 'outcomes'> = {outcomes: []};
  let aborted: ErrorReport | undefined;
  try {
    sent = await engine.run({
      title: 'send requests',
      gather: () => Promise.resolve(ready),
      plan: (facts) => planRequests(facts, mesh, timeoutMs),
    });
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (!isAbort(error.code)) throw error;
    aborted = reportError(error);
  } finally {
    removed = await engine.run({
      title: 'remove the pods',
      isCleanup: true,
      gather: () =>
        Promise.resolve(
          participants.filter(({deploy}) => outcomeOf(deployed, deploy)?.status !== 'skipped' || dryRun !== 'none'),
        ),
      plan: (facts) => planRemoval(facts, mesh, run),
    });
  }
  const failed = outcomesOf(removed, 'remove-traffic').filter(({error}) => error !== undefined);
  const errors = [...deployed.outcomes, ...sent.outcomes].flatMap(({error}) => error ?? []);
  return defined<TrafficRun>({
    aborted: aborted ?? errors.find(({code}) => isAbort(code)),
    facts: evidence.clusters.map(({cluster: {name}}) => factsOf(name, evidence, deployed, sent, dryRun !== 'none')),
    leftover: failed.flatMap(({error}) => error ?? []),
    warnings: failed.flatMap(({cluster, error}) => {
      const {context, keepsNamespace = false} = participants.find(({name}) => name === cluster) ?? {};
      const remove = cleanUp(defined({context}), keepsNamespace);
      const message = advice`not everything was removed: ${error?.message ?? ''}; to remove it: ${remove}`;
      return cluster === undefined ? [{message}] : [{cluster, message}];
    }),
  });
}

function isAbort(code: ErrorReport['code']): boolean {
  return errorClasses[code] === 'interrupted' || errorClasses[code] === 'timeout';
}

/** Identifies this copy of the work directory: under its lock, no other run of it is alive. */
async function ownerOf({workspace}: Deps): Promise<string> {
  const {host, own} = await workspace.journal.read();
  if (own !== undefined) return own;
  return createHash('sha256')
    .update(JSON.stringify([host, workspace.root]))
    .digest('hex')
    .slice(0, 16);
}

/** Reads what each cluster has before the run. */
function readClusters(deps: Deps, {mesh, clusters}: Evidence, concurrency: number): Promise<readonly TrafficCluster[]> {
  return eachCluster(clusters, concurrency, async ({cluster, facts}): Promise<TrafficCluster> => {
    const planes = facts.controlPlanes;
    return {
      cluster,
      controlPlanes: planes && 'value' in planes ? planes.value : [],
      state: await observe(() => readTrafficState(deps.clusters, cluster, mesh.istio.namespace)),
    };
  });
}

/** The facts of one cluster. */
function factsOf(
  name: string,
  {clusters}: Evidence,
  deployed: PhaseRun<TrafficFactsOfRun, DeployPlan>,
  sent: Pick<PhaseRun<unknown>, 'outcomes'>,
  isDryRun: boolean,
): Facts<MeasuredFactValues> {
  if (isDryRun) {
    const omitted: Fact<never> = {omitted: '--dry-run: no requests were sent'};
    return {traffic: omitted, localTraffic: omitted};
  }
  const outcome = outcomesOf(sent, 'send-requests').find(({cluster}) => cluster === name);
  const to = (target: string): Observed<TrafficFacts> => {
    const found = outcome?.result?.targets.find(({cluster}) => cluster === target);
    if (found && 'traffic' in found) return {value: found.traffic};
    return {
      unknown:
        found?.error ?? unreadyReason(name, deployed) ?? outcome?.error ?? unreadyReason(target, deployed) ?? notSent,
    };
  };
  const others = clusters.map(({cluster}) => cluster.name).filter((other) => other !== name);
  return {
    traffic: {value: new PerCluster(others.map((other) => ({name: other, observed: to(other)})))},
    localTraffic: to(name),
  };
}

const notSent = problem('INTERRUPTED', 'interrupted before requests were sent');

/** Why a cluster has no ready pods; undefined if it has. */
function unreadyReason(
  name: string,
  {plan, outcomes}: PhaseRun<TrafficFactsOfRun, DeployPlan>,
): ErrorReport | undefined {
  return plan.excluded.get(name) ?? outcomes.find(({cluster, error}) => cluster === name && error)?.error;
}
