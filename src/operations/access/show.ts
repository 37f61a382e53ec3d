/** `access show`: who can reach the CA key of each cluster, by its RBAC and by the remote secrets of the others. */
import {defined} from '../../domain/defined.js';
import {type Expectations, expectedReason} from '../../domain/access/expected.js';
import {expectationsOf, keyTarget, noClusterKeyReason, unexpectedIn} from '../../domain/access/findings.js';
import type {Effect, GrantedRight, PathKind} from '../../domain/access/path-kinds.js';
import type {Binding} from '../../domain/kube/rbac.js';
import type {AccessPath} from '../../domain/access/access-paths.js';
import {subjectId, type Subject} from '../../domain/kube/subjects.js';
import {AccessAnalyzer, type ClusterAccess, type Step, type UnknownStep} from '../../domain/access/transitive.js';
import type {CheckId, Severity} from '../../domain/checks/check.js';
import type {ErrorReport} from '../../domain/errors.js';
import {groupBy} from '../../domain/group-by.js';
import {uidMismatches} from '../../domain/mesh/identity.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {isKnown, observe, type Observed, valueOr} from '../../domain/observed.js';
import type {Deps} from '../../engine/deps.js';
import {
  asWarnings,
  type Conclusion,
  emptyPlan,
  onePhase,
  type Plan,
  type RunSettings,
  type Warning,
} from '../../engine/operation.js';
import {outcomeOfError, type ClusterResult, type CommonResult} from '../../engine/report.js';
import {loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {ClusterReader, eachCluster} from '../../observe/cluster-reader.js';
import {readClusterUid} from '../../observe/identity.js';
import {readRbacFacts, readRemoteCredentials} from '../../observe/facts/access.js';

/** What cannot be seen; part of every answer. */
export const lowerBound =
  'Cloud IAM, access to nodes, to etcd and to backups, and who is in which group are not visible here: this is a lower bound.';

/** A binding that gives a right. */
export type ShownBinding = Pick<Binding, 'kind' | 'name' | 'namespace' | 'role'>;

/** One way of a subject to the key. */
export interface ShownWay {
  readonly way: PathKind | 'remote-secret';
  readonly effect: Effect;
  readonly rights: readonly GrantedRight[];
  readonly through: readonly ShownBinding[];
  /** As whom it goes on. */
  readonly via?: string;
  /** From another cluster: the remote secrets on the way. */
  readonly path?: readonly Pick<Step, 'cluster' | 'secret' | 'leadsTo'>[];
  /** Why this is expected; absent for what is not. */
  readonly expected?: string;
  /** The check of verify --access that finds it; absent for what is expected. */
  readonly check?: CheckId;
}

/** One subject that reaches the key. */
export interface ShownSubject extends Omit<Subject, 'written'> {
  /** As mesh.yaml would name it under access.expected. */
  readonly id: string;
  /** The cluster it belongs to, where that is another one. */
  readonly from?: string;
  /** Whether all of its ways are expected. */
  readonly expected: boolean;
  readonly ways: readonly ShownWay[];
}

/** One cluster of {@link AccessResult}: `done` means that all was read. */
export interface ShownCluster extends ClusterResult {
  readonly context?: string;
  readonly subjects: readonly ShownSubject[];
}

/** `access show CLUSTER...`. */
export interface AccessRequest extends MeshRequest {
  /** `--fail-on`: the least severity that is a finding. */
  readonly failOn: Severity;
}

/** What `access show` answers. */
export interface AccessResult extends CommonResult {
  readonly clusters: readonly ShownCluster[];
  /** Clusters that were not asked about and could not be read: what leads from them is not known. */
  readonly elsewhere: readonly ClusterResult[];
  /** Remote secrets of which nobody can tell whose credentials they hold: a finding of MESH208. */
  readonly unknownHolders: readonly UnknownStep[];
  readonly lowerBound: string;
  readonly warnings: readonly Warning[];
}

/** `access show`: who reaches the keys. Findings are warnings, as those of verify --access. */
export const showAccess = onePhase<AccessRequest, AccessResult, LookFacts, LookPlan>({
  command: 'access show',
  changes: false,
  title: () => 'read who may do what',
  gather: lookAtAll,
  plan(facts) {
    const judged = judgeOf(facts);
    const notes = [...facts.loaded.notes, ...nothingToReach(facts.loaded)];
    return {...emptyPlan, judged, warnings: [...asWarnings(notes), ...notFollowed(judged.known, judged.judge)]};
  },
  report: ({facts, plan}) => report(facts, plan),
  conclude: ({clusters, elsewhere, unknownHolders}, {failOn}) => [
    ...[...clusters, ...elsewhere].map(({error}): Conclusion => error?.code ?? 'done'),
    ...(failOn === 'warning' &&
    (unknownHolders.length > 0 || clusters.some(({subjects}) => subjects.some(({expected}) => !expected)))
      ? (['findings'] as const)
      : []),
  ],
});

/** What was read of one cluster. */
interface Looked {
  readonly cluster: MeshCluster;
  readonly uid: Observed<string>;
  readonly rbac: Observed<ClusterAccess['rbac']>;
  readonly remotes: Observed<ClusterAccess['remotes']>;
  /** Every right that is missing, or what else went wrong. */
  readonly whole: Observed<unknown>;
}

interface LookFacts {
  readonly loaded: LoadedMesh;
  readonly looked: readonly Looked[];
}

/** All clusters are read: one that nobody asked about may hold a remote secret that leads here. */
async function lookAtAll(deps: Deps, request: MeshRequest, {concurrency}: RunSettings): Promise<LookFacts> {
  const loaded = await loadMesh(deps, request);
  const names = new Set(loaded.clusters.map(({name}) => name));
  const others = loaded.mesh.clusters.filter(({name}) => !names.has(name));
  const looked = await eachCluster([...loaded.clusters, ...others], concurrency, (cluster) =>
    look(deps, cluster, loaded.mesh.istio.namespace),
  );
  return {loaded, looked: withoutStrangers(loaded.mesh, looked)};
}

async function look(deps: Deps, cluster: MeshCluster, namespace: string): Promise<Looked> {
  const reader = new ClusterReader(deps.clusters, {cluster, istioNamespace: namespace});
  const [uid, rbac, remotes] = await Promise.all([
    observe(() => readClusterUid(reader)),
    observe(() => readRbacFacts(reader)),
    observe(() => readRemoteCredentials(reader)),
  ]);
  return {cluster, uid, rbac, remotes, whole: await observe(() => reader.summary())};
}

/** A context that leads to another cluster says nothing about the one that was meant. */
function withoutStrangers(mesh: Mesh, looked: readonly Looked[]): readonly Looked[] {
  const uids = looked.map(({cluster: {name}, uid}) => ({name, uid: valueOr(uid, undefined)}));
  const strangers = uidMismatches(mesh, uids);
  return looked.map((one): Looked => {
    const unknown = strangers.get(one.cluster.name);
    return unknown ? {...one, rbac: {unknown}, remotes: {unknown}, whole: {unknown}} : one;
  });
}

interface Judged {
  readonly known: readonly ClusterAccess[];
  readonly judge: AccessAnalyzer;
  readonly expectations: Expectations;
}

/** A plan that does nothing, with what was judged. */
interface LookPlan extends Plan {
  readonly judged: Judged;
}

/** Only of clusters that are who mesh.yaml says: another one's roles say nothing of this mesh. */
function judgeOf({loaded, looked}: LookFacts): Judged {
  const expectations = expectationsOf(loaded.mesh);
  const known = looked.flatMap(({cluster, rbac, remotes}): readonly ClusterAccess[] =>
    isKnown(rbac) ? [{cluster: cluster.name, rbac: rbac.value, remotes: isKnown(remotes) ? remotes.value : []}] : [],
  );
  const judge = new AccessAnalyzer(known, keyTarget(expectations));
  return {known, judge, expectations};
}

function report({loaded, looked}: LookFacts, {judged, warnings}: LookPlan): AccessResult {
  const {judge, expectations} = judged;
  const names = new Set(loaded.clusters.map(({name}) => name));
  const shown = looked.map((one) => showCluster(one, judge, expectations));
  return {
    clusters: shown.filter(({name}) => names.has(name)),
    elsewhere: shown
      .filter(({name, error}) => !names.has(name) && error !== undefined)
      .map(({name, outcome, error}) => unasked(name, outcome, error)),
    unknownHolders: judge.unknown().filter(({cluster, leadsTo}) => names.has(cluster) || names.has(leadsTo)),
    lowerBound,
    warnings,
  };
}

/** Secrets of an earlier signer may lie there all the same: who reaches them is shown. */
function nothingToReach({mesh}: LoadedMesh): readonly string[] {
  const why = noClusterKeyReason(mesh);
  return why === undefined ? [] : [`${why}: what is shown leads to Secrets that hold no CA of this mesh`];
}

/** Of a cluster that nobody asked about it is no wrong usage that no context is known: it could not be told what leads here. */
function unasked(name: string, outcome: ClusterResult['outcome'], error: ErrorReport | undefined): ClusterResult {
  if (error?.code !== 'NO_CONTEXT') return defined({name, outcome, error});
  return {name, outcome: 'unknown', error: {...error, code: 'CONTEXT_MISSING'}};
}

/** Remote secrets that lead nowhere that was looked at. */
function notFollowed(known: readonly ClusterAccess[], judge: AccessAnalyzer): readonly Warning[] {
  const names = new Set(known.map(({cluster}) => cluster));
  return [
    ...judge.unknown().map(({cluster, secret, leadsTo}) => ({
      cluster,
      message: `Secret ${secret} leads to ${leadsTo}, and whose credentials it holds cannot be told: whether its readers reach the CA key there is not known`,
    })),
    ...known.flatMap(({cluster, remotes}) =>
      remotes
        .filter((remote) => !names.has(remote.cluster))
        .map(({secret, cluster: leadsTo}) => ({
          cluster,
          message: `Secret ${secret} leads to ${leadsTo}, of which nothing was read: it is not followed`,
        })),
    ),
  ];
}

/** A subject's way to the key, and the subject's cluster where that is another one. */
interface Seen {
  readonly reach: AccessPath;
  readonly from: string | undefined;
  readonly way: ShownWay;
}

function showCluster(looked: Looked, judge: AccessAnalyzer, expectations: Expectations): ShownCluster {
  const {cluster, uid, rbac, remotes, whole} = looked;
  const {name, context} = cluster;
  const reads = new Set(
    unexpectedIn(judge.own(name), expectations)
      .filter((one) => one.readsSecret)
      .map(({subject}) => subjectId(subject)),
  );
  const own = judge.own(name).map((reach): Seen => {
    const check = reads.has(subjectId(reach.subject)) ? 'MESH206' : 'MESH207';
    return {reach, from: undefined, way: {...showWay(reach), ...judged(reach, expectations, check)}};
  });
  const remote = judge.remote().flatMap(({from, target, entry: reach, path}): readonly Seen[] => {
    if (target !== name) return [];
    const via = path.at(-1)?.as;
    const way: ShownWay = defined({
      ...showWay(reach),
      way: 'remote-secret',
      effect: 'reaches',
      path: path.map(({cluster: at, secret, leadsTo}) => ({cluster: at, secret, leadsTo})),
      via: via && subjectId(via),
      ...judged(reach, expectations, 'MESH208'),
    });
    // A way may lead through another cluster back to where it began.
    return [{reach, from: from === name ? undefined : from, way}];
  });
  const bySubject = groupBy([...own, ...remote], ({from, reach}) => `${from ?? ''}\n${subjectId(reach.subject)}`);
  // All that is forbidden together, or else the first that went wrong: a cluster that was not read in full is not known.
  const shown = [whole, uid, rbac, remotes].flatMap((fact) => (isKnown<unknown>(fact) ? [] : [fact.unknown]))[0];
  return defined({
    name,
    context,
    outcome: shown ? outcomeOfError(shown) : 'done',
    error: shown,
    // Findings first.
    subjects: [...bySubject.values()]
      .map(showSubject)
      .sort((one, other) => Number(one.expected) - Number(other.expected)),
  });
}

function showSubject(seen: readonly [Seen, ...Seen[]]): ShownSubject {
  const [
    {
      reach: {subject},
      from,
    },
  ] = seen;
  const {kind, name, namespace} = subject;
  const ways = seen.map(({way}) => way);
  const expected = ways.every((way) => way.expected !== undefined);
  return defined({id: subjectId(subject), kind, name, namespace, from, expected, ways});
}

function judged(reach: AccessPath, expectations: Expectations, check: CheckId): Pick<ShownWay, 'expected' | 'check'> {
  const expected = expectedReason(reach, expectations);
  return expected === undefined ? {check} : {expected};
}

function showWay({kind: way, effect, rights, grants, via}: AccessPath): ShownWay {
  return defined({
    way,
    effect,
    rights,
    through: grants.map(({binding: {kind, name, namespace, role}}) => defined({kind, name, namespace, role})),
    via: via && subjectId(via),
  });
}
