/** Facts of one cluster about the gateways through which other networks reach it. */
import type {IstioVersion} from '../../istio/version.js';
import type {Certificate} from '../../x509/certificate.js';

/** A pod of an east-west gateway. */
export interface GatewayPod {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The network of its proxy: its variable ISTIO_META_NETWORK, otherwise its label; absent: neither is set. */
  readonly network?: string;
  /** The networks of which its proxy gets endpoints; absent: of all. */
  readonly view?: readonly string[];
}

/** A Service in the cluster through which istiod sends requests to a network, with the pods that it selects. */
export interface EastWestGatewayFacts {
  readonly namespace: string;
  readonly name: string;
  /** The network for which istiod uses it. */
  readonly network: string;
  /** Its port for mutual TLS, and the number or name of the pods' port; absent: it serves ambient workloads only. */
  readonly port?: {readonly number: number; readonly target: number | string};
  /** At least one; `nodes` for a NodePort Service with selected nodes. */
  readonly addresses: readonly string[];
  readonly selector: Readonly<Record<string, string>>;
  /** Those that are not gone. Empty also if the Service has no selector. */
  readonly pods: readonly GatewayPod[];
  /** Whether istioctl, or istiod for a Gateway, deployed it. */
  readonly isInstalled: boolean;
}

/** A server of a Gateway: a port of the proxies that the Gateway selects. */
export interface GatewayServer {
  readonly api: 'Istio' | 'Kubernetes';
  readonly namespace: string;
  /** The name of the Gateway. */
  readonly name: string;
  /** Its position in the Gateway. */
  readonly index: number;
  /** Istio's: the labels of the proxies. Empty: every proxy. */
  readonly selector: Readonly<Record<string, string>>;
  /** Kubernetes': the hostnames of its Services, besides those that istiod deploys for it. */
  readonly services: readonly string[];
  readonly port: number;
  /** Of Istio. A Kubernetes listener has AUTO_PASSTHROUGH if istiod gives it that mode. */
  readonly mode: string;
  /** Without the namespaces before them. */
  readonly hosts: readonly string[];
  /** Whether this program created the Gateway. */
  readonly isOwn: boolean;
}

/** The Gateways that configure the gateways of a cluster: those in the cluster whose istiod it uses. */
export interface GatewayServersFacts {
  readonly servers: readonly GatewayServer[];
  /** Whether Gateways configure only proxies in their own namespace. */
  readonly isScoped: boolean;
  /** Whether another tool created a Gateway with the name of the one that `install apply` applies. */
  readonly isNameTaken: boolean;
  /** The version of an istiod there; absent if none runs. */
  readonly version?: IstioVersion;
}

/** A service with sidecars in the cluster, as proxies on other networks request it from the gateway. */
export interface ExposedService {
  readonly host: string;
  readonly port: number;
}

/** What this machine gets from a gateway for a service. */
export interface GatewayChain {
  /** `192.0.2.1:15443`. */
  readonly address: string;
  readonly service: ExposedService;
  /** What the server sent, leaf first; absent: it could not be reached from here, or presented nothing. */
  readonly certificates?: readonly Certificate[];
}

/** What the cluster's gateways present, or why none was contacted. */
export type GatewayChainsFacts = readonly GatewayChain[] | {readonly absent: string};
