/** Unexpected subjects with access to a CA key, and their description in the checks and in `access show`. */
import {defined} from '../defined.js';
import {type IstiodCaSource, mountedSecrets} from '../istio/ca-source.js';
import {groupBy} from '../group-by.js';
import {describeRef} from '../kube/paths.js';
import {memoizeByKey} from '../memoize.js';
import {externalCaReason, usesCacerts} from '../mesh/signer.js';
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import {fixWith, sequence, type Suggestion, words} from '../suggest/suggestion.js';
import {type Expectations, expectedReason} from './expected.js';
import {caSecrets, rightText, type AccessTarget, pathKinds} from './path-kinds.js';
import {reachesKey, accessPathsOf, type AccessPath} from './access-paths.js';
import {bindingKey, type Binding, type RbacFacts} from '../kube/rbac.js';
import {subjectId, type Subject} from '../kube/subjects.js';
import type {RemoteAccessPath, Step} from './transitive.js';

/** The expectations of a mesh. */
export function expectationsOf({istio, trust, access, clusters}: Mesh): Expectations {
  const {signer} = trust;
  const isHere = signer.type === 'cluster' && (signer.namespace ?? istio.namespace) === istio.namespace;
  return defined({
    namespace: istio.namespace,
    clusters,
    revisions: istio.revisions ?? [],
    declared: access?.expected ?? [],
    signerSecret: isHere && signer.secret !== undefined ? signer.secret : undefined,
  });
}

/**
 * Why no cluster of this mesh holds a CA key; undefined if clusters do. cert-manager stores the key in Secret cacerts as well;
 * other external CAs keep theirs outside the clusters.
 */
export function noClusterKeyReason({trust: {signer}}: Pick<Mesh, 'trust'>): string | undefined {
  return usesCacerts(signer) ? undefined : externalCaReason(signer);
}

/** The Secrets with this mesh's CA keys: those of the cluster CAs, those that istiods mount, and the root CA of a signer in Istio's namespace. */
export function keyTarget({namespace, signerSecret}: Expectations, mounted: readonly string[] = []): AccessTarget {
  return {
    namespace,
    secrets: [...new Set([...caSecrets, ...mounted, ...(signerSecret === undefined ? [] : [signerSecret])])],
  };
}

/** An unexpected subject, with all its unexpected access paths. */
export interface UnexpectedSubject {
  readonly subject: Subject;
  readonly paths: readonly AccessPath[];
  /** Whether one of the paths reads the Secret itself. */
  readonly readsSecret: boolean;
}

/** The unexpected subjects among the access paths of one cluster, in the order of its bindings. */
export function unexpectedIn(paths: readonly AccessPath[], expectations: Expectations): readonly UnexpectedSubject[] {
  const unexpected = paths.filter((path) => expectedReason(path, expectations) === undefined);
  return [...groupBy(unexpected, ({subject}) => subjectId(subject)).values()].map((group) => ({
    subject: group[0].subject,
    paths: group,
    readsSecret: group.some(({effect}) => effect === 'reads'),
  }));
}

/** The unexpected subjects of one cluster, from its RBAC. `caSources`: where its istiods read their CA. */
export function unexpectedSubjects(
  rbac: RbacFacts,
  mesh: Mesh,
  caSources: readonly IstiodCaSource[] = [],
): readonly UnexpectedSubject[] {
  const expectations = expectationsOf(mesh);
  return unexpectedIn(accessPathsOf(rbac, keyTarget(expectations, mountedSecrets(caSources))), expectations);
}

/** An unexpected subject of one cluster that reaches the CA keys of others. */
export interface UnexpectedRemote {
  readonly from: string;
  readonly subject: Subject;
  readonly remotes: readonly RemoteAccessPath[];
}

/**
 * The unexpected subjects that reach only the keys of other clusters. A subject that also reaches its own cluster's key is
 * a finding there, and the fix of that finding closes both.
 */
export function unexpectedRemotes(
  remotes: readonly RemoteAccessPath[],
  localPaths: (cluster: string) => readonly AccessPath[],
  expectations: Expectations,
): readonly UnexpectedRemote[] {
  const known = memoizeByKey((cluster: string): ReadonlySet<string> => {
    const local = unexpectedIn(localPaths(cluster).filter(reachesKey), expectations);
    return new Set(local.map(({subject}) => subjectId(subject)));
  });
  const found = remotes.filter(
    ({from, entry}) => expectedReason(entry, expectations) === undefined && !known(from).has(subjectId(entry.subject)),
  );
  return [...groupBy(found, ({from, entry}) => `${from}\n${subjectId(entry.subject)}`).values()].map((group) => ({
    from: group[0].from,
    subject: group[0].entry.subject,
    remotes: group,
  }));
}

/** `RoleBinding istio-system/devs → Role devs`. */
export function bindingText({role, ...binding}: Pick<Binding, 'kind' | 'name' | 'namespace' | 'role'>): string {
  return `${describeRef(binding)} → ${role.kind} ${role.name}`;
}

/** The number of rights that a finding lists for each path. */
const maxShownRights = 3;

/** `may read the Secret: get secrets, list secrets through RoleBinding … → Role …`. */
export function accessPathText({rights, grants, kind, via}: AccessPath): string {
  const listed = rights.slice(0, maxShownRights).map(rightText).join(', ');
  const more = rights.length > maxShownRights ? ` and ${String(rights.length - maxShownRights)} more` : '';
  const through = grants.map(({binding}) => bindingText(binding)).join(', ');
  const subject = via === undefined ? '' : ` (${subjectId(via)})`;
  return `may ${pathKinds[kind].phrase}${subject}: ${listed}${more}${through === '' ? '' : ` through ${through}`}`;
}

/** `Secret istio-remote-secret-two in one authenticates as ServiceAccount:… in two`. */
export function stepText({cluster, secret, leadsTo, as}: Step): string {
  return `Secret ${secret} in ${cluster} authenticates as ${subjectId(as)} in ${leadsTo}`;
}

/**
 * The command that removes a subject from the bindings through which it reaches the key. Each patch first tests that the
 * subject is still at its index.
 */
export function removeFix(subject: Subject, paths: readonly AccessPath[], cluster: MeshCluster): Suggestion {
  const bindings = new Map(
    paths.flatMap(({grants}) => grants.map(({binding}) => [bindingKey(binding), binding] as const)),
  );
  const id = subjectId(subject);
  const patches = [...bindings.values()].flatMap(({kind, name, namespace, subjects}): readonly Suggestion[] => {
    // In descending order, so that a removal does not shift the remaining indices.
    const indices = subjects.flatMap((one, index) => (subjectId(one) === id ? [index] : [])).reverse();
    const operations = indices.flatMap((index) => [
      // The name as the binding spells it: it may name a service account by its user name.
      {op: 'test', path: `/subjects/${String(index)}/name`, value: subjects[index]?.written ?? subject.name},
      {op: 'remove', path: `/subjects/${String(index)}`},
    ]);
    if (operations.length === 0) return [];
    const scope = namespace === undefined ? [] : ['-n', namespace];
    const patch = JSON.stringify(operations);
    return [fixWith.kubectl(cluster, words`patch ${kind.toLowerCase()} ${scope} ${name} --type=json -p ${patch}`)];
  });
  return sequence(...patches);
}
