/** Reads what is installed in a cluster, for `install apply` to compare with install.yaml. */
import type {KubeObject} from '../domain/kube/object.js';
import type {ConfigMapObject, DeploymentObject, NamespaceObject} from '../domain/kube/objects.js';
import {caSourceOf} from '../domain/istio/ca-source.js';
import {isBeingDeleted} from '../domain/facts/read/control-plane.js';
import {defaultRevision, recordName} from '../domain/istio/names.js';
import type {EastWestGateway} from '../domain/install/east-west/choose.js';
import type {LiveGateways} from '../domain/install/east-west/decide.js';
import {gatewayApiGroup} from '../domain/install/east-west/resource.js';
import {readRecord} from '../domain/install/live.js';
import {installedRevision} from '../domain/install/model.js';
import type {Mesh, MeshCluster} from '../domain/mesh/mesh.js';
import {observe, type Observed} from '../domain/observed.js';
import type {CacertsSecret} from '../domain/trust/cacerts.js';
import type {Deps} from '../engine/deps.js';
import {inspectWithoutKey, readCaSecret, readMountedCa} from './ca-files.js';
import {ClusterReader} from './cluster-reader.js';
import {readClusterUid, readReportedVersion} from './identity.js';

/** The current state of a cluster. */
export interface InstalledCluster {
  readonly context: string;
  /** The UID of namespace kube-system. */
  readonly uid: string;
  /** The minor version of Kubernetes 1; undefined if the API server does not report it. */
  readonly kubernetesMinor: number | undefined;
  /** Istio's namespace. */
  readonly namespace: NamespaceObject | undefined;
  readonly cacerts: CacertsSecret | 'absent';
  /** The Secret that istiod mounts, which is not always named cacerts; absent also if it mounts something else. */
  readonly mountedCa: CacertsSecret | 'absent';
  /** istiod's Deployment for the mesh's revision. */
  readonly istiod: DeploymentObject | undefined;
  /** The Deployments of all revisions. */
  readonly istiods: readonly DeploymentObject[];
  /** The metadata of all objects that Istio's installers label. */
  readonly installed: readonly KubeObject[];
  /** The ConfigMap of the last `install apply`. */
  readonly record: ConfigMapObject | undefined;
  /** What it has of its east-west gateway. */
  readonly gateways: Observed<LiveGateways>;
  /** The declared revisions for which `install apply` has left such a ConfigMap. */
  readonly recorded: readonly string[];
}

/** Reads the cluster. Throws what opening the context and reading throw. */
export async function readInstalledCluster(
  {clusters, now}: Pick<Deps, 'clusters' | 'now'>,
  mesh: Mesh,
  cluster: MeshCluster,
  eastWest: EastWestGateway | undefined,
): Promise<InstalledCluster> {
  const {namespace} = mesh.istio;
  const reader = new ClusterReader(clusters, {cluster, istioNamespace: namespace});
  const {context} = await reader.open();
  const revision = installedRevision(mesh);
  const revisions = new Set([...(mesh.istio.revisions ?? []), revision ?? defaultRevision]);
  const options = inspectWithoutKey(mesh, now());
  const name = revision === undefined ? 'istiod' : `istiod-${revision}`;
  const istiods = reader.read('istiods').then((deployments) => deployments.filter((one) => !isBeingDeleted(one)));
  const istiod = istiods.then((all) => all.find(({metadata}) => metadata.name === name));
  const mountedCa = istiod.then((one) => readMountedCa(reader, one ? [caSourceOf(one)] : [], options));
  const [uid, {minor: kubernetesMinor}, namespaceObject, cacerts, records, installed, gateways] = await Promise.all([
    readClusterUid(reader),
    readReportedVersion(reader, context),
    reader.read('istioNamespace', {name: namespace}),
    readCaSecret(reader, 'cacerts', options),
    Promise.all([...revisions].map(async (one) => [one, await readRecordOf(reader, one)] as const)),
    reader.readInstalled(),
    observe(() => readGateways(reader, eastWest)),
    // Awaited together, so that the first error is reported.
    mountedCa,
  ]);
  return {
    ...{context, uid, kubernetesMinor, namespace: namespaceObject},
    ...{cacerts, mountedCa: await mountedCa, istiod: await istiod, istiods: await istiods},
    ...{installed, gateways, record: records.find(([one]) => one === (revision ?? defaultRevision))?.[1]},
    recorded: records.filter(([, record]) => readRecord(record)).map(([one]) => one),
  };
}

/** Reads what a cluster has of its east-west gateway. */
async function readGateways(reader: ClusterReader, eastWest: EastWestGateway | undefined): Promise<LiveGateways> {
  const labelSelector = eastWest?.kind.serviceSelector(eastWest.place);
  // The API server's response for an object of a kind that it does not serve cannot be distinguished from that of a proxy.
  const [istio, gatewayApi, services] = await Promise.all([
    servedVersions(reader, 'networking.istio.io'),
    servedVersions(reader, gatewayApiGroup),
    labelSelector === undefined ? [] : reader.read('eastWestServices', {labelSelector}),
  ]);
  const found = await Promise.all([
    ...(istio.length === 0 ? [] : [reader.read('crossNetworkGateway')]),
    ...(gatewayApi.length === 0 ? [] : [reader.read('eastWestResource')]),
  ]);
  return {objects: found.filter((one) => one !== undefined), gatewayApi, services};
}

/** The versions in which a cluster serves the Gateways of an API group; empty without their definition. */
async function servedVersions(reader: ClusterReader, group: string): Promise<readonly string[]> {
  const found = await reader.read('gatewayDefinition', {name: `gateways.${group}`});
  return (found?.spec.versions ?? []).filter(({served}) => served).map(({name}) => name);
}

/** The same for `install apply` after istioctl has run. */
export function readLiveGateways(
  {clusters}: Pick<Deps, 'clusters'>,
  cluster: MeshCluster,
  namespace: string,
  eastWest: EastWestGateway | undefined,
): Promise<LiveGateways> {
  return readGateways(new ClusterReader(clusters, {cluster, istioNamespace: namespace}), eastWest);
}

function readRecordOf(reader: ClusterReader, revision: string): Promise<ConfigMapObject | undefined> {
  return reader.read('installRecord', {name: recordName(revision === defaultRevision ? undefined : revision)});
}

/** Reads the input of the ConfigMap that `install apply` writes: the installed objects, and the previous ConfigMap. */
export async function readInstalledObjects(
  {clusters}: Pick<Deps, 'clusters'>,
  cluster: MeshCluster,
  {namespace, revision}: {readonly namespace: string; readonly revision?: string},
): Promise<Pick<InstalledCluster, 'installed' | 'record'>> {
  const reader = new ClusterReader(clusters, {cluster, istioNamespace: namespace});
  const [installed, record] = await Promise.all([
    reader.readInstalled(),
    reader.read('installRecord', {name: recordName(revision)}),
  ]);
  return {installed, record};
}
