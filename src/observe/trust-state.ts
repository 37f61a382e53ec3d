/** Reads the facts for a change of a cluster's CA: a few small parallel requests, and pods only if a root would be removed. */
import {isIstiod} from '../domain/facts/read/control-plane.js';
import {bundleKey} from '../domain/istio/names.js';
import type {Mesh, MeshCluster} from '../domain/mesh/mesh.js';
import {isKnown, observe, valueOr} from '../domain/observed.js';
import type {CaInspection, InspectOptions} from '../domain/ca/inspect-ca.js';
import type {ClusterTrust, TrustObservation} from '../domain/trust/cluster-trust.js';
import {publishedBundleName, readIstiod} from '../domain/trust/istiod.js';
import {droppedRoots} from '../domain/trust/live-roots.js';
import {meshWorkloads} from '../domain/trust/workloads.js';
import type {Deps} from '../engine/deps.js';
import {missingChainReason} from '../engine/presented-chain.js';
import {inspectWithoutKey, readCaSecret, readSelfSigned} from './ca-files.js';
import {ClusterReader} from './cluster-reader.js';
import {readClusterUid} from './identity.js';

/**
 * Reads one cluster. Facts that cannot be read are unknown, with a reason. `wanted` returns the CA to push, given what was
 * read first; it determines whether workloads are read. If it returns undefined, nothing will be written.
 */
export async function readTrust(
  deps: Deps,
  mesh: Mesh,
  cluster: MeshCluster,
  wanted: (observed: TrustObservation) => CaInspection | undefined,
): Promise<ClusterTrust> {
  const {namespace} = mesh.istio;
  const seen = await observe(async () => {
    const reader = new ClusterReader(deps.clusters, {cluster, istioNamespace: namespace});
    await reader.open();
    const first = await readAll(reader, namespace, inspectWithoutKey(mesh, deps.now()));
    const ca = wanted(first);
    if (!ca || droppedRoots(first, ca).length === 0) return first;
    const workloads = await observe(async () => {
      const [pods, namespaces] = await Promise.all([reader.read('allPods'), reader.read('namespaces')]);
      return meshWorkloads(pods, namespaces, namespace);
    });
    return {...first, workloads};
  });
  return {cluster, seen};
}

async function readAll(reader: ClusterReader, namespace: string, options: InspectOptions): Promise<TrustObservation> {
  const istiods = observe(async () => (await reader.read('istiods')).filter(isIstiod).map(readIstiod));
  const [uid, ownNamespace, cacerts, previous, liveBundle, selfSigned] = await Promise.all([
    observe(() => readClusterUid(reader)),
    observe(async () => (await reader.read('istioNamespace', {name: namespace})) ?? 'absent'),
    observe(() => readCaSecret(reader, 'cacerts', options)),
    observe(() => readCaSecret(reader, 'previous', options)),
    observe(async () => {
      const name = publishedBundleName(valueOr(await istiods, []));
      return name === undefined ? undefined : (await reader.read('liveBundle', {name}))?.data?.[bundleKey];
    }),
    observe(() => readSelfSigned(reader)),
  ]);
  return {
    at: options.now,
    uid,
    namespace: ownNamespace,
    cacerts,
    previous,
    liveBundle,
    selfSigned,
    istiods: await istiods,
  };
}

/**
 * Whether a running istiod does not present a cluster CA yet; false if none runs. For a Secret that already matches: if
 * the root is the same, only this shows that an earlier run ended before its restart. Throws what querying istiod
 * throws.
 */
export async function presentsOtherCa(
  deps: Deps,
  {cluster, seen}: ClusterTrust,
  namespace: string,
  caFingerprint: string | undefined,
): Promise<boolean> {
  const {context} = cluster;
  if (context === undefined || caFingerprint === undefined || !isKnown(seen) || !isKnown(seen.value.istiods))
    return false;
  if (!seen.value.istiods.value.some(({readyPods}) => readyPods > 0)) return false;
  const reader = new ClusterReader(deps.clusters, {cluster, istioNamespace: namespace});
  const missing = await missingChainReason(() => reader.read('istiodPods'), {context, namespace, caFingerprint}, deps);
  return missing !== undefined;
}
