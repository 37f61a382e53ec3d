/** Faults of the gateways between networks: MESH42x. */
import type {Fault} from '../harness/fault.js';
import {inIstioSystem, inTurn, rolledOut} from '../harness/by-hand.js';

const gateway = ['gateways.networking.istio.io', 'cross-network-gateway'] as const;

/** Changes the cross-network Gateway. */
function patched(path: string, value: unknown): Fault['seed'] {
  const patch = JSON.stringify([{op: 'replace', path, value}]);
  return inIstioSystem('two', 'patch', ...gateway, '--type=json', '-p', patch);
}

export const gatewayFaults: readonly Fault[] = [
  {
    id: 'MESH420-no-gateway',
    title: 'the cross-network Gateway was deleted',
    shape: 'networks',
    cluster: 'two',
    says: /no Gateway selects its pods for port 15443/,
    seed: inIstioSystem('two', 'delete', ...gateway),
    fix: 'as printed',
  },
  {
    id: 'MESH420-other-mode',
    title: 'the cross-network Gateway passes connections through by host instead of by service',
    shape: 'networks',
    cluster: 'two',
    says: /Gateway istio-system\/cross-network-gateway has tls\.mode PASSTHROUGH on port 15443/,
    seed: patched('/spec/servers/0/tls/mode', 'PASSTHROUGH'),
    fix: 'as printed',
  },
  {
    id: 'MESH420-other-port',
    title: 'the cross-network Gateway has another port',
    shape: 'networks',
    cluster: 'two',
    says: /AUTO_PASSTHROUGH on port 443, not on 15443/,
    seed: patched('/spec/servers/0/port/number', 443),
    fix: 'as printed',
  },
  {
    id: 'MESH420-other-selector',
    title: 'the cross-network Gateway selects the ingress gateway',
    shape: 'networks',
    cluster: 'two',
    says: /no Gateway selects its pods/,
    seed: patched('/spec/selector', {istio: 'ingressgateway'}),
    fix: 'as printed',
  },
  {
    id: 'MESH420-service-selector',
    title: "the east-west gateway's Service selects the ingress gateway",
    shape: 'networks',
    cluster: 'two',
    says: /Service istio-system\/istio-eastwestgateway: no Gateway selects its pods/,
    seed: inIstioSystem(
      'two',
      ...['patch', 'service/istio-eastwestgateway', '--type=json', '-p'],
      '[{"op":"replace","path":"/spec/selector","value":{"istio":"ingressgateway"}}]',
    ),
    fix: 'as printed',
  },
  {
    id: 'MESH421-other-label',
    title: "the east-west gateway's Service is labeled with another network",
    shape: 'networks',
    cluster: 'two',
    says: /is labeled network9, its pods are on network2/,
    seed: inIstioSystem(
      'two',
      ...['label', 'service/istio-eastwestgateway', 'topology.istio.io/network=network9', '--overwrite'],
    ),
    fix: 'as printed',
  },
  {
    id: 'MESH421-other-view',
    title: 'the east-west gateway gets the endpoints of another network',
    shape: 'networks',
    cluster: 'two',
    says: /gets endpoints of network1 only, not of network2/,
    seed: inTurn(
      inIstioSystem(
        'two',
        ...['set', 'env', 'deployment/istio-eastwestgateway', 'ISTIO_META_REQUESTED_NETWORK_VIEW=network1'],
      ),
      async (lab) => {
        await rolledOut(lab.cluster('two'), 'istio-eastwestgateway');
        return undefined;
      },
    ),
    fix: 'as printed',
  },
];
