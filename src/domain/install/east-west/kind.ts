/** The east-west gateway of a cluster: through it, proxies on other networks reach the services of the cluster. */
import type {IstioVersion} from '../../istio/version.js';
import type {KubeObject} from '../../kube/object.js';
import type {Tree} from '../../tree.js';

/** The name of the gateway's Deployment and Service, or of its Kubernetes Gateway (istio/istio samples/multicluster). */
export const eastWestName = 'istio-eastwestgateway';
/** The port to which proxies on other networks connect: istiod's DefaultNetworkGatewayPort. */
export const eastWestPort = 15443;

/** The name of the Gateway that exposes all services (istio/istio samples/multicluster/expose-services.yaml). */
export const crossNetworkName = 'cross-network-gateway';

/** The installation to which a gateway belongs. */
export interface GatewayPlace {
  readonly version: IstioVersion;
  readonly namespace: string;
  readonly network: string;
  /** Absent for the default revision. */
  readonly revision?: string;
}

/** A way to deploy the gateway. */
export interface EastWestKind {
  /** Returns its entry of `spec.components.ingressGateways` in install.yaml; absent if istioctl does not deploy it. */
  readonly component?: (place: GatewayPlace) => Tree;
  /** Returns the objects that are applied after istioctl: they expose the services of the mesh, and may deploy the gateway. */
  objects(place: GatewayPlace): readonly KubeObject[];
  /** Returns the label selector of the Service that gets the address for other networks. */
  serviceSelector(place: GatewayPlace): string;
  /** The names that the Service can have: others with its labels belong to other gateways. */
  readonly serviceNames: readonly string[];
  /** How to give it an address without a load balancer, for a hint. */
  readonly withoutBalancer: string;
  /** What requires that the cluster serves the Gateway API; absent if nothing does. */
  readonly needsGatewayApi?: {readonly because: string; readonly instead?: string};
}
