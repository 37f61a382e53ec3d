/** The sources from which a cluster's facts are derived. */
import type {ReadFactKey, ReadFactValues, PerPod} from '../domain/facts/facts.js';
import type {Mesh, MeshCluster} from '../domain/mesh/mesh.js';
import type {Limits} from '../domain/facts/limits.js';
import type {IstiodCaSource} from '../domain/istio/ca-source.js';
import type {CacertsSecret} from '../domain/trust/cacerts.js';
import type {DesiredCa} from '../domain/trust/diff.js';
import type {Deps} from '../engine/deps.js';
import type {JournalState} from '../workspace/workspace.js';
import type {Reads} from './cluster-reader.js';
import type {IstiodPod} from './istiod-pods.js';

/** The cluster to observe, with its dependencies and limits. */
export interface ObservedCluster {
  readonly deps: Deps;
  readonly mesh: Mesh;
  readonly cluster: MeshCluster;
  readonly limits: Limits;
  /** Read once for all clusters. */
  readonly journal: () => Promise<JournalState>;
  /** The facts of all observed clusters, this one included, for facts that need several clusters; by name. */
  readonly all: ReadonlyMap<string, Pick<ClusterFacts, 'fact'>>;
}

/** The facts of one cluster. */
export interface ClusterFacts {
  /** Returns a fact. Throws the reason why it is unknown. */
  fact<Key extends ReadFactKey>(key: Key): Promise<ReadFactValues[Key]>;
  /** Closes all connections to pods. */
  close(): Promise<void>;
}

/** The sources of one fact: the requests of its row, and other facts that need only those requests. */
export interface FactSources extends ObservedCluster {
  readonly reads: Reads;
  /** Another fact of the same cluster. */
  readonly fact: <Key extends ReadFactKey>(key: Key) => Promise<ReadFactValues[Key]>;
  /** Secret cacerts, whether or not istiod mounts it. */
  readonly cacerts: () => Promise<CacertsSecret | 'absent'>;
  /** Where istiods read their CA. */
  readonly caSources: () => Promise<readonly IstiodCaSource[]>;
  /** The CA that istiods mount, if it is a Secret. */
  readonly mountedCa: () => Promise<CacertsSecret | 'absent'>;
  /** The cluster CA in the work directory. */
  readonly workDirCa: () => Promise<DesiredCa>;
  /** Queries every running istiod pod. A revision without one is unknown, never ok. */
  readonly queryIstiods: <T>(query: (pod: IstiodPod) => Promise<T>) => Promise<PerPod<T>>;
  /** Summarizes the cluster's requests so far. */
  readonly summary: () => Promise<{readonly reads: number}>;
}

/** Derives a fact. */
export type Derive<Key extends ReadFactKey> = (sources: FactSources) => Promise<ReadFactValues[Key]>;
/** Derives several facts. */
export type Derivations<Keys extends ReadFactKey> = {readonly [Key in Keys]: Derive<Key>};
