import type {InstallModel} from '../model.js';
import type {Tree} from '../tree.js';
import {istioOperator} from './istio-operator.js';

/**
 * The document of the multicluster guide of 2020: istiod is exposed by the ingress gateway, and meshNetworks has to name
 * every cluster of the network. The guide writes `endpoints` and `gateways` beside the network instead of below it; 1.6
 * and 1.7 take that as networks named "endpoints" and "gateways" without an error, and the real network is missing.
 */
export const guide2020 = istioOperator(
  {
    id: '1.6 to 1.7',
    from: '1.6',
    why: 'meshExpansion exposes istiod, and meshNetworks must name every cluster of the network',
  },
  (model) => ({meshExpansion: {enabled: true}, meshNetworks: meshNetworks(model)}),
);

function meshNetworks({network, namespace, clustersOfNetwork}: InstallModel): Tree {
  return {
    [network]: {
      endpoints: clustersOfNetwork.map((fromRegistry) => ({fromRegistry})),
      gateways: [
        // The spelling of 1.6: its parser is protobuf's, which takes snake_case (pkg/util/gogoprotomarshal).
        {registry_service_name: `istio-ingressgateway.${namespace}.svc.cluster.local`, port: 443},
      ],
    },
  };
}
