/** Facts that each running istiod reports about itself. */
import {
  type IstiodClusters,
  type IstiodDiscovery,
  type IstiodMetrics,
  PerPod,
  type ServedChain,
} from '../../domain/facts/facts.js';
import {clusterzPath, readClusterz} from '../../domain/facts/read/clusterz.js';
import {endpointsByCluster, endpointShardzPath, readShards} from '../../domain/facts/read/endpoint-shardz.js';
import {spansNetworks} from '../../domain/facts/read/network-gateways.js';
import {networkzPath, readNetworkz} from '../../domain/facts/read/networkz.js';
import {configuredBy, networksShared, sharedAddresses} from '../../domain/facts/read/shared-addresses.js';
import {sidecarServices} from '../../domain/facts/read/sidecar-services.js';
import {certificateFacts} from '../../domain/facts/read/cluster-ca.js';
import {readMetrics} from '../../domain/facts/read/metrics.js';
import {defined} from '../../domain/defined.js';
import {hasDiscoveryPairs} from '../../domain/discovery/pairs.js';
import type {Mesh} from '../../domain/mesh/mesh.js';
import {isKnown} from '../../domain/observed.js';
import {externalCertProvider} from '../../domain/istio/environment.js';
import {istiodSecurePort} from '../../domain/istio/names.js';
import {hasFeature} from '../../domain/istio/features.js';
import {remoteSecretDefects} from '../../domain/istio/remote-secret-defects.js';
import {affects} from '../../domain/istio/since.js';
import type {IstioVersion} from '../../domain/istio/version.js';
import {resolveVersion} from '../../domain/istio/versions.js';
import {parseCertificate} from '../../domain/x509/certificate.js';
import {advice, inspectWith, words} from '../../domain/suggest/suggestion.js';
import {debugLimits, getDebugText, getFromIstiod, monitoringPort, statusError} from '../../engine/istiod-debug.js';
import type {IstiodPod} from '../istiod-pods.js';
import type {Derivations, FactSources} from '../fact-sources.js';

const handshakeTimeoutMs = 10_000;
/** A new istiod returns 14 kB; each proxy type, cluster and error adds lines, never megabytes. */
const metricsMaxBytes = 16 * 1024 * 1024;

/** The facts that only a running istiod can report. */
export const istiodFacts: Derivations<'servedChains' | 'istiodMetrics' | 'istiodClusters' | 'istiodDiscovery'> = {
  servedChains: (sources) => queryAll(sources, servedChain),
  istiodMetrics: (sources) => queryAll(sources, metrics),
  istiodClusters: (sources) => queryAll(sources, knownClusters),
  istiodDiscovery: (sources) => queryAll(sources, discovery),
};

/** Queries all istiod pods. An error without hints gets one that points to the pods' description. */
export async function queryAll<T>(
  sources: FactSources,
  query: (pod: IstiodPod, sources: FactSources) => Promise<T>,
): Promise<PerPod<T>> {
  const {parts} = await sources.queryIstiods((pod) => query(pod, sources));
  const pods = words`-n ${sources.mesh.istio.namespace} describe pod -l app=istiod`;
  const hints = [advice`check istiod's pods: ${inspectWith.kubectl(sources.cluster, pods)}`];
  return new PerPod(
    parts.map(({name, observed}) => ({
      name,
      observed:
        'unknown' in observed && observed.unknown.hints.length === 0
          ? {unknown: {...observed.unknown, hints}}
          : observed,
    })),
  );
}

async function servedChain(pod: IstiodPod, {deps, mesh}: FactSources): Promise<ServedChain> {
  const provider = externalCertProvider(pod.controlPlane.workload.env);
  // The declared signer also issues workload certificates, so istiod's certificate shows that signer.
  const signedBy = provider === declaredProvider(mesh) ? undefined : provider;
  if (signedBy !== undefined) return {chain: [], certificates: [], linked: false, signedBy};
  // istiod serves istiod[-REVISION].NAMESPACE.svc; the requested name does not change the chain.
  const der = await deps.tls.presentedChain({
    port: await pod.port(istiodSecurePort),
    servername: `${pod.deployment}.${mesh.istio.namespace}.svc`,
    timeoutMs: handshakeTimeoutMs,
  });
  const chain = der.map((bytes) => parseCertificate(bytes, `certificate presented by ${pod.name}`));
  return {
    chain: chain.map(certificateFacts),
    certificates: chain,
    linked: chain.every((certificate, index) => {
      const issuer = chain[index + 1];
      return !issuer || certificate.signedBy(issuer.publicKey);
    }),
  };
}

/** The PILOT_CERT_PROVIDER of an istiod whose certificate comes from the workloads' signer. */
function declaredProvider({trust: {signer}}: Mesh): string | undefined {
  return signer.type === 'external' && signer.issuer === 'kubernetes-csr' ? `k8s.io/${signer.signerName}` : undefined;
}

async function metrics(pod: IstiodPod, {deps}: FactSources): Promise<IstiodMetrics> {
  const port = await pod.port(monitoringPort);
  const {status, text} = await getFromIstiod(deps.http, {port}, '/metrics', metricsMaxBytes);
  if (status !== 200) throw statusError(pod, '/metrics', status);
  return readMetrics(text, pod.name);
}

async function knownClusters(pod: IstiodPod, sources: FactSources): Promise<IstiodClusters> {
  const version = await versionOf(pod, sources);
  const listsItself = hasFeature(version, 'clusterzListsItself');
  if (!hasFeature(version, 'clusterz')) return {listsItself};
  const text = await getDebug(pod, sources, clusterzPath, debugLimits.clusterz);
  const hidesTimeouts = hasFeature(version, 'clusterzReportsTimeout') ? undefined : true;
  return defined<IstiodClusters>({known: readClusterz(text, pod.name), listsItself, hidesTimeouts});
}

/** The endpoints, where the mesh has several clusters or this version may have lost some, and the gateways that it may have lost. */
async function discovery(pod: IstiodPod, sources: FactSources): Promise<IstiodDiscovery> {
  const version = await versionOf(pod, sources);
  const get = (path: string, maxBytes: number): Promise<string> => getDebug(pod, sources, path, maxBytes);
  const isListed = hasFeature(version, 'endpointShardz') && hasDiscoveryPairs(sources.mesh.clusters);
  const services =
    isListed || affects(remoteSecretDefects.endpoints, version)
      ? readShards(await get(endpointShardzPath, debugLimits.endpointShardz), pod.name)
      : undefined;
  const networks = networksShared(sources.mesh);
  const own = configuredBy(sources.cluster, sources.mesh);
  const gatewayNetworks =
    spansNetworks(sources.mesh) && affects(remoteSecretDefects.gateways, version)
      ? readNetworkz(await get(networkzPath, debugLimits.networkz), pod.name)
      : undefined;
  return defined<IstiodDiscovery>({
    endpoints: services && endpointsByCluster(services),
    gatewayNetworks,
    sharedAddresses: services && networks && sharedAddresses(services, networks, own),
    sidecarServices: services && spansNetworks(sources.mesh) ? sidecarServices(services, own) : undefined,
  });
}

/** The version of a pod's Deployment or, if that names no release, the one that the pod reports. */
async function versionOf({name, controlPlane}: IstiodPod, {fact}: FactSources): Promise<IstioVersion> {
  if (controlPlane.versionStatus !== 'unparsed') return controlPlane.version;
  const {parts} = await fact('istiodMetrics');
  const observed = parts.find((part) => part.name === name)?.observed;
  return observed && isKnown(observed) ? resolveVersion(observed.value.version).version : controlPlane.version;
}

/** Returns the text of a debug endpoint. */
export async function getDebug(pod: IstiodPod, sources: FactSources, path: string, maxBytes: number): Promise<string> {
  const {cluster, mesh, deps} = sources;
  const reached = {...pod, port: await pod.port(monitoringPort)};
  return getDebugText(deps.http, reached, {path, maxBytes}, {cluster, namespace: mesh.istio.namespace});
}
