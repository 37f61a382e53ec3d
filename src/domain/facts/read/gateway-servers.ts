/** Reads the servers of Istio's and Kubernetes' Gateways, and which gateways they configure, by istiod's rules. */
import {crossNetworkName} from '../../install/east-west/kind.js';
import {parseBool} from '../../istio/environment.js';
import {gatewayNameOf, networkLabel} from '../../istio/names.js';
import {managedByLabel} from '../../kube/manager.js';
import type {KubeObject} from '../../kube/object.js';
import type {GatewayObject, IstioGatewayObject} from '../../kube/objects.js';
import {fieldManager} from '../../kube/paths.js';
import type {ControlPlaneFacts, EastWestGatewayFacts, GatewayPod, GatewayServer} from '../facts.js';
import {labeledPort} from './network-gateways.js';

/** The mode in which a gateway passes connections to the service in their SNI. */
export const autoPassthrough = 'AUTO_PASSTHROUGH';
/** The option of a Kubernetes listener that requests it (istio/istio pkg/config/constants/constants.go, ListenerModeOption). */
export const listenerProtocol = {name: 'gateway.istio.io/listener-protocol', value: 'auto-passthrough'} as const;
/** The variable with which istiod applies Gateways only in their own namespace (istio/istio pilot/pkg/features/pilot.go). */
export const scopeVariable = 'PILOT_SCOPE_GATEWAY_TO_NAMESPACE';

/** The servers of Gateways of Istio. */
export function istioServers(gateways: readonly IstioGatewayObject[]): readonly GatewayServer[] {
  return gateways.flatMap((gateway) => {
    const {servers = [], selector = {}} = gateway.spec ?? {};
    return servers.map(({port, tls, hosts = []}, index): GatewayServer => ({
      ...commonTo(gateway),
      api: 'Istio',
      index,
      selector,
      services: [],
      port: port?.number ?? 0,
      // The default of ServerTLSSettings (istio.io: reference/config/networking/gateway).
      mode: tls === undefined ? 'none' : (tls.mode ?? 'PASSTHROUGH'),
      hosts: hosts.map((host) => host.slice(host.indexOf('/') + 1)),
    }));
  });
}

/** The listeners of Kubernetes Gateways (istio/istio pilot/pkg/serviceregistry/kube/conversion.go, IsAutoPassthrough). */
export function kubernetesServers(gateways: readonly GatewayObject[]): readonly GatewayServer[] {
  return gateways.flatMap((gateway) => {
    const {metadata, spec = {}} = gateway;
    const {labels = {}, namespace = ''} = metadata;
    const services = (spec.addresses ?? []).flatMap(({type = 'Hostname', value = ''}) =>
      type !== 'Hostname' ? [] : [value.includes('.') ? value : `${value}.${namespace}.svc`],
    );
    return (spec.listeners ?? []).map(({port, protocol, tls}, index): GatewayServer => {
      const isRequested = tls?.options?.[listenerProtocol.name] === listenerProtocol.value;
      const isImplied = tls !== undefined && labels[networkLabel] !== undefined && port === labeledPort(labels);
      return {
        ...commonTo(gateway),
        api: 'Kubernetes',
        index,
        selector: {},
        services,
        port,
        mode: isRequested || isImplied ? autoPassthrough : protocol,
        hosts: [],
      };
    });
  });
}

function commonTo(gateway: KubeObject): Pick<GatewayServer, 'namespace' | 'name' | 'isOwn'> {
  const {namespace = '', name} = gateway.metadata;
  return {namespace, name, isOwn: isOwn(gateway)};
}

function isOwn({metadata: {labels = {}}}: KubeObject): boolean {
  return labels[managedByLabel] === fieldManager;
}

/** Whether another tool created the Gateway that `install apply` applies into Istio's namespace. */
export function isNameTaken(gateways: readonly IstioGatewayObject[], istioNamespace: string): boolean {
  return gateways.some(
    (one) => one.metadata.name === crossNetworkName && one.metadata.namespace === istioNamespace && !isOwn(one),
  );
}

/** Whether every istiod applies Gateways only in their own namespace. */
export function isScoped(controlPlanes: readonly ControlPlaneFacts[]): boolean {
  return controlPlanes.length > 0 && controlPlanes.every(({workload: {env}}) => parseBool(env[scopeVariable], false));
}

/** Whether a server configures a pod of a gateway (istio/istio pilot/pkg/model/push_context.go, mergeGateways). */
export function configures(server: GatewayServer, {labels}: GatewayPod, gateway: EastWestGatewayFacts): boolean {
  if (server.api === 'Istio') return Object.entries(server.selector).every(([key, value]) => labels[key] === value);
  return (
    (server.namespace === gateway.namespace && gatewayNameOf(labels) === server.name) ||
    server.services.some((host) => host.startsWith(`${gateway.name}.${gateway.namespace}.`))
  );
}

/**
 * Whether a server is the one behind a Service's port: it has the number of that port or, in versions without port translation
 * and where no port has that number, the pods' (istio/istio pilot/pkg/model/gateway.go, resolvePorts).
 */
export function servesPort({port}: GatewayServer, wanted: NonNullable<EastWestGatewayFacts['port']>): boolean {
  return port === wanted.number || port === wanted.target;
}
