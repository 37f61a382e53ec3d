/**
 * Access to a cluster's CA key from other clusters. A subject that can read a remote secret can act, in the cluster that the
 * secret leads to, as the service account whose token it holds; that account may read Secrets there, including further
 * remote secrets. Such paths are followed through any number of clusters.
 */
import {bindingKey, type RbacFacts} from '../kube/rbac.js';
import {memoizeByKey} from '../memoize.js';
import type {AccessTarget} from './path-kinds.js';
import {reachesKey, accessPathsBy, accessPathsOf, type AccessPath} from './access-paths.js';
import type {RemoteCredential} from '../discovery/remote-secret.js';
import {subjectId, type Subject} from '../kube/subjects.js';

/** The RBAC and remote secrets of one cluster. The names are those in mesh.yaml, of remote secrets too. */
export interface ClusterAccess {
  readonly cluster: string;
  readonly rbac: RbacFacts;
  readonly remotes: readonly RemoteCredential[];
  /** The Secrets that its istiods mount. */
  readonly mounted?: readonly string[];
}

/** A step from one cluster to the next. */
export interface Step {
  /** The cluster that contains the Secret. */
  readonly cluster: string;
  readonly secret: string;
  readonly leadsTo: string;
  /** The identity that the Secret provides there. */
  readonly as: Subject;
}

/** A subject's access to a CA key through another cluster. */
export interface RemoteAccessPath {
  /** The subject's cluster. */
  readonly from: string;
  /** The cluster whose CA key the path reaches. */
  readonly target: string;
  /** How the subject reaches the first remote secret. */
  readonly entry: AccessPath;
  /** The steps from the first remote secret on; never empty. */
  readonly path: readonly Step[];
}

/** A remote secret whose credentials do not show an identity. */
export type UnknownStep = Omit<Step, 'as'>;

/** An identity in one cluster. */
interface Node {
  readonly cluster: string;
  readonly identity: NonNullable<RemoteCredential['identity']>;
}

/** Analyzes the access paths of several clusters. Memoized: in a full mesh of sixty clusters, most of them are the same. */
export class AccessAnalyzer {
  readonly #clusters: ReadonlyMap<string, ClusterAccess>;

  constructor(
    clusters: readonly ClusterAccess[],
    /** The Secrets with the CA keys, besides those that the istiods of each cluster mount. */
    private readonly target: AccessTarget,
  ) {
    this.#clusters = new Map(clusters.map((one) => [one.cluster, one]));
  }

  /** The access paths to a cluster's CA key within that cluster. */
  own(cluster: string): readonly AccessPath[] {
    return this.#accessPaths(cluster, this.#keySecrets(cluster));
  }

  /**
   * The access paths to CA keys through remote secrets: for each subject, entry path and key, the shortest one. A path may
   * lead back to the key of the subject's own cluster.
   */
  remote(): readonly RemoteAccessPath[] {
    return [...this.#clusters.values()].flatMap((from) => this.#remoteFrom(from));
  }

  /** Remote secrets without a known identity that lead to an analyzed cluster. */
  unknown(): readonly UnknownStep[] {
    return [...this.#clusters.values()].flatMap(({cluster, remotes}) =>
      remotes
        .filter((one) => one.identity === undefined && this.#clusters.has(one.cluster))
        .map(({secret, cluster: leadsTo}) => ({cluster, secret, leadsTo})),
    );
  }

  #remoteFrom({cluster: from, remotes}: ClusterAccess): readonly RemoteAccessPath[] {
    // Most remote secrets have the same access paths: those are processed together.
    const byEntries = new Map<readonly AccessPath[], Map<string, readonly Step[]>>();
    for (const {secret, cluster, identity} of remotes) {
      // istiod ignores a remote secret for its own cluster, but the token in it is valid.
      if (!identity) continue;
      const entries = this.#accessPaths(from, [secret]);
      const paths = byEntries.get(entries) ?? new Map<string, readonly Step[]>();
      byEntries.set(entries, paths);
      const first = {cluster: from, secret, leadsTo: cluster, as: identity.user};
      for (const [target, rest] of this.#targetsFrom({cluster, identity})) {
        const shortest = paths.get(target);
        if (!shortest || rest.length + 1 < shortest.length) paths.set(target, [first, ...rest]);
      }
    }
    const local = this.own(from).filter(reachesKey);
    const known = new Set(local.map(({subject}) => subjectId(subject)));
    const found = new Map<string, RemoteAccessPath>();
    for (const [entries, paths] of byEntries) {
      for (const entry of entries.filter(reachesKey)) {
        const id = subjectId(entry.subject);
        for (const [target, path] of paths) {
          // A subject that reaches its own cluster's key directly needs no detour.
          if (target === from && known.has(id)) continue;
          const key = [target, id, ...entry.grants.map(({binding}) => bindingKey(binding))].join('\n');
          const shortest = found.get(key);
          if (!shortest || path.length < shortest.path.length) found.set(key, {from, target, entry, path});
        }
      }
    }
    return [...found.values()];
  }

  /** The clusters whose keys an identity reaches, each with the steps from there; no steps for its own cluster. */
  readonly #targetsFrom = memoizeByKey((start: Node): ReadonlyMap<string, readonly Step[]> => {
    const targets = new Map<string, readonly Step[]>();
    const visited = new Set([nodeId(start)]);
    // Breadth first: the loop appends to the queue.
    const queue: {readonly node: Node; readonly steps: readonly Step[]}[] = [{node: start, steps: []}];
    for (const {node, steps} of queue) {
      const {cluster} = node;
      if (!targets.has(cluster) && this.#canReach(node, this.#keySecrets(cluster))) targets.set(cluster, steps);
      for (const {secret, cluster: leadsTo, identity} of this.#readableRemotes(node)) {
        if (!identity || !this.#clusters.has(leadsTo)) continue;
        const next = {cluster: leadsTo, identity};
        if (visited.has(nodeId(next))) continue;
        visited.add(nodeId(next));
        queue.push({node: next, steps: [...steps, {cluster, secret, leadsTo, as: identity.user}]});
      }
    }
    return targets;
  }, nodeId);

  /** The remote secrets that an identity can read; none in a cluster that was not analyzed. */
  readonly #readableRemotes = memoizeByKey(
    (node: Node): readonly RemoteCredential[] =>
      this.#clusters.get(node.cluster)?.remotes.filter(({secret}) => this.#canReach(node, [secret])) ?? [],
    nodeId,
  );

  #keySecrets(cluster: string): readonly string[] {
    return [...new Set([...this.target.secrets, ...(this.#clusters.get(cluster)?.mounted ?? [])])];
  }

  #canReach({cluster, identity: {user, groups}}: Node, secrets: readonly string[]): boolean {
    const paths = this.#accessPaths(cluster, secrets);
    return [user, ...groups].some((subject) => accessPathsBy(paths, subject).length > 0);
  }

  /** The access paths to Secrets. All Secrets that no rule names share one result. */
  #accessPaths(cluster: string, secrets: readonly string[]): readonly AccessPath[] {
    const access = this.#clusters.get(cluster);
    if (!access) return [];
    const names = this.#namesInRules(access);
    const named = secrets.filter((secret) => names.has(secret));
    return this.#analyze({access, secrets: named.length === secrets.length ? secrets : [...named, '']});
  }

  readonly #analyze = memoizeByKey(
    ({access, secrets}: {readonly access: ClusterAccess; readonly secrets: readonly string[]}) =>
      accessPathsOf(access.rbac, {namespace: this.target.namespace, secrets}),
    ({access, secrets}) => [access.cluster, ...secrets].join('\n'),
  );

  /** Every object name in a rule. */
  readonly #namesInRules = memoizeByKey(
    ({rbac}: ClusterAccess): ReadonlySet<string> =>
      new Set(rbac.roles.flatMap(({rules}) => rules.flatMap(({resourceNames}) => resourceNames))),
  );
}

function nodeId({cluster, identity: {user}}: Node): string {
  return `${cluster}\n${subjectId(user)}`;
}
