/** The result of a rotation of cluster CAs: each cluster's CA before and after, and whether istiod uses it. Pure. */
import {type ShownCa, summarizeCa} from '../../../domain/ca/inspect-ca.js';
import {defined} from '../../../domain/defined.js';
import type {ErrorReport} from '../../../domain/errors.js';
import {secretOf} from '../../../domain/trust/cluster-trust.js';
import type {RotationStep} from '../../../domain/trust/rotation.js';
import {advice, type Hint, kubectlMesh} from '../../../domain/suggest/suggestion.js';
import type {PhaseRun, Warning} from '../../../engine/operation.js';
import {clusterOutcomesWithCause, type ClusterResult, type CommonResult} from '../../../engine/report.js';
import type {PushedCluster} from '../report-changes.js';
import type {RotationFacts} from './gather-rotation.js';
import type {RotationPlan} from './plan-rotation.js';

/** One cluster of {@link RotateResult}. */
export interface RotatedCluster extends ClusterResult {
  readonly context?: string;
  readonly namespace: string;
  /** What is (to be) done; absent if it could not be decided. */
  readonly step?: RotationStep;
  /** The place in the order of changes, from 1: clusters with the same number change in parallel. */
  readonly wave?: number;
  /** The CA in the cluster before the run, and the one that is (to be) pushed; absent if it is not issued. */
  readonly before?: ShownCa;
  readonly after?: ShownCa;
  /** Whether the previous CA is (to be) saved as Secret `cacerts-previous`. */
  readonly keepsPrevious: boolean;
  /** istiod Deployments (to be) restarted. */
  readonly restarts: readonly string[];
  /** Whether every running istiod presents the new CA; absent where that was not checked: in a dry run, or without an istiod. */
  readonly proven?: boolean;
  /** With `--rollback-on-failure`: the outcome of restoring the previous CA. */
  readonly rollback?: ClusterResult;
  /** All reasons for refusing the change; `error` is the first. */
  readonly refusals: readonly ErrorReport[];
}

/** The result of `trust rotate cluster-ca`. */
export interface RotateResult extends CommonResult {
  readonly clusters: readonly RotatedCluster[];
  readonly warnings: readonly Warning[];
}

/** The run of one cluster, after the preview. */
export interface RotatedStep extends ClusterResult {
  /** The result of its push, if it was reached. */
  readonly pushed?: PushedCluster;
  readonly proven?: boolean;
  readonly rollback?: ClusterResult;
}

/** The result of the preview and of the clusters that were started. */
export function reportRotation(
  preview: PhaseRun<RotationFacts, RotationPlan>,
  steps: readonly RotatedStep[],
  warnings: readonly Warning[],
): RotateResult {
  const {facts, plan} = preview;
  const names = facts.loaded.clusters.map(({name}) => name);
  const {namespace} = facts.loaded.mesh.istio;
  return {
    clusters: clusterOutcomesWithCause(names, preview).map((planned): RotatedCluster => {
      const {name} = planned;
      const row = plan.rows.find(({target}) => target.target.cluster === name);
      const {pushed, rollback, proven, ...outcome} = steps.find((one) => one.name === name) ?? {...planned};
      const cacerts = row && secretOf(row.target.trust, 'cacerts');
      const wave = plan.waves.findIndex((one) => one.includes(name));
      const decision = row?.push?.decision;
      const own = row?.target.step === 'renew' || row?.target.step === 'none' ? undefined : row?.target.target.own;
      return defined({
        ...outcome,
        context: facts.loaded.clusters.find((one) => one.name === name)?.context,
        namespace,
        step: row?.target.step,
        wave: wave < 0 ? undefined : wave + 1,
        before: cacerts && summarizeCa(cacerts.inspection),
        after: pushed?.after ?? (own && summarizeCa(own.inspection)),
        keepsPrevious: pushed?.keepsPrevious ?? decision?.keepPrevious ?? false,
        restarts: pushed?.restarts ?? (decision?.restart ?? []).map((istiod) => istiod.name),
        proven,
        rollback,
        refusals: pushed?.refusals ?? row?.push?.errors ?? [],
      });
    }),
    warnings,
  };
}

/** The error of a cluster whose previous CA was restored: the hint to restore it no longer applies. */
export function afterRollback(error: ErrorReport, cluster: string, rollback: ClusterResult): ErrorReport {
  const again = kubectlMesh('trust rotate cluster-ca', [cluster]);
  if (rollback.outcome === 'done' || rollback.outcome === 'unchanged') {
    const hints: readonly Hint[] = [
      'the previous CA was restored',
      advice`the new CA is still in ${cluster}/; once the cause is fixed, push it with: ${again}`,
    ];
    return {...error, hints};
  }
  const why = rollback.error === undefined ? '' : `: ${rollback.error.message}`;
  return {...error, hints: [`the previous CA could not be restored${why}`, ...error.hints]};
}
