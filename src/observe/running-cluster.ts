/**
 * Reads what `certs adopt` needs of a running cluster, with no more permissions than role `reader` of `access role`
 * grants: Secrets are read by name.
 */
import {defined} from '../domain/defined.js';
import type {ControlPlaneFacts} from '../domain/facts/facts.js';
import {isBeingDeleted, isIstiod, readControlPlanes} from '../domain/facts/read/control-plane.js';
import {MeshError} from '../domain/errors.js';
import type {IstiodCaSource} from '../domain/istio/ca-source.js';
import {bundleKey, networkLabel} from '../domain/istio/names.js';
import type {InspectOptions} from '../domain/ca/inspect-ca.js';
import {printableLine} from '../domain/printable.js';
import type {CacertsSecret} from '../domain/trust/cacerts.js';
import type {Clusters} from '../tools/kubectl/api.js';
import {readCaSources, readMountedCa, readSelfSigned} from './ca-files.js';
import {ClusterReader} from './cluster-reader.js';
import {readClusterUid} from './identity.js';

/** A running cluster. */
export interface RunningCluster {
  readonly uid: string;
  /** Every revision; at least one. */
  readonly controlPlanes: readonly [ControlPlaneFacts, ...ControlPlaneFacts[]];
  /** From the label of Istio's namespace, otherwise from the configuration of proxies. */
  readonly network?: string;
  /** The Secret that istiod mounts; absent also if it mounts something else. */
  readonly cacerts: CacertsSecret | 'absent';
  readonly caSources: readonly IstiodCaSource[];
  /** istiod's self-signed certificate (Secret istio-ca-secret); undefined: none. */
  readonly selfSigned: string | undefined;
  /** The trust bundle of workloads; undefined: none. */
  readonly bundle: string | undefined;
}

/**
 * Reads the cluster. Throws what opening the context and reading throw, and `NOT_FOUND` if no istiod runs in the
 * namespace.
 */
export async function readRunningCluster(
  clusters: Clusters,
  context: string,
  namespace: string,
  options: InspectOptions,
): Promise<RunningCluster> {
  const reader = new ClusterReader(clusters, {
    cluster: {name: context, context, role: 'primary'},
    istioNamespace: namespace,
  });
  await reader.open();
  const sources = readCaSources(reader, 'istiods');
  const [uid, namespaces, caSources, cacerts, selfSigned, configMaps, deployments] = await Promise.all([
    readClusterUid(reader),
    reader.read('listedNamespace', {name: namespace}),
    sources,
    sources.then((all) => readMountedCa(reader, all, options)),
    readSelfSigned(reader),
    reader.read('configMaps'),
    reader.read('istiods'),
  ]);
  const ownNamespace = namespaces.find(({metadata}) => metadata.name === namespace);
  const istiods = deployments.filter((one) => isIstiod(one) && !isBeingDeleted(one));
  const [first, ...others] = readControlPlanes({deployments: istiods, configMaps, podsOf: () => []});
  if (!first) throw noIstiod(context, namespace, ownNamespace?.metadata.annotations);
  const network = ownNamespace?.metadata.labels?.[networkLabel] ?? first.network;
  return defined({
    uid,
    controlPlanes: [first, ...others],
    network: network !== undefined && network !== '' ? network : undefined,
    cacerts,
    caSources,
    selfSigned,
    bundle: configMaps.find(({metadata}) => metadata.name === first.bundleName)?.data?.[bundleKey],
  });
}

/** On a remote cluster's namespace: the clusters whose istiod controls it (istio.io: multicluster, primary-remote). */
const controlledBy = 'topology.istio.io/controlPlaneClusters';

function noIstiod(
  context: string,
  namespace: string,
  annotations: Readonly<Record<string, string>> | undefined,
): MeshError {
  const primary = annotations?.[controlledBy];
  const what = `no istiod runs in namespace ${namespace} of context "${context}"`;
  if (primary !== undefined) {
    return new MeshError('NOT_FOUND', `${what}: it is a remote of ${printableLine(primary)} and has no CA to adopt`, {
      hints: ['declare it in mesh.yaml with its name, context, role: remote and primary: NAME'],
    });
  }
  return new MeshError('NOT_FOUND', `${what}: there is no CA to adopt`, {
    hints: [
      "set istiod's namespace with --istio-namespace",
      'declare a remote of another primary in mesh.yaml: role: remote, primary: NAME',
    ],
  });
}
