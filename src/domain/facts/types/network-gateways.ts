/** Facts of the gateways through which other networks reach a cluster's network. */
import type {PodFacts} from './control-plane.js';

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
