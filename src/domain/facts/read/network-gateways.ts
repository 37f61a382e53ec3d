/** Reads the gateways between networks from Services, Gateways and meshNetworks, by istiod's rules. */
import {defined} from '../../defined.js';
import {addressesOf} from '../../istio/gateway-address.js';
import {networkLabel} from '../../istio/names.js';
import * as z from 'zod';
import {
  type ConfigMapObject,
  type DeploymentObject,
  type GatewayObject,
  selects,
  type ServiceObject,
} from '../../kube/objects.js';
import type {Mesh} from '../../mesh/mesh.js';
import type {NetworkGatewayFacts, PodFacts} from '../facts.js';
import {isGateway, isBeingDeleted} from './control-plane.js';
import {readYaml, word} from './yaml.js';

/** The label of a Service or Gateway with another port than {@link mtlsPort}. */
const portLabel = 'networking.istio.io/gatewayPort';
/** istiod's DefaultNetworkGatewayPort and DefaultNetworkGatewayHBONEPort. */
export const mtlsPort = 15443;
const hbonePort = 15008;
/** Its name in Istio's installations (istio/istio samples/multicluster/gen-eastwest-gateway.sh). */
export const mtlsPortName = 'tls';

/** Returns the port that a label names, otherwise Istio's (istio/istio pilot/pkg/serviceregistry/kube/controller/network.go). */
export function labeledPort(labels: Readonly<Record<string, string>> = {}): number {
  const text = labels[portLabel] ?? '';
  return /^\d+$/.test(text) ? Number(text) : mtlsPort;
}

/** A Service that meshNetworks refers to. */
export interface NamedService {
  readonly namespace: string;
  readonly name: string;
  /** Of the Service; absent: not stated. */
  readonly port?: number;
}

/** The gateways of one network in meshNetworks. */
export interface NamedGateways {
  readonly services: readonly NamedService[];
  readonly addresses: readonly string[];
}

/** Whether the clusters are declared to be on more than one network. */
export function spansNetworks({clusters}: Mesh): boolean {
  return new Set(clusters.flatMap(({network}) => (network === undefined ? [] : [network]))).size > 1;
}

/** A Service that is a gateway for `network`. `pods`: those that it selects, if they are to be judged. */
export function serviceGateway(
  service: ServiceObject,
  network: string,
  declaredBy: 'Service' | 'meshNetworks',
  pods?: readonly PodFacts[],
): NetworkGatewayFacts {
  const {metadata, spec = {}} = service;
  const ports = (spec.ports ?? []).map(({port}) => port);
  const wanted = labeledPort(metadata.labels);
  const renumbered = (spec.ports ?? []).findIndex((one) => one.name === mtlsPortName && one.port !== wanted);
  return defined({
    declaredBy,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    network,
    exists: true,
    addresses: addressesOf(service),
    serviceType: spec.type ?? 'ClusterIP',
    // meshNetworks specifies the port; for a labeled Service istiod uses these two.
    listens: declaredBy === 'meshNetworks' || ports.includes(wanted) || ports.includes(hbonePort),
    renumberedPort: renumbered === -1 ? undefined : renumbered,
    pods,
  });
}

/** A gateway with defaults for the unknown fields. */
function gateway(
  known: Pick<NetworkGatewayFacts, 'declaredBy' | 'name' | 'network'> & Partial<NetworkGatewayFacts>,
): NetworkGatewayFacts {
  return {namespace: '', exists: true, addresses: [], serviceType: '', listens: true, ...known};
}

/** A Service that meshNetworks refers to and that does not exist. */
export function missingGateway({namespace, name}: NamedService, network: string): NetworkGatewayFacts {
  return gateway({declaredBy: 'meshNetworks', namespace, name, network, exists: false, listens: false});
}

/** An address in meshNetworks. */
export function addressedGateway(address: string, network: string): NetworkGatewayFacts {
  return gateway({declaredBy: 'meshNetworks', name: address, network, addresses: [address]});
}

/**
 * A Gateway resource with the network label; undefined if its addresses are those of another object: Istio labels the
 * Services of Gateways that it deploys as well (istio/istio pilot/pkg/serviceregistry/kube/controller/network.go).
 */
export function resourceGateway({metadata, spec = {}}: GatewayObject): NetworkGatewayFacts | undefined {
  const addresses = (spec.addresses ?? []).flatMap(({type, value}) =>
    (type === 'IPAddress' || type === 'Hostname') && value !== undefined ? [value] : [],
  );
  const {name, namespace = '', labels = {}} = metadata;
  const network = labels[networkLabel];
  if (network === undefined || addresses.length === 0) return undefined;
  const listens = (spec.listeners ?? []).some(
    ({port, protocol}) => port === mtlsPort || protocol === 'HBONE' || protocol === 'TLS',
  );
  return gateway({declaredBy: 'Gateway', namespace, name, network, addresses, listens});
}

/** Whether a Service selects a gateway Deployment in Istio's namespace, whose pods have a separate check. */
export function isOfGatewayDeployment(
  {spec: {selector = {}} = {}}: ServiceObject,
  deployments: readonly DeploymentObject[],
): boolean {
  return deployments.some((deployment) => {
    const {selector: own, template} = deployment.spec;
    // The template has at least the selector's labels (kubernetes.io: Deployment, "Selector").
    const labels = {...own.matchLabels, ...template.metadata?.labels};
    return isGateway(deployment) && !isBeingDeleted(deployment) && selects({matchLabels: selector}, labels);
  });
}

/** The gateways of a network in meshNetworks of every revision. Throws `API_ERROR` if that is not YAML. */
export function namedGateways(configMaps: readonly ConfigMapObject[], network: string): NamedGateways {
  const gateways = configMaps
    .filter(({metadata: {name}}) => name === 'istio' || name.startsWith('istio-'))
    .map(({metadata, data}) =>
      readYaml(meshNetworks, data?.meshNetworks, `meshNetworks of ConfigMap ${metadata.name} is not valid YAML`),
    )
    .flatMap(({networks}) => networks[network]?.gateways ?? []);
  return {
    services: gateways.flatMap((one) => {
      // istiod accepts both spellings (istio/istio pkg/util/protomarshal/protomarshal.go).
      const [name, namespace] = (one.registryServiceName ?? one.registry_service_name ?? '').split('.');
      return name === undefined || name === '' || namespace === undefined
        ? []
        : [defined<NamedService>({name, namespace, port: one.port})];
    }),
    addresses: gateways.flatMap(({address}) => address ?? []),
  };
}

const port = z.number().optional().catch(undefined);
const namedGateway = z.object({registryServiceName: word, registry_service_name: word, address: word, port}).catch({});
const namedNetwork = z.object({gateways: z.array(namedGateway).catch([])}).catch({gateways: []});
const meshNetworks = z.object({networks: z.record(z.string(), namedNetwork).catch({})});
