/** Reads what link and unlink need of a cluster: as a reader its istiods and remote secrets, as a peer how others reach it. */
import pMap from 'p-map';
import {defined} from '../domain/defined.js';
import {needsRootCa} from '../domain/discovery/api-server.js';
import {
  decisivePods,
  type DiscoveryIstiod,
  type DiscoveryPod,
  type DiscoveryObservation,
  type KnownRemote,
} from '../domain/discovery/observation.js';
import type {TokenVerdict} from '../domain/discovery/token.js';
import {clusterzPath, readClusterz} from '../domain/facts/read/clusterz.js';
import {endpointShardzPath} from '../domain/facts/read/endpoint-shardz.js';
import type {ServiceShards} from '../domain/discovery/lost-endpoints.js';
import {readServiceShards} from '../domain/facts/read/service-shards.js';
import {isBeingDeleted, isIstiod, readControlPlanes} from '../domain/facts/read/control-plane.js';
import {podsOfSelector, runningPods} from '../domain/facts/read/pods.js';
import {hasFeature} from '../domain/istio/features.js';
import {remoteSecretDefects} from '../domain/istio/remote-secret-defects.js';
import {affects} from '../domain/istio/since.js';
import {resolveRunning} from '../domain/istio/running-version.js';
import {resolveVersion} from '../domain/istio/versions.js';
import type {Mesh, MeshCluster} from '../domain/mesh/mesh.js';
import {requireContext} from '../domain/mesh/resolve.js';
import {isKnown, observe, type Observed} from '../domain/observed.js';
import type {Sensitive} from '../domain/sensitive.js';
import type {Deps} from '../engine/deps.js';
import {debugLimits, getDebugText, type IstiodPlace, monitoringPort} from '../engine/istiod-debug.js';
import {atOnce, ClusterReader} from './cluster-reader.js';
import {readDiscoverySecrets, type SecretsTarget} from './discovery-secrets.js';
import {readClusterUid} from './identity.js';
import {type IstiodPod, istiodPods} from './istiod-pods.js';

/** A cluster, with the clusters that it reads and those that read it. For unlink, the services that its istiods list are read, too. */
export interface DiscoveryTarget extends SecretsTarget {
  readonly cluster: MeshCluster;
}

/** A cluster with its observed facts. */
export interface DiscoveryState {
  readonly cluster: MeshCluster;
  readonly seen: Observed<DiscoveryObservation>;
}

/**
 * Reads one cluster. Facts that cannot be read are unknown, with a reason. A cluster without peers needs no istiod, and one
 * without readers no address: these are then not read.
 */
export async function readDiscovery(
  deps: Deps,
  mesh: Mesh,
  {cluster, ...secrets}: DiscoveryTarget,
): Promise<DiscoveryState> {
  const seen = await observe(async (): Promise<DiscoveryObservation> => {
    const reader = readerOf(deps, mesh, cluster);
    const {context} = await reader.open();
    const {peers, readers, unlinks} = secrets;
    const isPeer = readers.length > 0;
    const readsIstiods = observe(async () =>
      peers.length === 0 ? [] : readIstiods(reader, {deps, mesh, cluster, withServices: unlinks !== undefined}),
    );
    const [uid, istiods, hasReaderAccount, rootCa, server, found] = await Promise.all([
      observe(() => readClusterUid(reader)),
      readsIstiods,
      observe(async () => isPeer && (await reader.read('readerAccount')) !== undefined),
      observe(async () =>
        isPeer && needsRootCa(cluster) ? (await reader.read('apiServerCa'))?.data?.['ca.crt'] : undefined,
      ),
      observe(async () => (isPeer && !cluster.apiServer ? deps.clusters.serverOf(requireContext(cluster)) : undefined)),
      readDiscoverySecrets(reader, secrets, mesh.istio.namespace, readsIstiods),
    ]);
    return {at: deps.now(), context, uid, istiods, hasReaderAccount, rootCa, server, ...found};
  });
  return {cluster, seen};
}

function readerOf({clusters}: Deps, {istio}: Mesh, cluster: MeshCluster): ClusterReader {
  return new ClusterReader(clusters, {cluster, istioNamespace: istio.namespace});
}

/** What is read of the istiods of a cluster. */
interface IstiodsRequest {
  readonly deps: Deps;
  readonly mesh: Mesh;
  readonly cluster: MeshCluster;
  /** Whether the services that they list are needed, whatever their version is. */
  readonly withServices: boolean;
}

/** Reads the istiods; once more if a pod that decides cannot be read: it may have been replaced after the pods were listed. */
async function readIstiods(reader: ClusterReader, request: IstiodsRequest): Promise<readonly DiscoveryIstiod[]> {
  const istiods = await queryIstiods(reader, request);
  if (decisivePods(istiods).every(({clusters}) => isKnown(clusters))) return istiods;
  const {deps, mesh, cluster} = request;
  return queryIstiods(readerOf(deps, mesh, cluster), request);
}

async function queryIstiods(
  reader: ClusterReader,
  {deps, mesh, cluster, withServices}: IstiodsRequest,
): Promise<readonly DiscoveryIstiod[]> {
  const {namespace} = mesh.istio;
  const [all, configMaps, pods] = await Promise.all([
    reader.read('istiods'),
    reader.read('configMaps'),
    reader.read('istiodPods'),
  ]);
  const deployments = all.filter((one) => isIstiod(one) && !isBeingDeleted(one));
  const versions = new Map(deployments.map((one) => [one.metadata.name, resolveRunning(one)]));
  const podsOf = ({spec}: (typeof deployments)[number]) => podsOfSelector(pods, spec.selector);
  const controlPlanes = readControlPlanes({deployments, configMaps, podsOf});
  const queried = istiodPods({
    signal: deps.signal,
    namespace,
    controlPlanes: () => Promise.resolve(controlPlanes),
    forward: (pod, ports) => reader.forward(pod, ports),
  });
  try {
    const place = {cluster, namespace};
    const {parts} = await queried.query((pod) => knownClusters(deps, pod, place));
    // A version that loses endpoints reports the cluster as synced nevertheless.
    const needsServices = ({controlPlane}: IstiodPod): boolean =>
      withServices || affects(remoteSecretDefects.endpoints, controlPlane.version);
    const shards = await queried.query(async (pod) =>
      needsServices(pod) ? knownServices(deps, pod, place) : undefined,
    );
    return controlPlanes.map((controlPlane): DiscoveryIstiod => {
      const deployment = controlPlane.workload.name;
      const running = runningPods(controlPlane.workload);
      return {
        deployment,
        version: versions.get(deployment) ?? resolveVersion(''),
        isSelective: controlPlane.discoverySelectors.length > 0,
        pods: parts.flatMap(({name, observed: clusters}): readonly DiscoveryPod[] => {
          const services = wasRead(shards.parts.find((part) => part.name === name)?.observed);
          return running
            .filter((pod) => pod.name === name)
            .map(({ready}) => defined<DiscoveryPod>({name, notReady: ready ? undefined : true, clusters, services}));
        }),
      };
    });
  } finally {
    await queried.close();
  }
}

/** Services that were not to be read are absent. */
function wasRead(services: Observed<readonly ServiceShards[] | undefined> | undefined): DiscoveryPod['services'] {
  if (!services || !isKnown(services)) return services;
  return services.value && {value: services.value};
}

/** The clusters that an istiod pod lists; undefined: its version does not report them. */
async function knownClusters(
  {http}: Deps,
  pod: IstiodPod,
  place: IstiodPlace,
): Promise<readonly KnownRemote[] | undefined> {
  if (!hasFeature(pod.controlPlane.version, 'clusterz')) return undefined;
  const reached = {...pod, port: await pod.port(monitoringPort)};
  const text = await getDebugText(http, reached, {path: clusterzPath, maxBytes: debugLimits.clusterz}, place);
  return readClusterz(text, pod.name);
}

/** The services that an istiod pod lists, with their endpoints in each cluster. */
async function knownServices({http}: Deps, pod: IstiodPod, place: IstiodPlace): Promise<readonly ServiceShards[]> {
  const reached = {...pod, port: await pod.port(monitoringPort)};
  const limits = {path: endpointShardzPath, maxBytes: debugLimits.endpointShardz};
  return readServiceShards(await getDebugText(http, reached, limits, place), pod.name);
}

/** Has a cluster's API server judge tokens. The order is kept. */
export async function reviewTokens(
  deps: Deps,
  mesh: Mesh,
  cluster: MeshCluster,
  tokens: readonly Sensitive<string>[],
): Promise<readonly Observed<TokenVerdict>[]> {
  const reader = readerOf(deps, mesh, cluster);
  const review = (token: Sensitive<string>) => observe(async () => (await reader.open()).reviewToken(token));
  return pMap(tokens, review, {concurrency: atOnce});
}
