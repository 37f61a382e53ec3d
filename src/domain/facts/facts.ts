/**
 * All facts that checks can require: one row per fact, with its type and the requests that it needs. Only the facts of the
 * selected checks are gathered (`src/observe`). Each is known, unknown with a reason, or omitted because of a flag.
 */
import type {RecordedHead} from '../journal/head.js';
import type {RbacFacts} from '../kube/rbac.js';
import type {IstiodCaSource} from '../istio/ca-source.js';
import type {RemoteCredential} from '../discovery/remote-secret.js';
import type {TokenVerdict} from '../discovery/token.js';
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import type {Observed} from '../observed.js';
import {limitOn, type LimitingFlag, type Limits} from './limits.js';
import {rbacReads, reads, type Read, type ReadName} from './requests.js';
import type * as ofCluster from './types/cluster.js';
import type * as ofDiscovery from './types/discovery.js';
import type * as ofGateways from './types/gateways.js';
import type {UsedHub} from './types/hubs.js';
import type * as ofIstiod from './types/istiod.js';
import type {TrafficFacts} from './types/traffic.js';
import type * as ofWorkDir from './types/work-directory.js';

export type * from './types/cluster.js';
export type * from './types/discovery.js';
export type * from './types/gateways.js';
export type * from './types/hubs.js';
export type * from './types/istiod.js';
export type * from './types/traffic.js';
export type * from './types/work-directory.js';

/** A fact with one part per istiod pod, such as a TLS handshake. Each part can be unknown. */
export class PerPod<T> {
  constructor(readonly parts: readonly {readonly name: string; readonly observed: Observed<T>}[]) {}
}

/** A fact with one part per other cluster, by its name in mesh.yaml. Each part can be unknown. */
export class PerCluster<T> extends PerPod<T> {
  #byName: ReadonlyMap<string, Observed<T>> | undefined;

  /** Returns the part about a cluster; undefined if there is none. Pairs grow with the square of the clusters. */
  about(name: string): Observed<T> | undefined {
    this.#byName ??= new Map(this.parts.map((part) => [part.name, part.observed]));
    return this.#byName.get(name);
  }
}

/** A known part. */
export interface PodPart<T> {
  readonly name: string;
  readonly value: T;
}

/** The stages of gathering: all facts of a stage are derived, in all clusters, before those of the next one. */
export const stages = ['own', 'across clusters', 'summary'] as const;
export type Stage = (typeof stages)[number];

/** How a fact is gathered. */
interface FactRow<T> {
  /** The requests without which the fact is unknown. */
  readonly reads: readonly ReadName[];
  /** Requests that it needs only in some meshes. If one that was sent fails, the fact is unknown as well, unless it is a shortcut. */
  readonly mayRead?: readonly ReadName[];
  /**
   * When it is derived: after the facts of all clusters, because it also needs those of other clusters, or last, because it
   * summarizes all other requests of its cluster. Absent: in any order.
   */
  readonly stage?: Exclude<Stage, 'own'>;
  /** Flags that do not omit it: it is then derived from files, or has the value `not read`. */
  readonly knownDespite?: readonly LimitingFlag[];
  /** For the type only. */
  readonly value?: T;
}

const fact = <T>(row: FactRow<T>): FactRow<T> => row;
const fromFiles = <T>(): FactRow<T> => ({reads: []});

/** The requests for control planes; every query of a running istiod also needs them. */
const controlPlane = ['deployments', 'pods', 'configMaps'] as const satisfies readonly ReadName[];
const live = [...controlPlane, 'forwardedPod', 'portForward'] as const satisfies readonly ReadName[];
/** The requests for the CA that istiod mounts. */
const mountedCa = ['deployments', 'cacerts', 'mountedCa'] as const satisfies readonly ReadName[];
/** If istiod excludes its own namespace, the bundles of other namespaces are read. */
const ofOtherBundles = ['namespaces', 'bundles'] as const satisfies readonly ReadName[];

/** Facts of the mesh and its work directory, one row each. */
const meshFacts = {
  declaration: fromFiles<ofWorkDir.DeclarationFacts>(),
  rootKey: fromFiles<ofWorkDir.RootKeyFacts>(),
  /** Gathered with every check: fixes depend on it. */
  issuing: fromFiles<ofWorkDir.IssuingFacts>(),
  /** Fingerprints of root-cert.pem at the top level of the work directory; empty if it does not exist. */
  meshRoots: fromFiles<readonly string[]>(),
  fileModes: fromFiles<readonly ofWorkDir.FileModeFacts[]>(),
  journal: fromFiles<ofWorkDir.JournalFacts>(),
  gitHistory: fromFiles<ofWorkDir.GitHistoryFacts>(),
  /** The certificate files, requests and install.yaml files with a private key. */
  keysInPublicFiles: fromFiles<readonly ofWorkDir.KeyInPublicFile[]>(),
} as const;

/** Facts of one cluster, one row each. `src/observe/facts` derives them. */
const clusterFacts = {
  caFiles: fromFiles<ofWorkDir.ClusterCaFacts>(),
  /** Where the cluster's istiods read their CA; empty without an istiod. */
  caSources: fact<readonly IstiodCaSource[]>({reads: ['deployments']}),
  // Secrets are read only if the work directory holds no CA.
  caOrigin: fact<ofCluster.CaOrigin>({
    reads: [],
    mayRead: [...mountedCa],
    knownDespite: ['--offline', '--no-secrets'],
  }),
  installFile: fromFiles<ofWorkDir.InstallFileFacts>(),
  apiVersion: fact<{readonly gitVersion: string; readonly major: number; readonly minor: number}>({reads: ['version']}),
  /** The number of requests that were not forbidden; if unknown, the reason names every missing permission. */
  access: fact<{readonly reads: number}>({reads: [], stage: 'summary'}),
  clusterUid: fact<string>({reads: ['kubeSystem']}),
  /** All roles and bindings. */
  rbac: fact<RbacFacts>({reads: rbacReads}),
  /** The subjects in other clusters whose credentials the remote secrets in Istio's namespace hold. */
  remoteCredentials: fact<readonly RemoteCredential[]>({reads: ['remoteSecrets']}),
  /** The remote secrets for the clusters that istiod has to read, and for its own, by these clusters. */
  remoteSecrets: fact<PerCluster<ofDiscovery.RemoteSecretFacts | 'absent'>>({
    reads: ['remoteSecret'],
    mayRead: ['listedRemoteSecrets'],
  }),
  /** Whether the cluster accepts the tokens in the remote secrets of the clusters that read it, by these clusters. */
  acceptedTokens: fact<PerCluster<TokenVerdict | 'no token'>>({
    reads: ['kubeSystem', 'remoteSecret', 'tokenReview'],
    stage: 'across clusters',
  }),
  /** Whether the service account exists as which other clusters read it. */
  readerAccount: fact<boolean>({reads: ['readerAccount']}),
  /** How other clusters reach its API server. */
  apiServer: fact<ofDiscovery.ApiServerFacts>({reads: ['configMaps']}),
  /** The Secret that istiod mounts, which is not always named cacerts; absent also if it mounts something else. */
  cacerts: fact<ofCluster.CacertsFacts | 'absent'>({reads: ['deployments', 'cacerts'], mayRead: ['mountedCa']}),
  /** Whether `trust push` would have to restart istiod, by its own rules; true if unknown. */
  restartOnPush: fact<boolean>({
    reads: [],
    mayRead: [...mountedCa, 'selfSigned', 'configMaps'],
  }),
  /** The public data of Secret cacerts, and the ConfigMaps, that contain a private key: `root-cert.pem in Secret …`. */
  publishedKeys: fact<readonly string[]>({
    reads: [...controlPlane, 'bundles'],
    mayRead: ['cacerts', 'mountedCa'],
    knownDespite: ['--no-secrets'],
  }),
  /** Secrets cacerts, cacerts-previous, istio-ca-secret and the one that istiod mounts that hold the key of a root of this mesh. */
  rootKeysInSecrets: fact<readonly ofCluster.RootKeyInSecret[]>({
    reads: ['deployments', 'cacerts', 'previous', 'selfSigned'],
    mayRead: ['mountedCa'],
  }),
  /** The self-signed root of istiod (Secret istio-ca-secret). */
  selfSignedRoot: fact<ofWorkDir.CertificateFacts | 'absent'>({reads: ['selfSigned']}),
  // With `--no-secrets` it is read from the work directory.
  pushedTrust: fact<ofCluster.PushedTrust | 'absent'>({
    reads: ['deployments', 'cacerts'],
    mayRead: ['mountedCa'],
    knownDespite: ['--no-secrets'],
  }),
  /** The journal heads recorded in the cluster. */
  journalHeads: fact<readonly RecordedHead[]>({reads: ['cacerts', 'configMaps']}),
  bundles: fact<readonly ofCluster.WrittenBundle[]>({reads: [...controlPlane, 'bundles']}),
  /** The roots that the cluster's workloads trust. */
  liveRoots: fact<ofCluster.LiveRoots | ofCluster.InClusterTrustBundle>({reads: controlPlane, mayRead: ofOtherBundles}),
  proxyRoots: fact<ofCluster.ProxyRoots>({reads: controlPlane, mayRead: [...ofOtherBundles, 'livingPods']}),
  webhooks: fact<readonly ofCluster.WebhookConfigurationFacts[]>({reads: ['mutatingWebhooks', 'validatingWebhooks']}),
  namespaces: fact<readonly ofCluster.NamespaceFacts[]>({reads: ['namespaces']}),
  controlPlanes: fact<readonly ofCluster.ControlPlaneFacts[]>({reads: controlPlane}),
  proxyCas: fact<readonly ofCluster.ProxyCa[]>({reads: controlPlane}),
  /** The control planes of other namespaces. */
  otherControlPlanes: fact<readonly ofCluster.OtherControlPlane[]>({
    reads: ['allIstiods', 'bundleLocks'],
    mayRead: ['meshConfigs'],
  }),
  /** The addresses of running pods in Istio's namespace, without those on the network of their node. */
  podAddresses: fact<readonly ofCluster.PodAddress[]>({reads: ['pods']}),
  gateways: fact<readonly ofCluster.GatewayFacts[]>({reads: ['deployments', 'pods']}),
  /** The names of ztunnel pods: in Istio's namespace, otherwise in any; empty without ambient mode. */
  ztunnelPods: fact<readonly string[]>({reads: ['pods', 'deployments'], mayRead: ['livingPods']}),
  /** The hubs of the images in Istio's namespace, and of those that the injector gives to proxies. */
  hubs: fact<readonly UsedHub[]>({reads: controlPlane}),
  /** Also empty if the mesh needs none; no request is sent then. */
  networkGateways: fact<readonly ofCluster.NetworkGatewayFacts[]>({
    reads: controlPlane,
    mayRead: ['networkServices', 'networkGateways', 'gatewayService', 'gatewayPods'],
  }),
  /** The Services in the cluster that istiod uses for a network, with their pods; empty if the mesh has one network. */
  eastWestGateways: fact<readonly ofGateways.EastWestGatewayFacts[]>({
    reads: ['pods', 'configMaps'],
    mayRead: ['networkServices', 'gatewayService', 'gatewayPods'],
  }),
  /** What configures them. `not read`: a remote's primary was not selected. */
  gatewayServers: fact<ofGateways.GatewayServersFacts | 'not read'>({
    reads: controlPlane,
    mayRead: ['istioGateways', 'networkGateways'],
    stage: 'across clusters',
  }),
  /** What they present for a service, where this machine can reach them. */
  gatewayChains: fact<ofGateways.GatewayChainsFacts>({
    reads: controlPlane,
    // Only where a gateway has an address.
    mayRead: ['forwardedPod', 'portForward', 'networkServices', 'gatewayService', 'gatewayPods', 'exposedService'],
    stage: 'across clusters',
  }),
  servedChains: fact<PerPod<ofIstiod.ServedChain>>({reads: live}),
  istiodMetrics: fact<PerPod<ofIstiod.IstiodMetrics>>({reads: live}),
  istiodClusters: fact<PerPod<ofIstiod.IstiodClusters>>({reads: live}),
  istiodDiscovery: fact<PerPod<ofIstiod.IstiodDiscovery>>({reads: live}),
  /**
   * The endpoints, read again in a reader that lacks services of a peer, and in that peer: a service that was created or deleted
   * between two requests is not missing. Empty where nothing is missing.
   */
  endpointsAgain: fact<PerPod<readonly ofIstiod.ClusterEndpoints[]>>({reads: live, stage: 'across clusters'}),
} as const;

/** Facts of one cluster that are measured, not read: `verify --traffic` adds them. */
const measuredFacts = {
  /** Requests to the other clusters, by these clusters. */
  traffic: fact<PerCluster<TrafficFacts>>({reads: []}),
  /** Requests within the cluster. */
  localTraffic: fact<TrafficFacts>({reads: []}),
} as const;

type ValueOf<Row> = Row extends FactRow<infer T> ? T : never;

/** Facts of the mesh and its work directory, by name. */
export type MeshFactValues = {readonly [Key in keyof typeof meshFacts]: ValueOf<(typeof meshFacts)[Key]>};
/** Facts that are read of one cluster, by name. */
export type ReadFactValues = {readonly [Key in keyof typeof clusterFacts]: ValueOf<(typeof clusterFacts)[Key]>};
/** Facts that are measured in one cluster, by name. */
export type MeasuredFactValues = {readonly [Key in keyof typeof measuredFacts]: ValueOf<(typeof measuredFacts)[Key]>};
/** Facts of one cluster, by name. */
export type ClusterFactValues = ReadFactValues & MeasuredFactValues;

export type MeshFactKey = keyof MeshFactValues;
export type ReadFactKey = keyof ReadFactValues;
export type ClusterFactKey = keyof ClusterFactValues;
export type FactKey = MeshFactKey | ClusterFactKey;

const rows: Readonly<Record<FactKey, FactRow<unknown>>> = {
  ...meshFacts,
  ...clusterFacts,
  ...measuredFacts,
};

/** Every fact that is read, in the order of the table. */
export const factKeys = Object.keys({...meshFacts, ...clusterFacts}) as readonly (MeshFactKey | ReadFactKey)[];

/** Whether a fact is one of the mesh, not of each cluster. */
export function isMeshFact(key: FactKey): key is MeshFactKey {
  return key in meshFacts;
}

/** Whether a fact is measured, not read. */
export function isMeasured(key: FactKey): key is keyof MeasuredFactValues {
  return key in measuredFacts;
}

/** When a fact is derived. */
export function stageOf(key: FactKey): Stage {
  return rows[key].stage ?? 'own';
}

/** Whether a fact summarizes the requests of all others. */
export function summarizesOthers(key: FactKey): boolean {
  return stageOf(key) === 'summary';
}

/** All requests that a fact may need. */
export function readsOf(key: FactKey): readonly ReadName[] {
  const {reads, mayRead = []} = rows[key];
  return [...reads, ...mayRead];
}

/** Whether a fact is unknown if a request of it, once sent, is forbidden. */
export function dependsOnRequest(key: FactKey, name: ReadName): boolean {
  const read: Read = reads[name];
  const {reads: required, mayRead = []} = rows[key];
  if (required.includes(name)) return true;
  // A request that is sent only in some meshes was sent because the fact needed it.
  const isNeededOnceSent = read.method !== 'raw' && read.when !== undefined && read.isShortcut !== true;
  return mayRead.includes(name) && isNeededOnceSent;
}

/** The flag that omits a fact; undefined if it is gathered. */
export function limitOnFact(key: FactKey, limits: Limits): LimitingFlag | undefined {
  const {knownDespite = []} = rows[key];
  if (summarizesOthers(key)) return limits.offline === true ? '--offline' : undefined;
  const flags = readsOf(key).flatMap((name) => limitOn(name, limits) ?? []);
  return flags.find((flag) => !knownDespite.includes(flag));
}

const reasons: Readonly<Record<LimitingFlag, string>> = {
  '--offline': '--offline: no cluster was contacted',
  '--access': 'without --access: RBAC was not read',
  '--no-live': '--no-live: istiod was not queried',
  '--no-secrets': '--no-secrets: no Secret was read',
};

/** Why a fact is not gathered, as a text with the flag; undefined if it is. */
export function omittedBy(key: FactKey, limits: Limits): string | undefined {
  const flag = limitOnFact(key, limits);
  return flag && reasons[flag];
}

/** A fact: known, unknown with the reason, or omitted because of a flag. */
export type Fact<T> = Observed<T> | {readonly omitted: string};

/** The gathered facts, by name. A fact that no selected check requires is absent. */
export type Facts<Values> = {readonly [Key in keyof Values]?: Fact<Values[Key]>};

/** The input of the judge. */
export interface Evidence {
  readonly now: Date;
  readonly mesh: Mesh;
  readonly facts: Facts<MeshFactValues>;
  readonly clusters: readonly {readonly cluster: MeshCluster; readonly facts: Facts<ClusterFactValues>}[];
}
