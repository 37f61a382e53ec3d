import {describe, expect, it} from 'vitest';
import {gatewayAddressesCheck} from '../../../src/domain/checks/control-plane/gateway-addresses.js';
import {judgedText} from '../../helpers/suggestions.js';
import type {NetworkGatewayFacts} from '../../../src/domain/facts/facts.js';
import type {Row} from '../../../src/domain/checks/report.js';
import type {ServiceObject} from '../../../src/domain/kube/objects.js';
import {
  addressedGateway,
  missingGateway,
  namedGateways,
  resourceGateway,
  serviceGateway,
} from '../../../src/domain/facts/read/network-gateways.js';
import {known} from '../../../src/domain/observed.js';
import {clusters, controlPlane, evidence, networkGateway, pod, type Spoilt} from './healthy.js';

const rows = (spoilt: Spoilt): readonly Row[] => judgedText([gatewayAddressesCheck], evidence(spoilt)).checks;

const oneNetwork: Spoilt['mesh'] = {clusters: clusters.map((cluster) => ({...cluster, network: 'network1'}))};
const script = `"$ISTIO"/samples/multicluster/gen-eastwest-gateway.sh --mesh mesh1 --cluster cluster1 --network network1`;
const old = [controlPlane('cluster1', {version: {major: 1, minor: 7}})];
const ingress = {namespace: 'istio-system', name: 'istio-ingressgateway'};

describe('a gateway between networks', () => {
  it.each<[string, Spoilt, string | RegExp, string]>([
    [
      'is missing',
      {cluster1: {networkGateways: []}},
      /^cluster1: no gateway into network1$/,
      `${script} | istioctl --context kind-cluster1 install -y -f -`,
    ],
    [
      'is missing where another revision runs',
      {cluster1: {networkGateways: [], controlPlanes: [controlPlane('cluster1', {revision: 'v2'})]}},
      /no gateway/,
      `${script} --revision v2 | istioctl --context kind-cluster1 install -y -f -`,
    ],
    [
      'says another network',
      {cluster1: {networkGateways: [networkGateway('network9')]}},
      /no gateway into network1: Service istio-system\/istio-eastwestgateway says network9/,
      `${script} | istioctl --context kind-cluster1 install -y -f -`,
    ],
    [
      'waits for its load balancer',
      {cluster1: {networkGateways: [networkGateway('network1', {addresses: []})]}},
      /pending/,
      'kubectl --context kind-cluster1 -n istio-system describe service/istio-eastwestgateway',
    ],
    [
      'is a NodePort of which istiod knows no node',
      {cluster1: {networkGateways: [networkGateway('network1', {addresses: [], serviceType: 'NodePort'})]}},
      /nodeSelector/,
      "kubectl --context kind-cluster1 -n istio-system annotate service/istio-eastwestgateway 'traffic.istio.io/nodeSelector={}'",
    ],
    [
      'is inside the cluster only',
      {cluster1: {networkGateways: [networkGateway('network1', {addresses: [], serviceType: 'ClusterIP'})]}},
      /its type is ClusterIP/,
      `kubectl --context kind-cluster1 -n istio-system patch service/istio-eastwestgateway -p '{"spec":{"type":"LoadBalancer"}}'`,
    ],
    [
      'listens on no port that istiod looks for',
      {cluster1: {networkGateways: [networkGateway('network1', {listens: false})]}},
      /15443/,
      `${script} | istioctl --context kind-cluster1 install -y -f -`,
    ],
    [
      'has a pod that is not ready',
      {
        cluster1: {
          networkGateways: [networkGateway('network1', {namespace: 'edge', pods: [pod('gw-1', {ready: false})]})],
        },
      },
      /Service edge\/istio-eastwestgateway: gw-1 is Running/,
      'kubectl --context kind-cluster1 -n edge describe pod gw-1',
    ],
    [
      'selects no pod',
      {cluster1: {networkGateways: [networkGateway('network1', {pods: [pod('gw-1', {gone: true})]})]}},
      /selects no pod/,
      'kubectl --context kind-cluster1 -n istio-system describe service/istio-eastwestgateway',
    ],
  ])('%s: an error, and a command that names the cluster', (_, spoilt, observed, fix) => {
    expect(rows(spoilt)).toMatchObject([{result: 'error', observed: expect.stringMatching(observed) as unknown, fix}]);
  });

  it.each<[string, Spoilt]>([
    [
      'another one of the network works',
      {cluster1: {networkGateways: [networkGateway('network1', {addresses: []}), networkGateway('network1')]}},
    ],
    ['meshNetworks gives an address', {cluster1: {networkGateways: [addressedGateway('192.0.2.7', 'network1')]}}],
    [
      'one of two pods is ready',
      {cluster1: {networkGateways: [networkGateway('network1', {pods: [pod('a'), pod('b', {ready: false})]})]}},
    ],
  ])('is well where %s', (_, spoilt) => {
    expect(rows(spoilt).map(({result}) => result)).toEqual(['ok']);
  });

  describe('of a network that two clusters share', () => {
    const [one, two] = evidence().clusters;
    if (!one || !two) throw new Error('two clusters');
    const declared = [one.cluster, {...two.cluster, network: 'network1'}, {...two.cluster, name: 'three'}];
    const seen = (...gateways: readonly (readonly NetworkGatewayFacts[])[]) =>
      judgedText([gatewayAddressesCheck], {
        ...evidence({mesh: {clusters: declared}}),
        clusters: gateways.map((networkGateways, index) => ({
          cluster: declared[index] ?? one.cluster,
          facts: {...one.facts, networkGateways: known(networkGateways)},
        })),
      }).checks.map(({result, observed}) => [result, observed]);
    const [first, third] = [networkGateway('network1'), networkGateway('network2')];

    it('serves both', () => {
      expect(seen([first], [], [third])).toMatchObject([['ok', expect.anything()]]);
    });

    it('is a warning where it does not work and that of the other cluster does', () => {
      expect(seen([first], [networkGateway('network1', {addresses: []})], [third])).toEqual([
        ['warning', expect.stringMatching(/^cluster2: .*pending/)],
      ]);
    });

    it('is missed in both', () => {
      expect(seen([], [], [third]).map(([result]) => result)).toEqual(['error', 'error']);
    });

    it('may be in a cluster that was not asked', () => {
      expect(seen([]).map(([result]) => result)).toEqual(['skipped']);
    });
  });
});

describe('clusters of one network', () => {
  it('need no gateway', () => {
    expect(rows({mesh: oneNetwork, cluster1: {networkGateways: []}})).toMatchObject([{result: 'skipped'}]);
  });

  it.each<[string, Spoilt['cluster1'], string, RegExp]>([
    [
      'has it',
      {networkGateways: [networkGateway('network1', {...ingress, declaredBy: 'meshNetworks'})]},
      'ok',
      /ingress/,
    ],
    ['lacks it', {networkGateways: [missingGateway(ingress, 'network1')]}, 'error', /does not exist/],
    [
      'gave it no address',
      {networkGateways: [networkGateway('network1', {...ingress, addresses: []})]},
      'warning',
      /pending/,
    ],
  ])('need with Istio 1.7 the one that meshNetworks names, and cluster1 %s', (_, cluster1, result, observed) => {
    expect(rows({mesh: oneNetwork, cluster1: {...cluster1, controlPlanes: old}})).toMatchObject([
      {result, observed: expect.stringMatching(observed) as unknown},
    ]);
  });
});

describe('what istiod takes for a gateway', () => {
  const metadata = {name: 'gw', namespace: 'edge', labels: {'topology.istio.io/network': 'n1'}};
  const ports = [{port: 15443}];
  const annotated = {...metadata, annotations: {'traffic.istio.io/nodeSelector': '{}'}};
  const object = (spec: object, status?: object, meta: object = metadata): ServiceObject =>
    ({apiVersion: 'v1', kind: 'Service', metadata: meta, spec: {ports, ...spec}, status}) as ServiceObject;
  const ingressOf = (...ingress: object[]): object => ({loadBalancer: {ingress}});

  it.each<[string, ServiceObject, readonly string[]]>([
    ['an IP', object({type: 'LoadBalancer'}, ingressOf({ip: '192.0.2.1'})), ['192.0.2.1']],
    ['a host name', object({type: 'LoadBalancer'}, ingressOf({hostname: 'lb.example'})), ['lb.example']],
    ['the IP of both', object({type: 'LoadBalancer'}, ingressOf({ip: '192.0.2.1', hostname: 'x'})), ['192.0.2.1']],
    ['nothing while pending', object({type: 'LoadBalancer'}, {loadBalancer: {}}), []],
    ['external IPs of any type', object({externalIPs: ['192.0.2.2']}), ['192.0.2.2']],
    ['no address of another type', object({type: 'ClusterIP'}, ingressOf({ip: '192.0.2.1'})), []],
    ['no node of a NodePort', object({type: 'NodePort'}), []],
    ['the nodes that an annotation selects', object({type: 'NodePort'}, undefined, annotated), ['nodes']],
  ])('has as address %s', (_, service, addresses) => {
    expect(serviceGateway(service, 'n1', 'Service').addresses).toEqual(addresses);
  });

  it.each([
    [15443, {}, true],
    [15008, {}, true],
    [443, {}, false],
    [8443, {'networking.istio.io/gatewayPort': '8443'}, true],
  ])('listens on port %i with labels %o: %s', (port, labels, listens) => {
    const service = object({ports: [{port}]}, undefined, {...metadata, labels: {...metadata.labels, ...labels}});
    expect(serviceGateway(service, 'n1', 'Service').listens).toBe(listens);
  });

  it.each([
    [[{type: 'IPAddress', value: '192.0.2.1'}], ['192.0.2.1']],
    [[], undefined],
    [[{type: 'NamedAddress', value: 'x'}], undefined],
  ])('by the Gateway API is what has addresses of its own: %o', (addresses, expected) => {
    const listeners = [{port: 15008, protocol: 'HBONE'}];
    const gateway = {apiVersion: 'v1', kind: 'Gateway', metadata, spec: {addresses, listeners}};
    expect(resourceGateway(gateway)?.addresses).toEqual(expected);
  });

  const meshNetworks = (text: string) =>
    namedGateways([{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'istio'}, data: {meshNetworks: text}}], 'n1');

  it.each(['registryServiceName', 'registry_service_name'])('is named by meshNetworks as %s', (key) => {
    const text = `networks:\n  n1:\n    gateways:\n    - ${key}: gw.edge.svc.cluster.local\n      port: 443\n    - address: 192.0.2.3\n  n2:\n    gateways:\n    - address: 192.0.2.4\n`;
    expect(meshNetworks(text)).toEqual({services: [{name: 'gw', namespace: 'edge'}], addresses: ['192.0.2.3']});
  });

  it.each(['', 'networks: {}', 'networks:', '[]', 'networks: {n1: {gateways: 3}}', 'x'])(
    'is none in meshNetworks %j',
    (text) => {
      expect(meshNetworks(text)).toEqual({services: [], addresses: []});
    },
  );

  it('is unknown in meshNetworks that are no YAML', () => {
    expect(() => meshNetworks('{{{')).toThrow(expect.objectContaining({code: 'API_ERROR'}));
  });
});
