/**
 * Everything checks may need to know: a row for each fact says of which type it is and which requests it needs. Only what
 * the selected checks name is gathered (`src/observe`); each fact is a value, unknown with the reason, or left out on purpose.
 */
import type {RememberedHead} from '../journal/head.js';
import type {RbacFacts} from '../kube/rbac.js';
import type {RemoteCredential} from '../istio/remote-secret.js';
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import type {Observed} from '../observed.js';
import {limitOn, type LimitingFlag, type Limits} from './limits.js';
import {rbacReads, reads, type Read, type ReadName} from './requests.js';
import type * as ofCluster from './types/cluster.js';
import type * as ofWorkDir from './types/work-directory.js';

export type * from './types/cluster.js';
export type * from './types/work-directory.js';

/** A fact made of parts that can be unknown one by one, such as one TLS handshake for each istiod pod. */
export class PerPod<T> {
  constructor(readonly parts: readonly {readonly name: string; readonly observed: Observed<T>}[]) {}
}

/** A part that is known. */
export interface Part<T> {
  readonly name: string;
  readonly value: T;
}

/** What has to be known of a fact to gather it. */
interface FactRow<T> {
  /** The requests without which it is not known. */
  readonly reads: readonly ReadName[];
  /** Requests that it needs in some meshes only. Where the request of such a row fails, the fact is not known either. */
  readonly mayRead?: readonly ReadName[];
  /** Sums up every other request of its cluster: derived after all others. */
  readonly last?: true;
  /** Flags in spite of which it is known: from files, or as "not asked". */
  readonly knownDespite?: readonly LimitingFlag[];
  /** Carries the type only. */
  readonly value?: T;
}

const fact = <T>(row: FactRow<T>): FactRow<T> => row;
const fromFiles = <T>(): FactRow<T> => ({reads: []});

/** What tells of control planes: everything that a running istiod is asked hangs on it, too. */
const controlPlane = ['deployments', 'pods', 'configMaps'] as const satisfies readonly ReadName[];
const live = [...controlPlane, 'forwardedPod', 'portForward'] as const satisfies readonly ReadName[];
/** Where istiod leaves its own namespace out, the bundles of others are read. */
const ofOtherBundles = ['namespaces', 'bundles'] as const satisfies readonly ReadName[];

/** Facts of the mesh and its work directory, a row each. */
const meshFacts = {
  declaration: fromFiles<ofWorkDir.DeclarationFacts>(),
  rootKey: fromFiles<ofWorkDir.RootKeyFacts>(),
  /** Fingerprints of root-cert.pem at the top of the work directory; empty when there is none. */
  meshRoots: fromFiles<readonly string[]>(),
  fileModes: fromFiles<readonly ofWorkDir.FileModeFacts[]>(),
  journal: fromFiles<ofWorkDir.JournalFacts>(),
  gitHistory: fromFiles<ofWorkDir.GitHistoryFacts>(),
} as const;

/** Facts of one cluster, a row each. `src/observe/facts` derives them. */
const clusterFacts = {
  caFiles: fromFiles<ofWorkDir.ClusterCaFacts>(),
  // The cluster is asked only where the work directory has nothing.
  caOrigin: fact<ofCluster.CaOrigin>({
    reads: [],
    mayRead: ['cacerts'],
    knownDespite: ['--offline', '--no-secrets'],
  }),
  installFile: fromFiles<ofWorkDir.InstallFileFacts>(),
  apiVersion: fact<{readonly gitVersion: string; readonly major: number; readonly minor: number}>({reads: ['version']}),
  /** What was read without being refused; unknown names every right that is missing. */
  access: fact<{readonly reads: number}>({reads: [], last: true}),
  clusterUid: fact<string>({reads: ['kubeSystem']}),
  /** All roles and bindings. */
  rbac: fact<RbacFacts>({reads: rbacReads}),
  /** Whom the remote secrets in Istio's namespace make of their readers in other clusters. */
  remoteCredentials: fact<readonly RemoteCredential[]>({reads: ['remoteSecrets']}),
  cacerts: fact<ofCluster.CacertsFacts | 'absent'>({reads: ['cacerts']}),
  /** Whether `trust push` would have to restart istiod, by its own rules; true where that cannot be told. */
  restartOnPush: fact<boolean>({
    reads: [],
    mayRead: ['cacerts', 'selfSigned', 'deployments', 'configMaps'],
  }),
  /** Fingerprint of the root that istiod made for itself (Secret istio-ca-secret). */
  selfSignedRoot: fact<ofWorkDir.CertificateFacts | 'absent'>({reads: ['selfSigned']}),
  // Without Secrets it is taken from the work directory.
  pushedTrust: fact<ofCluster.PushedTrust | 'absent'>({reads: ['cacerts'], knownDespite: ['--no-secrets']}),
  /** What the cluster remembers of the journal; empty where it remembers nothing. */
  journalHeads: fact<readonly RememberedHead[]>({reads: ['cacerts', 'configMaps']}),
  bundles: fact<readonly ofCluster.WrittenBundle[]>({reads: [...controlPlane, 'bundles']}),
  /** What the cluster's workloads trust. */
  liveRoots: fact<ofCluster.LiveRoots | ofCluster.LiveRootsElsewhere>({reads: controlPlane, mayRead: ofOtherBundles}),
  proxyRoots: fact<ofCluster.ProxyRoots>({reads: controlPlane, mayRead: [...ofOtherBundles, 'livingPods']}),
  webhooks: fact<readonly ofCluster.WebhookConfigurationFacts[]>({reads: ['mutatingWebhooks', 'validatingWebhooks']}),
  namespaces: fact<readonly ofCluster.NamespaceFacts[]>({reads: ['namespaces']}),
  controlPlanes: fact<readonly ofCluster.ControlPlaneFacts[]>({reads: controlPlane}),
  gateways: fact<readonly ofCluster.GatewayFacts[]>({reads: ['deployments', 'pods']}),
  /** The names of ztunnel's pods in Istio's namespace; empty where there is no ambient mode. */
  ztunnelPods: fact<readonly string[]>({reads: ['pods']}),
  /** Empty, too, where the mesh needs none: then nothing is asked. */
  networkGateways: fact<readonly ofCluster.NetworkGatewayFacts[]>({
    reads: controlPlane,
    mayRead: ['networkServices', 'networkGateways', 'gatewayService', 'gatewayPods'],
  }),
  servedChains: fact<PerPod<ofCluster.ServedChain>>({reads: live}),
  istiodMetrics: fact<PerPod<ofCluster.IstiodMetrics>>({reads: live}),
  istiodClusters: fact<PerPod<ofCluster.IstiodClusters>>({reads: live}),
} as const;

type ValueOf<Row> = Row extends FactRow<infer T> ? T : never;

/** Facts of the mesh and its work directory, by name. */
export type MeshFactValues = {readonly [Key in keyof typeof meshFacts]: ValueOf<(typeof meshFacts)[Key]>};
/** Facts of one cluster, by name. */
export type ClusterFactValues = {readonly [Key in keyof typeof clusterFacts]: ValueOf<(typeof clusterFacts)[Key]>};

export type MeshFactKey = keyof MeshFactValues;
export type ClusterFactKey = keyof ClusterFactValues;
export type FactKey = MeshFactKey | ClusterFactKey;

const rows: Readonly<Record<FactKey, FactRow<unknown>>> = {...meshFacts, ...clusterFacts};

/** Every fact, in the order of the table. */
export const factKeys = Object.keys(rows) as readonly FactKey[];

/** Whether there is one of a fact, not one for each cluster. */
export function isMeshFact(key: FactKey): key is MeshFactKey {
  return key in meshFacts;
}

/** Whether a fact sums up the requests of all others. */
export function summarizesOthers(key: FactKey): boolean {
  return rows[key].last === true;
}

/** Every request that a fact may need. */
export function readsOf(key: FactKey): readonly ReadName[] {
  const {reads, mayRead = []} = rows[key];
  return [...reads, ...mayRead];
}

/** Whether a fact is unknown where a request of it, which was sent, is refused. */
export function dependsOnRequest(key: FactKey, name: ReadName): boolean {
  const read: Read = reads[name];
  const {reads: needed, mayRead = []} = rows[key];
  // A request that is sent in some meshes only was sent because the fact needed it.
  return needed.includes(name) || (mayRead.includes(name) && read.method !== 'raw' && read.when !== undefined);
}

/** Which flag keeps a fact from being gathered; undefined where it can be. */
export function limitOnFact(key: FactKey, limits: Limits): LimitingFlag | undefined {
  const {last, knownDespite = []} = rows[key];
  if (last === true) return limits.offline === true ? '--offline' : undefined;
  const flags = readsOf(key).flatMap((name) => limitOn(name, limits) ?? []);
  return flags.find((flag) => !knownDespite.includes(flag));
}

const reasons: Readonly<Record<LimitingFlag, string>> = {
  '--offline': '--offline: no cluster was asked',
  '--access': 'without --access: nobody asked who may do what',
  '--no-live': '--no-live: istiod was not asked',
  '--no-secrets': '--no-secrets: no Secret was read',
};

/** Why a fact is not gathered, in the words of the flag that said so; undefined when it is. */
export function omittedBy(key: FactKey, limits: Limits): string | undefined {
  const flag = limitOnFact(key, limits);
  return flag && reasons[flag];
}

/** A fact: known, unknown with the reason, or left out because a flag said so. */
export type Fact<T> = Observed<T> | {readonly omitted: string};

/** The facts gathered, by name. A fact that no selected check needs is not there. */
export type Facts<Values> = {readonly [Key in keyof Values]?: Fact<Values[Key]>};

/** Everything the judge is given. */
export interface Evidence {
  readonly now: Date;
  readonly mesh: Mesh;
  readonly facts: Facts<MeshFactValues>;
  readonly clusters: readonly {readonly cluster: MeshCluster; readonly facts: Facts<ClusterFactValues>}[];
}
