import {hasFeature} from '../../istio/features.js';
import {networkLabel, networkViewVariable} from '../../istio/names.js';
import {crossNetworkGateway} from './cross-network.js';
import {eastWestName, eastWestPort, type EastWestKind} from './kind.js';

/** The pods' label by which the cross-network Gateway selects them. */
const role = {istio: 'eastwestgateway'} as const;

/**
 * A component of install.yaml, as Istio's script creates it in a document of its own (istio/istio
 * samples/multicluster/gen-eastwest-gateway.sh), with the ports for istiod: they accept connections only once a Gateway exposes it.
 */
export const componentKind: EastWestKind = {
  component: ({version, network}) => ({
    name: eastWestName,
    enabled: true,
    label: {...role, app: eastWestName, [networkLabel]: network},
    k8s: {
      env: [
        ...(hasFeature(version, 'sniRoutingByDefault') ? [] : [{name: 'ISTIO_META_ROUTER_MODE', value: 'sni-dnat'}]),
        // The gateway sends connections from other networks to endpoints on its own network only.
        {name: networkViewVariable, value: network},
      ],
      service: {
        ports: [
          {name: 'status-port', port: 15021, targetPort: 15021},
          {name: 'tls', port: eastWestPort, targetPort: eastWestPort},
          {name: 'tls-istiod', port: 15012, targetPort: 15012},
          {name: 'tls-webhook', port: 15017, targetPort: 15017},
        ],
      },
    },
  }),
  objects: (place) => [crossNetworkGateway(place, role, eastWestPort)],
  serviceSelector: () =>
    Object.entries(role)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  serviceNames: [eastWestName],
  withoutBalancer:
    'without load balancers, make it a NodePort with the annotation traffic.istio.io/nodeSelector in an overlay (docs/install.md)',
};
