/** Faults of the gateways between networks: MESH411 and MESH42x. */
import {eventually} from '../../e2e/harness/processes.js';
import {deployExposed, otherAddress, removeExposed, startOtherMesh} from '../harness/gateway-server.js';
import {setAddress, startCloud, usualAddress} from '../harness/east-west.js';
import type {Fault} from '../harness/fault.js';
import type {Lab} from '../harness/lab.js';
import {onTwoNetworks} from '../harness/shapes.js';
import {inIstioSystem, inTurn, rolledOut} from '../harness/by-hand.js';

const gateway = ['gateways.networking.istio.io', 'cross-network-gateway'] as const;

/** Changes the cross-network Gateway. */
function patched(path: string, value: unknown): Fault['seed'] {
  const patch = JSON.stringify([{op: 'replace', path, value}]);
  return inIstioSystem('two', 'patch', ...gateway, '--type=json', '-p', patch);
}

const podsPath = '/api/v1/namespaces/istio-system/pods';

interface Pod {
  readonly metadata: {readonly name: string};
  readonly status: {readonly podIP?: string};
}

/** The ingress gateway of a cluster. */
async function ingressPod(lab: Lab, cluster: string): Promise<Pod> {
  return eventually(`the ingress gateway of ${cluster}`, async () => {
    const pods = await lab.cluster(cluster).api.list<Pod>(`${podsPath}?labelSelector=istio%3Dingressgateway`);
    return pods.find(({status}) => status.podIP !== undefined);
  });
}

/** The pod of `two` has the address of the one of `one`, as if both clusters had been created with the same CIDR. */
const sameAddress: Fault['seed'] = async (lab) => {
  const {podIP} = (await ingressPod(lab, 'one')).status;
  const {name} = (await ingressPod(lab, 'two')).metadata;
  const status = {podIP, podIPs: [{ip: podIP}]};
  await lab.cluster('two').api.patch(`${podsPath}/${name}/status`, {status});
  startCloud(lab.setting);
  return async () => {
    await lab.cluster('two').kubectl('-n', 'istio-system', 'delete', 'pod', name, '--ignore-not-found');
    lab.edit('mesh.yaml', (text) => text.replace('network: network2', 'network: network1'));
    await lab.cli.must('up', '--yes');
    await lab.waitForGreen();
  };
};

export const gatewayFaults: readonly Fault[] = [
  {
    id: 'MESH411-other-port',
    title: "the east-west gateway's Service has another port for mutual TLS",
    shape: 'networks',
    says: /two: Service istio-system\/istio-eastwestgateway listens on neither port 15443 nor 15008/,
    seed: inIstioSystem(
      'two',
      ...['patch', 'service/istio-eastwestgateway', '--type=json', '-p'],
      '[{"op":"test","path":"/spec/ports/1/name","value":"tls"},{"op":"replace","path":"/spec/ports/1/port","value":15444}]',
    ),
    fix: 'as printed',
  },
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
  {
    id: 'MESH422-same-address',
    title: 'two clusters on one network were created with the same pod CIDR',
    says: /pods of one and two have the same addresses: 172\./,
    seed: sameAddress,
    fix: {editor: onTwoNetworks},
  },
  {
    id: 'MESH423-another-mesh',
    title: 'the load balancer of an east-west gateway leads to another mesh',
    shape: 'networks',
    says: /two: 127\.0\.0\.77:15443 presents a certificate .* not signed by any of these roots/,
    seed: async (lab) => {
      const two = lab.cluster('two');
      const stop = await startOtherMesh();
      await deployExposed(two, 'exposed');
      await setAddress(two, otherAddress);
      return async () => {
        await stop();
        await removeExposed(two, 'exposed');
      };
    },
    fix: {person: 'corrects the load balancer', act: (lab) => setAddress(lab.cluster('two'), usualAddress)},
  },
];
