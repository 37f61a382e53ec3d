/** Plans a rotation of cluster CAs as a whole: what each cluster needs, in which order, and why it is refused. Pure. */
import {defined} from '../../../domain/defined.js';
import {type ErrorReport, problem} from '../../../domain/errors.js';
import {layout} from '../../../domain/mesh/layout.js';
import {externalCaReason} from '../../../domain/mesh/signer.js';
import {advice, kubectlMesh} from '../../../domain/suggest/suggestion.js';
import type {RotationStep} from '../../../domain/trust/rotation.js';
import type {Action} from '../../../engine/action.js';
import {asWarnings, blockedPlan, type Group, type Lane, type Plan} from '../../../engine/operation.js';
import {changeActions} from '../actions.js';
import {blockersOf, decideAll, type DecidedPush} from '../plan-changes.js';
import type {RotateRequest, RotationFacts, RotationTarget} from './gather-rotation.js';

/** The plan that issues the new CAs: that of `certs generate --renew`. */
export interface IssuingPlan extends Plan {
  /** The actions for clusters. */
  readonly clusterActions: readonly (Action & {readonly cluster: string})[];
}

/** A cluster of the plan. */
export interface RotationRow {
  readonly target: RotationTarget;
  /** Absent if nothing has to be done. */
  readonly push?: DecidedPush;
}

/** The plan with its decisions. */
export interface RotationPlan extends Plan {
  readonly rows: readonly RotationRow[];
  /** The clusters with something to do, in the order in which they change: one first, then several at a time. */
  readonly waves: readonly (readonly string[])[];
}

/** The clusters that need a step. */
export function clustersWith(facts: Pick<RotationFacts, 'targets'>, step: RotationStep): readonly string[] {
  return facts.targets.flatMap((one) => (one.step === step ? [one.target.cluster] : []));
}

/**
 * Plans the rotation. `issuing`: the plan for the clusters whose step is `renew`, if there are any; `size`: how many clusters
 * change in parallel once the first one is verified.
 */
export function planRotation(
  facts: RotationFacts,
  issuing: IssuingPlan | undefined,
  request: RotateRequest,
  size: number,
): RotationPlan {
  const refusal = refusalOf(facts);
  if (refusal) return {...blockedPlan(refusal, asWarnings(facts.loaded.notes)), rows: [], waves: []};
  const targets = facts.targets.filter(({step}) => step !== 'none');
  const decided = decideAll({...facts, targets}, request);
  const rows = facts.targets.map((target): RotationRow => {
    const push = decided[targets.indexOf(target)];
    return defined({target, push});
  });
  const lanes = rows.flatMap((row) => lanesOf(row, issuing));
  const waves = [lanes.slice(0, 1), ...chunks(lanes.slice(1), size)].filter((wave) => wave.length > 0);
  return defined({
    rows,
    waves: waves.map((wave) => wave.map(({key}) => key)),
    groups: waves.map((wave, index): Group => ({
      lanes: wave,
      concurrency: size,
      onFailure: index === 0 ? 'always-stop' : 'stop',
    })),
    blockers: [...blockersOf(decided), ...(issuing?.blockers ?? [])],
    warnings: [
      ...asWarnings(facts.loaded.notes),
      ...(issuing?.warnings ?? []),
      ...decided.flatMap(({target, decision}) => asWarnings(decision?.warnings ?? [], target.cluster)),
    ],
    passphrase: issuing?.passphrase,
  });
}

/** Why nothing can be rotated here at all. */
function refusalOf({loaded, root, targets}: RotationFacts): ErrorReport | undefined {
  const {signer} = loaded.mesh.trust;
  const elsewhere = externalCaReason(signer);
  if (elsewhere !== undefined) {
    return problem(
      'SIGNED_ELSEWHERE',
      `cluster CAs cannot be rotated: ${elsewhere}`,
      'rotate the CA with the tool that issues it',
      advice`with a CA that signs requests, set trust.signer to {type: csr}, then use: ${kubectlMesh('certs request')}`,
    );
  }
  if (clustersWith({targets}, 'renew').length === 0) return undefined;
  if (root.kind === 'conflict') return root.error;
  if (root.kind === 'present') return undefined;
  return problem(
    'FILE_MISSING',
    `${layout.rootCert} not found: a cluster CA is rotated under the root that the mesh has`,
    `restore ${layout.rootCert}`,
    advice`or copy a running mesh to a new work directory with: ${kubectlMesh('certs adopt')}`,
  );
}

function lanesOf({target, push}: RotationRow, issuing: IssuingPlan | undefined): readonly Lane[] {
  if (!push?.decision || push.errors.length > 0 || target.step === undefined) return [];
  const {cluster} = target.target;
  const issue = issuing?.clusterActions.filter((action) => action.cluster === cluster) ?? [];
  if (target.step === 'renew' && issue.length === 0) return [];
  const actions = [...issue, ...changeActions({...target, decision: push.decision})];
  return actions.length === 0 ? [] : [{key: cluster, cluster, title: `${cluster}: ${titles[target.step]}`, actions}];
}

const titles: Readonly<Record<RotationStep, string>> = {
  renew: 'renew the cluster CA',
  push: 'push the cluster CA that was issued already',
  prove: 'verify that istiod uses the new CA',
  none: 'nothing to do',
};

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / size);
  return Array.from({length: count}, (_, index) => items.slice(index * size, (index + 1) * size));
}
