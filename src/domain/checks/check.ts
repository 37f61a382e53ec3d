/**
 * A check is data with a pure function: what holds, which facts it needs, how to judge them, and everything a person
 * wants to read about it. Facts are gathered by `src/observe`, judged by `judge.ts`.
 */
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import {externalCaReason, usesCacerts} from '../mesh/signer.js';
import type {Suggestion} from '../suggest/suggestion.js';
import type {ClusterFactValues, FactKey, MeshFactValues, Part, PerPod} from '../facts/facts.js';

/** Stable: it stands in pipelines, alerts and the journal of those who run this program. Never reused. */
export type CheckId = `MESH${number}`;

/** How bad a finding is. A finding may say another severity than its check's. */
export type Severity = 'error' | 'warning';

/** What a check is about: the mesh (one judgement), each cluster, or each ordered pair of clusters. */
export type Scope = 'mesh' | 'cluster' | 'pair';

/** Where the evidence was seen: files of the work directory, the cluster's API server, or a running istiod itself. */
export type Vantage = 'work directory' | 'API server' | 'live istiod';

/** What a person may want to know of a check: `--explain` and docs/checks.md. */
export interface Explanation {
  /** What holds when the check is ok. */
  readonly meaning: string;
  /** What goes wrong in the mesh when it does not hold. */
  readonly breaks: string;
  /** How to see it without this program: commands, one a line. `$CTX` is the cluster's context. */
  readonly byHand: string;
  /** How to mend it. */
  readonly mend: string;
  /** Where the rule comes from: a file of Istio or Kubernetes, an RFC, a documentation page. */
  readonly source: string;
}

/** Something that is not as it should be. */
export interface Finding {
  readonly severity?: Severity | undefined;
  readonly observed: string;
  /** Absent: what the check expects. */
  readonly expected?: string | undefined;
  /** What fixes it, or shows what a person has to fix. Of the reason for this finding, not of the check. */
  readonly fix: Suggestion;
  /** What cannot be ok because of this, where that is less than what the check implies. */
  readonly implies?: readonly string[] | undefined;
  /** Of a finding about the mesh: the clusters that it concerns. Absent: all. */
  readonly clusters?: readonly string[] | undefined;
}

/** What a check says of facts that are all known. */
export type Judgement =
  | {readonly ok: string; readonly expected: string | undefined}
  | Finding
  | readonly [Finding, ...Finding[]]
  /** The check does not apply here; the text says why. */
  | {readonly skipped: string};

/** It holds: what was observed, and what was expected where that is not what the check expects everywhere. */
export function ok(observed: string, expected?: string): Judgement {
  return {ok: observed, expected};
}

/** The check has nothing to judge here. */
export function notApplicable(reason: string): Judgement {
  return {skipped: reason};
}

/** The findings, or `otherwise` where there are none. */
export function findingsOr(findings: readonly (Finding | undefined)[], otherwise: Judgement): Judgement {
  const [first, ...rest] = findings.filter((finding) => finding !== undefined);
  return first === undefined ? otherwise : [first, ...rest];
}

/** Parts of which all are known. */
type Plain<T> = T extends PerPod<infer Value> ? readonly Part<Value>[] : T;

/** The same fact of several clusters. */
export interface OfCluster<T> {
  readonly cluster: MeshCluster;
  readonly value: T;
}

/** The two clusters of a pair: the one that a row is about, and the other one. */
export type Side = 'self' | 'peer';

/** The same fact of the two clusters of a pair. A side that `sides` leaves out must not be looked at. */
export interface OfPair<T> {
  readonly self: T;
  readonly peer: T;
}

/** Exactly the facts a check needs, all known, in the shape its scope sees them. */
export type Seen<S extends Scope, Needs extends FactKey> = {
  readonly [Key in Needs]: Key extends keyof MeshFactValues
    ? Plain<MeshFactValues[Key]>
    : Key extends keyof ClusterFactValues
      ? S extends 'cluster'
        ? Plain<ClusterFactValues[Key]>
        : S extends 'mesh'
          ? readonly OfCluster<Plain<ClusterFactValues[Key]>>[]
          : OfPair<Plain<ClusterFactValues[Key]>>
      : never;
};

/** What is judged, besides the facts. */
export interface Subject {
  readonly now: Date;
  readonly mesh: Mesh;
}
export interface ClusterSubject extends Subject {
  readonly cluster: MeshCluster;
}
export interface PairSubject extends ClusterSubject {
  readonly peer: MeshCluster;
}
type SubjectOf<S extends Scope> = S extends 'mesh' ? Subject : S extends 'cluster' ? ClusterSubject : PairSubject;

/** A check as its file writes it. */
interface CheckDefinition<S extends Scope, Needs extends FactKey, Uses extends FactKey> extends Explanation {
  readonly id: CheckId;
  /** What holds when all is well, as a short sentence without a full stop. */
  readonly title: string;
  /** Absent: error. */
  readonly severity?: Severity;
  /** Absent: cluster. */
  readonly scope?: S;
  readonly needs: readonly Needs[];
  /**
   * `cacerts`: of the CA in the work directory and Secret cacerts; `istiod's CA`: of what a running istiod signs with. Skipped
   * where workloads have their certificates from somebody else (`trust.signer`).
   */
  readonly about?: 'cacerts' | "istiod's CA";
  /** For pairs: of which of the two clusters a fact is needed, where it is not needed of both. */
  readonly sides?: Readonly<Partial<Record<Needs, Side>>>;
  /** Facts that sharpen the judgement and are no condition of it: absent where they are not known or left out. */
  readonly uses?: readonly Uses[];
  /** Ids or prefixes of checks that cannot be ok while this one is not: theirs are consequences. Absent: none. */
  readonly implies?: readonly string[];
  /** False where only a person can fix it: `--wait` gives up at such an error. Absent: false for files, true for clusters. */
  readonly waitable?: boolean;
  /** What is expected; absent where the judgement always says it. */
  readonly expected?: string;
  /** Pure. Called only when all needed facts are known; of facts with parts, with the parts that are known. */
  readonly judge: (facts: Seen<S, Needs> & Partial<Seen<S, Uses>>, subject: SubjectOf<S>) => Judgement;
}

/** What a check is, where its file does not say it. */
interface Usual {
  readonly vantage: Vantage;
  readonly severity: Severity;
  readonly scope: Scope;
  readonly implies: readonly string[];
  readonly waitable: boolean;
}

/** A check as registry and judge see it: the types of its facts are erased. */
export interface Check extends Omit<CheckDefinition<Scope, FactKey, FactKey>, 'judge' | keyof Usual>, Usual {
  readonly judge: (facts: never, subject: never) => Judgement;
}

/** Declares checks that are seen from one place; the compiler holds `judge` to the facts that `needs` and `uses` name. */
function checksSeenFrom(vantage: Vantage) {
  const usual = {
    vantage,
    severity: 'error',
    scope: 'cluster',
    implies: [],
    waitable: vantage !== 'work directory',
  } as const;
  return <const S extends Scope = 'cluster', const Needs extends FactKey = never, const Uses extends FactKey = never>(
    definition: CheckDefinition<S, Needs, Uses>,
  ) => ({...usual, ...definition});
}

/** A check of the files of the work directory. */
export const workDirCheck = checksSeenFrom('work directory');
/** A check of what the API server of a cluster answers. */
export const apiServerCheck = checksSeenFrom('API server');
/** A check of what a running istiod says or presents. */
export const istiodCheck = checksSeenFrom('live istiod');

/** The facts that some checks need or use, without doubles. */
export function requiredFacts(checks: readonly Check[]): ReadonlySet<FactKey> {
  return new Set(checks.flatMap(({needs, uses = []}) => [...needs, ...uses]));
}

/** Why a check has nothing to judge in this mesh, whatever is seen: it is about a CA that the mesh does not have. */
export function notApplicableReason(
  {about}: Pick<Check, 'about'>,
  {trust: {signer}}: Pick<Mesh, 'trust'>,
): string | undefined {
  if (about === undefined || usesCacerts(signer)) return undefined;
  const isSpire = signer.type === 'external' && signer.issuer === 'spire';
  if (about === "istiod's CA" && !isSpire) return undefined;
  return externalCaReason(signer);
}
