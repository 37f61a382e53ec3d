/** `access show`: the subjects that can reach each cluster's CA key, by RBAC or other clusters' remote secrets. */
import {defined} from '../../domain/defined.js';
import {type Expectations, expectedReason} from '../../domain/access/expected.js';
import {expectationsOf, keyTarget, noClusterKeyReason, unexpectedIn} from '../../domain/access/findings.js';
import type {PathEffect, GrantedRight, PathKind} from '../../domain/access/path-kinds.js';
import type {Binding} from '../../domain/kube/rbac.js';
import type {AccessPath} from '../../domain/access/access-paths.js';
import {subjectId, type Subject} from '../../domain/kube/subjects.js';
import {AccessAnalyzer, type ClusterAccess, type Step, type UnknownStep} from '../../domain/access/transitive.js';
import type {CheckId, Severity} from '../../domain/checks/check.js';
import {codeOfFailedRead, type ErrorReport} from '../../domain/errors.js';
import {groupBy} from '../../domain/group-by.js';
import {isKnown, valueOr} from '../../domain/observed.js';
import {asWarnings, type Conclusion, emptyPlan, onePhase, type Plan, type Warning} from '../../engine/operation.js';
import {outcomeOfFailedRead, type ClusterResult, type CommonResult} from '../../engine/report.js';
import type {LoadedMesh, MeshRequest} from '../shared/load-mesh.js';
import {type AccessFacts, type AccessObservation, gatherAccess} from './gather.js';

/** What is out of view; part of every result. */
export const lowerBound =
  'Cloud IAM, access to nodes, etcd and backups, and group membership are not visible here: this is a lower bound.';

/** A binding that grants a right. */
export type ShownBinding = Pick<Binding, 'kind' | 'name' | 'namespace' | 'role'>;

/** One of a subject's access paths to the key. */
export interface ShownAccessPath {
  readonly way: PathKind | 'remote-secret';
  readonly effect: PathEffect;
  readonly rights: readonly GrantedRight[];
  readonly through: readonly ShownBinding[];
  /** The identity that the path continues as. */
  readonly via?: string;
  /** For a path from another cluster: the remote secrets along it. */
  readonly path?: readonly Pick<Step, 'cluster' | 'secret' | 'leadsTo'>[];
  /** Why the path is expected; absent for an unexpected one. */
  readonly expected?: string;
  /** The check of verify --access that reports the path; absent for an expected one. */
  readonly check?: CheckId;
}

/** A subject that can reach the key. */
export interface ShownSubject extends Omit<Subject, 'written'> {
  /** The subject as written under access.expected in mesh.yaml. */
  readonly id: string;
  /** The cluster it belongs to, if that is another one. */
  readonly from?: string;
  /** Whether all of its access paths are expected. */
  readonly expected: boolean;
  readonly ways: readonly ShownAccessPath[];
}

/** One cluster of {@link AccessResult}: `done` means that everything was read. */
export interface ShownCluster extends ClusterResult {
  readonly context?: string;
  readonly subjects: readonly ShownSubject[];
}

/** `access show CLUSTER...`. */
export interface AccessRequest extends MeshRequest {
  /** `--fail-on`: the lowest severity that counts as a finding. */
  readonly failOn: Severity;
}

/** The result of `access show`. */
export interface AccessResult extends CommonResult {
  readonly clusters: readonly ShownCluster[];
  /** Clusters that were not selected and could not be read: access paths from them are unknown. */
  readonly elsewhere: readonly ClusterResult[];
  /** Remote secrets whose credentials could not be attributed to a subject: a finding of MESH208. */
  readonly unknownHolders: readonly UnknownStep[];
  readonly lowerBound: string;
  readonly warnings: readonly Warning[];
}

/** `access show`. Its findings are warnings, as in verify --access. */
export const showAccess = onePhase<AccessRequest, AccessResult, AccessFacts, AccessPlan>({
  command: 'access show',
  changes: false,
  title: () => 'read RBAC and remote secrets',
  gather: gatherAccess,
  plan(facts) {
    const evaluation = evaluate(facts);
    const notes = [...facts.loaded.notes, ...noKeyNotes(facts.loaded)];
    return {...emptyPlan, evaluation, warnings: [...asWarnings(notes), ...unresolvedRemotes(evaluation)]};
  },
  report: ({facts, plan}) => report(facts, plan),
  conclude: ({clusters, elsewhere, unknownHolders}, {failOn}) => [
    ...[...clusters, ...elsewhere].map(({error}): Conclusion => (error ? codeOfFailedRead(error.code) : 'done')),
    ...(failOn === 'warning' &&
    (unknownHolders.length > 0 || clusters.some(({subjects}) => subjects.some(({expected}) => !expected)))
      ? (['findings'] as const)
      : []),
  ],
});

interface Evaluation {
  readonly known: readonly ClusterAccess[];
  readonly judge: AccessAnalyzer;
  readonly expectations: Expectations;
}

/** An empty plan with the evaluation. */
interface AccessPlan extends Plan {
  readonly evaluation: Evaluation;
}

/** Evaluates only clusters whose UID matches mesh.yaml: the roles of any other cluster do not concern this mesh. */
function evaluate({loaded, observations}: AccessFacts): Evaluation {
  const expectations = expectationsOf(loaded.mesh);
  const known = observations.flatMap(({cluster: {name}, rbac, remotes, mounted}): readonly ClusterAccess[] =>
    isKnown(rbac)
      ? [{cluster: name, rbac: rbac.value, remotes: valueOr(remotes, []), mounted: valueOr(mounted, [])}]
      : [],
  );
  const judge = new AccessAnalyzer(known, keyTarget(expectations));
  return {known, judge, expectations};
}

function report({loaded, observations}: AccessFacts, {evaluation, warnings}: AccessPlan): AccessResult {
  const {judge, expectations} = evaluation;
  const names = new Set(loaded.clusters.map(({name}) => name));
  const shown = observations.map((one) => shownClusterOf(one, judge, expectations));
  return {
    clusters: shown.filter(({name}) => names.has(name)),
    elsewhere: shown
      .filter(({name, error}) => !names.has(name) && error !== undefined)
      .map(({name, outcome, error}) => unselected(name, outcome, error)),
    unknownHolders: judge.unknown().filter(({cluster, leadsTo}) => names.has(cluster) || names.has(leadsTo)),
    lowerBound,
    warnings,
  };
}

/** Explains results for a mesh without CA keys in its clusters: Secrets of an earlier signer may still exist there. */
function noKeyNotes({mesh}: LoadedMesh): readonly string[] {
  const why = noClusterKeyReason(mesh);
  return why === undefined ? [] : [`${why}: the access paths shown lead to Secrets without a CA of this mesh`];
}

/** The result for a cluster that was not selected: a missing context is then unknown access, not a usage error. */
function unselected(name: string, outcome: ClusterResult['outcome'], error: ErrorReport | undefined): ClusterResult {
  if (error?.code !== 'NO_CONTEXT') return defined({name, outcome, error});
  return {name, outcome: 'unknown', error: {...error, code: 'CONTEXT_MISSING'}};
}

/** Warnings for remote secrets that could not be followed. */
function unresolvedRemotes({known, judge}: Evaluation): readonly Warning[] {
  const names = new Set(known.map(({cluster}) => cluster));
  return [
    ...judge.unknown().map(({cluster, secret, leadsTo}) => ({
      cluster,
      message: `Secret ${secret} grants access to ${leadsTo} as an unknown subject: its readers may be able to reach the CA key there`,
    })),
    ...known.flatMap(({cluster, remotes}) =>
      remotes
        .filter((remote) => !names.has(remote.cluster))
        .map(({secret, cluster: leadsTo}) => ({
          cluster,
          message: `Secret ${secret} grants access to ${leadsTo}, which was not read: access paths through it are unknown`,
        })),
    ),
  ];
}

/** A subject's access path to the key, and the subject's cluster if that is another one. */
interface SubjectPath {
  readonly from: string | undefined;
  readonly subject: Subject;
  readonly way: ShownAccessPath;
}

function shownClusterOf(observed: AccessObservation, judge: AccessAnalyzer, expectations: Expectations): ShownCluster {
  const {cluster, uid, rbac, remotes, mounted, complete} = observed;
  const {name, context} = cluster;
  const reads = new Set(
    unexpectedIn(judge.own(name), expectations)
      .filter((one) => one.readsSecret)
      .map(({subject}) => subjectId(subject)),
  );
  const own = judge.own(name).map((path): SubjectPath => {
    const check = reads.has(subjectId(path.subject)) ? 'MESH206' : 'MESH207';
    const way = {...shownAccessPathOf(path), ...assess(path, expectations, check)};
    return {from: undefined, subject: path.subject, way};
  });
  const remote = judge.remote().flatMap(({from, target, entry: reach, path}): readonly SubjectPath[] => {
    if (target !== name) return [];
    const via = path.at(-1)?.as;
    const way: ShownAccessPath = defined({
      ...shownAccessPathOf(reach),
      way: 'remote-secret',
      effect: 'reaches',
      path: path.map(({cluster: at, secret, leadsTo}) => ({cluster: at, secret, leadsTo})),
      via: via && subjectId(via),
      ...assess(reach, expectations, 'MESH208'),
    });
    // A path may lead through another cluster back to its own.
    return [{from: from === name ? undefined : from, subject: reach.subject, way}];
  });
  const bySubject = groupBy([...own, ...remote], ({from, subject}) => `${from ?? ''}\n${subjectId(subject)}`);
  // All missing rights in one error, or else the first error: a cluster that was only partly read is unknown.
  const error = [complete, uid, rbac, remotes, mounted].flatMap((fact) =>
    isKnown<unknown>(fact) ? [] : [fact.unknown],
  )[0];
  return defined({
    name,
    context,
    outcome: error ? outcomeOfFailedRead(error) : 'done',
    error,
    // Findings first.
    subjects: [...bySubject.values()]
      .map(shownSubjectOf)
      .sort((one, other) => Number(one.expected) - Number(other.expected)),
  });
}

function shownSubjectOf(paths: readonly [SubjectPath, ...SubjectPath[]]): ShownSubject {
  const [{subject, from}] = paths;
  const {kind, name, namespace} = subject;
  const ways = paths.map(({way}) => way);
  const expected = ways.every((way) => way.expected !== undefined);
  return defined({id: subjectId(subject), kind, name, namespace, from, expected, ways});
}

function assess(
  path: AccessPath,
  expectations: Expectations,
  check: CheckId,
): Pick<ShownAccessPath, 'expected' | 'check'> {
  const expected = expectedReason(path, expectations);
  return expected === undefined ? {check} : {expected};
}

function shownAccessPathOf({kind: way, effect, rights, grants, via}: AccessPath): ShownAccessPath {
  return defined({
    way,
    effect,
    rights,
    through: grants.map(({binding: {kind, name, namespace, role}}) => defined({kind, name, namespace, role})),
    via: via && subjectId(via),
  });
}
