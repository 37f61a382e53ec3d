/** The plan shared by push and rollback: blockers, warnings, and the order of clusters (docs/trust.md). */
import {uidsToRecord, identityProblems} from '../../domain/mesh/identity.js';
import type {ErrorReport} from '../../domain/errors.js';
import {isKnown, type Observed, observe} from '../../domain/observed.js';
import {headComparer, parseHead, type JournalContent} from '../../domain/journal/head.js';
import {annotations} from '../../domain/trust/cacerts.js';
import {identified, secretOf, type TrustObservation} from '../../domain/trust/cluster-trust.js';
import {liveCa, wrongClusterCa, type OtherCluster} from '../../domain/trust/wrong-cluster.js';
import {decidePush, type PushDecision, type PushRules} from '../../domain/trust/plan-push.js';
import type {Deps} from '../../engine/deps.js';
import {asWarnings, type Blocker, groupOfLanes, type Lane, type Plan, type Warning} from '../../engine/operation.js';
import {declareGroups, type LoadedMesh} from '../shared/load-mesh.js';
import {changeActions, type TrustTarget} from './actions.js';

/** The input of both plans. */
export interface TrustFacts {
  readonly loaded: LoadedMesh;
  readonly targets: readonly TrustTarget[];
  /** Compared with the journal heads recorded in the clusters. If it is unreadable, writing fails as well. */
  readonly journal: Observed<JournalContent>;
}

/** {@link PushRules} and `--accept-uid`. */
export interface TrustRules extends PushRules {
  readonly acceptUid: boolean;
}

/** A cluster with its decision, or why there is none. */
export interface DecidedPush extends TrustTarget {
  readonly decision?: PushDecision;
  readonly errors: readonly ErrorReport[];
}

/** A plan with its decisions, in the order of the targets. */
export interface TrustPlan extends Plan {
  readonly decided: readonly DecidedPush[];
}

/** The facts for these targets, and the journal. */
export async function factsOf(deps: Deps, loaded: LoadedMesh, targets: readonly TrustTarget[]): Promise<TrustFacts> {
  return {loaded, targets, journal: await observe(() => deps.workspace.journal.read())};
}

/** Decides for each cluster that was read and has the UID in mesh.yaml, in the order of the targets. */
export function decideEach(
  {loaded, targets}: TrustFacts,
  {acceptUid}: TrustRules,
  decide: (one: TrustTarget, observed: TrustObservation) => Pick<DecidedPush, 'decision' | 'errors'>,
): readonly DecidedPush[] {
  const mismatches = identityProblems(loaded.mesh, identified(targets.map(({trust}) => trust)), acceptUid);
  return targets.map((one): DecidedPush => {
    const {seen} = one.trust;
    if (!isKnown(seen)) return {...one, errors: [seen.unknown]};
    const mismatch = mismatches.find(({cluster}) => cluster === one.target.cluster)?.error;
    return {...one, ...(mismatch ? {errors: [mismatch]} : decide(one, seen.value))};
  });
}

/** Decides about cacerts in each cluster. Pure. */
export function decideAll(facts: TrustFacts, rules: TrustRules): readonly DecidedPush[] {
  const {loaded, targets} = facts;
  const others = loaded.mesh.clusters.map(({name, istioName}): OtherCluster => {
    const own = targets.find(({target}) => target.cluster === name);
    return {name, ...(istioName !== undefined && {istioName}), liveCa: own && liveCa(secretOf(own.trust, 'cacerts'))};
  });
  return decideEach(facts, rules, ({target, nothingToWrite}, observed) => {
    if (nothingToWrite) return {errors: [nothingToWrite]};
    const wrongCluster = wrongClusterCa(target.own.inspection.certificate, target.cluster, others);
    const decision = decidePush({...target, wrongCluster}, observed, rules);
    return {decision, errors: decision.kind === 'refuse' ? decision.refusals : []};
  });
}

/**
 * The plan: mesh.yaml first, then changes that affect no running control plane, in parallel; then changes to live trust: one
 * cluster, verified there, then the rest. `together`: all in parallel, for clusters that follow one that was verified.
 */
export function planChanges(
  facts: TrustFacts,
  rules: TrustRules,
  order: 'one-first' | 'together' = 'one-first',
): TrustPlan {
  const {loaded} = facts;
  const decided = decideAll(facts, rules);
  const ready = decided.filter(({errors}) => errors.length === 0);
  const lanesOf = (changesLiveTrust: boolean): readonly Lane[] =>
    ready.flatMap((one) => (one.decision?.changesLiveTrust === changesLiveTrust ? laneOf(one, one.decision) : []));
  const changing = lanesOf(true);
  const alone = order === 'one-first' ? 1 : 0;
  const uids = uidsToRecord(loaded.mesh, identified(ready.map(({trust}) => trust)));
  return {
    decided,
    groups: [
      ...declareGroups(loaded, {uids}),
      ...groupOfLanes(lanesOf(false)),
      ...groupOfLanes(changing.slice(0, alone)),
      ...groupOfLanes(changing.slice(alone)),
    ],
    blockers: blockersOf(decided),
    warnings: [
      ...asWarnings(loaded.notes),
      ...decided.flatMap(({target, decision}) => asWarnings(decision?.warnings ?? [], target.cluster)),
      ...journalWarnings(facts),
    ],
  };
}

/** The errors of all clusters as blockers. */
export function blockersOf(decided: readonly DecidedPush[]): readonly Blocker[] {
  return decided.flatMap(({target: {cluster}, errors}) => errors.map((error) => ({cluster, error})));
}

/** Why the journal does not contain the last change of Secret cacerts. */
const headCause = {
  'not-known-here': 'another work directory made the last change of the Secret',
  cut: 'entries were removed from the journal',
  rewritten: 'an entry of the journal was modified',
  'put-aside': 'the journal was damaged and set aside',
} as const;

/** Warns where the recorded journal head does not match: the change overwrites that record. */
function journalWarnings({targets, journal}: TrustFacts): readonly Warning[] {
  if (!isKnown(journal)) return [];
  const compare = headComparer(journal.value);
  return targets.flatMap(({trust, target: {cluster}}) => {
    const head = parseHead(secretOf(trust, 'cacerts')?.annotations[annotations.journalHead] ?? '');
    const verdict = head && compare(head);
    return !verdict || verdict.result === 'agrees'
      ? []
      : [{cluster, message: `${headCause[verdict.result]}: ${verdict.message}`}];
  });
}

function laneOf(target: TrustTarget, decision: PushDecision): readonly Lane[] {
  const actions = changeActions({...target, decision});
  const {cluster} = target.target;
  return actions.length === 0 ? [] : [{key: cluster, cluster, title: `${cluster}: ${decision.kind} cacerts`, actions}];
}
