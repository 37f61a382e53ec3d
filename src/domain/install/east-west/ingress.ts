import {crossNetworkGateway} from './cross-network.js';
import type {EastWestKind} from './kind.js';

/**
 * Istio 1.6 and 1.7: the ingress gateway, which their profiles configure for SNI routing (1.6.14:manifests/charts/gateways
 * istio-ingress/values.yaml, ISTIO_META_ROUTER_MODE). meshNetworks refers to its Service at this port (`formats/registry.ts`).
 */
export const ingressKind: EastWestKind = {
  objects: (place) => [crossNetworkGateway(place, {istio: 'ingressgateway'}, 443)],
  serviceSelector: () => 'istio=ingressgateway',
  serviceNames: ['istio-ingressgateway'],
  withoutBalancer: 'without load balancers, add externalIPs to the Service',
};
