/** What is said of those who reach a CA key: for the checks and for `access show` alike. */
import {defined} from '../defined.js';
import {groupBy} from '../group-by.js';
import {describeRef} from '../kube/paths.js';
import {memoizeByKey} from '../memoize.js';
import {externalCaReason, usesCacerts} from '../mesh/signer.js';
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import {fixWith, sequence, type Suggestion, words} from '../suggest/suggestion.js';
import {type Expectations, whyExpected} from './expected.js';
import {caSecrets, rightText, type Target, ways} from './path-kinds.js';
import {isWhole, accessPathsOf, type AccessPath} from './access-paths.js';
import {bindingKey, type Binding, type RbacFacts} from '../kube/rbac.js';
import {subjectId, type Subject} from '../kube/subjects.js';
import type {RemoteReach, Step} from './transitive.js';

/** Who is expected in this mesh. */
export function expectationsOf({istio, trust, access}: Mesh): Expectations {
  const {signer} = trust;
  const isHere = signer.type === 'cluster' && (signer.namespace ?? istio.namespace) === istio.namespace;
  return defined({
    namespace: istio.namespace,
    revisions: istio.revisions ?? [],
    declared: access?.expected ?? [],
    signerSecret: isHere && signer.secret !== undefined ? signer.secret : undefined,
  });
}

/**
 * Why no cluster of this mesh holds the key of a CA; undefined where they do. cert-manager puts it into Secret cacerts, too; the
 * others sign elsewhere.
 */
export function noKeyHere({trust: {signer}}: Pick<Mesh, 'trust'>): string | undefined {
  return usesCacerts(signer) ? undefined : externalCaReason(signer);
}

/** The Secrets that lead to the keys of this mesh: those of cluster CAs, and the root of a signer beside istiod. */
export function keyTarget({namespace, signerSecret}: Expectations): Target {
  return {namespace, secrets: signerSecret === undefined ? caSecrets : [...new Set([...caSecrets, signerSecret])]};
}

/** One subject that nobody expects, with all its unexpected ways. */
export interface Unexpected {
  readonly subject: Subject;
  readonly reaches: readonly AccessPath[];
  /** Whether one of them reads the Secret itself. */
  readonly reads: boolean;
}

/** The subjects of one cluster that reach its key and are not expected, in the order in which RBAC names them. */
export function unexpectedIn(reaches: readonly AccessPath[], expectations: Expectations): readonly Unexpected[] {
  const unexpected = reaches.filter((reach) => whyExpected(reach, expectations) === undefined);
  return [...groupBy(unexpected, ({subject}) => subjectId(subject)).values()].map((own) => ({
    subject: own[0].subject,
    reaches: own,
    reads: own.some(({effect}) => effect === 'reads'),
  }));
}

/** The same, from what RBAC says. */
export function unexpectedBy(rbac: RbacFacts, mesh: Mesh): readonly Unexpected[] {
  const expectations = expectationsOf(mesh);
  return unexpectedIn(accessPathsOf(rbac, keyTarget(expectations)), expectations);
}

/** A subject of one cluster that reaches keys of others, and that is not expected. */
export interface UnexpectedRemote {
  readonly from: string;
  readonly subject: Subject;
  readonly remotes: readonly RemoteReach[];
}

/**
 * Those who reach keys of other clusters only: who reaches the key of its own cluster, too, is a finding there, and what
 * mends that mends this.
 */
export function unexpectedRemotes(
  remotes: readonly RemoteReach[],
  own: (cluster: string) => readonly AccessPath[],
  expectations: Expectations,
): readonly UnexpectedRemote[] {
  const known = memoizeByKey((cluster: string): ReadonlySet<string> => {
    const atHome = unexpectedIn(own(cluster).filter(isWhole), expectations);
    return new Set(atHome.map(({subject}) => subjectId(subject)));
  });
  const found = remotes.filter(
    ({from, reach}) => whyExpected(reach, expectations) === undefined && !known(from).has(subjectId(reach.subject)),
  );
  return [...groupBy(found, ({from, reach}) => `${from}\n${subjectId(reach.subject)}`).values()].map((ways) => ({
    from: ways[0].from,
    subject: ways[0].reach.subject,
    remotes: ways,
  }));
}

/** `RoleBinding istio-system/devs → Role devs`. */
export function bindingText({role, ...binding}: Pick<Binding, 'kind' | 'name' | 'namespace' | 'role'>): string {
  return `${describeRef(binding)} → ${role.kind} ${role.name}`;
}

/** How many rights are told of each way. */
const toldRights = 3;

/** `get secrets, list secrets (RoleBinding … → Role …)`, and as whom. */
export function reachText({rights, grants, way, via}: AccessPath): string {
  const told = rights.slice(0, toldRights).map(rightText).join(', ');
  const more = rights.length > toldRights ? ` and ${String(rights.length - toldRights)} more` : '';
  const through = grants.map(({binding}) => bindingText(binding)).join(', ');
  const as = via === undefined ? '' : ` as ${subjectId(via)}`;
  return `may ${ways[way].says}${as}: ${told}${more}${through === '' ? '' : ` through ${through}`}`;
}

/** `istio-remote-secret-two of one is ServiceAccount:… in two`. */
export function stepText({cluster, secret, leadsTo, as}: Step): string {
  return `Secret ${secret} of ${cluster} makes it ${subjectId(as)} in ${leadsTo}`;
}

/**
 * The command that takes a subject out of the bindings through which it reaches the key. Each patch tests first that the
 * subject still stands where it was seen.
 */
export function removeFix(subject: Subject, reaches: readonly AccessPath[], cluster: MeshCluster): Suggestion {
  const bindings = new Map(
    reaches.flatMap(({grants}) => grants.map(({binding}) => [bindingKey(binding), binding] as const)),
  );
  const id = subjectId(subject);
  const patches = [...bindings.values()].flatMap(({kind, name, namespace, subjects}): readonly Suggestion[] => {
    // From the last on, so that the others keep their places.
    const places = subjects.flatMap((one, index) => (subjectId(one) === id ? [index] : [])).reverse();
    const operations = places.flatMap((index) => [
      // As the binding spells it: a service account may stand there as a user.
      {op: 'test', path: `/subjects/${String(index)}/name`, value: subjects[index]?.written ?? subject.name},
      {op: 'remove', path: `/subjects/${String(index)}`},
    ]);
    if (operations.length === 0) return [];
    const where = namespace === undefined ? [] : ['-n', namespace];
    const patch = JSON.stringify(operations);
    return [fixWith.kubectl(cluster, words`patch ${kind.toLowerCase()} ${where} ${name} --type=json -p ${patch}`)];
  });
  return sequence(...patches);
}
