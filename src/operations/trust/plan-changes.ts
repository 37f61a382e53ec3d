/** The plan that push and rollback share: blockers, warnings, and the order of clusters (docs/trust.md). */
import {defined} from '../../domain/defined.js';
import {uidsToRecord, identityProblems} from '../../domain/mesh/identity.js';
import type {SecretData} from '../../domain/kube/object.js';
import type {ErrorReport} from '../../domain/errors.js';
import {isKnown, type Observed} from '../../domain/observed.js';
import {headComparer, parseHead, type JournalKnown} from '../../domain/journal/head.js';
import {annotations, type CacertsSecret} from '../../domain/trust/cacerts.js';
import {identified, type ClusterTrust} from '../../domain/trust/facts.js';
import {liveCa, misplacement, type OtherCluster} from '../../domain/trust/misplaced.js';
import {decidePush, type PushDecision, type PushRules, type PushTarget} from '../../domain/trust/plan-push.js';
import type {Blocker, Group, Lane, Plan, Warning} from '../../engine/operation.js';
import {declareGroups, type LoadedMesh} from '../shared/load-mesh.js';
import {changeActions, type Change} from './actions.js';

/** One cluster of a push or a rollback, with what is to be in it. */
export interface TrustTarget {
  readonly trust: ClusterTrust;
  readonly target: PushTarget;
  /** All keys of the Secret to be written; undefined where the key is not at hand. */
  readonly data: SecretData | undefined;
  readonly order: Change['order'];
  readonly forgetKey: boolean;
}

/** What both operations know when they plan. */
export interface TrustFacts {
  readonly loaded: LoadedMesh;
  readonly targets: readonly TrustTarget[];
  /** What is compared with what the clusters remember of it; where it cannot be read, nothing will be written either. */
  readonly journal: Observed<JournalKnown>;
}

/** {@link PushRules} and `--accept-uid`. */
export interface TrustRules extends PushRules {
  readonly acceptUid: boolean;
}

/** What is to be done in one cluster, or why it cannot be told. */
export type Decided =
  | {readonly decision: PushDecision; readonly change?: Change; readonly errors: readonly ErrorReport[]}
  | {readonly decision?: never; readonly change?: never; readonly errors: readonly ErrorReport[]};

/** A plan with the decisions that it carries out, in the order of the targets. */
export interface TrustPlan extends Plan {
  readonly decided: readonly Decided[];
}

/** Decides for every cluster, in their order. Pure. */
export function decideAll({loaded, targets}: TrustFacts, rules: TrustRules): readonly Decided[] {
  const seen = identified(targets.map(({trust}) => trust));
  const strangers = identityProblems(loaded.mesh, seen, rules.acceptUid);
  const others = loaded.mesh.clusters.map(({name}): OtherCluster => {
    const held = targets.find(({target}) => target.cluster === name);
    const ca = held && liveCa(secretOf(held.trust, 'cacerts'));
    return defined({name, liveCa: ca});
  });
  return targets.map((one): Decided => {
    const {trust} = one;
    const misplaced = misplacement(one.target.own.inspection.certificate, one.target.cluster, others);
    const target = {...one.target, misplaced};
    if (!isKnown(trust.seen)) return {errors: [trust.seen.unknown]};
    const stranger = strangers.filter(({cluster}) => cluster === target.cluster).map(({error}) => error);
    if (stranger.length > 0) return {errors: stranger};
    const decision = decidePush(target, trust.seen.value, rules);
    if (decision.kind === 'refuse') return {decision, errors: decision.refusals};
    const change: Change = {
      target,
      context: trust.context ?? '',
      decision,
      data: one.data,
      cacerts: secretOf(trust, 'cacerts'),
      previous: secretOf(trust, 'previous'),
      order: one.order,
      forgetKey: one.forgetKey,
    };
    return {decision, change, errors: []};
  });
}

/** A Secret that was seen; unknown ones count as absent, since a decision that needs them refuses. */
export function secretOf({seen}: ClusterTrust, which: 'cacerts' | 'previous'): CacertsSecret | 'absent' {
  if (!isKnown(seen)) return 'absent';
  const secret = seen.value[which];
  return isKnown(secret) ? secret.value : 'absent';
}

/**
 * The plan: mesh.yaml first, then what is new, all at the same time; then changes to clusters whose control plane
 * notices: one cluster, proven there, then the rest.
 */
export function planChanges(facts: TrustFacts, rules: TrustRules): TrustPlan {
  const decided = decideAll(facts, rules);
  const blockers = decided.flatMap(({errors}, index): readonly Blocker[] => {
    const cluster = facts.targets[index]?.target.cluster ?? '';
    return errors.map((error) => ({cluster, error}));
  });
  const blocked = new Set(blockers.map(({cluster}) => cluster));
  const lanes = decided.flatMap(({change}) => (change ? laneOf(change) : []));
  const isLive = (lane: Lane): boolean =>
    decided.some(({change}) => change?.target.cluster === lane.cluster && change?.decision.changesLiveTrust === true);
  const [first, ...rest] = lanes.filter(isLive);
  const seen = identified(facts.targets.map(({trust}) => trust)).filter(({name}) => !blocked.has(name));
  return {
    decided,
    groups: [
      ...declareGroups(facts.loaded, {uids: uidsToRecord(facts.loaded.mesh, seen)}),
      ...groupOf(
        'new clusters',
        lanes.filter((lane) => !isLive(lane)),
      ),
      ...groupOf('the first cluster that changes', first ? [first] : []),
      ...groupOf('the other clusters that change', rest),
    ],
    blockers,
    warnings: [
      ...facts.loaded.notes.map((message) => ({message})),
      ...decided.flatMap(({decision}, index) =>
        (decision?.warnings ?? []).map((message) => ({cluster: facts.targets[index]?.target.cluster ?? '', message})),
      ),
      ...journalWarnings(facts),
    ],
  };
}

/** What this change is about to overwrite: afterwards the cluster remembers this change instead. */
function journalWarnings({targets, journal}: TrustFacts): readonly Warning[] {
  if (!isKnown(journal)) return [];
  const compare = headComparer(journal.value);
  return targets.flatMap(({trust, target: {cluster}}) => {
    const secret = secretOf(trust, 'cacerts');
    const head = secret === 'absent' ? undefined : parseHead(secret.annotations[annotations.journalHead] ?? '');
    const verdict = head && compare(head);
    return !verdict || verdict.result === 'agrees'
      ? []
      : [{cluster, message: `the journal lacks the last change that the cluster remembers: ${verdict.message}`}];
  });
}

function laneOf(change: Change): readonly Lane[] {
  const actions = changeActions(change);
  const {cluster} = change.target;
  if (actions.length === 0) return [];
  return [{key: cluster, cluster, title: `${cluster}: ${change.decision.kind} cacerts`, actions}];
}

function groupOf(title: string, lanes: readonly Lane[]): readonly Group[] {
  return lanes.length === 0 ? [] : [{title, lanes, onFailure: 'stop'}];
}
