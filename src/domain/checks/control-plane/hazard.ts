/** A known issue of certain Istio versions, as data. */
import type {CacertsFacts} from '../../facts/facts.js';
import type {AffectedReleases} from '../../istio/since.js';
import type {Severity} from '../check.js';

/** The facts about one running istiod that a hazard may depend on. */
export interface HazardFacts {
  readonly now: Date;
  /** istiod's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Undefined: the Secret does not exist. */
  readonly cacerts: CacertsFacts | undefined;
  /** Whether Secret istio-ca-secret exists. */
  readonly hasOwnRoot: boolean;
  /** Whether a ztunnel runs: ambient mode. */
  readonly hasZtunnel: boolean;
  /** The remote clusters whose primary is this cluster. */
  readonly remotes: readonly string[];
  /** Whether istiod's ConfigMap for revocation lists contains any. */
  readonly publishesLists: boolean;
  /** Whether mesh.yaml contains `trust.rotationReady: true`. */
  readonly rotationDeclared: boolean;
  /** The clusters that its pods read through remote secrets. */
  readonly readClusters: readonly ReadCluster[];
  /** Whether the mesh's clusters are on several networks. */
  readonly spansNetworks: boolean;
  /** The namespaces into whose pods this istiod injects sidecars. */
  readonly sidecarNamespaces: readonly string[];
  /** Whether the mesh config makes every Service global. */
  readonly allServicesGlobal: boolean;
}

/**
 * Whether a running istiod still has what it read in a cluster: `kept`, `lost`, or `unclear` if it lacks something that may not
 * exist.
 */
export type Evidence = 'kept' | 'lost' | 'unclear';

/** A cluster that an istiod pod reads through a remote secret. Absent fields are unknown. */
export interface ReadCluster {
  readonly pod: string;
  /** Its name for Istio. */
  readonly cluster: string;
  /** Whether its remote secret changed after the process started; the first creation is no change. */
  readonly changed?: boolean;
  readonly isSynced?: boolean;
  readonly endpoints?: Evidence;
  readonly gateways?: Evidence;
}

/**
 * What fixes a hazard: a push of Secret cacerts from the work directory (with a restart if required), a new cluster CA, an
 * installation as declared, a later version, the removal of revocation lists from cacerts, a restart, a declaration in
 * mesh.yaml, or a variable of istiod's environment.
 */
export type HazardFix =
  | {readonly by: 'push' | 'renew' | 'reinstall' | 'upgrade' | 'no lists' | 'restart'}
  /** `note`: what to declare. */
  | {readonly by: 'declare'; readonly note: string}
  | {readonly by: 'environment'; readonly name: string; /** Absent: remove it. */ readonly value?: string};

/** The observed condition of a hazard, as a clause, with what depends on the observation. */
export interface Condition {
  readonly text: string;
  /** Absent: the hazard's. */
  readonly severity?: Severity;
  /** Whether it is not proven that the condition has the consequence; absent: false. */
  readonly isUnproven?: boolean;
}

/** One known hazard. */
export interface Hazard extends AffectedReleases {
  /** Stable, for tests and documentation. */
  readonly id: string;
  /** The behavior of the affected versions. */
  readonly title: string;
  /** Absent: error. */
  readonly severity?: 'warning';
  /** The observed condition. Undefined: the hazard does not apply. */
  readonly applies: (facts: HazardFacts) => string | Condition | undefined;
  /** The consequence, as a clause. */
  readonly consequence: string;
  /** The expected state. */
  readonly expected: string;
  readonly fix: HazardFix;
  /** The checks that cannot be ok because of it. Absent: none. */
  readonly implies?: readonly string[];
  readonly source: string;
}
