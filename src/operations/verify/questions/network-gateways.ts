/** The gateways through which other networks reach a cluster; nothing is asked where the mesh needs none. */
import {networkLabel} from '../../../domain/istio/names.js';
import type {NetworkGatewayFacts, PodFacts} from '../../../domain/checks/facts.js';
import {podsOfSelector} from '../../../domain/checks/read/pods.js';
import type {ServiceObject} from '../../../domain/kube/objects.js';
import {
  addressedGateway,
  isOfGatewayDeployment,
  missingGateway,
  namedGateways,
  resourceGateway,
  serviceGateway,
  spansNetworks,
} from '../../../domain/checks/read/network-gateways.js';
import {hasFeature} from '../../../domain/istio/features.js';
import type {ClusterQuestionOptions} from './cluster.js';

/** Every gateway into a network that the cluster declares, and those that meshNetworks names for its own network. */
export async function askNetworkGateways(options: ClusterQuestionOptions): Promise<readonly NetworkGatewayFacts[]> {
  const {mesh, cluster, reads, controlPlanes} = options;
  const {network} = cluster;
  if (network === undefined) return [];
  const isNeeded = spansNetworks(mesh);
  const isOld = (await controlPlanes()).some(({version}) => !hasFeature(version, 'networkLabel'));
  if (!isNeeded && !isOld) return [];
  const named = await byMeshNetworks(options, network);
  if (!isNeeded) return named;
  const labelled = await Promise.all(
    (await reads.networkServices()).map(async (service) => {
      const label = service.metadata.labels?.[networkLabel] ?? '';
      return serviceGateway(service, label, 'Service', await podsToJudge(options, service));
    }),
  );
  const found = [...labelled, ...named];
  if (found.some((gateway) => gateway.network === network && gateway.addresses.length > 0)) return found;
  const resources = (await reads.networkGateways()).map(resourceGateway);
  return [...found, ...resources.filter((gateway) => gateway !== undefined)];
}

async function byMeshNetworks(
  options: ClusterQuestionOptions,
  network: string,
): Promise<readonly NetworkGatewayFacts[]> {
  const {reads} = options;
  const {services, addresses} = namedGateways(await reads.configMaps(), network);
  const found = services.map(async ({namespace, name}) => {
    const service = await reads.service(namespace, name);
    return service
      ? serviceGateway(service, network, 'meshNetworks', await podsToJudge(options, service))
      : missingGateway({namespace, name}, network);
  });
  return [...(await Promise.all(found)), ...addresses.map((address) => addressedGateway(address, network))];
}

/** Undefined where another check judges them, or where nothing selects any. */
async function podsToJudge(
  {mesh, reads}: ClusterQuestionOptions,
  service: ServiceObject,
): Promise<readonly PodFacts[] | undefined> {
  const {namespace = ''} = service.metadata;
  const matchLabels = service.spec?.selector ?? {};
  if (Object.keys(matchLabels).length === 0) return undefined;
  if (namespace !== mesh.istio.namespace) {
    return podsOfSelector(await reads.podsOf(namespace, matchLabels), {matchLabels});
  }
  const [deployments, pods] = await Promise.all([reads.deployments(), reads.pods()]);
  return isOfGatewayDeployment(service, deployments) ? undefined : podsOfSelector(pods, {matchLabels});
}
