/**
 * Who reaches the CA key of one cluster from another: whoever reads a remote secret is, in the cluster that it leads to, the
 * service account whose token it holds, which may read Secrets there, remote secrets among them. Followed over as many
 * clusters as there are.
 */
import type {RbacFacts} from '../kube/rbac.js';
import type {Target} from './paths.js';
import {isWhole, reachesBy, reachesOf, type Reach} from './reach.js';
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
  readonly reach: Reach;
  /** From the first remote secret on; never empty. */
  readonly path: readonly Step[];
}

/** A remote secret of which nobody can tell to whom it leads. */
export interface UnknownStep {
  readonly cluster: string;
  readonly secret: string;
  readonly leadsTo: string;
}

/** Somebody in one cluster, and what that one can do there. */
interface Place {
  readonly cluster: string;
  readonly identity: Identity;
  /** How it reaches the key of that cluster; absent where it does not. */
  readonly key: Reach | undefined;
  /** The remote secrets that it reaches. */
  readonly further: readonly {readonly remote: RemoteCredential; readonly by: Reach}[];
}

type Identity = NonNullable<RemoteCredential['identity']>;

/** Judges clusters, each question once: in a mesh of sixty clusters that all know each other there are many the same. */
export class AccessJudge {
  readonly #clusters: ReadonlyMap<string, ClusterAccess>;
  readonly #answers = new Map<string, readonly Reach[]>();
  readonly #named = new Map<string, ReadonlySet<string>>();
  readonly #places = new Map<string, Place>();
  readonly #journeys = new Map<string, ReadonlyMap<string, readonly Step[]>>();

  constructor(
    clusters: readonly ClusterAccess[],
    /** Where the keys are. */
    private readonly target: Target,
  ) {
    this.#clusters = new Map(clusters.map((one) => [one.cluster, one]));
  }

  /** Who reaches the key of this cluster's CA from within it. */
  own(cluster: string): readonly Reach[] {
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

  #remoteFrom(from: ClusterAccess): readonly RemoteReach[] {
    // Secrets that the same subjects reach in the same way, which is most of them, are looked at together.
    const together = new Map<readonly Reach[], Map<string, readonly Step[]>>();
    for (const remote of from.remotes) {
      const {identity} = remote;
      // One of the own cluster is none that istiod uses, and a token all the same.
      if (!identity) continue;
      const reaches = this.#reaches(from.cluster, [remote.secret]);
      const paths = together.get(reaches) ?? new Map<string, readonly Step[]>();
      together.set(reaches, paths);
      const first = {cluster: from.cluster, secret: remote.secret, leadsTo: remote.cluster, as: identity.user};
      for (const [target, rest] of this.#journey(remote.cluster, identity)) {
        const before = paths.get(target);
        if (!before || rest.length + 1 < before.length) paths.set(target, [first, ...rest]);
      }
    }
    const known = new Set(
      this.own(from.cluster)
        .filter(isWhole)
        .map(({subject}) => subjectId(subject)),
    );
    const found = new Map<string, RemoteReach>();
    for (const [reaches, paths] of together) {
      for (const reach of reaches.filter(isWhole)) {
        const id = subjectId(reach.subject);
        for (const [target, path] of paths) {
          // Who reaches it at home needs no journey.
          if (target === from.cluster && known.has(id)) continue;
          const key = [target, id, bindingsOf(reach)].join('\n');
          const before = found.get(key);
          if (!before || path.length < before.path.length) found.set(key, {from: from.cluster, target, reach, path});
        }
      }
    }
    return [...found.values()];
  }

  /** The clusters whose keys somebody in a cluster reaches, each with the steps from there: none for that cluster's own. */
  #journey(cluster: string, identity: Identity): ReadonlyMap<string, readonly Step[]> {
    const key = placeKey(cluster, identity);
    const before = this.#journeys.get(key);
    if (before) return before;
    const targets = new Map<string, readonly Step[]>();
    const visited = new Set([key]);
    let edge: readonly {readonly place: Place; readonly way: readonly Step[]}[] = this.#clusters.has(cluster)
      ? [{place: this.#place(cluster, identity), way: []}]
      : [];
    while (edge.length > 0) {
      const next: (typeof edge)[number][] = [];
      for (const {place, way} of edge) {
        if (place.key && !targets.has(place.cluster)) targets.set(place.cluster, way);
        for (const {remote} of place.further) {
          const {identity: as, cluster: leadsTo, secret} = remote;
          if (!as || !this.#clusters.has(leadsTo)) continue;
          const there = placeKey(leadsTo, as);
          if (visited.has(there)) continue;
          visited.add(there);
          next.push({
            place: this.#place(leadsTo, as),
            way: [...way, {cluster: place.cluster, secret, leadsTo, as: as.user}],
          });
        }
      }
      edge = next;
    }
    this.#journeys.set(key, targets);
    return targets;
  }

  #place(cluster: string, identity: Identity): Place {
    const key = placeKey(cluster, identity);
    const before = this.#places.get(key);
    if (before) return before;
    const [own] = this.#reachesAs(cluster, identity, this.target.secrets);
    const further = (this.#clusters.get(cluster)?.remotes ?? []).flatMap((remote) => {
      const [by] = this.#reachesAs(cluster, identity, [remote.secret]);
      return by ? [{remote, by}] : [];
    });
    const place = {cluster, identity, key: own, further};
    this.#places.set(key, place);
    return place;
  }

  #reachesAs(cluster: string, {user, groups}: Identity, secrets: readonly string[]): readonly Reach[] {
    const all = this.#reaches(cluster, secrets);
    return [user, ...groups].flatMap((subject) => reachesBy(all, subject));
  }

  /** The answer is the same for all Secrets that no rule names. */
  #reaches(cluster: string, secrets: readonly string[]): readonly Reach[] {
    const access = this.#clusters.get(cluster);
    if (!access) return [];
    const names = this.#namesIn(access);
    const named = secrets.filter((secret) => names.has(secret));
    const asked = named.length === secrets.length ? secrets : [...named, ''];
    const key = [cluster, ...asked].join('\n');
    const before = this.#answers.get(key);
    if (before) return before;
    const answer = reachesOf(access.rbac, {namespace: this.target.namespace, secrets: asked});
    this.#answers.set(key, answer);
    return answer;
  }

  /** Every name of an object in a rule. */
  #namesIn({cluster, rbac}: ClusterAccess): ReadonlySet<string> {
    const before = this.#named.get(cluster);
    if (before) return before;
    const names = new Set(rbac.roles.flatMap(({rules}) => rules.flatMap(({resourceNames}) => resourceNames)));
    this.#named.set(cluster, names);
    return names;
  }
}

function placeKey(cluster: string, {user}: Identity): string {
  return `${cluster}\n${subjectId(user)}`;
}

function bindingsOf({grants}: Reach): string {
  return grants.map(({binding}) => `${binding.kind}/${binding.namespace ?? ''}/${binding.name}`).join();
}
