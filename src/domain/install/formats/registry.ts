import {MeshError} from '../../errors.js';
import {factFor} from '../../istio/since.js';
import type {IstioVersion} from '../../istio/version.js';
import type {InstallModel} from '../model.js';
import type {Tree} from '../../tree.js';
import {istioOperator, type Format} from './istio-operator.js';

/** Every format, oldest first. Add a new one here, with a file of its own if it needs its own code. */
const formats: readonly [Format, ...Format[]] = [
  // The document of the 2020 multicluster guide: the ingress gateway exposes istiod, and meshNetworks must list every network
  // of the mesh with its clusters. The guide writes `endpoints` and `gateways` next to the network instead of below it; 1.6 and 1.7
  // accept these as networks named "endpoints" and "gateways" without an error, and the real network is missing.
  istioOperator(
    {
      id: '1.6 to 1.7',
      from: '1.6',
      why: 'meshExpansion exposes istiod, and meshNetworks must list every network with its clusters',
    },
    (model) => ({meshExpansion: {enabled: true}, meshNetworks: meshNetworks(model)}),
  ),
  // Networks come from the label topology.istio.io/network (istio/istio 1.8.6
  // pilot/pkg/serviceregistry/kube/controller/network.go), so a new cluster on a known network does not change the documents of others.
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

/**
 * Returns every network with its clusters and its gateway. The gateway of another network needs no address: istiod finds the
 * Service in the registries of the network's clusters, which it reads with their remote secrets (istio.io 1.6 and 1.7:
 * setup/install/multicluster/shared, "Cross-cluster control plane access"; istio/istio
 * pilot/pkg/serviceregistry/kube/controller/network.go, reloadMeshNetworks).
 */
function meshNetworks({networks, namespace}: InstallModel): Tree {
  const invalid = networks.flatMap(({clusters}) => clusters).find((name) => !registryPattern.test(name));
  if (invalid !== undefined) {
    throw new MeshError('USAGE', `meshNetworks of Istio 1.6 and 1.7 cannot contain the clusterName ${invalid}`, {
      hints: ['use Istio 1.8 or later, which needs no meshNetworks'],
    });
  }
  // The spelling of 1.6, whose protobuf parser accepts snake_case (pkg/util/gogoprotomarshal).
  const gateway = {registry_service_name: `istio-ingressgateway.${namespace}.svc.cluster.local`, port: 443};
  return Object.fromEntries(
    networks.map(({name, clusters}) => [
      name,
      {endpoints: clusters.map((fromRegistry) => ({fromRegistry})), gateways: [{...gateway}]},
    ]),
  );
}
