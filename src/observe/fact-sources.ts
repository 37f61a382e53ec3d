/** What the facts of a cluster are derived from. */
import type {ClusterFactKey, ClusterFactValues, PerPod} from '../domain/facts/facts.js';
import type {Mesh, MeshCluster} from '../domain/mesh/mesh.js';
import type {Limits} from '../domain/facts/limits.js';
import type {CacertsSecret} from '../domain/trust/cacerts.js';
import type {OwnCa} from '../domain/trust/diff.js';
import type {Deps} from '../engine/deps.js';
import type {JournalState} from '../workspace/workspace.js';
import type {Reads} from './cluster-reader.js';
import type {IstiodPod} from './istiod-pods.js';

/** What is observed. */
export interface ObservedCluster {
  readonly deps: Deps;
  readonly mesh: Mesh;
  readonly cluster: MeshCluster;
  readonly limits: Limits;
  /** Read once for all clusters. */
  readonly journal: () => Promise<JournalState>;
}

/** What one fact is derived from: the requests of its row, and other facts that rest on no other requests. */
export interface FactSources extends ObservedCluster {
  readonly reads: Reads;
  /** Another fact of the same cluster. */
  readonly fact: <Key extends ClusterFactKey>(key: Key) => Promise<ClusterFactValues[Key]>;
  /** Secret cacerts. */
  readonly cacerts: () => Promise<CacertsSecret | 'absent'>;
  /** The cluster's CA as the work directory has it. */
  readonly ownCa: () => Promise<OwnCa>;
  /** Asks every running istiod pod. A revision without one is unknown, never fine. */
  readonly queryIstiods: <T>(question: (pod: IstiodPod) => Promise<T>) => Promise<PerPod<T>>;
  /** Sums up all requests of the cluster so far. */
  readonly summary: () => Promise<{readonly reads: number}>;
}

/** How a fact is derived. */
export type Derive<Key extends ClusterFactKey> = (sources: FactSources) => Promise<ClusterFactValues[Key]>;
/** How some facts are derived. */
export type Derivations<Keys extends ClusterFactKey> = {readonly [Key in Keys]: Derive<Key>};
