/** The result of `link`: by reader and peer. Pure. */
import {defined} from '../../domain/defined.js';
import type {LinkKind} from '../../domain/discovery/decide-link.js';
import {credentialFor} from '../../domain/discovery/remote-secret.js';
import type {ErrorReport} from '../../domain/errors.js';
import {printableUrl} from '../../domain/printable-url.js';
import type {PeerResult} from '../../engine/action-result.js';
import type {Conclusion, Outcome, OutcomeOf, PhaseRun, Warning} from '../../engine/operation.js';
import {
  concludeClusters,
  outcomeOfError,
  outcomesOf,
  type ClusterOutcome,
  type ClusterResult,
  type CommonResult,
} from '../../engine/report.js';
import type {DecidedPair, LinkFacts} from './link-facts.js';
import type {LinkPlan} from './plan-link.js';

/** One peer of a {@link LinkedCluster}. */
export interface LinkedPeer {
  /** The peer's name. */
  readonly peer: string;
  readonly outcome: ClusterOutcome;
  /** The decision; absent if the pair was refused, or its state is unknown. */
  readonly plan?: LinkKind;
  /** Why an existing remote secret is (to be) changed. */
  readonly reason?: string;
  /** NAMESPACE/NAME of the remote secret in the reader. */
  readonly secret?: string;
  /** The address of the peer's API server in it. */
  readonly server?: string;
  /** When the token expires (RFC 3339); absent if it does not, or is not known. */
  readonly tokenExpires?: string;
  /** Why its token is not renewed (`--renew-only`): the pair needs another change. */
  readonly finding?: string;
  readonly error?: ErrorReport;
}

/** One cluster of {@link LinkResult}. */
export interface LinkedCluster extends ClusterResult {
  readonly context?: string;
  /** The clusters that it reads; empty for a remote. */
  readonly peers: readonly LinkedPeer[];
}

/** The result of `link`. */
export interface LinkResult extends CommonResult {
  readonly clusters: readonly LinkedCluster[];
  readonly warnings: readonly Warning[];
}

/** The conclusions for the exit code: a cluster has one error, although its pairs may have others. */
export function concludeLink({clusters}: LinkResult): readonly Conclusion[] {
  const pairs = clusters.flatMap(({peers}) => peers);
  const failed = pairs.filter(({error}) => error).map(({peer, ...pair}) => ({name: peer, ...pair}));
  const hasFindings = pairs.some(({finding}) => finding !== undefined);
  return [...concludeClusters([...clusters, ...failed]), ...(hasFindings ? (['findings'] as const) : [])];
}

/** Reports each cluster of the pairs, and each cluster that was named. */
export function reportLink(run: PhaseRun<LinkFacts, LinkPlan>): LinkResult {
  const {facts, plan} = run;
  const {loaded, named} = facts;
  // A warning reports a pair that waits for a cluster that was not named.
  const started = plan.decided.filter(({waits}) => !waits);
  const involved = loaded.mesh.clusters.filter(
    ({name}) =>
      named.includes(name) || started.some(({pair: {reader, peer}}) => [reader.name, peer.name].includes(name)),
  );
  const peers = started.map((decided) => ({decided, ...peerOf(decided, run)}));
  return {
    clusters: involved.map(({name, context}): LinkedCluster => {
      const own = peers.filter(({decided}) => decided.pair.reader.name === name);
      const errors = errorsOf(name, peers, run);
      const lanes = run.outcomes.flatMap((outcome) => (outcome.cluster === name ? [laneOutcome(outcome)] : []));
      return defined<LinkedCluster>({
        name,
        ...combine(
          errors,
          own.map(({shown}) => shown),
          lanes,
        ),
        context,
        peers: own.map(({shown}) => shown),
      });
    }),
    warnings: plan.warnings,
  };
}

interface PeerReport {
  readonly shown: LinkedPeer;
  /** The cluster that is the cause of its error. */
  readonly at?: string;
}

function peerOf({pair, decision, errors, finding}: DecidedPair, run: PhaseRun<LinkFacts, LinkPlan>): PeerReport {
  const peer = pair.peer.name;
  const [problem] = errors;
  if (problem) {
    const {error, cluster} = problem;
    return {shown: {peer, outcome: outcomeOfError(error), error}, at: cluster};
  }
  if (finding !== undefined) return {shown: {peer, outcome: 'unchanged', finding}};
  if (!decision) return {shown: {peer, outcome: 'skipped'}};
  const {kind, reason, secret, address, before} = decision;
  const expires = before && credentialFor(before, pair.peer)?.kubeconfig?.claims?.expiresAt;
  const shown = {
    peer,
    plan: kind,
    reason,
    secret: `${run.facts.loaded.mesh.istio.namespace}/${secret}`,
    server: printableUrl(address.url),
  };
  const isChanged = kind !== 'unchanged';
  const current = isChanged ? undefined : expires?.toISOString();
  const outcomes = outcomesOf(run, isChanged ? 'link-peers' : 'await-discovery');
  if (!isChanged) {
    // The first attempt changed it, and another pair met a conflict.
    const earlier = resultsFor(pair, outcomesOf(run, 'link-peers')).findLast(({status}) => status === 'read');
    if (earlier) {
      const {change, tokenExpires} = earlier;
      return {shown: defined<LinkedPeer>({...shown, plan: change, outcome: 'done', tokenExpires})};
    }
    if (!decision.prove) return {shown: defined<LinkedPeer>({...shown, outcome: 'unchanged', tokenExpires: current})};
  }
  // After a conflict there are outcomes of several attempts.
  const result = resultsFor(pair, outcomes).at(-1);
  if (result) {
    const {error, at} = result;
    const outcome = error ? outcomeAfter(result, error) : isChanged ? 'done' : 'unchanged';
    const tokenExpires = isChanged ? result.tokenExpires : current;
    return defined<PeerReport>({shown: defined<LinkedPeer>({...shown, outcome, tokenExpires, error}), at});
  }
  const own = outcomes.findLast(({cluster}) => cluster === pair.reader.name);
  const outcome = own ? laneOutcome(own) : 'skipped';
  return defined<PeerReport>({
    shown: defined<LinkedPeer>({...shown, outcome, error: own?.error}),
    at: own?.error && pair.reader.name,
  });
}

/** An error is a failure if something was written, even if it has been restored. */
function outcomeAfter({status}: PeerResult, error: ErrorReport): ClusterOutcome {
  const outcome = outcomeOfError(error);
  return outcome === 'unknown' && status !== 'failed' ? 'failed' : outcome;
}

/** The results for a pair, of each attempt. */
function resultsFor(
  {reader, peer}: DecidedPair['pair'],
  outcomes: readonly OutcomeOf<'link-peers' | 'await-discovery'>[],
): readonly PeerResult[] {
  return outcomes
    .filter(({cluster}) => cluster === reader.name)
    .flatMap(({result}) => result?.peers.filter((one) => one.peer === peer.name) ?? []);
}

function laneOutcome({status, error}: Outcome): ClusterOutcome {
  if (status === 'failed') return error ? outcomeOfError(error) : 'failed';
  return status;
}

type Failed = Required<Pick<ClusterResult, 'outcome' | 'error'>>;

/** The errors of which a cluster is the cause: of the plan, of its pairs, of its actions, and of the whole run. */
function errorsOf(
  name: string,
  peers: readonly PeerReport[],
  {plan, outcomes}: PhaseRun<LinkFacts, LinkPlan>,
): readonly Failed[] {
  const asFailed = (error: ErrorReport): Failed => ({outcome: outcomeOfError(error), error});
  const ofPlan = plan.blockers.flatMap(({cluster, error}) => (cluster === name ? [asFailed(error)] : []));
  const ofPairs = peers.flatMap(({shown: {outcome, error}, at}) => (at === name && error ? [{outcome, error}] : []));
  const ofActions = outcomes.flatMap((outcome) => {
    const {cluster, error} = outcome;
    const isByPeer = 'result' in outcome && outcome.result !== undefined && 'peers' in outcome.result;
    return error && !isByPeer && (cluster === name || cluster === undefined) ? [asFailed(error)] : [];
  });
  return [...ofPlan, ...ofPairs, ...ofActions];
}

/** The outcome of a cluster from its pairs as a reader, and from what was written there for others. */
function combine(
  [failed]: readonly Failed[],
  pairs: readonly LinkedPeer[],
  lanes: readonly ClusterOutcome[],
): Pick<ClusterResult, 'outcome' | 'error'> {
  const outcomes = [...pairs.map(({outcome}) => outcome), ...lanes];
  if (failed)
    return failed.outcome === 'unknown' && outcomes.includes('done') ? {...failed, outcome: 'failed'} : failed;
  if (outcomes.includes('cancelled')) return {outcome: 'cancelled'};
  // It reads none of them because of its peers, whatever was written there for other readers.
  if (pairs.length > 0 && pairs.every((pair) => pair.error)) return {outcome: 'skipped'};
  return {outcome: (['skipped', 'done'] as const).find((outcome) => outcomes.includes(outcome)) ?? 'unchanged'};
}
