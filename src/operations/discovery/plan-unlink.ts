/** The plan of `unlink`: which remote secrets and reader Secrets disappear, in which order, and how that is proven. */
import {decideUnlink, type UnlinkDecision, type UnlinkScope} from '../../domain/discovery/decide-unlink.js';
import {type LosingService, shownServices} from '../../domain/discovery/lost-endpoints.js';
import {multiClusterLabel} from '../../domain/discovery/names.js';
import type {DiscoveryObservation} from '../../domain/discovery/observation.js';
import {defined} from '../../domain/defined.js';
import type {ErrorReport} from '../../domain/errors.js';
import {plural, some} from '../../domain/format.js';
import {identityProblems, knownUids, uidsToRecord} from '../../domain/mesh/identity.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {managedByLabel} from '../../domain/kube/manager.js';
import {isKnown} from '../../domain/observed.js';
import {advice, forEach, type Hint, inspectWith, Variable, words} from '../../domain/suggest/suggestion.js';
import type {Action} from '../../engine/action.js';
import {asWarnings, groupOfLanes, type Lane, type Plan} from '../../engine/operation.js';
import type {DiscoveryState} from '../../observe/discovery-state.js';
import {declareGroups, type LoadedMesh} from '../shared/load-mesh.js';
import {proofTimeoutMs} from './proof-timeout.js';

/** The input of the plan. */
export interface UnlinkFacts {
  readonly loaded: LoadedMesh;
  readonly scope: UnlinkScope;
  /** Whether mesh.yaml contains the target; otherwise only the other clusters are changed. */
  readonly isDeclared: boolean;
  /** The target first, if it is declared. */
  readonly states: readonly DiscoveryState[];
}

/** A cluster with its decision. */
export interface DecidedUnlink {
  readonly cluster: MeshCluster;
  /** Absent: unreachable. */
  readonly seen?: DiscoveryObservation;
  readonly decision?: UnlinkDecision;
  /** Why it is not changed. */
  readonly errors: readonly ErrorReport[];
}

/** A plan with its decisions, in the order of the states. */
export interface UnlinkPlan extends Plan {
  readonly decided: readonly DecidedUnlink[];
}

/** Plans `unlink`. Pure. */
export function planUnlink(facts: UnlinkFacts, {acceptUid}: {readonly acceptUid: boolean}): UnlinkPlan {
  const {loaded, scope} = facts;
  const {name: target} = scope.target;
  const decided = decideEach(facts, acceptUid);
  const ready = decided.filter(({errors}) => errors.length === 0);
  const reading = ready.flatMap((one) => laneOf(one, 'stop reading', readActions(one, scope), one.cluster.name));
  const [first, ...rest] = reading.filter(({cluster}) => cluster !== target);
  const revoking = ready.flatMap((one) =>
    laneOf(one, 'revoke tokens', revokeActions(one, scope), `${one.cluster.name}/tokens`),
  );
  const changed = new Set([...reading, ...revoking].map(({cluster}) => cluster));
  const recorded = knownUids(ready.filter(({cluster}) => changed.has(cluster.name)));
  return {
    decided,
    groups: [
      ...declareGroups(loaded, {uids: uidsToRecord(loaded.mesh, recorded)}),
      // One reader first: if its remote secret cannot be removed, the others still have everything.
      ...groupOfLanes(first ? [first] : []),
      ...groupOfLanes([...rest, ...reading.filter(({cluster}) => cluster === target)]),
      // Last: an istiod that still reads with a revoked token would log errors.
      ...groupOfLanes(revoking),
    ],
    // That the target is unreachable may be the reason to unlink it: the other clusters are changed anyway.
    blockers: decided.flatMap(({cluster: {name}, seen, errors}) =>
      name === target && !seen ? [] : errors.map((error) => ({cluster: name, error})),
    ),
    warnings: [
      ...asWarnings(loaded.notes),
      ...ready.flatMap((one) => asWarnings(warningsOf(one, scope), one.cluster.name)),
      ...asWarnings(unlistedWarning(ready, scope)),
    ],
  };
}

function decideEach({loaded, scope, states}: UnlinkFacts, acceptUid: boolean): readonly DecidedUnlink[] {
  const read = states.map(({cluster, seen}): DecidedUnlink =>
    isKnown(seen) ? {cluster, seen: seen.value, errors: []} : {cluster, errors: [seen.unknown]},
  );
  const mismatches = identityProblems(loaded.mesh, knownUids(read), acceptUid);
  return read.map((one): DecidedUnlink => {
    if (!one.seen) return one;
    const mismatch = mismatches.find(({cluster}) => cluster === one.cluster.name);
    if (mismatch) return {...one, errors: [mismatch.error]};
    const decision = decideUnlink(scope, one.cluster, one.seen);
    return {...one, decision, errors: decision.errors};
  });
}

function laneOf({cluster}: DecidedUnlink, what: string, actions: readonly Action[], key: string): readonly Lane[] {
  const {name} = cluster;
  return actions.length === 0 ? [] : [{key, cluster: name, title: `${name}: ${what}`, actions}];
}

/** Removes the credentials with which a cluster reads others. */
function readActions({cluster, seen, decision}: DecidedUnlink, {namespace}: UnlinkScope): readonly Action[] {
  if (!seen || !decision) return [];
  const base = {cluster: cluster.name, context: seen.context};
  const removals = decision.remotes.map(({secret: {metadata}, credentials, isWhole}, index): Action => {
    const {name, uid, resourceVersion = ''} = metadata;
    const ref = {apiVersion: 'v1', kind: 'Secret', namespace, name};
    const keys = credentials.map((one) => one.cluster);
    const title = `${isWhole ? 'delete' : `remove ${some(keys)} from`} Secret ${namespace}/${name}`;
    // Counted for the cluster, not for each Secret.
    const confirm = index === 0 ? `${title}${losingWords(decision)}` : title;
    const action = {...base, id: `${cluster.name}/${name}`, title, confirm, ref};
    if (isWhole) return {kind: 'delete-object', ...action, preconditions: defined({uid, resourceVersion})};
    const patch = [
      {op: 'test', path: '/metadata/resourceVersion', value: resourceVersion},
      ...keys.map((key) => ({op: 'remove', path: `/data/${key}`})),
    ];
    return {kind: 'patch-object', ...action, patch};
  });
  if (!decision.proof) return removals;
  const {gone} = decision.proof;
  return [
    ...removals,
    {
      kind: 'await-unlinked',
      ...base,
      id: `${cluster.name}/unlinked`,
      title: `wait until istiod no longer reads ${some(gone)}`,
      namespace,
      ...decision.proof,
      timeoutMs: proofTimeoutMs,
    },
  ];
}

/** Deletes the Secrets to which the tokens of others are bound. */
function revokeActions({cluster, seen, decision}: DecidedUnlink, {namespace}: UnlinkScope): readonly Action[] {
  if (!seen || !decision) return [];
  return decision.readerSecrets.map(({metadata: {name, uid, resourceVersion}}): Action => {
    const title = `delete Secret ${namespace}/${name}`;
    return {
      kind: 'delete-object',
      cluster: cluster.name,
      context: seen.context,
      id: `${cluster.name}/${name}`,
      title,
      confirm: `${title} (revokes the token that is bound to it)`,
      ref: {apiVersion: 'v1', kind: 'Secret', namespace, name},
      preconditions: defined({uid, resourceVersion}),
    };
  });
}

/** ` (3 services lose endpoints, 1 of them its last)`; empty if none does. */
function losingWords({losing}: UnlinkDecision): string {
  if (!isKnown(losing) || losing.value.length === 0) return '';
  const last = losing.value.filter(({left}) => left === 0).length;
  const all = losing.value.length;
  const lastWords = last === 0 ? '' : `, ${String(last)} of them the last ones`;
  return ` (${plural(all, 'service')} ${all === 1 ? 'loses' : 'lose'} endpoints${lastWords})`;
}

/** What is shown before the confirmation. */
function warningsOf({decision}: DecidedUnlink, {namespace}: UnlinkScope): readonly Hint[] {
  if (!decision) return [];
  const {losing, remotes, readerSecrets, unlabelled, unproven} = decision;
  const managed = [...remotes.map(({secret}) => secret), ...readerSecrets].flatMap(({metadata, managedBy}) =>
    managedBy === undefined
      ? []
      : [
          `${managedBy} manages Secret ${namespace}/${metadata.name}: delete its source, otherwise it creates the Secret again`,
        ],
  );
  const others = [
    ...managed,
    ...unlabelled.map(
      (name) =>
        `Secret ${namespace}/${name} is not deleted: it has no label ${multiClusterLabel.name}=${multiClusterLabel.value}`,
    ),
  ];
  if (remotes.length === 0) return others;
  return [
    ...(isKnown(losing)
      ? losingLines(losing.value)
      : [`cannot determine which services lose endpoints: ${losing.unknown.message}`]),
    ...(unproven === undefined ? [] : [`istiod cannot confirm that it stops reading: ${unproven}`]),
    ...others,
  ];
}

/** What was not searched for, so that access may remain, and how to look. */
function unlistedWarning(decided: readonly DecidedUnlink[], {namespace}: UnlinkScope): readonly Hint[] {
  const unlisted = decided.filter(({decision}) => decision?.unlisted);
  if (unlisted.length === 0) return [];
  const list = (context: string | Variable) =>
    inspectWith.kubectl(
      'any',
      words`--context ${context} -n ${namespace} get secrets -L ${multiClusterLabel.name} -L ${managedByLabel}`,
    );
  const contexts = unlisted.flatMap(({seen}) => (seen ? [seen.context] : []));
  const [only = ''] = contexts;
  const look = contexts.length === 1 ? list(only) : forEach(new Variable('context'), contexts, list);
  const names = some(unlisted.map(({cluster}) => cluster.name));
  return [
    advice`no permission to list Secrets in ${names}: remote secrets and reader Secrets with other names than link gives them were not searched for; list them with: ${look}`,
  ];
}

function losingLines(losing: readonly LosingService[]): readonly string[] {
  const last = losing.filter(({left}) => left === 0).map(({host}) => host);
  const fewer = losing.filter(({left}) => left > 0).map(({host}) => host);
  return [
    ...(last.length === 0 ? [] : [`no endpoints remain for ${some(last, shownServices)}`]),
    ...(fewer.length === 0 ? [] : [`fewer endpoints remain for ${some(fewer, shownServices)}`]),
  ];
}
