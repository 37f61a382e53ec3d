/**
 * Everything checks may need to know, by name. `operations/verify` gathers only what the selected checks name; each
 * fact is a value, unknown with the reason, or left out on purpose.
 */
import type {RbacFacts} from '../access/rbac.js';
import type {RemoteCredential} from '../access/remote-credentials.js';
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import type {Observed} from '../observed.js';
import type {CaOrigin} from './facts/ca-origin.js';
import type {ControlPlaneFacts, GatewayFacts, NamespaceFacts} from './facts/control-plane.js';
import type {
  CertificateFacts,
  ClusterCaFacts,
  DeclarationFacts,
  FileModeFacts,
  GitHistoryFacts,
  InstallFileFacts,
  RootKeyFacts,
} from './facts/files.js';
import type {JournalFacts, RememberedHead} from './facts/journal.js';
import type {IstiodClusters, IstiodMetrics, ServedChain} from './facts/live.js';
import type {NetworkGatewayFacts} from './facts/network-gateways.js';
import type {ProxyRoots} from './facts/proxies.js';
import type {LiveRoots, LiveRootsElsewhere} from './facts/roots.js';
import type {CacertsContents, CacertsFacts, PushedTrust, WrittenBundle} from './facts/trust.js';
import type {WebhookConfigurationFacts} from './facts/webhooks.js';

export type * from './facts/ca-origin.js';
export type * from './facts/control-plane.js';
export type * from './facts/files.js';
export type * from './facts/journal.js';
export type * from './facts/live.js';
export type * from './facts/network-gateways.js';
export type * from './facts/proxies.js';
export type * from './facts/roots.js';
export type * from './facts/trust.js';
export type * from './facts/webhooks.js';

/** A fact made of parts that can be unknown one by one, such as one TLS handshake for each istiod pod. */
export class Parts<T> {
  constructor(readonly parts: readonly {readonly name: string; readonly seen: Observed<T>}[]) {}
}

/** A part that is known. */
export interface Part<T> {
  readonly name: string;
  readonly value: T;
}

/** Facts of the mesh and its work directory. */
export interface MeshFactValues {
  readonly declaration: DeclarationFacts;
  readonly rootKey: RootKeyFacts;
  /** Fingerprints of root-cert.pem at the top of the work directory; empty when there is none. */
  readonly meshRoots: readonly string[];
  readonly fileModes: readonly FileModeFacts[];
  readonly journal: JournalFacts;
  readonly gitHistory: GitHistoryFacts;
}

/** Facts of one cluster. */
export interface ClusterFactValues {
  readonly caFiles: ClusterCaFacts;
  readonly caOrigin: CaOrigin;
  readonly installFile: InstallFileFacts;
  readonly apiVersion: {readonly gitVersion: string; readonly major: number; readonly minor: number};
  /** What was read without being refused; unknown names the first right that is missing. */
  readonly access: {readonly reads: number};
  readonly clusterUid: string;
  /** All roles and bindings. */
  readonly rbac: RbacFacts;
  /** Whom the remote secrets in Istio's namespace make of their readers in other clusters. */
  readonly remoteCredentials: readonly RemoteCredential[];
  readonly cacerts: CacertsFacts | 'absent';
  /** What lies in Secret cacerts, whatever the work directory holds. */
  readonly cacertsContents: CacertsContents | 'absent';
  /** Whether `trust push` would have to restart istiod, by its own rules; true where that cannot be told. */
  readonly restartOnPush: boolean;
  /** Fingerprint of the root that istiod made for itself (Secret istio-ca-secret). */
  readonly selfSignedRoot: CertificateFacts | 'absent';
  readonly pushedTrust: PushedTrust | 'absent';
  /** What the cluster remembers of the journal; empty where it remembers nothing. */
  readonly journalHeads: readonly RememberedHead[];
  readonly bundles: readonly WrittenBundle[];
  /** What the cluster's workloads trust. */
  readonly liveRoots: LiveRoots | LiveRootsElsewhere;
  readonly proxyRoots: ProxyRoots;
  readonly webhooks: readonly WebhookConfigurationFacts[];
  readonly namespaces: readonly NamespaceFacts[];
  readonly controlPlanes: readonly ControlPlaneFacts[];
  readonly gateways: readonly GatewayFacts[];
  /** The names of ztunnel's pods in Istio's namespace; empty where there is no ambient mode. */
  readonly ztunnelPods: readonly string[];
  /** Empty, too, where the mesh needs none: then nothing is asked. */
  readonly networkGateways: readonly NetworkGatewayFacts[];
  readonly servedChains: Parts<ServedChain>;
  readonly istiodMetrics: Parts<IstiodMetrics>;
  readonly istiodClusters: Parts<IstiodClusters>;
}

export type MeshFactKey = keyof MeshFactValues;
export type ClusterFactKey = keyof ClusterFactValues;
export type FactKey = MeshFactKey | ClusterFactKey;

/** Where a fact is read: what a flag such as `--offline` leaves out hangs on it. */
export type FactSource = 'work directory' | 'API server' | 'Secret' | 'live istiod';

/** What has to be known of a fact to gather it. */
interface FactOrigin {
  /** Whether there is one of it, or one for each cluster. */
  readonly of: 'mesh' | 'cluster';
  readonly from: FactSource;
  /** Gathered only where this flag asks for it. */
  readonly onRequest?: '--access';
}

/** Every fact, a line each. */
export const factOrigins: Readonly<Record<FactKey, FactOrigin>> = {
  declaration: {of: 'mesh', from: 'work directory'},
  rootKey: {of: 'mesh', from: 'work directory'},
  meshRoots: {of: 'mesh', from: 'work directory'},
  fileModes: {of: 'mesh', from: 'work directory'},
  journal: {of: 'mesh', from: 'work directory'},
  gitHistory: {of: 'mesh', from: 'work directory'},
  caFiles: {of: 'cluster', from: 'work directory'},
  // Asks the cluster only where the work directory has nothing, and says itself where it may not.
  caOrigin: {of: 'cluster', from: 'work directory'},
  installFile: {of: 'cluster', from: 'work directory'},
  apiVersion: {of: 'cluster', from: 'API server'},
  access: {of: 'cluster', from: 'API server'},
  clusterUid: {of: 'cluster', from: 'API server'},
  rbac: {of: 'cluster', from: 'API server', onRequest: '--access'},
  remoteCredentials: {of: 'cluster', from: 'Secret', onRequest: '--access'},
  cacerts: {of: 'cluster', from: 'Secret'},
  cacertsContents: {of: 'cluster', from: 'Secret'},
  restartOnPush: {of: 'cluster', from: 'Secret'},
  selfSignedRoot: {of: 'cluster', from: 'Secret'},
  journalHeads: {of: 'cluster', from: 'Secret'},
  // With --no-secrets it is taken from the work directory.
  pushedTrust: {of: 'cluster', from: 'API server'},
  bundles: {of: 'cluster', from: 'API server'},
  liveRoots: {of: 'cluster', from: 'API server'},
  proxyRoots: {of: 'cluster', from: 'API server'},
  webhooks: {of: 'cluster', from: 'API server'},
  namespaces: {of: 'cluster', from: 'API server'},
  controlPlanes: {of: 'cluster', from: 'API server'},
  gateways: {of: 'cluster', from: 'API server'},
  ztunnelPods: {of: 'cluster', from: 'API server'},
  networkGateways: {of: 'cluster', from: 'API server'},
  servedChains: {of: 'cluster', from: 'live istiod'},
  istiodMetrics: {of: 'cluster', from: 'live istiod'},
  istiodClusters: {of: 'cluster', from: 'live istiod'},
};

/** Whether there is one of a fact, not one for each cluster. */
export function isMeshFact(key: FactKey): key is MeshFactKey {
  return factOrigins[key].of === 'mesh';
}

/** A fact: known, unknown with the reason, or left out because a flag said so. */
export type Fact<T> = Observed<T> | {readonly leftOut: string};

/** The facts gathered, by name. A fact that no selected check needs is not there. */
export type Facts<Values> = {readonly [Key in keyof Values]?: Fact<Values[Key]>};

/** Everything the judge is given. */
export interface Evidence {
  readonly now: Date;
  readonly mesh: Mesh;
  readonly facts: Facts<MeshFactValues>;
  readonly clusters: readonly {readonly cluster: MeshCluster; readonly facts: Facts<ClusterFactValues>}[];
}
