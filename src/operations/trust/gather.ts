/** Looks at clusters as far as a change of their CA needs it: a few small requests at once; pods only when a root would go. */
import {defaultBundleName} from '../../domain/istio/names.js';
import pMap from 'p-map';
import {isIstiod} from '../../domain/checks/read/control-plane.js';
import type {ConfigMapObject, DeploymentObject} from '../../domain/kube/objects.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {meshNames} from '../../domain/mesh/mesh-names.js';
import {requireContext} from '../../domain/mesh/require.js';
import {isKnown, observe} from '../../domain/observed.js';
import type {CaInspection, InspectOptions} from '../../domain/pki/inspect-ca.js';
import {cacertsName, previousName, readCacerts} from '../../domain/trust/cacerts.js';
import type {CacertsSecret} from '../../domain/trust/cacerts.js';
import {readNamespace} from '../../domain/trust/facts.js';
import type {ClusterTrust, TrustSeen} from '../../domain/trust/facts.js';
import {readIstiod} from '../../domain/trust/istiod.js';
import {droppedRoots} from '../../domain/trust/plan-push.js';
import {meshWorkloads} from '../../domain/trust/workloads.js';
import type {Workloads} from '../../domain/trust/workloads.js';
import type {Deps} from '../../engine/deps.js';
import {chainMissing} from '../../engine/effects/await-bundle.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {LoadedMesh} from '../shared/load-mesh.js';

const v1 = (kind: string) => ({apiVersion: 'v1', kind});

/** How CA files of this mesh are judged. */
export function inspectOptions({mesh}: LoadedMesh, deps: Pick<Deps, 'now'>): InspectOptions {
  return {now: deps.now(), istioVersion: mesh.istio.version, ...meshNames(mesh), keyMayBeMissing: true};
}

/** What a look at a cluster is for. */
export interface Looking {
  readonly namespace: string;
  readonly options: InspectOptions;
  /**
   * The CA that is to be in the cluster, once the cluster has been seen: with it the look knows whether workloads
   * matter. Undefined: nothing will be written.
   */
  readonly wanted: (seen: TrustSeen) => CaInspection | undefined;
}

/** Looks at one cluster. What cannot be told is unknown with its reason. */
export async function lookAt(deps: Deps, cluster: MeshCluster, looking: Looking): Promise<ClusterTrust> {
  const context = cluster.context === undefined ? {} : {context: cluster.context};
  const seen = await observe(async () => {
    const api = await deps.clusters.open(requireContext(cluster));
    const first = await read(api, looking);
    const wanted = looking.wanted(first);
    if (!wanted || droppedRoots(first, wanted).length === 0) return first;
    return {...first, workloads: await observe(() => readWorkloads(api, looking.namespace))};
  });
  return {cluster, ...context, seen};
}

/** The same for several clusters, `concurrency` at a time. */
export function lookAtAll<T>(
  clusters: readonly MeshCluster[],
  concurrency: number,
  look: (cluster: MeshCluster) => Promise<T>,
): Promise<readonly T[]> {
  return pMap(clusters, look, {concurrency: Math.max(1, concurrency)});
}

async function read(api: KubeApi, {namespace, options}: Looking): Promise<TrustSeen> {
  const secret = (name: string) =>
    observe(async (): Promise<CacertsSecret | 'absent'> => {
      const found = await api.find({...v1('Secret'), namespace, name});
      return found ? readCacerts(found, options) : 'absent';
    });
  const [uid, ownNamespace, cacerts, previous, liveBundle, selfSigned, istiods] = await Promise.all([
    observe(() => readUid(api)),
    observe(async () => {
      const found = await api.find({...v1('Namespace'), name: namespace});
      return found ? readNamespace(found) : 'absent';
    }),
    secret(cacertsName),
    secret(previousName),
    observe(async () => {
      const found = await api.find<ConfigMapObject>({...v1('ConfigMap'), namespace, name: defaultBundleName});
      return found?.data?.['root-cert.pem'];
    }),
    observe(async () => {
      const found = await api.find({...v1('Secret'), namespace, name: 'istio-ca-secret'});
      const certificate = (found?.data as Readonly<Record<string, string>> | undefined)?.['ca-cert.pem'];
      return certificate === undefined ? undefined : Buffer.from(certificate, 'base64').toString('utf8');
    }),
    observe(async () => {
      const kind = {apiVersion: 'apps/v1', kind: 'Deployment'};
      const {items} = await api.list<DeploymentObject>(kind, {namespace, labelSelector: 'app=istiod'});
      return items.filter(isIstiod).map(readIstiod);
    }),
  ]);
  return {uid, namespace: ownNamespace, cacerts, previous, liveBundle, selfSigned, istiods};
}

/**
 * Whether a running istiod does not present a cluster CA yet; false where none runs. For a Secret that is as wanted: with
 * the same root, only this tells that a run ended before its restart. Throws what keeps istiod from being asked.
 */
export async function presentsOther(
  deps: Deps,
  {context, seen}: ClusterTrust,
  namespace: string,
  caFingerprint: string | undefined,
): Promise<boolean> {
  if (context === undefined || caFingerprint === undefined || !isKnown(seen) || !isKnown(seen.value.istiods))
    return false;
  if (!seen.value.istiods.value.some(({readyPods}) => readyPods > 0)) return false;
  return (
    (await chainMissing(await deps.clusters.open(context), {context, namespace, caFingerprint}, deps)) !== undefined
  );
}

/** The UID of a cluster: that of its namespace kube-system. */
export async function readUid(api: KubeApi): Promise<string> {
  return (await api.get({...v1('Namespace'), name: 'kube-system'})).metadata.uid ?? '';
}

async function readWorkloads(api: KubeApi, istioNamespace: string): Promise<Workloads> {
  const [pods, namespaces] = await Promise.all([api.list(v1('Pod')), api.list(v1('Namespace'), {metadataOnly: true})]);
  return meshWorkloads(pods.items, namespaces.items, istioNamespace);
}

/** Clusters whose UID is known. */
export function seenClusters(all: readonly ClusterTrust[]): readonly {readonly name: string; readonly uid: string}[] {
  return all.flatMap(({cluster, seen}) =>
    isKnown(seen) && isKnown(seen.value.uid) ? [{name: cluster.name, uid: seen.value.uid.value}] : [],
  );
}
