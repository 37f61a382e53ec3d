/**
 * A check is data and a pure function: the facts that it requires, how it evaluates them, and its documentation. `src/observe`
 * gathers the facts, `judge.ts` evaluates them.
 */
import {givesEndpoints, hasDiscoveryPairs, reads} from '../discovery/pairs.js';
import type {CaSource} from '../istio/ca-source.js';
import {canBeDataKey, istioNameOf} from '../mesh/istio-name.js';
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import {externalCaReason, usesCacerts} from '../mesh/signer.js';
import type {Hint, Suggestion} from '../suggest/suggestion.js';
import type {Issuing} from './issuing.js';
import type {ClusterFactValues, FactKey, MeshFactValues, PerCluster, PodPart, PerPod, Problem} from '../facts/facts.js';

/** Stable and never reused: users refer to it in pipelines and alerts. */
export type CheckId = `MESH${number}`;

/** The severity of a finding. A finding can override the severity of its check. */
export type Severity = 'error' | 'warning';

/** What a check is evaluated for: once for the mesh, for each cluster, or for each ordered pair of clusters. */
export type Scope = 'mesh' | 'cluster' | 'pair';

/** Where the evidence comes from: the work directory, the cluster's API server, a running istiod, or requests between pods. */
export type Vantage = 'work directory' | 'API server' | 'live istiod' | 'requests';

/** The documentation of a check, for `--explain` and docs/checks.md. */
export interface Explanation {
  /** What is true when the check is ok. */
  readonly meaning: string;
  /** What goes wrong in the mesh otherwise. */
  readonly breaks: string;
  /** How to verify it without this program: one command per line. `$CTX` is the cluster's context. */
  readonly byHand: string;
  /** How to fix it. */
  readonly fix: string;
  /** The source of the rule: a file of Istio or Kubernetes, an RFC, a documentation page. */
  readonly source: string;
}

/** A failed result of a check. */
export interface Finding {
  readonly severity?: Severity | undefined;
  /**
   * For a pair: what it states, regardless of the names in its texts. Text shows findings of one check and kind once, with the
   * clusters that they are about. Absent: only findings with equal texts.
   */
  readonly kind?: string | undefined;
  readonly observed: string;
  /** Absent: the check's `expected`. */
  readonly expected?: string | undefined;
  /** Whether the observation does not prove anything: the result is unknown, with code NOT_PROVEN. */
  readonly isUnproven?: boolean;
  /** A command that fixes this finding, or shows what the user has to fix. Specific to the finding, not to the check. */
  readonly fix: Suggestion;
  /** What only the user can do, where no command resolves it here. */
  readonly note?: Hint | undefined;
  /** The checks that cannot be ok because of this finding, where these are fewer than the check's `implies`. */
  readonly implies?: readonly string[] | undefined;
  /** Ids or prefixes of the checks that can be the cause of this finding, where it shows that others are not. */
  readonly causes?: readonly string[] | undefined;
  /** For a finding about the mesh: the affected clusters. Absent: all. */
  readonly clusters?: readonly string[] | undefined;
}

/** The result of a check whose required facts are all known. */
export type Judgement =
  | DecidedJudgement
  /** Not decided without this optional fact, which is absent: unknown or skipped, as the fact is. */
  | {readonly undecidedWithout: FactKey};

/** The result of a check with all facts that it needs. */
export type DecidedJudgement =
  | {readonly ok: string; readonly expected: string | undefined}
  | Finding
  | readonly [Finding, ...Finding[]]
  /** The check does not apply here, and why. */
  | {readonly skipped: string};

/** A passed check: what was observed, and what was expected if that differs from the check's `expected`. */
export function ok(observed: string, expected?: string): DecidedJudgement {
  return {ok: observed, expected};
}

/** A check that does not apply here. */
export function notApplicable(reason: string): DecidedJudgement {
  return {skipped: reason};
}

/** A check that needs one of its optional facts here, and did not get it. */
export function undecidedWithout(fact: FactKey): Judgement {
  return {undecidedWithout: fact};
}

/** The finding of a problem, without its fix. */
export function problemFinding({severity, message}: Omit<Problem, 'reason'>): Omit<Finding, 'fix'> {
  return severity === 'unknown' ? {observed: message, isUnproven: true} : {observed: message, severity};
}

/** The findings, or `otherwise` if there are none. */
export function findingsOr(findings: readonly (Finding | undefined)[], otherwise: Judgement): Judgement {
  const [first, ...rest] = findings.filter((finding) => finding !== undefined);
  return first === undefined ? otherwise : [first, ...rest];
}

/** The value of a fact, with the unknown parts of a per-pod fact left out. */
type AllKnown<T> = T extends PerPod<infer Value> ? readonly PodPart<Value>[] : T;

/** A fact of one cluster. */
export interface OfCluster<T> {
  readonly cluster: MeshCluster;
  readonly value: T;
}

/** The two clusters of a pair: the cluster that a row is about, and its peer. */
export type Side = 'self' | 'peer';

/** A fact of both clusters of a pair. A side that `sides` excludes must not be read. */
export interface OfPair<T> {
  readonly self: T;
  readonly peer: T;
}

/** A fact for a check of pairs: of one with a part per other cluster, only the part of the pair's other cluster. */
type KnownOfPair<T> = OfPair<T extends PerCluster<infer Value> ? Value : AllKnown<T>>;

/** Exactly the facts that a check requires, all known, in the shape of its scope. */
export type KnownFacts<S extends Scope, R extends FactKey> = {
  readonly [Key in R]: Key extends keyof MeshFactValues
    ? AllKnown<MeshFactValues[Key]>
    : Key extends keyof ClusterFactValues
      ? S extends 'cluster'
        ? AllKnown<ClusterFactValues[Key]>
        : S extends 'mesh'
          ? readonly OfCluster<AllKnown<ClusterFactValues[Key]>>[]
          : KnownOfPair<ClusterFactValues[Key]>
      : never;
};

/** The input of a check besides its facts. */
export interface CheckSubject {
  readonly now: Date;
  readonly mesh: Mesh;
  /** How a new cluster CA can be issued here. */
  readonly issuing: Issuing;
  /** By cluster: where istiod reads its CA, if that is known not to be Secret cacerts. No push reaches it. */
  readonly otherSources?: ReadonlyMap<string, CaSource>;
  /** By cluster: the tool that manages the Secret, and overwrites what a push writes, if there is one. */
  readonly managers?: ReadonlyMap<string, string>;
}
export interface ClusterSubject extends CheckSubject {
  readonly cluster: MeshCluster;
}
export interface PairSubject extends ClusterSubject {
  readonly peer: MeshCluster;
  /** The peer was not selected: it may not even exist yet, and facts about it come from the cluster alone. */
  readonly isPeerUnselected?: true;
}
type SubjectOf<S extends Scope> = S extends 'mesh' ? CheckSubject : S extends 'cluster' ? ClusterSubject : PairSubject;

/** A check as declared in its file. */
interface CheckDefinition<S extends Scope, R extends FactKey, O extends FactKey> extends Explanation {
  readonly id: CheckId;
  /** What is true when the check is ok: a short sentence without a full stop. */
  readonly title: string;
  /** Absent: error. */
  readonly severity?: Severity;
  /** Absent: cluster. */
  readonly scope?: S;
  readonly requires: readonly R[];
  /**
   * `cacerts`: the CA in the work directory and Secret cacerts; `istiod's CA`: the CA of a running istiod. The check is skipped
   * where another issuer signs workload certificates (`trust.signer`). `discovery pairs`: pairs in which the peer must be read; `reached
   * pairs`: those in which proxies of the cluster get endpoints of the peer.
   */
  readonly appliesTo?: 'cacerts' | "istiod's CA" | 'discovery pairs' | 'reached pairs';
  /** For pairs: the side that a fact is required of. Absent: both. */
  readonly sides?: Readonly<Partial<Record<R | O, Side>>>;
  /** Facts that make findings more precise, but are not required: absent if they are unknown or omitted. */
  readonly optional?: readonly O[];
  /** Ids or prefixes of checks that cannot be ok while this one fails: their results are consequences. Absent: none. */
  readonly implies?: readonly string[];
  /**
   * Of the rows about pairs, its findings explain only those in which an affected cluster is the peer. Absent: those of every pair with
   * such a cluster.
   */
  readonly explains?: 'requests to it';
  /** False where only a user can fix it: `--wait` stops at such an error. Absent: false for files, true for clusters. */
  readonly waitable?: boolean;
  /** The expected state; absent if every result states it. */
  readonly expected?: string;
  /** Pure. Called only when all required facts are known; gets the known parts of per-pod facts. */
  readonly judge: (facts: KnownFacts<S, R> & Partial<KnownFacts<S, O>>, subject: SubjectOf<S>) => Judgement;
}

/** The optional fields of a check, with defaults. */
interface Defaults {
  readonly vantage: Vantage;
  readonly severity: Severity;
  readonly scope: Scope;
  readonly implies: readonly string[];
  readonly waitable: boolean;
}

/** A check in the registry and for the judge: the types of its facts are erased. */
export interface Check extends Omit<CheckDefinition<Scope, FactKey, FactKey>, 'judge' | keyof Defaults>, Defaults {
  readonly judge: (facts: never, subject: never) => Judgement;
}

/** Declares checks of one vantage. The compiler limits `judge` to the facts in `requires` and `optional`. */
function checksFrom(vantage: Vantage) {
  const defaults = {
    vantage,
    severity: 'error',
    scope: 'cluster',
    implies: [],
    waitable: vantage !== 'work directory',
  } as const;
  return <const S extends Scope = 'cluster', const R extends FactKey = never, const O extends FactKey = never>(
    definition: CheckDefinition<S, R, O>,
  ) => ({...defaults, ...definition});
}

/** A check of the files of the work directory. */
export const workDirCheck = checksFrom('work directory');
/** A check of objects that a cluster's API server returns. */
export const apiServerCheck = checksFrom('API server');
/** A check of what a running istiod reports or presents. */
export const istiodCheck = checksFrom('live istiod');
/** A check of requests that pods of this program send (`verify --traffic`). */
export const trafficCheck = checksFrom('requests');

/** The facts that checks require or use, each once. */
export function requiredFacts(checks: readonly Check[]): ReadonlySet<FactKey> {
  return new Set(checks.flatMap(({requires, optional = []}) => [...requires, ...optional]));
}

/**
 * Why a check does not apply to this mesh, or to this pair of its clusters, whatever was observed: it is about a CA that the
 * mesh does not have, or the peer need not be read.
 */
export function notApplicableReason(
  {appliesTo}: Pick<Check, 'appliesTo'>,
  {trust: {signer}, clusters}: Pick<Mesh, 'trust' | 'clusters'>,
  {cluster, peer}: {readonly cluster?: MeshCluster | undefined; readonly peer?: MeshCluster | undefined} = {},
): string | undefined {
  if (appliesTo === 'discovery pairs') {
    if (cluster && peer) return unreadReason(cluster, peer);
    return hasDiscoveryPairs(clusters) ? undefined : 'no cluster has to read another one';
  }
  if (appliesTo === 'reached pairs') {
    const isReached = !cluster || !peer || givesEndpoints(clusters, cluster, peer);
    return isReached
      ? undefined
      : `no istiod of ${cluster.name} reads ${peer.name}, which is a remote of ${peer.primary ?? 'another cluster'}`;
  }
  if (appliesTo === undefined || usesCacerts(signer)) return undefined;
  const isSpire = signer.type === 'external' && signer.issuer === 'spire';
  if (appliesTo === "istiod's CA" && !isSpire) return undefined;
  return externalCaReason(signer);
}

/** Why one cluster need not or cannot read another one; undefined if it has to. */
function unreadReason(cluster: MeshCluster, peer: MeshCluster): string | undefined {
  if (reads(cluster, peer)) {
    const id = istioNameOf(peer);
    return canBeDataKey(id) ? undefined : `no remote secret can exist for cluster ${id} (MESH118)`;
  }
  return cluster.role === 'remote'
    ? `${cluster.name} runs no istiod: it is a remote`
    : `${peer.name} is a remote of ${peer.primary ?? 'another cluster'}, which alone reads it`;
}
