/** Facts of one cluster: what its API server answers, and what its running istiods say of themselves. */
import type {CaInspection} from '../../ca/inspect-ca.js';
import type {IstioVersion} from '../../istio/version.js';
import type {LabelSelector, WebhookConfigurationKind} from '../../kube/objects.js';
import type {Difference} from '../../trust/diff.js';
import type {Certificate} from '../../x509/certificate.js';
import type {CertificateFacts, ClusterCaFacts} from './work-directory.js';

/** Where a cluster's CA is made. */
export type CaOrigin =
  /** CLUSTER/ holds something of it. */
  | {readonly from: 'work directory'}
  /** CLUSTER/ holds nothing, and neither does the cluster, or what it holds was written from a work directory; or `--offline`. */
  | {readonly from: 'nowhere'}
  /** CLUSTER/ holds nothing, and `--no-secrets` keeps this program from looking at the cluster's Secret. */
  | {readonly from: 'not asked'}
  /** CLUSTER/ holds nothing, and somebody else fills Secret cacerts, such as cert-manager. */
  | {readonly from: 'elsewhere'; readonly managedBy?: string};

/** A certificate of the chain in Secret cacerts. */
export interface ChainLink {
  readonly subject: string;
  readonly selfSigned: boolean;
}

/** What checks judge of Secret `cacerts` (domain/trust/cacerts.ts, `CacertsSecret`): what istiod would make of it. */
export interface CacertsFacts extends ClusterCaFacts {
  /** By the rules of `trust push`, so that both agree on what is equal; empty, too, where there is nothing to compare with. */
  readonly differences: readonly Difference[];
  /** The names of its data, all of them. */
  readonly keys: readonly string[];
  /** `tls` where it holds tls.crt. */
  readonly layout: 'pem' | 'tls';
  /** The chain that workloads present, in its order; empty where it cannot be read. */
  readonly chain: readonly ChainLink[];
  /** ca-crl.pem, where it is there and not empty. */
  readonly crl?: {
    /** Why istiod would not load the chain with it; undefined: it would. */
    readonly problem: string | undefined;
    /** Whether the work directory holds lists, too, which a push would bring. */
    readonly isPushed: boolean;
  };
  /** The certificates of it, whole: for those who list certificates. */
  readonly inspection?: Pick<CaInspection, 'caCerts' | 'chain' | 'roots' | 'verified'>;
}

/** What istiod should have loaded, and where that was read: Secret cacerts, or the work directory with `--no-secrets`. */
export interface PushedTrust {
  readonly from: string;
  /** root-cert.pem as it is, for comparisons byte by byte. */
  readonly bundle: string;
  /** Fingerprints of the certificates in the bundle. */
  readonly roots: readonly string[];
  readonly certificate: CertificateFacts;
  /** The first certificate of the bundle: the one whose end istiod reports. Absent where the bundle cannot be read. */
  readonly firstRoot?: CertificateFacts;
}

/** The trust bundle that istiod wrote into one namespace (ConfigMap istio-ca-root-cert). */
export interface WrittenBundle {
  readonly namespace: string;
  /** Undefined when the ConfigMap lacks the key root-cert.pem. */
  readonly text?: string;
  /** Fingerprints of its certificates; empty when the text is no list of certificates. */
  readonly roots: readonly string[];
}

/** The bundle beside istiod: what istiod has loaded, and what it gives its workloads. */
export interface LiveRoots {
  /** `ConfigMap istio-system/istio-ca-root-cert`. */
  readonly from: string;
  /** The certificates that can be read in it. */
  readonly certificates: readonly Certificate[];
}

/** istiod publishes the bundle by other means than ConfigMaps. */
export type LiveRootsElsewhere = 'elsewhere';

/** Why every proxy is known to trust what istiod has loaded, or why there is nothing to judge. */
export type ProxyRoots =
  /** The bundle is the one that istiod wrote first. */
  | {readonly state: 'never changed'; readonly since: Date}
  /** So long ago that every leaf of that time has ended: each proxy has asked istiod since. */
  | {readonly state: 'outlived'; readonly changedAt: Date}
  /** No proxy was there before. */
  | {readonly state: 'no older proxy'; readonly changedAt: Date}
  /** istiod pushes bundles, and proxies take them at once. */
  | {readonly state: 'pushed'; readonly changedAt: Date; readonly proxies: number}
  /** The object does not say when it was written: Kubernetes before 1.18 keeps no account (managedFields). */
  | {readonly state: 'not recorded'}
  /** istiod publishes the bundle by other means than ConfigMaps. */
  | {readonly state: 'elsewhere'};

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
  /** Why it is not ready, as far as the API server says. */
  readonly reason: string;
  /** Its container ends again and again: only its log says why. */
  readonly crashing?: boolean;
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

/** One revision of the control plane, as it runs. */
export interface ControlPlaneFacts {
  readonly revision: string;
  readonly workload: WorkloadFacts;
  /** `CLUSTER_ID` of istiod. */
  readonly clusterID?: string;
  /** From the values in ConfigMap istio-sidecar-injector: what every injected proxy is told. */
  readonly network?: string;
  readonly meshID?: string;
  /** From ConfigMap istio. */
  readonly trustDomain?: string;
  /** Its image's tag, as it is; empty where the image has none. */
  readonly tag: string;
  /** As its tag says; the newest known where that names no release. */
  readonly version: IstioVersion;
  /** ConfigMap that carries the bundle; undefined where a ClusterTrustBundle does so instead. */
  readonly bundleName?: string;
  readonly discoverySelectors: readonly LabelSelector[];
}

/** A gateway Deployment in Istio's namespace. */
export interface GatewayFacts {
  readonly workload: WorkloadFacts;
  /** `ISTIO_META_NETWORK`. */
  readonly network?: string;
}

/** One gateway that istiod takes for a network's, or would. */
export interface NetworkGatewayFacts {
  /** What declares it: a labelled Service, a labelled Gateway of the Gateway API, or meshNetworks in ConfigMap istio. */
  readonly declaredBy: 'Service' | 'Gateway' | 'meshNetworks';
  /** Empty where meshNetworks gives an address instead of a Service. */
  readonly namespace: string;
  readonly name: string;
  readonly network: string;
  /** False for a Service that meshNetworks names and that does not exist. */
  readonly exists: boolean;
  /** Addresses that istiod tells the other networks; a NodePort Service that it knows the nodes of counts as `nodes`. */
  readonly addresses: readonly string[];
  /** Type of the Service; empty where it is none. */
  readonly serviceType: string;
  /** Whether it listens on a port that istiod takes for a gateway's. */
  readonly listens: boolean;
  /** Absent where nothing selects them, or where they are pods of a Deployment that is a gateway of Istio's namespace. */
  readonly pods?: readonly PodFacts[];
}

/** A caBundle: the fingerprints of its certificates, or why there are none. */
export type CaBundleFacts = {readonly roots: readonly string[]} | 'empty' | 'unreadable';

/** One webhook that leads to a service of Istio's namespace. */
export interface WebhookFacts {
  readonly name: string;
  /** The Service it leads to. */
  readonly service: string;
  readonly caBundle: CaBundleFacts;
}

/** One MutatingWebhookConfiguration or ValidatingWebhookConfiguration with webhooks that lead to Istio's namespace. */
export interface WebhookConfigurationFacts {
  readonly kind: WebhookConfigurationKind;
  readonly name: string;
  /** Label istio.io/rev: the revision whose istiod keeps the caBundle. */
  readonly revision?: string;
  /** Only those that lead to Istio's namespace. */
  readonly webhooks: readonly WebhookFacts[];
}

/** What an istiod pod presents on its secure port. */
export interface ServedChain {
  /** As sent on the wire, leaf first. */
  readonly chain: readonly CertificateFacts[];
  /** The same certificates whole, for verifying them. */
  readonly certificates: readonly Certificate[];
  /** Whether each certificate's signature was made by the next one's key. */
  readonly linked: boolean;
  /**
   * Who signs what it presents, where that is not its own CA (PILOT_CERT_PROVIDER): it was not asked then, since a handshake
   * would tell nothing of that CA.
   */
  readonly signedBy?: string;
}

/** What an istiod process counts and reports of itself (`/metrics`), since its start. */
export interface IstiodMetrics {
  /** Of the process, as it says: `1.30.3`. An image's tag may say something else. */
  readonly version: string;
  /** End of the first certificate of the root bundle it has loaded; absent where istiod is no CA. */
  readonly rootExpiry?: Date;
  /** End of the first certificate of its chain, the CA that it signs with; absent where it signs with its root. */
  readonly caExpiry?: Date;
  /** Certificate requests received. */
  readonly requests: number;
  /** Certificates issued to workloads. */
  readonly issued: number;
  /** Requests refused because nobody could tell who asked. */
  readonly unauthenticated: number;
  /** Requests that it could not sign, by istiod's word for the reason: `CSR_ERROR`, `TTL_ERROR`, `CERT_GEN_ERROR`, … */
  readonly signingErrors: readonly {readonly reason: string; readonly count: number}[];
}

/** One cluster as a running istiod knows it. */
export interface KnownCluster {
  readonly id: string;
  /** NAMESPACE/NAME of the remote secret; empty for its own cluster. */
  readonly secretName: string;
  /** `synced`, `syncing`, `timeout`, `closed`. */
  readonly status: string;
}

/** The clusters that a running istiod knows (`/debug/clusterz`). */
export interface IstiodClusters {
  /** Absent: an istiod that has no such endpoint. */
  readonly known?: readonly KnownCluster[];
  /** Whether that version lists its own cluster, too. */
  readonly listsItself: boolean;
}
