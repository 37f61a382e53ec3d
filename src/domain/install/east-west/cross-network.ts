import {factFor, since} from '../../istio/since.js';
import type {KubeObject} from '../../kube/object.js';
import {crossNetworkName, type GatewayPlace} from './kind.js';

const apiVersions = [
  since('1.6', 'networking.istio.io/v1alpha3', '1.7.8:samples/multicluster/expose-services.yaml'),
  since('1.24', 'networking.istio.io/v1', '1.24.0:samples/multicluster/expose-services.yaml'),
] as const;

/**
 * Returns the Gateway that makes a gateway pass connections to every service of the mesh through, by their SNI. As in
 * samples/multicluster/expose-services.yaml of istio/istio.
 */
export function crossNetworkGateway(
  {version, namespace}: GatewayPlace,
  selector: Readonly<Record<string, string>>,
  port: number,
): KubeObject {
  return {
    apiVersion: factFor(apiVersions, version).value,
    kind: 'Gateway',
    metadata: {name: crossNetworkName, namespace},
    spec: {
      selector,
      servers: [
        {port: {number: port, name: 'tls', protocol: 'TLS'}, tls: {mode: 'AUTO_PASSTHROUGH'}, hosts: ['*.local']},
      ],
    },
  };
}
