import {describe, expect, it} from 'vitest';
import {exposedServicesCheck} from '../../../src/domain/checks/control-plane/exposed-services.js';
import type {Row} from '../../../src/domain/checks/report.js';
import {istioServers, isNameTaken, kubernetesServers} from '../../../src/domain/facts/read/gateway-servers.js';
import type {GatewayObject, IstioGatewayObject} from '../../../src/domain/kube/objects.js';
import {judgedText} from '../../helpers/suggestions.js';
import {
  eastWestGateway,
  evidence,
  gatewayPod,
  gatewayServer,
  gatewayServers,
  type ClusterValues,
  type Overrides,
} from './healthy.js';

/** The row of cluster1. */
function row(cluster1: Partial<ClusterValues>, declared1: Overrides['declared1'] = {}): Row | undefined {
  return judgedText([exposedServicesCheck], evidence({cluster1, declared1})).checks.find(
    ({cluster}) => cluster === 'cluster1',
  );
}

const reinstall = 'kubectl mesh install render cluster1 && kubectl mesh install apply cluster1';
const server = (change: Parameters<typeof gatewayServer>[0]) => ({
  gatewayServers: gatewayServers(gatewayServer(change)),
});
const ownGateway = {namespace: 'edge', name: 'edge', isInstalled: false, selector: {app: 'edge'}};
const edge = eastWestGateway('network1', {...ownGateway, pods: [gatewayPod({name: 'edge-1', labels: {app: 'edge'}})]});
const kubernetes = {api: 'Kubernetes', name: 'edge', namespace: 'edge', selector: {}, hosts: []} as const;
const deployed = {...edge, pods: [gatewayPod({labels: {'gateway.networking.k8s.io/gateway-name': 'edge'}})]};

it('of a Kubernetes Gateway has another label before 1.21', () => {
  const gateway = {...edge, pods: [gatewayPod({labels: {'istio.io/gateway-name': 'edge'}})]};
  expect(row({eastWestGateways: [gateway], ...server(kubernetes)})?.result).toBe('ok');
});

describe('a gateway without services', () => {
  it.each<[string, Partial<ClusterValues>, RegExp, string]>([
    [
      'has no Gateway',
      {gatewayServers: {...gatewayServers(), servers: []}},
      /no Gateway selects/,
      `${reinstall} --yes`,
    ],
    [
      'has no Gateway, and its name is taken',
      {gatewayServers: {...gatewayServers(), servers: [], isNameTaken: true}},
      /no Gateway selects/,
      `${reinstall} --take-over --yes`,
    ],
    ['has a Gateway for other pods', server({selector: {istio: 'ingressgateway'}}), /no Gateway/, `${reinstall} --yes`],
    [
      'has this program’s Gateway with TLS termination',
      server({mode: 'SIMPLE'}),
      /tls\.mode SIMPLE/,
      `${reinstall} --yes`,
    ],
    [
      'has a Gateway of another tool with another mode',
      server({mode: 'PASSTHROUGH', isOwn: false, index: 1}),
      /Gateway istio-system\/cross-network-gateway has tls\.mode PASSTHROUGH on port 15443/,
      `kubectl --context kind-cluster1 -n istio-system patch gateways.networking.istio.io cross-network-gateway --type=json -p '[{"op":"replace","path":"/spec/servers/1/port/number","value":15443},{"op":"add","path":"/spec/servers/1/tls","value":{"mode":"AUTO_PASSTHROUGH"}}]'`,
    ],
    [
      'shares its port with a public site, which stays as it is',
      server({mode: 'SIMPLE', isOwn: false, hosts: ['www.example.com']}),
      /no Gateway selects/,
      `${reinstall} --yes`,
    ],
    ['has a Gateway for names that no service has', server({hosts: ['*.global']}), /no Gateway/, `${reinstall} --yes`],
    ['has a Gateway on another port', server({port: 443}), /on port 443, not on 15443/, `${reinstall} --yes`],
    [
      'has a Gateway in another namespace that istiod ignores',
      {eastWestGateways: [edge], gatewayServers: {...gatewayServers(gatewayServer({selector: {}})), isScoped: true}},
      /another namespace, and PILOT_SCOPE_GATEWAY_TO_NAMESPACE is true/,
      `echo '{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"edge-cross-network","namespace":"edge"},"spec":{"selector":{"app":"edge"},"servers":[{"port":{"number":15443,"name":"tls","protocol":"TLS"},"tls":{"mode":"AUTO_PASSTHROUGH"},"hosts":["*.local"]}]}}' | kubectl --context kind-cluster1 apply -f -`,
    ],
    [
      'was deployed for a Kubernetes Gateway without the listener',
      {eastWestGateways: [deployed], ...server({...kubernetes, mode: 'TLS', isOwn: false})},
      /no auto-passthrough listener on port 15443/,
      `kubectl --context kind-cluster1 -n edge patch gateways.gateway.networking.k8s.io edge --type=json -p '[{"op":"replace","path":"/spec/listeners/0/port","value":15443},{"op":"replace","path":"/spec/listeners/0/protocol","value":"TLS"},{"op":"add","path":"/spec/listeners/0/tls","value":{"mode":"Passthrough","options":{"gateway.istio.io/listener-protocol":"auto-passthrough"}}}]'`,
    ],
    [
      'has a pod that the Gateway does not select',
      {
        eastWestGateways: [
          eastWestGateway('network1', {pods: [gatewayPod(), gatewayPod({name: 'eastwest-2', labels: {app: 'x'}})]}),
        ],
      },
      /: eastwest-2: no Gateway selects/,
      `${reinstall} --yes`,
    ],
  ])('is an error with a command that fixes it: %s', (_, values, observed, fix) => {
    expect(row(values)).toMatchObject({result: 'error', observed: expect.stringMatching(observed) as unknown, fix});
  });

  it('is an error for each gateway of the network', () => {
    expect(row({eastWestGateways: [eastWestGateway('network1'), edge]})).toMatchObject({
      result: 'error',
      observed: expect.stringMatching(/^Service edge\/edge/) as unknown,
    });
  });

  it('is fixed in the primary if it is in a remote', () => {
    const values = {eastWestGateways: [edge], gatewayServers: {...gatewayServers(), servers: []}};
    expect(row(values, {role: 'remote', primary: 'cluster2'})?.fix).toMatch(/\| kubectl --context kind-cluster2 apply/);
  });
});

describe('a gateway with services', () => {
  it.each<[string, Partial<ClusterValues>]>([
    ['has narrower hosts', server({hosts: ['shop.svc.cluster.local']})],
    ['is selected by a Gateway without a selector', server({selector: {}})],
    [
      'has the number of the pods’ port',
      {
        eastWestGateways: [eastWestGateway('network1', {port: {number: 443, target: 8443}})],
        ...server({port: 8443}),
      },
    ],
    [
      'has a Gateway in another namespace',
      {eastWestGateways: [edge], ...server({selector: {app: 'edge'}, namespace: 'x'})},
    ],
    [
      'was deployed for a Kubernetes Gateway, and istiod ignores Gateways of other namespaces',
      {
        eastWestGateways: [deployed],
        gatewayServers: {...gatewayServers(gatewayServer(kubernetes)), isScoped: true},
      },
    ],
    [
      'is the Service in the addresses of a Kubernetes Gateway',
      {eastWestGateways: [edge], ...server({...kubernetes, name: 'other', services: ['edge.edge.svc.cluster.local']})},
    ],
    [
      'has another Gateway that terminates TLS on another port',
      {gatewayServers: gatewayServers(gatewayServer({mode: 'SIMPLE', port: 443}), gatewayServer())},
    ],
  ])('is ok: it %s', (_, values) => {
    expect(row(values)?.result).toBe('ok');
  });
});

describe('nothing to expose', () => {
  it.each<[string, Partial<ClusterValues>, RegExp]>([
    ['no Service is a gateway', {eastWestGateways: []}, /no Service/],
    [
      'the gateway serves ambient workloads',
      {eastWestGateways: [{...deployed, port: undefined as never}]},
      /no gateway here has a port/,
    ],
    ['the gateway has no pods', {eastWestGateways: [{...edge, pods: []}]}, /selects no pod/],
    ['the primary was not checked', {gatewayServers: 'not read'}, /were not read/],
  ])('is skipped: %s', (_, values, reason) => {
    expect(row(values)).toMatchObject({result: 'skipped', reason: expect.stringMatching(reason) as unknown});
  });
});

describe('the servers of a Gateway', () => {
  const metadata = {name: 'edge', namespace: 'edge'};
  const istio = (spec: object): IstioGatewayObject => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata,
    spec,
  });
  const kubernetesGateway = (labels: Record<string, string>, listener: object, more: object = {}): GatewayObject =>
    ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: {...metadata, labels},
      spec: {listeners: [listener], ...more},
    }) as GatewayObject;
  const options = {'gateway.istio.io/listener-protocol': 'auto-passthrough'};
  const labeled = {'topology.istio.io/network': 'n1'};

  it('have hosts without namespaces, and the default mode', () => {
    const servers = [{port: {number: 15443}, tls: {}, hosts: ['*/*.local', 'a.local']}, {port: {number: 80}}];
    expect(istioServers([istio({servers})])).toMatchObject([
      {port: 15443, mode: 'PASSTHROUGH', hosts: ['*.local', 'a.local'], index: 0, selector: {}},
      {port: 80, mode: 'none', index: 1},
    ]);
    expect(istioServers([istio({})])).toEqual([]);
  });

  it.each<[boolean, Record<string, string>, object]>([
    [true, {}, {port: 1443, protocol: 'TLS', tls: {mode: 'Passthrough', options}}],
    [true, labeled, {port: 15443, protocol: 'TLS', tls: {mode: 'Passthrough'}}],
    [true, {...labeled, 'networking.istio.io/gatewayPort': '443'}, {port: 443, protocol: 'TLS', tls: {}}],
    [false, labeled, {port: 443, protocol: 'TLS', tls: {}}],
    [false, {}, {port: 15443, protocol: 'TLS', tls: {}}],
    [false, labeled, {port: 15443, protocol: 'TCP'}],
  ])('pass connections through: %s, with labels %o and listener %o', (expected, labels, listener) => {
    const [found] = kubernetesServers([kubernetesGateway(labels, listener)]);
    expect(found?.mode === 'AUTO_PASSTHROUGH').toBe(expected);
  });

  it('belong to the Services in the addresses of a Kubernetes Gateway', () => {
    const addresses = [
      {value: 'gw'},
      {type: 'Hostname', value: 'gw.x.svc.local'},
      {type: 'IPAddress', value: '1.2.3.4'},
    ];
    const [found] = kubernetesServers([kubernetesGateway({}, {port: 1, protocol: 'TCP'}, {addresses})]);
    expect(found?.services).toEqual(['gw.edge.svc', 'gw.x.svc.local']);
  });

  it.each([
    [true, {}],
    [false, {'app.kubernetes.io/managed-by': 'kubectl-mesh'}],
  ])('may be those of another tool under the name of this program’s: %s, with labels %o', (expected, labels) => {
    const named = {...istio({}), metadata: {name: 'cross-network-gateway', namespace: 'istio-system', labels}};
    expect(isNameTaken([named], 'istio-system')).toBe(expected);
    expect(isNameTaken([named], 'other')).toBe(false);
  });
});
