/** The gateways through which other networks reach a cluster, and what configures them; nothing is read in a mesh with one network. */
import {defined} from '../../domain/defined.js';
import type {EastWestGatewayFacts, GatewayServersFacts} from '../../domain/facts/facts.js';
import {eastWestGateway} from '../../domain/facts/read/east-west-gateways.js';
import {isNameTaken, isScoped, istioServers, kubernetesServers} from '../../domain/facts/read/gateway-servers.js';
import {namedGateways, spansNetworks} from '../../domain/facts/read/network-gateways.js';
import {networkLabel} from '../../domain/istio/names.js';
import type {PodObject, ServiceObject} from '../../domain/kube/objects.js';
import type {Derivations, FactSources} from '../fact-sources.js';
import {selectorOf} from './network-gateways.js';

const nothing: GatewayServersFacts = {servers: [], isScoped: false, isNameTaken: false};

export const eastWestFacts: Derivations<'eastWestGateways' | 'gatewayServers'> = {
  async eastWestGateways(sources) {
    const {mesh, cluster, reads} = sources;
    const {network} = cluster;
    if (network === undefined || !spansNetworks(mesh)) return [];
    const gatewayOf = async (
      service: ServiceObject,
      of: string,
      port?: number,
    ): Promise<EastWestGatewayFacts | undefined> => eastWestGateway(service, of, await podsOf(sources, service), port);
    const [configMaps, labeledServices] = await Promise.all([
      reads.read('configMaps'),
      reads.read('networkServices'),
      reads.read('pods'),
    ]);
    const labeled = labeledServices.map((service) => gatewayOf(service, service.metadata.labels?.[networkLabel] ?? ''));
    const {services} = namedGateways(configMaps, network);
    const named = services.map(async ({namespace, name, port}) => {
      const service = await reads.read('gatewayService', {namespace, name});
      return service && gatewayOf(service, network, port);
    });
    return (await Promise.all([...labeled, ...named])).filter((gateway) => gateway !== undefined);
  },

  async gatewayServers({mesh, cluster, all, reads, fact}) {
    if (cluster.network === undefined || !spansNetworks(mesh)) return nothing;
    // istiod reads the configuration of its own cluster (istio/istio pilot/pkg/bootstrap/configcontroller.go).
    if (cluster.primary !== undefined) return (await all.get(cluster.primary)?.fact('gatewayServers')) ?? 'not read';
    const [istio, kubernetes, controlPlanes] = await Promise.all([
      reads.read('istioGateways'),
      reads.read('networkGateways'),
      fact('controlPlanes'),
    ]);
    return defined<GatewayServersFacts>({
      servers: [...istioServers(istio), ...kubernetesServers(kubernetes)],
      isScoped: isScoped(controlPlanes),
      isNameTaken: isNameTaken(istio, mesh.istio.namespace),
      version: controlPlanes[0]?.version,
    });
  },
};

/** The pods of a Service's namespace, or those that it selects. */
async function podsOf({mesh, reads}: FactSources, service: ServiceObject): Promise<readonly PodObject[]> {
  const {namespace = ''} = service.metadata;
  if (namespace === mesh.istio.namespace) return reads.read('pods');
  const labelSelector = selectorOf(service);
  return labelSelector === '' ? [] : reads.read('gatewayPods', {namespace, labelSelector});
}
