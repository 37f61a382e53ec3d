/** The result of a push or a rollback: each cluster's CA before and after. */
import {type ShownCa, summarizeCa} from '../../domain/ca/inspect-ca.js';
import {defined} from '../../domain/defined.js';
import type {ErrorReport} from '../../domain/errors.js';
import {externalCaReason} from '../../domain/mesh/signer.js';
import {secretOf} from '../../domain/trust/cluster-trust.js';
import type {Difference} from '../../domain/trust/diff.js';
import type {PushKind} from '../../domain/trust/plan-push.js';
import type {PhaseRun, Warning} from '../../engine/operation.js';
import {clusterOutcomesWithCause, outcomesOf, type ClusterResult, type CommonResult} from '../../engine/report.js';
import type {TrustFacts, TrustPlan} from './plan-changes.js';

/** One cluster of {@link PushResult}. */
export interface PushedCluster extends ClusterResult {
  readonly context?: string;
  readonly namespace: string;
  /** The decision; absent for an unreadable cluster, a rollback with nothing to restore, and `--forget`. */
  readonly plan?: PushKind;
  /** The CA in the cluster before the run, and the one to write. */
  readonly before?: ShownCa;
  readonly after: ShownCa;
  readonly differences: readonly Difference[];
  /** Whether the current CA is (to be) saved as Secret `cacerts-previous`. */
  readonly keepsPrevious: boolean;
  /** istiod Deployments (to be) restarted. */
  readonly restarts: readonly string[];
  /** All reasons for refusing the change; `error` is the first. */
  readonly refusals: readonly ErrorReport[];
  /** Why nothing is pushed: trust.signer is external. */
  readonly madeElsewhere?: string;
  /** With `--dry-run=server`: what the API server could not check, and why. */
  readonly notValidated?: readonly string[];
}

/** The result of `trust push`. */
export interface PushResult extends CommonResult {
  readonly clusters: readonly PushedCluster[];
  readonly warnings: readonly Warning[];
}

/** The result of a push or rollback. */
export function reportChanges({facts, plan, outcomes}: PhaseRun<TrustFacts, TrustPlan>): PushResult {
  const {mesh, clusters} = facts.loaded;
  const {decided, warnings} = plan;
  const noChange = {differences: [], keepsPrevious: false, restarts: [], refusals: []};
  const reason = externalCaReason(mesh.trust.signer);
  if (reason !== undefined && decided.length === 0) {
    // Not an error: `up` and scripts run this step in every mesh.
    const shown = {
      ...noChange,
      outcome: 'unchanged',
      namespace: mesh.istio.namespace,
      madeElsewhere: reason,
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
          before: cacerts && summarizeCa(cacerts.inspection),
          after: summarizeCa(target.own.inspection),
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
