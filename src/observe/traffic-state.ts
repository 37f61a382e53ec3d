/** What a cluster has of `verify --traffic` before a run. */
import {defined} from '../domain/defined.js';
import type {KubeObject} from '../domain/kube/object.js';
import type {MeshCluster} from '../domain/mesh/mesh.js';
import {holderRef, isKept} from '../domain/traffic/names.js';
import type {Clusters} from '../tools/kubectl/api.js';
import {ClusterReader} from './cluster-reader.js';
import {readClusterUid} from './identity.js';

/** The namespace, and who holds it. */
export interface TrafficState {
  readonly context: string;
  readonly uid: string;
  /** Absent if it does not exist. */
  readonly namespace?: KubeObject;
  /** What shows which run holds it: the namespace itself, or an object in one that stays. Absent: none does. */
  readonly holder?: KubeObject;
}

/** Reads it. Throws `NO_CONTEXT`, and what opening a context and reading throw. */
export async function readTrafficState(
  clusters: Clusters,
  cluster: MeshCluster,
  istioNamespace: string,
): Promise<TrafficState> {
  const reader = new ClusterReader(clusters, {cluster, istioNamespace});
  const api = await reader.open();
  const [uid, namespace] = await Promise.all([readClusterUid(reader), api.find(holderRef(false))]);
  const holder = isKept(namespace) ? await api.find(holderRef(true)) : namespace;
  return defined<TrafficState>({context: api.context, uid, namespace, holder});
}
