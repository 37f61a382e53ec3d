/**
 * Who reaches the CA key of one cluster from another: whoever reads a remote secret is, in the cluster that it leads to, the
 * service account whose token it holds, which may read Secrets there, remote secrets among them. Followed over as many
 * clusters as there are.
 */
import {bindingKey, type RbacFacts} from '../kube/rbac.js';
import {memoizeByKey} from '../memoize.js';
import type {Target} from './path-kinds.js';
import {isWhole, accessPathsBy, accessPathsOf, type AccessPath} from './access-paths.js';
import type {RemoteCredential} from '../istio/remote-secret.js';
import {subjectId, type Subject} from '../kube/subjects.js';

/** What is known of one cluster. */
export interface ClusterAccess {
  readonly cluster: string;
  readonly rbac: RbacFacts;
  readonly remotes: readonly RemoteCredential[];
}

/** A step from one cluster into the next. */
export interface Step {
  /** Where the Secret lies. */
  readonly cluster: string;
  readonly secret: string;
  readonly leadsTo: string;
  /** Who one is there. */
  readonly as: Subject;
}

/** A subject that reaches a CA key by way of another cluster. */
export interface RemoteReach {
  /** Where the subject is. */
  readonly from: string;
  /** Whose key it reaches. */
  readonly target: string;
  /** How the subject reaches the first remote secret. */
  readonly reach: AccessPath;
  /** From the first remote secret on; never empty. */
  readonly path: readonly Step[];
}

/** A remote secret of which nobody can tell to whom it leads. */
export type UnknownStep = Omit<Step, 'as'>;

/** A subject of one cluster. */
interface Place {
  readonly cluster: string;
  readonly identity: NonNullable<RemoteCredential['identity']>;
}

/** Judges clusters, each question once: in a mesh of sixty clusters that all know each other there are many the same. */
export class AccessJudge {
  readonly #clusters: ReadonlyMap<string, ClusterAccess>;

  constructor(
    clusters: readonly ClusterAccess[],
    /** Where the keys are. */
    private readonly target: Target,
  ) {
    this.#clusters = new Map(clusters.map((one) => [one.cluster, one]));
  }

  /** Who reaches the key of this cluster's CA from within it. */
  own(cluster: string): readonly AccessPath[] {
    return this.#reaches(cluster, this.target.secrets);
  }

  /**
   * Who reaches CA keys through a remote secret: each way of a subject to one, once for each key, by the fewest clusters.
   * The key may be that of its own cluster, where the way leads back to it.
   */
  remote(): readonly RemoteReach[] {
    return [...this.#clusters.values()].flatMap((from) => this.#remoteFrom(from));
  }

  /** Remote secrets whose holder is not known, and that lead to a cluster that was looked at. */
  unknown(): readonly UnknownStep[] {
    return [...this.#clusters.values()].flatMap(({cluster, remotes}) =>
      remotes
        .filter((one) => one.identity === undefined && this.#clusters.has(one.cluster))
        .map(({secret, cluster: leadsTo}) => ({cluster, secret, leadsTo})),
    );
  }

  #remoteFrom({cluster: from, remotes}: ClusterAccess): readonly RemoteReach[] {
    // Secrets that the same subjects reach in the same way, which is most of them, are looked at together.
    const together = new Map<readonly AccessPath[], Map<string, readonly Step[]>>();
    for (const {secret, cluster, identity} of remotes) {
      // One of the own cluster is none that istiod uses, and a token all the same.
      if (!identity) continue;
      const reaches = this.#reaches(from, [secret]);
      const paths = together.get(reaches) ?? new Map<string, readonly Step[]>();
      together.set(reaches, paths);
      const first = {cluster: from, secret, leadsTo: cluster, as: identity.user};
      for (const [target, rest] of this.#journey({cluster, identity})) {
        const before = paths.get(target);
        if (!before || rest.length + 1 < before.length) paths.set(target, [first, ...rest]);
      }
    }
    const atHome = this.own(from).filter(isWhole);
    const known = new Set(atHome.map(({subject}) => subjectId(subject)));
    const found = new Map<string, RemoteReach>();
    for (const [reaches, paths] of together) {
      for (const reach of reaches.filter(isWhole)) {
        const id = subjectId(reach.subject);
        for (const [target, path] of paths) {
          // Who reaches it at home needs no journey.
          if (target === from && known.has(id)) continue;
          const key = [target, id, ...reach.grants.map(({binding}) => bindingKey(binding))].join('\n');
          const before = found.get(key);
          if (!before || path.length < before.path.length) found.set(key, {from, target, reach, path});
        }
      }
    }
    return [...found.values()];
  }

  /** The clusters whose keys somebody in a cluster reaches, each with the steps from there: none for that cluster's own. */
  readonly #journey = memoizeByKey((start: Place): ReadonlyMap<string, readonly Step[]> => {
    const targets = new Map<string, readonly Step[]>();
    const visited = new Set([placeId(start)]);
    // It grows during the loop: the nearest clusters come first.
    const queue: {readonly place: Place; readonly way: readonly Step[]}[] = [{place: start, way: []}];
    for (const {place, way} of queue) {
      const {cluster} = place;
      if (!targets.has(cluster) && this.#isReached(place, this.target.secrets)) targets.set(cluster, way);
      for (const {secret, cluster: leadsTo, identity} of this.#further(place)) {
        if (!identity || !this.#clusters.has(leadsTo)) continue;
        const there = {cluster: leadsTo, identity};
        if (visited.has(placeId(there))) continue;
        visited.add(placeId(there));
        queue.push({place: there, way: [...way, {cluster, secret, leadsTo, as: identity.user}]});
      }
    }
    return targets;
  }, placeId);

  /** The remote secrets that a subject of a cluster can read; none where the cluster was not read. */
  readonly #further = memoizeByKey(
    (place: Place): readonly RemoteCredential[] =>
      this.#clusters.get(place.cluster)?.remotes.filter(({secret}) => this.#isReached(place, [secret])) ?? [],
    placeId,
  );

  #isReached({cluster, identity: {user, groups}}: Place, secrets: readonly string[]): boolean {
    const reaches = this.#reaches(cluster, secrets);
    return [user, ...groups].some((subject) => accessPathsBy(reaches, subject).length > 0);
  }

  /** The answer is the same for all Secrets that no rule names. */
  #reaches(cluster: string, secrets: readonly string[]): readonly AccessPath[] {
    const access = this.#clusters.get(cluster);
    if (!access) return [];
    const names = this.#namesIn(access);
    const named = secrets.filter((secret) => names.has(secret));
    return this.#answer({access, secrets: named.length === secrets.length ? secrets : [...named, '']});
  }

  readonly #answer = memoizeByKey(
    ({access, secrets}: {readonly access: ClusterAccess; readonly secrets: readonly string[]}) =>
      accessPathsOf(access.rbac, {namespace: this.target.namespace, secrets}),
    ({access, secrets}) => [access.cluster, ...secrets].join('\n'),
  );

  /** Every name of an object in a rule. */
  readonly #namesIn = memoizeByKey(
    ({rbac}: ClusterAccess): ReadonlySet<string> =>
      new Set(rbac.roles.flatMap(({rules}) => rules.flatMap(({resourceNames}) => resourceNames))),
  );
}

function placeId({cluster, identity: {user}}: Place): string {
  return `${cluster}\n${subjectId(user)}`;
}
