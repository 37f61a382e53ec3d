/** East-west gateways that istiod deploys, for a Gateway of the Kubernetes Gateway API. */
import {defined} from '../../defined.js';
import {networkLabel} from '../../istio/names.js';
import {factFor, since} from '../../istio/since.js';
import type {KubeObject} from '../../kube/object.js';
import {eastWestName, eastWestPort, type EastWestKind, type GatewayPlace} from './kind.js';

const apiVersions = [
  since('1.13', 'gateway.networking.k8s.io/v1alpha2', 'istio.io/v1.14: tasks/traffic-management/ingress/gateway-api'),
  since(
    '1.16',
    'gateway.networking.k8s.io/v1beta1',
    'istio.io/v1.17: tasks/traffic-management/ingress/gateway-api; IST0156',
  ),
  since('1.24', 'gateway.networking.k8s.io/v1', '1.31.0:samples/multicluster/gen-eastwest-gateway.sh; IST0172'),
] as const;

/** The API group of Kubernetes Gateways, whose custom resource definitions are not part of Kubernetes or Istio. */
export const gatewayApiGroup = 'gateway.networking.k8s.io';

function kubernetesGateway(
  {version, namespace, network, revision}: GatewayPlace,
  gatewayClassName: string,
  listener: object,
): KubeObject {
  return {
    apiVersion: factFor(apiVersions, version).value,
    kind: 'Gateway',
    metadata: {
      name: eastWestName,
      namespace,
      labels: defined({[networkLabel]: network, 'istio.io/rev': revision}),
    },
    spec: {gatewayClassName, listeners: [listener]},
  };
}

/** What is common to gateways that istiod deploys (1.31.0:pilot/pkg/config/kube/gateway/deploymentcontroller.go, getDefaultName). */
function deployed(gatewayClassName: string): Pick<EastWestKind, 'serviceNames' | 'withoutBalancer'> {
  return {
    serviceNames: [eastWestName, `${eastWestName}-${gatewayClassName}`],
    withoutBalancer:
      'without load balancers, set annotation networking.istio.io/service-type to NodePort on the Gateway, and traffic.istio.io/nodeSelector on its Service',
  };
}

const serviceSelector = ({network}: GatewayPlace): string => `${networkLabel}=${network}`;

/** For sidecars (istio/istio pilot/pkg/config/kube/gateway/testdata/eastwest-tlsoption.yaml). */
export const sidecarResourceKind: EastWestKind = {
  objects: (place) => [
    kubernetesGateway(place, 'istio', {
      name: 'cross-network',
      hostname: '*.local',
      port: eastWestPort,
      protocol: 'TLS',
      tls: {mode: 'Passthrough', options: {'gateway.istio.io/listener-protocol': 'auto-passthrough'}},
    }),
  ],
  serviceSelector,
  ...deployed('istio'),
  needsGatewayApi: {because: 'topology.gateway gateway-api', instead: 'or set topology.gateway to istio'},
};

/** For ambient workloads (1.31.0:samples/multicluster/gen-eastwest-gateway.sh, `--ambient`). */
export const ambientResourceKind: EastWestKind = {
  objects: (place) => [
    kubernetesGateway(place, 'istio-east-west', {
      name: 'mesh',
      port: 15008,
      protocol: 'HBONE',
      tls: {mode: 'Terminate', options: {'gateway.istio.io/tls-terminate-mode': 'ISTIO_MUTUAL'}},
    }),
  ],
  serviceSelector,
  ...deployed('istio-east-west'),
  needsGatewayApi: {because: 'ambient mode on several networks'},
};
