/** The gateways through which other networks reach a cluster; nothing is read if the mesh needs none. */
import {networkLabel} from '../../domain/istio/names.js';
import type {NetworkGatewayFacts, PodFacts} from '../../domain/facts/facts.js';
import {podsOfSelector} from '../../domain/facts/read/pods.js';
import type {ServiceObject} from '../../domain/kube/objects.js';
import {
  addressedGateway,
  isOfGatewayDeployment,
  missingGateway,
  namedGateways,
  resourceGateway,
  serviceGateway,
  spansNetworks,
} from '../../domain/facts/read/network-gateways.js';
import {hasFeature} from '../../domain/istio/features.js';
import type {Derive, FactSources} from '../fact-sources.js';

/** Every gateway that the cluster labels with a network, and those that meshNetworks lists for the cluster's network. */
export const deriveNetworkGateways: Derive<'networkGateways'> = async (sources) => {
  const {mesh, cluster, reads, fact} = sources;
  const {network} = cluster;
  if (network === undefined) return [];
  const isNeeded = spansNetworks(mesh);
  const isOld = (await fact('controlPlanes')).some(({version}) => !hasFeature(version, 'networkLabel'));
  if (!isNeeded && !isOld) return [];
  const named = await byMeshNetworks(sources, network);
  if (!isNeeded) return named;
  const labeled = await Promise.all(
    (await reads.read('networkServices')).map(async (service) => {
      const label = service.metadata.labels?.[networkLabel] ?? '';
      return serviceGateway(service, label, 'Service', await podsToCheck(sources, service));
    }),
  );
  const resources = (await reads.read('networkGateways')).map(resourceGateway);
  return [...labeled, ...named, ...resources.filter((gateway) => gateway !== undefined)];
};

async function byMeshNetworks(sources: FactSources, network: string): Promise<readonly NetworkGatewayFacts[]> {
  const {reads} = sources;
  const {services, addresses} = namedGateways(await reads.read('configMaps'), network);
  const found = services.map(async ({namespace, name}) => {
    const service = await reads.read('gatewayService', {namespace, name});
    return service
      ? serviceGateway(service, network, 'meshNetworks', await podsToCheck(sources, service))
      : missingGateway({namespace, name}, network);
  });
  return [...(await Promise.all(found)), ...addresses.map((address) => addressedGateway(address, network))];
}

/** Undefined if another check covers the pods, or if the Service has no selector. */
async function podsToCheck(
  {mesh, reads}: FactSources,
  service: ServiceObject,
): Promise<readonly PodFacts[] | undefined> {
  const {namespace = ''} = service.metadata;
  const matchLabels = service.spec?.selector ?? {};
  if (Object.keys(matchLabels).length === 0) return undefined;
  if (namespace !== mesh.istio.namespace) {
    const labelSelector = selectorOf(service);
    return podsOfSelector(await reads.read('gatewayPods', {namespace, labelSelector}), {matchLabels});
  }
  const [deployments, pods] = await Promise.all([reads.read('deployments'), reads.read('pods')]);
  return isOfGatewayDeployment(service, deployments) ? undefined : podsOfSelector(pods, {matchLabels});
}

/** A Service's selector as a label selector. */
export function selectorOf({spec}: Pick<ServiceObject, 'spec'>): string {
  return Object.entries(spec?.selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
