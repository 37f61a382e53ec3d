/** Facts of one cluster, from its API server. */
import type {CaInspection} from '../../ca/inspect-ca.js';
import type {CaSource} from '../../istio/ca-source.js';
import type {IstioVersion} from '../../istio/version.js';
import type {KnownVersion} from '../../istio/versions.js';
import type {LabelSelector, WebhookConfigurationKind} from '../../kube/objects.js';
import type {Difference} from '../../trust/diff.js';
import type {Certificate} from '../../x509/certificate.js';
import type {CrlProblem} from '../../x509/crl.js';
import type {CertificateFacts, ClusterCaFacts} from './work-directory.js';

/** Where a cluster's CA comes from. */
export type CaOrigin =
  /** CLUSTER/ holds files of it. */
  | {readonly from: 'work directory'}
  /** CLUSTER/ holds no CA, and the cluster has none or one pushed from a work directory; or `--offline`. */
  | {readonly from: 'none'}
  /** CLUSTER/ holds no CA, and `--no-secrets` prevents reading the cluster's Secret. */
  | {readonly from: 'not read'}
  /** CLUSTER/ holds no CA, and another tool, such as cert-manager, manages Secret cacerts. */
  | {readonly from: 'external'; readonly managedBy?: string}
  /** istiod does not read Secret cacerts: no push reaches it, whatever CLUSTER/ holds. */
  | {readonly from: 'mounted'; readonly source: CaSource};

/** A certificate of the chain in Secret cacerts. */
export interface ChainLink {
  readonly subject: string;
  readonly selfSigned: boolean;
}

/** The facts of Secret `cacerts` (domain/trust/cacerts.ts, `CacertsSecret`), and whether istiod would load it. */
export interface CacertsFacts extends ClusterCaFacts {
  /** The Secret's name: `cacerts`, unless istiod mounts another one. */
  readonly name: string;
  /** By the rules of `trust push`, so that both use the same comparison; also empty if there is nothing to compare with. */
  readonly differences: readonly Difference[];
  /** All keys of its data. */
  readonly keys: readonly string[];
  /** `tls` if it contains tls.crt. */
  readonly layout: 'pem' | 'tls';
  /** Another tool that manages the Secret and overwrites changes, if known. */
  readonly managedBy?: string;
  /** The chain that workloads present, in order; empty if unreadable. */
  readonly chain: readonly ChainLink[];
  /** ca-crl.pem, if present and not empty. */
  readonly crl?: {
    /** Why istiod would not load the chain with it, or proxies would refuse it; undefined if they accept it. */
    readonly problem: CrlProblem | undefined;
    /** Whether the work directory also holds lists, which a push would write. */
    readonly isPushed: boolean;
  };
  /** Its complete certificates, for commands that list certificates. */
  readonly inspection?: Pick<CaInspection, 'caCerts' | 'chain' | 'roots' | 'verified'>;
}

/** The key of one of the mesh's roots in a Secret of a cluster. */
export interface RootKeyInSecret {
  /** The Secret's name, in Istio's namespace. */
  readonly secret: string;
  /** The data key. */
  readonly entry: string;
  /** Whether istiod signs with the Secret, because there is no other CA. */
  readonly inUse?: boolean;
  /** Whether istiod mounts the Secret instead of cacerts. */
  readonly isMounted?: boolean;
}

/** The trust that istiod should have loaded, read from Secret cacerts, or from the work directory with `--no-secrets`. */
export interface PushedTrust {
  readonly from: string;
  /** root-cert.pem, for comparisons byte by byte. */
  readonly bundle: string;
  /** The bundle is the work directory's without text around its certificates, which the Secret may contain. */
  readonly isCanonical?: boolean;
  /** Fingerprints of the certificates in the bundle. */
  readonly roots: readonly string[];
  readonly certificate: CertificateFacts;
  /** The first certificate of the bundle, whose expiry istiod reports. Absent if the bundle is unreadable. */
  readonly firstRoot?: CertificateFacts;
}

/** The trust bundle that istiod wrote into one namespace (ConfigMap istio-ca-root-cert). */
export interface WrittenBundle {
  readonly namespace: string;
  /** Undefined if the ConfigMap lacks the key root-cert.pem. */
  readonly text?: string;
  /** Fingerprints of its certificates; empty if the text is not a list of certificates. */
  readonly roots: readonly string[];
  /** When its text last changed; absent if the object does not record it. */
  readonly writtenAt?: Date;
}

/** The bundle in istiod's namespace: the roots that istiod has loaded and gives its workloads. */
export interface LiveRoots {
  /** `ConfigMap istio-system/istio-ca-root-cert`. */
  readonly from: string;
  /** The readable certificates in it. */
  readonly certificates: readonly Certificate[];
}

/** istiod publishes the bundle in a ClusterTrustBundle, which is not read, instead of ConfigMaps. */
export type InClusterTrustBundle = 'ClusterTrustBundle';

/** Why every proxy is known to trust the roots that istiod has loaded, or why this does not apply. */
export type ProxyRoots =
  /** The bundle has not changed since istiod first wrote it. */
  | {readonly state: 'never changed'; readonly since: Date}
  /** The change is so old that every earlier leaf has expired: each proxy has contacted istiod since. */
  | {readonly state: 'outlived'; readonly changedAt: Date}
  /** No proxy is older than the change. */
  | {readonly state: 'no older proxy'; readonly changedAt: Date}
  /** istiod pushed the bundle, and proxies apply it at once. */
  | {readonly state: 'pushed'; readonly changedAt: Date; readonly proxies: number}
  /** The object does not record when it was written: Kubernetes before 1.18 has no managedFields. */
  | {readonly state: 'not recorded'}
  /** istiod publishes the bundle in a ClusterTrustBundle, which is not read, instead of ConfigMaps. */
  | {readonly state: 'ClusterTrustBundle'};

/** One namespace. */
export interface NamespaceFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly terminating: boolean;
}

/** One pod of a control plane or gateway Deployment. */
export interface PodFacts {
  readonly name: string;
  readonly phase: string;
  readonly ready: boolean;
  /** Succeeded, evicted, or being deleted: no longer part of the Deployment. */
  readonly gone: boolean;
  /** Why it is not ready, as reported by the API server. */
  readonly reason: string;
  /** Whether its container crashes repeatedly: only its log shows the cause. */
  readonly crashing?: boolean;
  /** When its container started (in istiod's pods, the container of istiod); absent if it does not run. */
  readonly startedAt?: Date;
}

/** The address of a pod in the cluster's own network. */
export interface PodAddress {
  readonly pod: string;
  readonly address: string;
}

/** One Deployment with its pods. */
export interface WorkloadFacts {
  readonly name: string;
  /** `spec.replicas`. */
  readonly desired: number;
  readonly pods: readonly PodFacts[];
  /** Environment of its first container, values only. */
  readonly env: Readonly<Record<string, string>>;
}

/** One running revision of the control plane. */
export interface ControlPlaneFacts {
  readonly revision: string;
  readonly workload: WorkloadFacts;
  /** istiod's cluster ID: `CLUSTER_ID`, or Istio's default. Absent: unknown, because it comes from another object. */
  readonly clusterID?: string;
  /** The cluster ID of the proxies that it configures, from the same values as `network`. Absent: there are none. */
  readonly proxyClusterID?: string;
  /** From the values in ConfigMap istio-sidecar-injector: the settings of every injected proxy. */
  readonly network?: string;
  readonly meshID?: string;
  /** From ConfigMap istio. */
  readonly trustDomain?: string;
  /** The tag of its image; empty if the image has none. */
  readonly tag: string;
  /** The version in its tag, otherwise in its labels, resolved to one whose facts are known. */
  readonly version: IstioVersion;
  /** How it was resolved. */
  readonly versionStatus: KnownVersion['status'];
  /** The version as a label states it; absent if the tag names a release, or no label does. */
  readonly labeledVersion?: string;
  /** The ConfigMap with the bundle; undefined if it is in a ClusterTrustBundle instead. */
  readonly bundleName?: string;
  readonly discoverySelectors: readonly LabelSelector[];
  /** Whether its mesh config makes every Service global: ambient mode's default is local (serviceScopeConfigs). */
  readonly allServicesGlobal?: boolean;
  /** Whether ConfigMap istio-ca-crl contains revocation lists, which proxies apply. */
  readonly publishesLists?: boolean;
  /** Whether it injects proxies into namespaces without a label (sidecarInjectorWebhook.enableNamespacesByDefault). */
  readonly injectsByDefault?: boolean;
}

/** A control plane in another namespace of the cluster. */
export interface OtherControlPlane extends Pick<ControlPlaneFacts, 'version' | 'bundleName' | 'discoverySelectors'> {
  readonly namespace: string;
  /** Whether one of its istiods holds the lock of those that write bundles into this cluster, or needs none. */
  readonly isWriting: boolean;
  /** What shows that it runs: `istiod-7d9c holds ConfigMap …`, `Deployment istiod`. */
  readonly evidence: string;
}

/** A setting in an object. */
export interface ProxySetting {
  /** `values.global.caAddress`. */
  readonly name: string;
  /** `ConfigMap istio-sidecar-injector`. */
  readonly object: string;
  readonly value: string;
}

/** Where the proxies that one revision injects request certificates. Without settings: from its istiod. */
export interface ProxyCa {
  /** `ConfigMap istio-sidecar-injector`. */
  readonly injector: string;
  /** Those that set the CA's address. */
  readonly addresses: readonly ProxySetting[];
  /** Those that set another kind of CA. */
  readonly providers: readonly ProxySetting[];
  /** The hosts at which these proxies find their istiod. */
  readonly istiodHosts: readonly string[];
}

/** A gateway Deployment in Istio's namespace. */
export interface GatewayFacts {
  readonly workload: WorkloadFacts;
  /** `ISTIO_META_NETWORK`. */
  readonly network?: string;
  /** `ISTIO_META_CLUSTER_ID`; absent if the injector sets it. */
  readonly clusterID?: string;
}

/** A gateway that istiod uses for a network, or would use. */
export interface NetworkGatewayFacts {
  /** Its declaration: a labeled Service, a labeled Gateway of the Gateway API, or meshNetworks in ConfigMap istio. */
  readonly declaredBy: 'Service' | 'Gateway' | 'meshNetworks';
  /** Empty if meshNetworks contains an address instead of a Service. */
  readonly namespace: string;
  readonly name: string;
  readonly network: string;
  /** False for a Service that meshNetworks refers to and that does not exist. */
  readonly exists: boolean;
  /** The addresses that istiod gives to other networks; `nodes` for a NodePort Service with selected nodes. */
  readonly addresses: readonly string[];
  /** The type of the Service; empty if it is not a Service. */
  readonly serviceType: string;
  /** Whether it listens on a port that istiod uses for gateways. */
  readonly listens: boolean;
  /** The place in the Service's list of the port that has the name of the one for mutual TLS, and another number. Absent: none has. */
  readonly renumberedPort?: number;
  /** Absent if nothing selects pods, or if they belong to a gateway Deployment in Istio's namespace. */
  readonly pods?: readonly PodFacts[];
}

/** A caBundle: the fingerprints of its certificates, or why there are none. */
export type CaBundleFacts = {readonly roots: readonly string[]} | 'empty' | 'unreadable';

/** A webhook that calls a Service in Istio's namespace. */
export interface WebhookFacts {
  readonly name: string;
  /** The Service that it calls. */
  readonly service: string;
  readonly caBundle: CaBundleFacts;
}

/** A MutatingWebhookConfiguration or ValidatingWebhookConfiguration with webhooks that call Istio's namespace. */
export interface WebhookConfigurationFacts {
  readonly kind: WebhookConfigurationKind;
  readonly name: string;
  /** Label istio.io/rev: the revision whose istiod manages the caBundle. */
  readonly revision?: string;
  /** Label istio.io/tag: the revision tag that the configuration belongs to. */
  readonly tag?: string;
  /** Only those that call Istio's namespace. */
  readonly webhooks: readonly WebhookFacts[];
}
