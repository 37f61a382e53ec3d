import {describe, expect, it} from 'vitest';
import {gatewayNetworkCheck} from '../../../src/domain/checks/control-plane/gateway-network.js';
import type {EastWestGatewayFacts} from '../../../src/domain/facts/facts.js';
import {eastWestGateway as readGateway} from '../../../src/domain/facts/read/east-west-gateways.js';
import type {PodObject, ServiceObject} from '../../../src/domain/kube/objects.js';
import {judgedText} from '../../helpers/suggestions.js';
import {eastWestGateway, evidence, gatewayPod} from './healthy.js';

const rows = (...eastWestGateways: readonly EastWestGatewayFacts[]) =>
  judgedText([gatewayNetworkCheck], evidence({cluster1: {eastWestGateways}})).checks.filter(
    ({cluster}) => cluster === 'cluster1',
  );
const reinstall = 'kubectl mesh install render cluster1 && kubectl mesh install apply cluster1 --yes';
const withPods = (...pods: readonly Parameters<typeof gatewayPod>[0][]) =>
  eastWestGateway('network1', {pods: pods.map(gatewayPod)});

describe('a gateway on another network', () => {
  it.each<[string, EastWestGatewayFacts, RegExp, string]>([
    [
      'is labeled with it',
      eastWestGateway('network2', {pods: [gatewayPod()]}),
      /is labeled network2, its pods are on network1/,
      'kubectl --context kind-cluster1 -n istio-system label service/istio-eastwestgateway topology.istio.io/network=network1 --overwrite',
    ],
    [
      'has a pod there',
      withPods({network: 'network1'}, {name: 'b', network: 'network3'}),
      /^b of .* is on network3/,
      reinstall,
    ],
    [
      'gets its endpoints only',
      withPods({view: ['network2', 'network3']}),
      /endpoints of network2, network3 only/,
      reinstall,
    ],
    [
      'gets its endpoints only, and was installed by another tool',
      {...withPods({view: ['network2']}), isInstalled: false},
      /endpoints of network2 only/,
      'kubectl --context kind-cluster1 -n istio-system describe pod eastwest-1',
    ],
  ])('is an error: it %s', (_, gateway, observed, fix) => {
    expect(rows(gateway)).toMatchObject([{result: 'error', observed: expect.stringMatching(observed) as unknown, fix}]);
  });

  it('is reported beside one that is right', () => {
    const second = eastWestGateway('network2', {name: 'second', pods: [gatewayPod({network: 'network1'})]});
    expect(rows(eastWestGateway('network1'), second)).toMatchObject([
      {
        result: 'error',
        observed: expect.stringMatching(/^Service istio-system\/second is labeled network2/) as unknown,
      },
    ]);
  });
});

describe('a gateway on its own network', () => {
  it.each<[string, EastWestGatewayFacts]>([
    ['has no settings', withPods({})],
    ['gets endpoints of several networks', withPods({view: ['network2', 'network1']})],
    ['is for machines on another network', eastWestGateway('vms', {pods: [gatewayPod({network: 'vms'})]})],
  ])('is ok: it %s', (_, gateway) => {
    expect(rows(gateway).map(({result}) => result)).toEqual(['ok']);
  });

  it('is skipped without pods', () => {
    expect(rows(eastWestGateway('network1', {pods: []})).map(({result}) => result)).toEqual(['skipped']);
    expect(rows().map(({result}) => result)).toEqual(['skipped']);
  });
});

describe('the gateways of a cluster', () => {
  const service = (change: object = {}, spec: object = {}): ServiceObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {name: 'edge', namespace: 'edge', ...change},
    spec: {selector: {app: 'edge'}, externalIPs: ['192.0.2.1'], ports: [{port: 15443, targetPort: 'tls'}], ...spec},
  });
  const pod = (name: string, labels: Record<string, string>, env: readonly object[] = [], status = {}): PodObject =>
    ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {name, labels},
      spec: {containers: [{name: 'istio-proxy', env}]},
      status,
    }) as PodObject;
  const pods = [
    pod('a', {app: 'edge', 'topology.istio.io/network': 'n2'}),
    pod('b', {app: 'edge'}, [
      {name: 'ISTIO_META_NETWORK', value: 'n1'},
      {name: 'ISTIO_META_REQUESTED_NETWORK_VIEW', value: 'n1,n2'},
    ]),
    pod('gone', {app: 'edge'}, [], {phase: 'Failed'}),
    pod('other', {app: 'x'}),
  ];

  it('have the pods that their Services select', () => {
    expect(readGateway(service(), 'n1', pods)).toMatchObject({
      port: {number: 15443, target: 'tls'},
      isInstalled: false,
      pods: [
        {name: 'a', network: 'n2'},
        {name: 'b', network: 'n1', view: ['n1', 'n2']},
      ],
    });
    expect(readGateway(service({}, {selector: {}}), 'n1', pods)?.pods).toEqual([]);
  });

  it('have the port that the label or meshNetworks names', () => {
    const ports = [{port: 443, targetPort: 8443}, {port: 15008}];
    const labels = {'networking.istio.io/gatewayPort': '443'};
    expect(readGateway(service({labels}, {ports}), 'n1', [])?.port).toEqual({number: 443, target: 8443});
    expect(readGateway(service({}, {ports}), 'n1', [], 15008)?.port).toEqual({number: 15008, target: 15008});
    expect(readGateway(service({}, {ports}), 'n1', [])?.port).toBeUndefined();
  });

  it('are not those without an address, or being deleted', () => {
    expect(readGateway(service({}, {externalIPs: []}), 'n1', pods)).toBeUndefined();
    expect(readGateway(service({deletionTimestamp: '2026-01-01T00:00:00Z'}), 'n1', pods)).toBeUndefined();
  });
});
