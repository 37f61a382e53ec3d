import {componentKind} from '../../install/east-west/component.js';
import {ingressKind} from '../../install/east-west/ingress.js';
import {sidecarResourceKind} from '../../install/east-west/resource.js';
import {crossNetworkGateway} from '../../install/east-west/cross-network.js';
import {
  autoPassthrough,
  configures,
  listenerProtocol,
  scopeVariable,
  servesPort,
} from '../../facts/read/gateway-servers.js';
import type {EastWestGatewayFacts, GatewayServer, GatewayServersFacts} from '../../facts/facts.js';
import {some} from '../../format.js';
import {describeRef} from '../../kube/paths.js';
import {controlPlaneClusterOf} from '../../mesh/mesh.js';
import {fixWith, inspectWith, pipe, type Suggestion, words} from '../../suggest/suggestion.js';
import {apiServerCheck, type ClusterSubject, type Finding, findingsOr, notApplicable, ok} from '../check.js';
import {reinstallFix} from '../fixes.js';

/** East-west gateways pass connections from other networks to the services. */
export const exposedServicesCheck = apiServerCheck({
  id: 'MESH420',
  title: 'The east-west gateway exposes services to other networks',
  implies: ['MESH601'],
  explains: 'requests to it',
  requires: ['eastWestGateways', 'gatewayServers'],
  judge: ({eastWestGateways, gatewayServers}, subject) => {
    const serving = eastWestGateways.filter(({port, pods}) => port !== undefined && pods.length > 0);
    const first = eastWestGateways[0];
    if (first === undefined) return notApplicable('no Service is a gateway to this cluster');
    if (serving.length === 0) {
      const isAmbient = eastWestGateways.every(({port}) => port === undefined);
      return notApplicable(
        isAmbient
          ? 'no gateway here has a port for mutual TLS'
          : `${describeRef({kind: 'Service', ...first})} selects no pod`,
      );
    }
    if (gatewayServers === 'not read')
      return notApplicable(`the Gateways in ${subject.cluster.primary ?? 'the primary'} were not read`);
    const exposing = serving.flatMap((gateway) => exposingServers(gateway, gatewayServers));
    return findingsOr(
      serving.map((gateway) => findingOf(gateway, gatewayServers, subject)),
      ok([...new Set(exposing.map(describe))].join(', ')),
    );
  },
  expected: `a Gateway with tls.mode ${autoPassthrough} on the port for other networks`,
  meaning: `For every Service that istiod uses as a gateway for mutual TLS (port 15443, unless the label networking.istio.io/gatewayPort or meshNetworks names another one), some Gateway selects its pods and has a server on that port with tls.mode ${autoPassthrough}. A Kubernetes Gateway counts as well: its listener has the option ${listenerProtocol.name}: ${listenerProtocol.value}, or TLS on that port and the Gateway a network label. Hosts other than *.local are not reported: they expose only those services. For a remote, the Gateways are those in its primary.`,
  breaks:
    'The gateway accepts no connection for the services: requests from other networks that istiod sends there fail with "no healthy upstream" or a closed connection.',
  byHand:
    'kubectl --context "$CTX" get gateways.networking.istio.io --all-namespaces -o jsonpath=\'{range .items[*]}{.metadata.name} {.spec}{"\\n"}{end}\'\nistioctl --context "$CTX" proxy-config listeners deployment/istio-eastwestgateway -n istio-system --port 15443',
  fix: 'Run `kubectl mesh install apply CLUSTER`, which applies the cross-network Gateway. For a gateway that you installed otherwise, change its Gateway, or apply one that selects its pods, as in samples/multicluster/expose-services.yaml of the Istio release.',
  source:
    'istio/istio pilot/pkg/model/push_context.go (mergeGateways), pilot/pkg/model/gateway.go, pilot/pkg/networking/core/gateway.go, pilot/pkg/serviceregistry/kube/conversion.go; istio.io: setup/install/multicluster/multi-primary_multi-network',
});

type Port = NonNullable<EastWestGatewayFacts['port']>;

/** The servers that expose services through some of a gateway's pods. */
function exposingServers(gateway: EastWestGatewayFacts, facts: GatewayServersFacts): readonly GatewayServer[] {
  const {port, pods} = gateway;
  if (port === undefined) return [];
  return facts.servers.filter(
    (server) =>
      exposes(server, port) && inScope(server, gateway, facts) && pods.some((pod) => configures(server, pod, gateway)),
  );
}

function exposes(server: GatewayServer, port: Port): boolean {
  return server.mode === autoPassthrough && servesPort(server, port) && !isForStubDomain(server);
}

/** Hosts of the domain that Istio used before endpoint discovery: no service has such a name (istio.io/v1.6: install/multicluster/gateways). */
function isForStubDomain({hosts}: GatewayServer): boolean {
  return hosts.length > 0 && hosts.every((host) => host.endsWith('.global'));
}

/** Kubernetes Gateways select Services, not pods of all namespaces. */
function inScope(
  {api, namespace}: GatewayServer,
  gateway: EastWestGatewayFacts,
  {isScoped}: GatewayServersFacts,
): boolean {
  return !isScoped || api === 'Kubernetes' || namespace === gateway.namespace;
}

function findingOf(
  gateway: EastWestGatewayFacts,
  facts: GatewayServersFacts,
  subject: ClusterSubject,
): Finding | undefined {
  const {port, pods} = gateway;
  if (port === undefined) return undefined;
  const exposing = exposingServers(gateway, facts);
  const left = pods.filter((pod) => !exposing.some((server) => configures(server, pod, gateway)));
  if (left.length === 0) return undefined;
  const own = facts.servers.filter((server) => left.some((pod) => configures(server, pod, gateway)));
  const applied = own.filter((server) => inScope(server, gateway, facts));
  // A server for other hosts can stay beside the missing one: changing it would take away what it serves.
  const forMesh = applied.filter(servesMesh);
  const nearest =
    forMesh.find((server) => servesPort(server, port) && server.mode !== autoPassthrough) ??
    forMesh.find(({mode}) => mode === autoPassthrough);
  const service = describeRef({kind: 'Service', ...gateway});
  const which = left.length === pods.length ? service : `${service}: ${some(left.map(({name}) => name))}`;
  if (nearest) {
    return {
      observed: `${which}: ${deviation(nearest, port)}`,
      fix: nearest.isOwn
        ? reinstallFix({cluster: controlPlaneClusterOf(subject.cluster, subject.mesh)})
        : changeFix(nearest, port, subject),
    };
  }
  const unscoped = own.find((server) => exposes(server, port));
  const why = unscoped
    ? `${gatewayName(unscoped)} is in another namespace, and ${scopeVariable} is true`
    : `no Gateway selects its pods for port ${String(port.number)}`;
  return {observed: `${which}: ${why}`, fix: exposeFix(gateway, port, facts, subject)};
}

/** Whether a server is for all services of the mesh; Kubernetes' listeners for this have no hosts. */
function servesMesh({api, hosts}: GatewayServer): boolean {
  return api === 'Kubernetes' || hosts.some((host) => host === '*.local' || host.endsWith('.svc.cluster.local'));
}

function deviation(server: GatewayServer, {number}: Port): string {
  const name = gatewayName(server);
  return server.mode === autoPassthrough
    ? `${name} has ${autoPassthrough} on port ${String(server.port)}, not on ${String(number)}`
    : `${name} has ${server.api === 'Istio' ? `tls.mode ${server.mode}` : `no ${listenerProtocol.value} listener`} on port ${String(number)}`;
}

function describe(server: GatewayServer): string {
  const {hosts, api} = server;
  const isAll = api === 'Kubernetes' || hosts.includes('*.local') || hosts.includes('*');
  return isAll ? gatewayName(server) : `${gatewayName(server)} for ${some(hosts)}`;
}

function gatewayName({namespace, name}: GatewayServer): string {
  return `Gateway ${namespace}/${name}`;
}

/** Changes one server of a Gateway of another tool. */
function changeFix({api, namespace, name, index}: GatewayServer, {number}: Port, subject: ClusterSubject): Suggestion {
  const isIstio = api === 'Istio';
  const path = `/spec/${isIstio ? 'servers' : 'listeners'}/${String(index)}`;
  const options = {[listenerProtocol.name]: listenerProtocol.value};
  const patch = isIstio
    ? [
        {op: 'replace', path: `${path}/port/number`, value: number},
        {op: 'add', path: `${path}/tls`, value: {mode: autoPassthrough}},
      ]
    : [
        {op: 'replace', path: `${path}/port`, value: number},
        {op: 'replace', path: `${path}/protocol`, value: 'TLS'},
        {op: 'add', path: `${path}/tls`, value: {mode: 'Passthrough', options}},
      ];
  const kind = isIstio ? 'gateways.networking.istio.io' : 'gateways.gateway.networking.k8s.io';
  return fixWith.kubectl(
    controlPlaneClusterOf(subject.cluster, subject.mesh),
    words`-n ${namespace} patch ${kind} ${name} --type=json -p ${JSON.stringify(patch)}`,
  );
}

/** The Services of the gateways that this program renders. */
const rendered = [componentKind, sidecarResourceKind, ingressKind].flatMap(({serviceNames}) => serviceNames);

/** Installs the Gateway for a gateway that `install apply` deploys; for another one, applies a Gateway that selects its pods. */
function exposeFix(
  gateway: EastWestGatewayFacts,
  port: Port,
  {isNameTaken, version}: GatewayServersFacts,
  subject: ClusterSubject,
): Suggestion {
  const {mesh, cluster} = subject;
  const {namespace, name, network, selector} = gateway;
  if (
    gateway.isInstalled &&
    rendered.includes(name) &&
    cluster.role === 'primary' &&
    namespace === mesh.istio.namespace
  )
    return reinstallFix(subject, ...(isNameTaken ? ['--take-over'] : []));
  const place = {version: version ?? {major: 1, minor: 6}, namespace, network};
  const object = crossNetworkGateway(place, selector, port.number);
  const manifest = {...object, metadata: {name: `${name}-cross-network`, namespace}};
  return pipe(
    inspectWith.run('echo', [JSON.stringify(manifest)]),
    fixWith.kubectl(controlPlaneClusterOf(cluster, mesh), words`apply -f -`),
  );
}
