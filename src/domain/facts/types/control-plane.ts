/** Facts of control planes, gateways and namespaces, from the API server. */
import type {IstioVersion} from '../../istio/version.js';
import type {LabelSelector} from '../../kube/objects.js';

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
