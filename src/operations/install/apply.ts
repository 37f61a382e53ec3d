import {defined} from '../../domain/defined.js';
import {isKnown, observe, type Observed} from '../../domain/observed.js';
import {sha256} from '../../domain/install/install-yaml.js';
import {liveDigest, recordObject} from '../../domain/install/live.js';
import {recordName} from '../../domain/istio/names.js';
import {runningVersion} from '../../domain/install/version-change.js';
import {asMeshError, type ErrorReport, MeshError} from '../../domain/errors.js';
import type {KubeObject} from '../../domain/kube/object.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {PutObject} from '../../engine/action.js';
import {
  type Engine,
  type Operation,
  type Phase,
  type PhaseRun,
  type Warning,
  emptyPlan,
} from '../../engine/operation.js';
import {groupOf} from '../../engine/plan.js';
import {
  clusterOutcomesWithCause,
  concludeClusters,
  outcomesOf,
  type ClusterResult,
  type CommonResult,
} from '../../engine/report.js';
import type {MeshRequest} from '../shared/load-mesh.js';
import {type ApplyFacts, type TargetFacts, gatherApply} from './apply-facts.js';
import {readInstalledObjects} from '../../observe/installed-cluster.js';
import {planApply, type ApplyOptions, type ApplyPlan, type Change} from './apply-plan.js';

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
    const run = await engine.run(applyPhase(request, engine.settings.concurrency));
    const notes = await noteInstalled(run, engine);
    return report(run, notes);
  },
  conclude: (result) => concludeClusters(result.clusters),
};

/** The phase that installs, which looks at `concurrency` clusters at a time; {@link noteInstalled} follows it. */
function applyPhase(request: ApplyRequest, concurrency: number): Phase<ApplyFacts, ApplyPlan> {
  return {
    title: 'look at the clusters',
    gather: (deps) => gatherApply(request, concurrency, deps),
    plan: (facts) => planApply(facts, request),
  };
}

interface Installed {
  readonly target: TargetFacts;
  readonly context: string;
  readonly objects: readonly KubeObject[];
  readonly record: KubeObject | undefined;
}

/**
 * Completes the record of each cluster that istioctl has finished with what is live now: with it the next `install apply`
 * can prove that nothing changed. Without it nothing is lost but that proof, so a failure is a warning.
 */
async function noteInstalled(run: PhaseRun<ApplyFacts>, engine: Engine): Promise<readonly Warning[]> {
  const finished = run.facts.targets.filter(({rendering}) =>
    outcomesOf(run, 'run-istioctl').some(
      ({cluster, status}) => cluster === rendering.cluster.name && status === 'done',
    ),
  );
  if (finished.length === 0) return [];
  const noted = await engine.run(notePhase(run.facts, finished)).catch((thrown: unknown) => {
    const error = asMeshError(thrown);
    // What was interrupted before this is told by its own cluster, with what became of the others.
    if (error.class === 'bug' || !run.outcomes.some(({status}) => status === 'cancelled')) throw error;
    return error;
  });
  if (noted instanceof MeshError) return finished.map(({rendering}) => notNoted(rendering.cluster.name, noted));
  const unknown = noted.facts.flatMap(({cluster, installed}) =>
    isKnown(installed) ? [] : [notNoted(cluster, installed.unknown)],
  );
  const failed = noted.outcomes.flatMap(({cluster, error}) =>
    error && cluster !== undefined ? [notNoted(cluster, error)] : [],
  );
  return [...unknown, ...failed];
}

function notNoted(cluster: string, {message}: Pick<ErrorReport, 'message'>): Warning {
  const what = 'Istio is installed, but what is live could not be noted, so the next install apply runs istioctl again';
  return {cluster, message: `${what}: ${message}`};
}

interface NoteFacts {
  readonly cluster: string;
  readonly installed: Observed<Installed>;
}

function notePhase(facts: ApplyFacts, targets: readonly TargetFacts[]): Phase<readonly NoteFacts[]> {
  return {
    title: 'note what was installed',
    gather: (deps) =>
      Promise.all(
        targets.map(async (target) => ({
          cluster: target.rendering.cluster.name,
          installed: await observe(async (): Promise<Installed> => {
            const {rendered} = target.rendering;
            if (!isKnown(target.live) || rendered instanceof MeshError)
              throw new MeshError('INTERNAL', 'nothing was applied');
            const {context} = target.live.value;
            const {installed, record} = await readInstalledObjects(deps, target.rendering.cluster, rendered);
            return {target, context, objects: installed, record};
          }),
        })),
      ),
    plan: (notes) => ({
      ...emptyPlan,
      groups: groupOf(
        'note what was installed',
        notes.flatMap(({installed}) => (isKnown(installed) ? [noteAction(installed.value, facts)] : [])),
      ),
    }),
  };
}

function noteAction({target, context, objects, record}: Installed, {istioctl}: ApplyFacts): PutObject {
  const {rendered, cluster} = target.rendering;
  if (rendered instanceof MeshError) throw rendered;
  const {namespace, revision, text} = rendered;
  const now = {installYaml: sha256(text), istioctl: istioctl.said, live: liveDigest(objects) ?? ''};
  return {
    kind: 'put-object',
    id: `${cluster.name}/install-note`,
    cluster: cluster.name,
    context,
    remembers: true,
    title: `note what is live in ConfigMap ${namespace}/${recordName(revision)}`,
    object: recordObject(now, {namespace, revision}, record),
  };
}

function report(run: PhaseRun<ApplyFacts, ApplyPlan>, notes: readonly Warning[]): ApplyResult {
  const {targets, istioctl} = run.facts;
  const names = targets.map(({rendering}) => rendering.cluster.name);
  return {
    clusters: clusterOutcomesWithCause(names, run).map((outcome, index) => {
      const target = targets[index];
      if (!target) return {...outcome, path: ''};
      const live = isKnown(target.live) ? target.live.value : undefined;
      const change = run.plan.changes.get(outcome.name);
      return defined({
        ...sayHalfDone(outcome, run),
        path: target.rendering.path,
        context: live?.context,
        change,
        running: live?.istiod && runningVersion(live.istiod).said,
      });
    }),
    istioctl: istioctl.said,
    warnings: [...run.plan.warnings, ...notes],
  };
}

/** What an interruption leaves: istioctl sets one object after the other, and the cluster goes on with what it has got. */
function sayHalfDone(result: ClusterResult, run: Pick<PhaseRun<unknown>, 'outcomes'>): ClusterResult {
  const {name, error} = result;
  const isHalf = outcomesOf(run, 'run-istioctl').some(
    ({cluster, status}) => cluster === name && status === 'cancelled',
  );
  if (!error || !isHalf) return result;
  return {
    ...result,
    error: {
      ...error,
      message: `${error.message} while istioctl was at work: Istio in ${name} may be half installed`,
      hints: [advice`go on from there: ${kubectlMesh('install apply', [name])}`, ...error.hints],
    },
  };
}
