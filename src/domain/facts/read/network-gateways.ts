/** Gateways between networks as checks see them, from Services, Gateways and meshNetworks, by the rules of istiod. */
import {defined} from '../../defined.js';
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

const portLabel = 'networking.istio.io/gatewayPort';
/** On a NodePort Service: the labels of the nodes that take its traffic. Without it istiod knows no address of it. */
export const nodeSelectorAnnotation = 'traffic.istio.io/nodeSelector';

/** DefaultNetworkGatewayPort and DefaultNetworkGatewayHBONEPort of istiod. */
const mtlsPort = 15443;
const hbonePort = 15008;

/** What meshNetworks says of one network's gateways. */
export interface NamedGateways {
  readonly services: readonly {readonly namespace: string; readonly name: string}[];
  readonly addresses: readonly string[];
}

/** Whether some clusters of the mesh are declared to be on other networks than others. */
export function spansNetworks({clusters}: Mesh): boolean {
  return new Set(clusters.flatMap(({network}) => (network === undefined ? [] : [network]))).size > 1;
}

/** A Service that leads into `network`. `pods`: those that its selector selects, where they are to be judged. */
export function serviceGateway(
  service: ServiceObject,
  network: string,
  declaredBy: 'Service' | 'meshNetworks',
  pods?: readonly PodFacts[],
): NetworkGatewayFacts {
  const {metadata, spec = {}} = service;
  const ports = (spec.ports ?? []).map(({port}) => port);
  const wanted = Number(metadata.labels?.[portLabel] ?? mtlsPort);
  return defined({
    declaredBy,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    network,
    exists: true,
    addresses: addressesOf(service),
    serviceType: spec.type ?? 'ClusterIP',
    // meshNetworks names the port itself; by label istiod looks for these two.
    listens: declaredBy === 'meshNetworks' || ports.includes(wanted) || ports.includes(hbonePort),
    pods,
  });
}

/** Addresses of a Service as istiod takes them (istio/istio pilot/pkg/serviceregistry/kube/conversion.go). */
function addressesOf({metadata, spec = {}, status}: ServiceObject): readonly string[] {
  const own = spec.externalIPs ?? [];
  if (spec.type === 'NodePort') {
    return metadata.annotations?.[nodeSelectorAnnotation] === undefined ? own : ['nodes', ...own];
  }
  if (spec.type !== 'LoadBalancer') return own;
  const ingress = (status?.loadBalancer?.ingress ?? []).flatMap(({ip, hostname}) => {
    const address = ip !== undefined && ip !== '' ? ip : hostname;
    return address === undefined || address === '' ? [] : [address];
  });
  return [...ingress, ...own];
}

/** A gateway of which nothing but this is known. */
function gateway(
  known: Pick<NetworkGatewayFacts, 'declaredBy' | 'name' | 'network'> & Partial<NetworkGatewayFacts>,
): NetworkGatewayFacts {
  return {namespace: '', exists: true, addresses: [], serviceType: '', listens: true, ...known};
}

/** The name of a Service that meshNetworks names and that is not there. */
export function missingGateway(
  service: {readonly namespace: string; readonly name: string},
  network: string,
): NetworkGatewayFacts {
  return gateway({declaredBy: 'meshNetworks', ...service, network, exists: false, listens: false});
}

/** An address that meshNetworks gives. */
export function addressedGateway(address: string, network: string): NetworkGatewayFacts {
  return gateway({declaredBy: 'meshNetworks', name: address, network, addresses: [address]});
}

/**
 * A Gateway resource with the network label; undefined where its addresses are another object's: Gateways that Istio
 * deploys give their Service the same label (istio/istio pilot/pkg/serviceregistry/kube/controller/network.go).
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

/** Whether a Service leads to a gateway Deployment of Istio's namespace, whose pods have a check of their own. */
export function isOfGatewayDeployment(
  {spec: {selector = {}} = {}}: ServiceObject,
  deployments: readonly DeploymentObject[],
): boolean {
  return deployments.some((deployment) => {
    const {selector: own, template} = deployment.spec;
    // The template has at least the labels of the selector (kubernetes.io: Deployment, "Selector").
    const labels = {...own.matchLabels, ...template.metadata?.labels};
    return isGateway(deployment) && !isBeingDeleted(deployment) && selects({matchLabels: selector}, labels);
  });
}

/** Gateways of a network in meshNetworks of every revision. Throws `API_ERROR` when that is no YAML. */
export function namedGateways(configMaps: readonly ConfigMapObject[], network: string): NamedGateways {
  const gateways = configMaps
    .filter(({metadata: {name}}) => name === 'istio' || name.startsWith('istio-'))
    .map(({metadata, data}) =>
      readYaml(meshNetworks, data?.meshNetworks, `meshNetworks of ConfigMap ${metadata.name} is no YAML`),
    )
    .flatMap(({networks}) => networks[network]?.gateways ?? []);
  return {
    services: gateways.flatMap((one) => {
      // istiod takes both spellings (istio/istio pkg/util/protomarshal/protomarshal.go).
      const [name, namespace] = (one.registryServiceName ?? one.registry_service_name ?? '').split('.');
      return name === undefined || name === '' || namespace === undefined ? [] : [{name, namespace}];
    }),
    addresses: gateways.flatMap(({address}) => address ?? []),
  };
}

const namedGateway = z.object({registryServiceName: word, registry_service_name: word, address: word}).catch({});
const namedNetwork = z.object({gateways: z.array(namedGateway).catch([])}).catch({gateways: []});
const meshNetworks = z.object({networks: z.record(z.string(), namedNetwork).catch({})});
