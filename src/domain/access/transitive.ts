/**
 * Who reaches the CA key of one cluster from another: whoever reads a remote secret is, in the cluster that it leads to, the
 * service account whose token it holds, which may read Secrets there, remote secrets among them. Followed over as many
 * clusters as there are.
 */
import type {RbacFacts} from './rbac.js';
import {caSecrets} from './paths.js';
import {isWhole, reachesBy, reachesOf} from './reach.js';
import type {Reach} from './reach.js';
import type {RemoteCredential} from './remote-credentials.js';
import {subjectId} from './subjects.js';
import type {Subject} from './subjects.js';

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
  /** By what that one reaches what it is after there. */
  readonly by: Reach;
}

/** A subject of one cluster that reaches the CA key of another. */
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

/** Judges clusters, each question once. */
export class AccessJudge {
  readonly #clusters: ReadonlyMap<string, ClusterAccess>;
  readonly #answers = new Map<string, readonly Reach[]>();

  constructor(
    clusters: readonly ClusterAccess[],
    /** Istio's. */
    private readonly namespace: string,
  ) {
    this.#clusters = new Map(clusters.map((one) => [one.cluster, one]));
  }

  /** Who reaches the key of this cluster's CA from within it. */
  own(cluster: string): readonly Reach[] {
    return this.#reaches(cluster, caSecrets);
  }

  /** Who reaches the CA keys of other clusters through a remote secret: each subject once for each key, the shortest way. */
  remote(): readonly RemoteReach[] {
    return [...this.#clusters.values()].flatMap((from) => this.#remoteFrom(from));
  }

  /** Remote secrets whose holder is not known, and that lead to a cluster that was looked at. */
  unknown(): readonly UnknownStep[] {
    return [...this.#clusters.values()].flatMap(({cluster, remotes}) =>
      remotes
        .filter((one) => one.identity === undefined && one.cluster !== cluster && this.#clusters.has(one.cluster))
        .map(({secret, cluster: leadsTo}) => ({cluster, secret, leadsTo})),
    );
  }

  #remoteFrom(from: ClusterAccess): readonly RemoteReach[] {
    const found = from.remotes.flatMap((remote) => {
      const paths = this.#pathsFrom(from, remote);
      if (paths.length === 0) return [];
      return this.#reaches(from.cluster, [remote.secret])
        .filter(isWhole)
        .flatMap((reach) =>
          paths.map((path): RemoteReach => ({
            from: from.cluster,
            target: path.at(-1)?.leadsTo ?? '',
            reach,
            path,
          })),
        );
    });
    const shortest = new Map<string, RemoteReach>();
    for (const one of found) {
      const key = [one.from, one.target, subjectId(one.reach.subject), bindingsOf(one.reach)].join('\n');
      const before = shortest.get(key);
      if (!before || one.path.length < before.path.length) shortest.set(key, one);
    }
    return [...shortest.values()];
  }

  /** The shortest path to each cluster whose key is reached with what a remote secret holds. */
  #pathsFrom(start: ClusterAccess, first: RemoteCredential): readonly (readonly Step[])[] {
    const paths: (readonly Step[])[] = [];
    // Another holder in the same cluster may reach more there.
    const visited = new Set<string>();
    let edge: readonly {
      readonly at: ClusterAccess;
      readonly remote: RemoteCredential;
      readonly way: readonly Step[];
    }[] = [{at: start, remote: first, way: []}];
    while (edge.length > 0) {
      const next: (typeof edge)[number][] = [];
      for (const {at, remote, way} of edge) {
        const there = this.#clusters.get(remote.cluster);
        if (!there || !remote.identity || there.cluster === start.cluster) continue;
        const visit = `${there.cluster}\n${subjectId(remote.identity.user)}`;
        if (visited.has(visit)) continue;
        visited.add(visit);
        const step = (by: Reach, as: Subject): Step => ({
          cluster: at.cluster,
          secret: remote.secret,
          leadsTo: there.cluster,
          as,
          by,
        });
        const [key] = this.#reachesAs(there, remote.identity, caSecrets);
        if (key) paths.push([...way, step(key, remote.identity.user)]);
        for (const further of there.remotes) {
          const [by] = this.#reachesAs(there, remote.identity, [further.secret]);
          if (by) next.push({at: there, remote: further, way: [...way, step(by, remote.identity.user)]});
        }
      }
      edge = next;
    }
    return paths;
  }

  #reachesAs(
    {cluster}: ClusterAccess,
    {user, groups}: NonNullable<RemoteCredential['identity']>,
    secrets: readonly string[],
  ): readonly Reach[] {
    const all = this.#reaches(cluster, secrets);
    return [user, ...groups].flatMap((subject) => reachesBy(all, subject));
  }

  /** The answer is the same for all Secrets that no rule names. */
  #reaches(cluster: string, secrets: readonly string[]): readonly Reach[] {
    const access = this.#clusters.get(cluster);
    if (!access) return [];
    const named = secrets.filter((secret) => this.#isNamed(access, secret));
    const asked = named.length === secrets.length ? secrets : [...named, ''];
    const key = [cluster, ...asked].join('\n');
    const before = this.#answers.get(key);
    if (before) return before;
    const answer = reachesOf(access.rbac, {namespace: this.namespace, secrets: asked});
    this.#answers.set(key, answer);
    return answer;
  }

  #isNamed({rbac}: ClusterAccess, secret: string): boolean {
    return rbac.roles.some(({rules}) => rules.some(({resourceNames}) => resourceNames.includes(secret)));
  }
}

function bindingsOf({grants}: Reach): string {
  return grants.map(({binding}) => `${binding.kind}/${binding.namespace ?? ''}/${binding.name}`).join();
}
