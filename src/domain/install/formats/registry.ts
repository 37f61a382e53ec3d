import {factFor} from '../../istio/since.js';
import type {IstioVersion} from '../../istio/version.js';
import type {InstallModel} from '../model.js';
import type {Tree} from '../../tree.js';
import {istioOperator, type Format} from './istio-operator.js';

/** Every format, oldest first: a new one is a line here, and a file where it has code of its own. */
const formats: readonly [Format, ...Format[]] = [
  // The document of the multicluster guide of 2020: istiod is exposed by the ingress gateway, and meshNetworks has to name
  // every cluster of the network. The guide writes `endpoints` and `gateways` beside the network instead of below it; 1.6
  // and 1.7 take that as networks named "endpoints" and "gateways" without an error, and the real network is missing.
  istioOperator(
    {
      id: '1.6 to 1.7',
      from: '1.6',
      why: 'meshExpansion exposes istiod, and meshNetworks must name every cluster of the network',
    },
    (model) => ({meshExpansion: {enabled: true}, meshNetworks: meshNetworks(model)}),
  ),
  // Networks come from the label topology.istio.io/network (istio/istio 1.8.6
  // pilot/pkg/serviceregistry/kube/controller/network.go), so a cluster that joins changes no other cluster's document.
  // meshExpansion is deprecated in 1.8 and an error from 1.9 on.
  istioOperator({
    id: '1.8 to 1.23',
    from: '1.8',
    why: 'networks come from labels; meshExpansion is gone, and meshNetworks is not needed',
  }),
  // Only what the schema knows may be written (istio/istio operator/pkg/apis/validation/validation.go).
  istioOperator({
    id: '1.24 and later',
    from: '1.24',
    why: 'istioctl checks every field under spec.values and refuses those it does not know',
  }),
];

/** The format of a version: the last one that starts at or before it. */
export function formatFor(version: IstioVersion): Format {
  return factFor(formats, version);
}

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
