import {MeshError} from '../../errors.js';
import {factFor} from '../../istio/since.js';
import type {IstioVersion} from '../../istio/version.js';
import type {InstallModel} from '../model.js';
import type {Tree} from '../../tree.js';
import {istioOperator, type Format} from './istio-operator.js';

/** Every format, oldest first. Add a new one here, with a file of its own if it needs its own code. */
const formats: readonly [Format, ...Format[]] = [
  // The document of the 2020 multicluster guide: the ingress gateway exposes istiod, and meshNetworks must list every cluster
  // of the network. The guide writes `endpoints` and `gateways` next to the network instead of below it; 1.6 and 1.7
  // accept these as networks named "endpoints" and "gateways" without an error, and the real network is missing.
  istioOperator(
    {
      id: '1.6 to 1.7',
      from: '1.6',
      why: 'meshExpansion exposes istiod, and meshNetworks must list every cluster of the network',
    },
    (model) => ({meshExpansion: {enabled: true}, meshNetworks: meshNetworks(model)}),
  ),
  // Networks come from the label topology.istio.io/network (istio/istio 1.8.6
  // pilot/pkg/serviceregistry/kube/controller/network.go), so a new cluster does not change the documents of others.
  // meshExpansion is deprecated in 1.8 and an error since 1.9.
  istioOperator({
    id: '1.8 to 1.23',
    from: '1.8',
    why: 'networks come from labels; meshExpansion and meshNetworks are not used',
  }),
  // Only fields in the schema may be written (istio/istio operator/pkg/apis/validation/validation.go).
  istioOperator({
    id: '1.24 and later',
    from: '1.24',
    why: 'istioctl validates spec.values and rejects unknown fields',
  }),
];

/** Returns the format of a version: the last one that starts at or before it. */
export function formatFor(version: IstioVersion): Format {
  return factFor(formats, version);
}

/** What istiod accepts as `fromRegistry` (istio/istio pkg/config/validation/validation.go, pkg/config/labels/instance.go). */
const registryPattern = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;

function meshNetworks({network, namespace, clustersOfNetwork}: InstallModel): Tree {
  const invalid = clustersOfNetwork.find((name) => !registryPattern.test(name));
  if (invalid !== undefined) {
    throw new MeshError('USAGE', `meshNetworks of Istio 1.6 and 1.7 cannot contain the clusterName ${invalid}`, {
      hints: ['use Istio 1.8 or later, which needs no meshNetworks'],
    });
  }
  return {
    [network]: {
      endpoints: clustersOfNetwork.map((fromRegistry) => ({fromRegistry})),
      gateways: [
        // The spelling of 1.6, whose protobuf parser accepts snake_case (pkg/util/gogoprotomarshal).
        {registry_service_name: `istio-ingressgateway.${namespace}.svc.cluster.local`, port: 443},
      ],
    },
  };
}
