/** The plan that push and rollback share: blockers, warnings, and the order of clusters (docs/trust.md). */
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

/** What both operations know when they plan. */
export interface TrustFacts {
  readonly loaded: LoadedMesh;
  readonly targets: readonly TrustTarget[];
  /** What is compared with what the clusters remember of it; where it cannot be read, nothing will be written either. */
  readonly journal: Observed<JournalContent>;
}

/** {@link PushRules} and `--accept-uid`. */
export interface TrustRules extends PushRules {
  readonly acceptUid: boolean;
}

/** A cluster with what is to be done in it, or why that is unknown. */
export interface Decided extends TrustTarget {
  readonly decision?: PushDecision;
  readonly errors: readonly ErrorReport[];
}

/** A plan with the decisions that it carries out, in the order of the targets. */
export interface TrustPlan extends Plan {
  readonly decided: readonly Decided[];
}

/** The facts of targets that were gathered, in the order in which their clusters are declared. */
export async function factsOf(deps: Deps, loaded: LoadedMesh, targets: readonly TrustTarget[]): Promise<TrustFacts> {
  return {loaded, targets, journal: await observe(() => deps.workspace.journal.read())};
}

/** Decides for every cluster that was seen and is who it should be, in their order. */
export function decideEach(
  {loaded, targets}: TrustFacts,
  {acceptUid}: TrustRules,
  decide: (one: TrustTarget, seen: TrustObservation) => Pick<Decided, 'decision' | 'errors'>,
): readonly Decided[] {
  const strangers = identityProblems(loaded.mesh, identified(targets.map(({trust}) => trust)), acceptUid);
  return targets.map((one): Decided => {
    const {seen} = one.trust;
    if (!isKnown(seen)) return {...one, errors: [seen.unknown]};
    const stranger = strangers.find(({cluster}) => cluster === one.target.cluster)?.error;
    return {...one, ...(stranger ? {errors: [stranger]} : decide(one, seen.value))};
  });
}

/** What pushing means in every cluster. Pure. */
export function decideAll(facts: TrustFacts, rules: TrustRules): readonly Decided[] {
  const {loaded, targets} = facts;
  const others = loaded.mesh.clusters.map(({name}): OtherCluster => {
    const held = targets.find(({target}) => target.cluster === name);
    return {name, liveCa: held && liveCa(secretOf(held.trust, 'cacerts'))};
  });
  return decideEach(facts, rules, ({target, nothingToWrite}, seen) => {
    if (nothingToWrite) return {errors: [nothingToWrite]};
    const wrongCluster = wrongClusterCa(target.own.inspection.certificate, target.cluster, others);
    const decision = decidePush({...target, wrongCluster}, seen, rules);
    return {decision, errors: decision.kind === 'refuse' ? decision.refusals : []};
  });
}

/**
 * The plan: mesh.yaml first, then what is new, all at the same time; then changes to clusters whose control plane
 * notices: one cluster, proven there, then the rest.
 */
export function planChanges(facts: TrustFacts, rules: TrustRules): TrustPlan {
  const {loaded} = facts;
  const decided = decideAll(facts, rules);
  const ready = decided.filter(({errors}) => errors.length === 0);
  const lanesOf = (changesLiveTrust: boolean): readonly Lane[] =>
    ready.flatMap((one) => (one.decision?.changesLiveTrust === changesLiveTrust ? laneOf(one, one.decision) : []));
  const changing = lanesOf(true);
  const uids = uidsToRecord(loaded.mesh, identified(ready.map(({trust}) => trust)));
  return {
    decided,
    groups: [
      ...declareGroups(loaded, {uids}),
      ...groupOfLanes(lanesOf(false)),
      ...groupOfLanes(changing.slice(0, 1)),
      ...groupOfLanes(changing.slice(1)),
    ],
    blockers: blockersOf(decided),
    warnings: [
      ...asWarnings(loaded.notes),
      ...decided.flatMap(({target, decision}) => asWarnings(decision?.warnings ?? [], target.cluster)),
      ...journalWarnings(facts),
    ],
  };
}

/** All reasons against what was decided. */
export function blockersOf(decided: readonly Decided[]): readonly Blocker[] {
  return decided.flatMap(({target: {cluster}, errors}) => errors.map((error) => ({cluster, error})));
}

/** What this change is about to overwrite: afterwards the cluster remembers this change instead. */
function journalWarnings({targets, journal}: TrustFacts): readonly Warning[] {
  if (!isKnown(journal)) return [];
  const compare = headComparer(journal.value);
  return targets.flatMap(({trust, target: {cluster}}) => {
    const head = parseHead(secretOf(trust, 'cacerts')?.annotations[annotations.journalHead] ?? '');
    const verdict = head && compare(head);
    return !verdict || verdict.result === 'agrees'
      ? []
      : [{cluster, message: `the journal lacks the last change that the cluster remembers: ${verdict.message}`}];
  });
}

function laneOf(target: TrustTarget, decision: PushDecision): readonly Lane[] {
  const actions = changeActions({...target, decision});
  const {cluster} = target.target;
  return actions.length === 0 ? [] : [{key: cluster, cluster, title: `${cluster}: ${decision.kind} cacerts`, actions}];
}
