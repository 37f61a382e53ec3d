/** Evidence of a healthy mesh of two clusters, and overrides to break it: the basis for the tests of checks. */
import {readFileSync} from 'node:fs';
import {readRbac, type RbacFacts} from '../../../src/domain/kube/rbac.js';
import {usualSource} from '../../helpers/ca-mount.js';
import type {RemoteCredential} from '../../../src/domain/discovery/remote-secret.js';
import type {ApiServerAddress, RemoteKubeconfig} from '../../../src/domain/discovery/remote-kubeconfig.js';
import type {TokenClaims} from '../../../src/domain/discovery/token.js';
import {
  PerCluster,
  PerPod,
  type CaBundleFacts,
  type CertificateFacts,
  type CacertsFacts,
  type ClusterCaFacts,
  type ClusterEndpoints,
  type ClusterFactValues,
  type ControlPlaneFacts,
  type Evidence,
  type Fact,
  type Facts,
  type EastWestGatewayFacts,
  type GatewayChain,
  type GatewayFacts,
  type GatewayPod,
  type GatewayServer,
  type GatewayServersFacts,
  type IstiodClusters,
  type IstiodDiscovery,
  type IstiodMetrics,
  type LiveRoots,
  type KnownCluster,
  type NetworkGatewayFacts,
  type OtherControlPlane,
  type MeshFactValues,
  type PodFacts,
  type RemoteSecretFacts,
  type WorkloadFacts,
} from '../../../src/domain/facts/facts.js';
import type {Mesh, MeshCluster} from '../../../src/domain/mesh/mesh.js';
import {known} from '../../../src/domain/observed.js';
import {Sensitive} from '../../../src/domain/sensitive.js';
import {parseCertificates, type Certificate} from '../../../src/domain/x509/certificate.js';

export const now = new Date('2026-06-01T00:00:00Z');
const day = 86_400_000;

export function daysFromNow(days: number): Date {
  return new Date(now.getTime() + days * day);
}

export function certificate(name: string, change: Partial<CertificateFacts> = {}): CertificateFacts {
  return {
    fingerprint: Buffer.from(name.padEnd(32, '.')).toString('hex').slice(0, 64),
    spki: Buffer.from(name.padStart(32, '.')).toString('hex').slice(0, 64),
    subject: `O=Istio, CN=${name}`,
    issuer: 'O=Istio, CN=root',
    serial: Buffer.from(name).toString('hex'),
    notBefore: daysFromNow(-10),
    notAfter: daysFromNow(720),
    ...change,
  };
}

export const root = certificate('root', {notAfter: daysFromNow(3640)});

export function clusterCa(name: string, change: Partial<ClusterCaFacts> = {}): ClusterCaFacts {
  return {
    missing: [],
    problems: [],
    key: 'matches',
    certificate: certificate(`ca of ${name}`, {locality: name}),
    roots: [root],
    anchor: root.fingerprint,
    ...change,
  };
}

/** Secret cacerts with this CA, equal to the work directory. */
export function cacertsOf(ca: ClusterCaFacts, change: Partial<CacertsFacts> = {}): CacertsFacts {
  return {
    ...ca,
    name: 'cacerts',
    differences: [],
    keys: ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'],
    layout: 'pem',
    chain: [
      {subject: ca.certificate?.subject ?? '', selfSigned: false},
      {subject: root.subject, selfSigned: true},
    ],
    ...change,
  };
}

export function pod(name: string, change: Partial<PodFacts> = {}): PodFacts {
  return {name, phase: 'Running', ready: true, gone: false, reason: '', ...change};
}

export function workload(name: string, change: Partial<WorkloadFacts> = {}): WorkloadFacts {
  return {name, desired: 1, pods: [pod(`${name}-1`)], env: {}, ...change};
}

export function controlPlane(cluster: string, change: Partial<ControlPlaneFacts> = {}): ControlPlaneFacts {
  return {
    revision: 'default',
    workload: workload('istiod'),
    clusterID: cluster,
    proxyClusterID: cluster,
    network: 'network1',
    meshID: 'mesh1',
    trustDomain: 'cluster.local',
    tag: '1.31.0',
    version: {major: 1, minor: 31, patch: 0},
    versionStatus: 'known',
    bundleName: 'istio-ca-root-cert',
    discoverySelectors: [],
    ...change,
  };
}

/** A control plane in another namespace that serves every namespace. */
export const otherControlPlane: OtherControlPlane = {
  namespace: 'istio-system-174',
  version: {major: 1, minor: 31},
  bundleName: 'istio-ca-root-cert',
  discoverySelectors: [],
  isWriting: true,
  evidence: 'istiod-1 holds ConfigMap istio-namespace-controller-election',
};

export function gateway(change: Partial<GatewayFacts> = {}): GatewayFacts {
  return {workload: workload('istio-ingressgateway'), network: 'network1', ...change};
}

export function networkGateway(network: string, change: Partial<NetworkGatewayFacts> = {}): NetworkGatewayFacts {
  return {
    declaredBy: 'Service',
    namespace: 'istio-system',
    name: 'istio-eastwestgateway',
    network,
    exists: true,
    addresses: ['192.0.2.1'],
    serviceType: 'LoadBalancer',
    listens: true,
    ...change,
  };
}

/** The pods of an east-west gateway as this program installs it. */
export function eastWestGateway(network: string, change: Partial<EastWestGatewayFacts> = {}): EastWestGatewayFacts {
  return {
    namespace: 'istio-system',
    name: 'istio-eastwestgateway',
    network,
    port: {number: 15443, target: 15443},
    addresses: ['192.0.2.1'],
    selector: {istio: 'eastwestgateway'},
    pods: [gatewayPod({network, view: [network]})],
    isInstalled: true,
    ...change,
  };
}

export function gatewayPod(change: Partial<GatewayPod> = {}): GatewayPod {
  return {name: 'eastwest-1', labels: {istio: 'eastwestgateway', app: 'istio-eastwestgateway'}, ...change};
}

/** The cross-network Gateway. */
export function gatewayServer(change: Partial<GatewayServer> = {}): GatewayServer {
  return {
    api: 'Istio',
    namespace: 'istio-system',
    name: 'cross-network-gateway',
    index: 0,
    selector: {istio: 'eastwestgateway'},
    services: [],
    port: 15443,
    mode: 'AUTO_PASSTHROUGH',
    hosts: ['*.local'],
    isOwn: true,
    ...change,
  };
}

/** A workload's certificate, presented through the gateway. */
export function gatewayChain(of: Parameters<typeof realChain>[0], change: Partial<GatewayChain> = {}): GatewayChain {
  const service = {host: 'cart.shop.svc.cluster.local', port: 80};
  return {address: '192.0.2.1:15443', service, certificates: realChain(of), ...change};
}

export function gatewayServers(...servers: readonly GatewayServer[]): GatewayServersFacts {
  const version = {major: 1, minor: 31};
  return {servers: servers.length > 0 ? servers : [gatewayServer()], isScoped: false, isNameTaken: false, version};
}

/** Real certificates, valid from May 2026 to March 2028: a leaf, its cluster CA, its root (test/fixtures/chains). */
export function realChain(name: 'cluster1' | 'cluster2' | 'foreign'): readonly Certificate[] {
  const text = readFileSync(new URL(`../../fixtures/chains/${name}.pem`, import.meta.url), 'utf8');
  return parseCertificates(text, name).certificates;
}

/** Published roots: those of these chains. */
export function liveRoots(...names: readonly Parameters<typeof realChain>[0][]): LiveRoots {
  const from = 'ConfigMap istio-system/istio-ca-root-cert';
  return {from, certificates: names.flatMap((name) => realChain(name).slice(-1))};
}

export function servedChain(cluster: Name) {
  const leaf = certificate(`leaf of ${cluster}`, {issuer: `O=Istio, CN=ca of ${cluster}`});
  return {chain: [leaf, certificate(`ca of ${cluster}`), root], certificates: realChain(cluster), linked: true};
}

/** The injector's webhooks and the validator's, as istiod patches them. */
export function webhooks(caBundle: CaBundleFacts = {roots: fingerprintsOf(liveRoots('cluster1'))}) {
  const webhook = {name: 'rev.namespace.sidecar-injector.istio.io', service: 'istiod', caBundle};
  return [
    {
      kind: 'MutatingWebhookConfiguration',
      name: 'istio-sidecar-injector',
      revision: 'default',
      webhooks: [webhook, {...webhook, name: 'rev.object.sidecar-injector.istio.io'}],
    },
    {
      kind: 'ValidatingWebhookConfiguration',
      name: 'istio-validator-istio-system',
      revision: 'default',
      webhooks: [{...webhook, name: 'rev.validation.istio.io'}],
    },
  ] as const;
}

export function fingerprintsOf({certificates}: LiveRoots): readonly string[] {
  return certificates.map(({fingerprint}) => fingerprint);
}

export function istiodMetrics(cluster: string, change: Partial<IstiodMetrics> = {}): IstiodMetrics {
  return {
    version: '1.31.0',
    rootExpiry: root.notAfter,
    caExpiry: certificate(`ca of ${cluster}`).notAfter,
    requests: 7,
    issued: 7,
    unauthenticated: 0,
    signingErrors: [],
    ...change,
  };
}

/** istiod of a cluster has read these others; none given: the other cluster of the mesh. */
export function istiodClusters(cluster: string, ...others: readonly KnownCluster[]): IstiodClusters {
  const read = others.length > 0 ? others : [readCluster(cluster === 'cluster2' ? 'cluster1' : 'cluster2')];
  return {known: [{id: cluster, secretName: '', status: 'synced'}, ...read], listsItself: true};
}

/** A cluster that istiod has read through the remote secret of the usual name. */
export function readCluster(cluster: string, change: Partial<KnownCluster> = {}): KnownCluster {
  return {id: cluster, secretName: `istio-system/istio-remote-secret-${cluster}`, status: 'synced', ...change};
}

/** The services of which an istiod has endpoints in a cluster. */
export function endpointsIn(cluster: string, ...names: readonly string[]): ClusterEndpoints {
  return {cluster, services: names.length, names: new Set(names), hasApiServer: names.includes('default/kubernetes')};
}
export const services = ['default/kubernetes', 'istio-system/istiod', 'shop/cart'] as const;

/** istiod has the endpoints of both clusters. */
export function istiodDiscovery(change: Partial<IstiodDiscovery> = {}): IstiodDiscovery {
  return {endpoints: ['cluster1', 'cluster2'].map((cluster) => endpointsIn(cluster, ...services)), ...change};
}

/** The permissions of subjects: by a RoleBinding in `namespace`, otherwise by a ClusterRoleBinding. */
export interface SeededGrant {
  readonly subjects: readonly {readonly kind: string; readonly name: string; readonly namespace?: string}[];
  readonly rules: readonly object[];
  readonly name?: string;
  /** The name of the binding, if it differs from the role's. */
  readonly bindingName?: string;
  /** Absent: a ClusterRoleBinding. */
  readonly namespace?: string;
}

/** Roles and bindings as the API server returns them. */
export function rbac(...grants: readonly SeededGrant[]): RbacFacts {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return readRbac(
    grants.flatMap(({subjects, rules, namespace, name = 'seeded', bindingName = name}) => {
      const inNamespace = namespace === undefined ? {} : {namespace};
      const kind = namespace === undefined ? 'ClusterRole' : 'Role';
      return [
        {apiVersion, kind, metadata: {name, ...inNamespace}, rules},
        {
          apiVersion,
          kind: `${kind}Binding`,
          metadata: {name: bindingName, ...inNamespace},
          roleRef: {kind, name},
          subjects,
        },
      ];
    }),
  );
}

const reads = ['get', 'list', 'watch'];
/** A rule for the core group. */
export const coreRule = (verbs: readonly string[], resources: readonly string[], ...resourceNames: string[]) => ({
  apiGroups: [''],
  verbs,
  resources,
  ...(resourceNames.length > 0 && {resourceNames}),
});

/** The grants in a kubeadm cluster with Istio that give access to the CA key. */
export const healthyGrants: readonly SeededGrant[] = [
  {
    name: 'cluster-admin',
    subjects: [{kind: 'Group', name: 'system:masters'}],
    rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}],
  },
  {
    name: 'system:kube-controller-manager',
    subjects: [{kind: 'User', name: 'system:kube-controller-manager'}],
    rules: [coreRule(['list', 'watch'], ['secrets']), coreRule(['create'], ['serviceaccounts/token'])],
  },
  {
    name: 'system:controller:generic-garbage-collector',
    subjects: [{kind: 'ServiceAccount', namespace: 'kube-system', name: 'generic-garbage-collector'}],
    rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['delete', 'get', 'list', 'patch', 'update', 'watch']}],
  },
  {
    name: 'istio-reader-clusterrole-istio-system',
    subjects: [{kind: 'ServiceAccount', namespace: 'istio-system', name: 'istio-reader-service-account'}],
    rules: [coreRule(reads, ['secrets', 'pods'])],
  },
  {
    name: 'istiod',
    namespace: 'istio-system',
    subjects: [{kind: 'ServiceAccount', namespace: 'istio-system', name: 'istiod'}],
    rules: [coreRule([...reads, 'create', 'update', 'delete'], ['secrets'])],
  },
  {
    name: 'istio-ingressgateway-sds',
    namespace: 'istio-system',
    subjects: [{kind: 'ServiceAccount', name: 'istio-ingressgateway-service-account'}],
    rules: [coreRule(reads, ['secrets'])],
  },
];
export const healthyRbac = rbac(...healthyGrants);

export const bundleText = 'the bundle';
/** Each cluster is on a separate network. */
export const networks = {cluster1: 'network1', cluster2: 'network2'} as const;
const uids = {cluster1: 'uid-1', cluster2: 'uid-2'} as const;
type Name = keyof typeof uids;

export type ClusterValues = {[Key in keyof ClusterFactValues]: ClusterFactValues[Key]};
export type MeshValues = {[Key in keyof MeshFactValues]: MeshFactValues[Key]};

export function clusterValues(name: Name): ClusterValues {
  const other = name === 'cluster1' ? 'cluster2' : 'cluster1';
  return {
    traffic: new PerCluster([{name: other, observed: {value: {requests: 10, answered: 10, failures: []}}}]),
    localTraffic: {requests: 10, answered: 10, failures: []},
    caFiles: clusterCa(name),
    caSources: [{istiod: 'istiod', source: usualSource}],
    caOrigin: {from: 'work directory'},
    installFile: {state: 'current'},
    apiVersion: {gitVersion: 'v1.34.3', major: 1, minor: 34},
    access: {reads: 8},
    clusterUid: uids[name],
    rbac: healthyRbac,
    remoteCredentials: [remoteCredential(other)],
    remoteSecrets: remoteSecretsOf(name, remoteSecret(other)),
    readerAccount: true,
    acceptedTokens: new PerCluster([{name: other, observed: known(accepted)}]),
    apiServer: {kubeconfig: apiServerOf(name), rootCa: caOf(name)},
    cacerts: cacertsOf(clusterCa(name)),
    restartOnPush: false,
    publishedKeys: [],
    rootKeysInSecrets: [],
    selfSignedRoot: 'absent',
    pushedTrust: {
      from: 'Secret cacerts',
      bundle: bundleText,
      roots: [root.fingerprint],
      certificate: certificate(`ca of ${name}`),
      firstRoot: root,
    },
    bundles: ['default', 'istio-system', 'kube-system', 'shop'].map((namespace) => ({
      namespace,
      text: bundleText,
      roots: [root.fingerprint],
    })),
    liveRoots: liveRoots(name),
    proxyRoots: {state: 'never changed', since: daysFromNow(-10)},
    webhooks: webhooks(),
    namespaces: ['default', 'istio-system', 'kube-system', 'kube-public', 'kube-node-lease', 'shop'].map(
      (namespace) => ({
        name: namespace,
        labels: namespace === 'istio-system' ? {'topology.istio.io/network': networks[name]} : {},
        terminating: false,
      }),
    ),
    controlPlanes: [controlPlane(name, {network: networks[name]})],
    proxyCas: [{injector: 'ConfigMap istio-sidecar-injector', addresses: [], providers: [], istiodHosts: []}],
    otherControlPlanes: [],
    gateways: [gateway({network: networks[name]})],
    podAddresses: [{pod: 'istiod-1', address: name === 'cluster1' ? '10.1.0.4' : '10.2.0.4'}],
    ztunnelPods: [],
    hubs: [{hub: 'docker.io/istio', usedBy: 'istiod'}],
    networkGateways: [networkGateway(networks[name])],
    eastWestGateways: [eastWestGateway(networks[name])],
    gatewayServers: gatewayServers(),
    gatewayChains: [gatewayChain(name)],
    journalHeads: [
      {
        where: 'Secret istio-system/cacerts',
        entry: 'a/4',
        result: 'agrees',
        message: 'entry a/4 is as it was written',
      },
    ],
    servedChains: new PerPod([{name: 'istiod-1', observed: known(servedChain(name))}]),
    istiodMetrics: new PerPod([{name: 'istiod-1', observed: known(istiodMetrics(name))}]),
    istiodClusters: new PerPod([{name: 'istiod-1', observed: known(istiodClusters(name))}]),
    endpointsAgain: new PerPod([]),
    istiodDiscovery: new PerPod([{name: 'istiod-1', observed: known(istiodDiscovery())}]),
  };
}

export function meshValues(): MeshValues {
  return {
    declaration: {present: true, problems: [], clusters: 2},
    rootKey: {protection: 'encrypted'},
    issuing: {possible: true, signing: [root.fingerprint]},
    meshRoots: [root.fingerprint],
    fileModes: [
      {path: 'root-key.pem', kind: 'key', mode: 0o600},
      {path: 'cluster1/ca-key.pem', kind: 'key', mode: 0o600},
      {path: 'cluster1', kind: 'directory', mode: 0o700},
    ],
    gitHistory: {keys: [], more: 0, shallow: false},
    keysInPublicFiles: [],
    journal: {present: true, entries: 12, chains: 1, faults: [], open: [], openElsewhere: 0, brokenAside: []},
  };
}

export const clusters: readonly MeshCluster[] = (['cluster1', 'cluster2'] as const).map((name) => ({
  name,
  context: `kind-${name}`,
  network: networks[name],
  role: 'primary',
  uid: uids[name],
}));

export const mesh: Mesh = {
  meshID: 'mesh1',
  trustDomain: 'cluster.local',
  istio: {version: '1.31', namespace: 'istio-system', profile: 'default'},
  trust: {
    keyAlgorithm: 'ecdsa-p256',
    rootValidityDays: 3650,
    clusterValidityDays: 730,
    signer: {type: 'local'},
    keepClusterKeys: true,
    rotationReady: true,
    expiry: {warn: {share: 0.3, days: 30, capDays: 180}, error: {share: 0.1, days: 7, capDays: 60}},
  },
  discovery: {token: 'bound', tokenLifetimeDays: 90},
  topology: {gateway: 'istio'},
  verify: {image: 'agnhost'},
  clusters,
};

/** Differences from the healthy mesh. `cluster1` and `mesh` are values; `facts1` and `meshFacts` replace whole facts. */
export interface Overrides {
  readonly cluster1?: Partial<ClusterValues>;
  readonly cluster2?: Partial<ClusterValues>;
  readonly meshValues?: Partial<MeshValues>;
  readonly facts1?: Partial<Record<keyof ClusterFactValues, Fact<never>>>;
  readonly meshFacts?: Partial<Record<keyof MeshFactValues, Fact<never>>>;
  readonly mesh?: Partial<Mesh>;
  readonly declared1?: Partial<MeshCluster>;
}

/** The content of a remote secret: the token of the other cluster's reader service account. */
export function remoteCredential(cluster: string, change: Partial<RemoteCredential> = {}): RemoteCredential {
  const user = {kind: 'ServiceAccount', namespace: 'istio-system', name: 'istio-reader-service-account'} as const;
  return {
    secret: `istio-remote-secret-${cluster}`,
    cluster,
    kubeconfig: remoteKubeconfig(cluster),
    identity: {user, groups: []},
    ...change,
  };
}

/** The kubeconfig in a remote secret, with a token of 90 days of which 10 have passed. */
export function remoteKubeconfig(cluster: string, change: Partial<RemoteKubeconfig> = {}): RemoteKubeconfig {
  return {
    address: apiServerOf(cluster),
    token: new Sensitive('a token'),
    claims: tokenClaims(),
    rejected: [],
    ...change,
  };
}

/** The claims of its token. */
export function tokenClaims(change: Partial<TokenClaims> = {}): TokenClaims {
  return {subject: readerUser, issuedAt: daysFromNow(-10), expiresAt: daysFromNow(80), audiences: [], ...change};
}

export const readerUser = 'system:serviceaccount:istio-system:istio-reader-service-account';
const accepted = {accepted: true, username: readerUser} as const;

/** The CA of a cluster's API server: text in the form of PEM. */
export function caOf(cluster: string): string {
  const body = Buffer.from(`CA of ${cluster}`).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
}

/** How a cluster's API server is reached. */
export function apiServerOf(cluster: string): ApiServerAddress & {readonly caData: string} {
  return {url: `https://${cluster}.example.com:6443`, caData: Buffer.from(caOf(cluster)).toString('base64')};
}

/** A remote secret as link writes it. */
export function remoteSecret(cluster: string, change: Partial<RemoteSecretFacts> = {}): RemoteSecretFacts {
  return {
    name: `istio-remote-secret-${cluster}`,
    labeled: true,
    isLinked: true,
    annotation: cluster,
    credentials: [remoteCredential(cluster)],
    writtenAt: daysFromNow(-10),
    ...change,
  };
}

/** The remote secrets of a cluster: that for the other one, and none for itself. */
export function remoteSecretsOf(cluster: Name, secret: RemoteSecretFacts | 'absent'): ClusterValues['remoteSecrets'] {
  const other = cluster === 'cluster1' ? 'cluster2' : 'cluster1';
  return new PerCluster([
    {name: cluster, observed: known('absent')},
    {name: other, observed: known(secret)},
  ]);
}

/** Evidence of the healthy mesh with overrides. */
export function evidence(overrides: Overrides = {}): Evidence {
  const [one, two] = clusters;
  if (!one || !two) throw new Error('two clusters');
  const declared1 = {...one, ...overrides.declared1};
  return {
    now,
    mesh: {...mesh, clusters: [declared1, two], ...overrides.mesh},
    facts: {...asFacts<MeshFactValues>({...meshValues(), ...overrides.meshValues}), ...overrides.meshFacts},
    clusters: [
      {
        cluster: declared1,
        facts: {
          ...asFacts<ClusterFactValues>({...clusterValues('cluster1'), ...overrides.cluster1}),
          ...overrides.facts1,
        },
      },
      {cluster: two, facts: asFacts<ClusterFactValues>({...clusterValues('cluster2'), ...overrides.cluster2})},
    ],
  };
}

function asFacts<Values extends object>(values: Values): Facts<Values> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, known(value)])) as Facts<Values>;
}
