import {describe, expect, it} from 'vitest';
import {parse, parseAllDocuments} from 'yaml';
import {
  decideGateways,
  refuseGateways,
  unusableAddresses,
  type LiveGateways,
} from '../../../src/domain/install/east-west/decide.js';
import type {EastWestGateway} from '../../../src/domain/install/east-west/choose.js';
import {installYamlState} from '../../../src/domain/install/install-yaml.js';
import {parseOverlay, type Overlay} from '../../../src/domain/install/overlays.js';
import {writtenComponents} from '../../../src/domain/install/shared-objects.js';
import {renderInstall, type Rendered} from '../../../src/domain/install/render.js';
import type {KubeObject} from '../../../src/domain/kube/object.js';
import type {ServiceObject} from '../../../src/domain/kube/objects.js';
import type {Mesh} from '../../../src/domain/mesh/mesh.js';
import {codeOf, meshWith, primary, release} from './meshes.js';

/** A mesh with two networks. */
function twoNetworks(change: Partial<Mesh> = {}): Mesh {
  return meshWith({clusters: [primary('near'), primary('far', {network: 'network2'})], ...change});
}

/** The rendered files of cluster `far`, with an overlay. */
function render(mesh: Mesh, version = '1.31.0', overlay?: string): Rendered {
  const path = 'overlay.yaml';
  const cluster = {...primary('far', {network: 'network2'}), ...(overlay === undefined ? {} : {overlays: [path]})};
  const files = new Map<string, Overlay>(overlay === undefined ? [] : [[path, parseOverlay(path, overlay)]]);
  return renderInstall(mesh, cluster, release(version), files);
}

interface Entry {
  readonly name: string;
  readonly enabled?: boolean;
  readonly label?: Readonly<Record<string, string>>;
  readonly k8s?: {
    readonly env?: readonly {readonly name: string; readonly value: string}[];
    readonly service?: {readonly ports: readonly {readonly port: number}[]};
    readonly resources?: unknown;
  };
}

/** The gateways in install.yaml. */
function entriesOf({text}: Rendered): readonly Entry[] {
  const document = parse(text) as {spec: {components?: {ingressGateways?: readonly Entry[]}}};
  return document.spec.components?.ingressGateways ?? [];
}

function objectsOf({gatewayText = ''}: Rendered): readonly KubeObject[] {
  return parseAllDocuments(gatewayText).map((document) => document.toJS() as KubeObject);
}

function eastWest(rendered: Rendered): EastWestGateway {
  if (rendered.eastWest === undefined) throw new Error('there is no gateway');
  return rendered.eastWest;
}

describe('a gateway that istioctl deploys', () => {
  it('is in install.yaml of a mesh with two networks, and not in that of a mesh with one', () => {
    const rendered = render(twoNetworks());
    expect(entriesOf(rendered)).toMatchObject([
      {name: 'istio-ingressgateway', enabled: true},
      {
        name: 'istio-eastwestgateway',
        enabled: true,
        label: {istio: 'eastwestgateway', 'topology.istio.io/network': 'network2'},
        k8s: {env: [{name: 'ISTIO_META_REQUESTED_NETWORK_VIEW', value: 'network2'}]},
      },
    ]);
    const single = renderInstall(meshWith(), primary('cluster1'), release('1.31.0'), new Map());
    expect([entriesOf(single), single.gatewayText]).toEqual([[], undefined]);
  });

  it('repeats the ingress gateway only of a profile that has one', () => {
    const minimal = twoNetworks({istio: {namespace: 'istio-system', profile: 'minimal'}});
    expect(entriesOf(render(minimal)).map(({name}) => name)).toEqual(['istio-eastwestgateway']);
  });

  it.each([
    ['1.8.6', ['ISTIO_META_ROUTER_MODE', 'ISTIO_META_REQUESTED_NETWORK_VIEW'], 'networking.istio.io/v1alpha3'],
    ['1.12.9', ['ISTIO_META_REQUESTED_NETWORK_VIEW'], 'networking.istio.io/v1alpha3'],
    ['1.24.0', ['ISTIO_META_REQUESTED_NETWORK_VIEW'], 'networking.istio.io/v1'],
  ])('of Istio %s has the variables and the Gateway of that version', (version, names, apiVersion) => {
    const rendered = render(twoNetworks(), version);
    const entry = entriesOf(rendered).at(-1);
    expect(entry?.k8s?.env?.map(({name}) => name)).toEqual(names);
    expect(objectsOf(rendered)).toMatchObject([
      {
        apiVersion,
        kind: 'Gateway',
        metadata: {name: 'cross-network-gateway', namespace: 'istio-system'},
        spec: {
          selector: {istio: 'eastwestgateway'},
          servers: [{port: {number: 15443}, tls: {mode: 'AUTO_PASSTHROUGH'}, hosts: ['*.local']}],
        },
      },
    ]);
  });

  it('of 1.6 and 1.7 is the ingress gateway, at the port that meshNetworks names', () => {
    const rendered = render(twoNetworks(), '1.7.8');
    expect(entriesOf(rendered)).toEqual([]);
    expect(objectsOf(rendered)).toMatchObject([
      {spec: {selector: {istio: 'ingressgateway'}, servers: [{port: {number: 443}}]}},
    ]);
    expect(rendered.text).toContain('registry_service_name: istio-ingressgateway.istio-system.svc.cluster.local');
  });

  it('is marked as rendered, so that edits are noticed', () => {
    const {gatewayText = ''} = render(twoNetworks());
    expect(installYamlState(gatewayText)).toBe('rendered');
    expect(installYamlState(gatewayText.replace('*.local', '*.global'))).toBe('edited');
  });
});

describe('a gateway and overlays', () => {
  const overlay = (entry: string): string => `spec:\n  components:\n    ingressGateways:\n      - ${entry}\n`;

  it('keeps its fields if an overlay adds some', () => {
    const rendered = render(
      twoNetworks(),
      '1.31.0',
      overlay(
        '{name: istio-eastwestgateway, k8s: {resources: {requests: {cpu: 100m}}, env: [{name: A, value: b}], service: {ports: [{port: 15443, targetPort: 15443, name: tls, nodePort: 30443}]}}}',
      ),
    );
    const [ingress, entry, ...others] = entriesOf(rendered);
    expect([ingress, others]).toEqual([{name: 'istio-ingressgateway', enabled: true}, []]);
    expect(entry).toMatchObject({
      name: 'istio-eastwestgateway',
      label: {'topology.istio.io/network': 'network2'},
      k8s: {
        resources: {requests: {cpu: '100m'}},
        env: [
          {name: 'ISTIO_META_REQUESTED_NETWORK_VIEW', value: 'network2'},
          {name: 'A', value: 'b'},
        ],
        service: {ports: [{port: 15021}, {port: 15012}, {port: 15017}, {port: 15443, nodePort: 30443}]},
      },
    });
  });

  it("stays beside an overlay's own gateways, whose list decides about the profile's", () => {
    const rendered = render(twoNetworks(), '1.31.0', overlay('{name: mine, enabled: true}'));
    expect(entriesOf(rendered).map(({name}) => name)).toEqual(['mine', 'istio-eastwestgateway']);
  });

  it('is left to the user if an overlay disables it', () => {
    const rendered = render(twoNetworks(), '1.31.0', overlay('{name: istio-eastwestgateway, enabled: false}'));
    expect([rendered.eastWest, rendered.gatewayText]).toEqual([undefined, undefined]);
    // Its list would otherwise replace the profile's.
    expect(entriesOf(rendered)).toEqual([
      {name: 'istio-ingressgateway', enabled: true},
      {name: 'istio-eastwestgateway', enabled: false},
    ]);
    expect(writtenComponents(rendered)).toEqual(['Base', 'IngressGateways']);
  });

  it('is changed by every overlay in turn', () => {
    const files = new Map(
      ['a', 'b'].map((name) => {
        const text = overlay(`{name: istio-eastwestgateway, k8s: {env: [{name: ${name.toUpperCase()}, value: x}]}}`);
        return [name, parseOverlay(name, text)] as const;
      }),
    );
    const far = {...primary('far', {network: 'network2'}), overlays: ['a', 'b']};
    const entry = entriesOf(renderInstall(twoNetworks(), far, release('1.31.0'), files)).at(-1);
    expect(entry?.k8s?.env?.map(({name}) => name)).toEqual(['ISTIO_META_REQUESTED_NETWORK_VIEW', 'A', 'B']);
  });

  it('is not configured by overlays if istiod deploys it', () => {
    const text = overlay('{name: istio-eastwestgateway, k8s: {replicaCount: 2}}');
    const mesh = twoNetworks({topology: {gateway: 'gateway-api'}});
    expect(codeOf(() => render(mesh, '1.31.0', text))).toBe('OVERLAY_INVALID');
  });

  it('shares the values of the ingress gateway, which is noted', () => {
    const values = 'spec: {values: {gateways: {istio-ingressgateway: {loadBalancerIP: 192.0.2.1}}}}';
    expect(render(twoNetworks(), '1.31.0', values).notes).toHaveLength(1);
    expect(render(twoNetworks()).notes).toEqual([]);
  });

  it.each([
    'label: {topology.istio.io/network: network1}',
    'label: {istio: other}',
    'namespace: elsewhere',
    'k8s: {env: [{name: ISTIO_META_REQUESTED_NETWORK_VIEW, value: network1}]}',
  ])('refuses %s', (field) => {
    const text = overlay(`{name: istio-eastwestgateway, ${field}}`);
    expect(codeOf(() => render(twoNetworks(), '1.31.0', text))).toBe('OVERLAY_INVALID');
  });
});

describe('a gateway that istiod deploys', () => {
  const mesh = twoNetworks({topology: {gateway: 'gateway-api'}});

  it.each([
    ['1.13.0', 'gateway.networking.k8s.io/v1alpha2'],
    ['1.16.7', 'gateway.networking.k8s.io/v1beta1'],
    ['1.31.0', 'gateway.networking.k8s.io/v1'],
  ])('of Istio %s is a Kubernetes Gateway', (version, apiVersion) => {
    const rendered = render(mesh, version);
    expect(entriesOf(rendered)).toEqual([]);
    expect(objectsOf(rendered)).toMatchObject([
      {
        apiVersion,
        metadata: {name: 'istio-eastwestgateway', labels: {'topology.istio.io/network': 'network2'}},
        spec: {
          gatewayClassName: 'istio',
          listeners: [{port: 15443, tls: {options: {'gateway.istio.io/listener-protocol': 'auto-passthrough'}}}],
        },
      },
    ]);
  });

  it('is refused for a version that has no such listeners', () => {
    expect(codeOf(() => render(mesh, '1.12.9'))).toBe('USAGE');
  });

  it('is for ambient workloads if the profile is ambient', () => {
    const ambient = twoNetworks({istio: {namespace: 'istio-system', profile: 'ambient'}});
    expect(objectsOf(render(ambient))).toMatchObject([
      {spec: {gatewayClassName: 'istio-east-west', listeners: [{port: 15008, protocol: 'HBONE'}]}},
    ]);
  });
});

describe('what a cluster needs', () => {
  const gateway = eastWest(render(twoNetworks()));
  const [wanted] = gateway.objects;
  if (wanted === undefined) throw new Error('there is no object');
  const live = (change: Partial<LiveGateways> = {}): LiveGateways => ({
    objects: [],
    gatewayApi: ['v1'],
    services: [],
    ...change,
  });
  const existing = (spec: unknown, labels: Readonly<Record<string, string>> | undefined): KubeObject => ({
    ...wanted,
    apiVersion: 'networking.istio.io/v1alpha3',
    metadata: {
      name: 'cross-network-gateway',
      namespace: 'istio-system',
      resourceVersion: '7',
      uid: 'u',
      ...(labels && {labels}),
    },
    spec,
  });
  const own = {'app.kubernetes.io/managed-by': 'kubectl-mesh'};

  it('creates what is missing, and changes nothing that is as wanted with defaults', () => {
    expect(decideGateways(live(), gateway)).toEqual({writes: [wanted], removes: [], addresses: []});
    const defaulted = {...(wanted.spec as object), extra: true};
    expect(decideGateways(live({objects: [existing(defaulted, own)]}), gateway).writes).toEqual([]);
  });

  it('replaces what differs at its resourceVersion, and keeps other labels', () => {
    const {writes} = decideGateways(live({objects: [existing({servers: []}, {...own, team: 'a'})]}), gateway);
    expect(writes).toMatchObject([{metadata: {resourceVersion: '7', labels: {...own, team: 'a'}}, spec: wanted.spec}]);
  });

  it('leaves an equal object to another tool, and refuses a different one without --take-over', () => {
    const equal = live({objects: [existing(wanted.spec, undefined)]});
    expect(decideGateways(equal, gateway).writes).toEqual([]);
    expect(refuseGateways('far', equal, gateway, {takeOver: false})).toEqual([]);
    const other = live({objects: [existing({servers: []}, undefined)]});
    expect(refuseGateways('far', other, gateway, {takeOver: false})).toMatchObject([{code: 'FOREIGN_OWNER'}]);
    expect(refuseGateways('far', other, gateway, {takeOver: true})).toEqual([]);
  });

  it('removes its own objects that are no longer wanted, and nothing else', () => {
    const objects = [existing(wanted.spec, own)];
    expect(decideGateways(live({objects}), undefined).removes).toEqual(objects);
    expect(decideGateways(live({objects: [existing(wanted.spec, undefined)]}), undefined).removes).toEqual([]);
    const kubernetes = eastWest(render(twoNetworks({topology: {gateway: 'gateway-api'}})));
    expect(decideGateways(live({objects}), kubernetes)).toMatchObject({writes: kubernetes.objects, removes: objects});
  });

  it('keeps what another tool added to a Kubernetes Gateway, but not its revision', () => {
    const kubernetes = eastWest(render(twoNetworks({topology: {gateway: 'gateway-api'}})));
    const [object] = kubernetes.objects;
    if (object === undefined) throw new Error('there is no object');
    const labels = {...object.metadata.labels, 'istio.io/rev': 'canary'};
    const addressed = {
      ...object,
      metadata: {...object.metadata, labels},
      spec: {...(object.spec as object), addresses: [1]},
    };
    const {writes} = decideGateways(live({objects: [addressed]}), kubernetes);
    expect(writes).toMatchObject([{spec: {addresses: [1]}}]);
    expect(writes[0]?.metadata.labels).toEqual(object.metadata.labels);
  });

  it("refuses a gateway of Istio's Helm chart, whose Deployment istioctl cannot replace", () => {
    const service = (labels: Readonly<Record<string, string>>): ServiceObject => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {name: 'istio-eastwestgateway', namespace: 'istio-system', labels},
    });
    const refusals = (labels: Readonly<Record<string, string>>) =>
      refuseGateways('far', live({services: [service(labels)]}), gateway, {takeOver: true}).map(({code}) => code);
    expect(refusals({istio: 'eastwestgateway'})).toEqual(['FOREIGN_OWNER']);
    expect(refusals({'install.operator.istio.io/owning-resource': 'eastwest'})).toEqual([]);
  });

  it.each([
    ['topology.gateway', twoNetworks({topology: {gateway: 'gateway-api'}}), ['v1beta1']],
    ['ambient mode', twoNetworks({istio: {namespace: 'istio-system', profile: 'ambient'}}), []],
  ])('names what requires the Gateway API: %s', (why, mesh, gatewayApi) => {
    const [refusal] = refuseGateways('far', live({gatewayApi}), eastWest(render(mesh)), {takeOver: false});
    expect(refusal).toMatchObject({code: 'GATEWAY_API_MISSING', message: expect.stringContaining(why) as unknown});
  });

  it('refuses a Kubernetes Gateway where the API is not served', () => {
    const kubernetes = eastWest(render(twoNetworks({topology: {gateway: 'gateway-api'}})));
    const missing = live({gatewayApi: []});
    expect(refuseGateways('far', missing, kubernetes, {takeOver: false})).toMatchObject([
      {code: 'GATEWAY_API_MISSING'},
    ]);
    expect(refuseGateways('far', missing, gateway, {takeOver: false})).toEqual([]);
  });

  it('reads the addresses of its Service, and names those that an old istiod cannot use', () => {
    const service: ServiceObject = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {name: 'istio-eastwestgateway', namespace: 'istio-system'},
      spec: {type: 'LoadBalancer'},
      status: {loadBalancer: {ingress: [{ip: '192.0.2.7'}, {hostname: 'lb.example.com'}]}},
    };
    const {addresses} = decideGateways(live({services: [service]}), gateway);
    expect(addresses).toEqual(['192.0.2.7', 'lb.example.com']);
    const others = [
      {...service, metadata: {...service.metadata, name: 'second'}},
      {...service, metadata: {...service.metadata, deletionTimestamp: '2026-11-30T00:00:00Z'}},
    ];
    expect(decideGateways(live({services: others}), gateway).addresses).toEqual([]);
    expect(unusableAddresses(gateway, addresses)).toEqual([]);
    expect(unusableAddresses(eastWest(render(twoNetworks(), '1.12.9')), addresses)).toEqual(['lb.example.com']);
  });
});
