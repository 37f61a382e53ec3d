/** Detects an installation that would rename a running cluster. */
import {type ErrorReport, problem} from '../errors.js';
import {istiodClusterID} from '../istio/cluster-id.js';
import type {DeploymentObject} from '../kube/objects.js';
import {ownerOfIstioName} from '../mesh/istio-name.js';
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import {istioNamePattern} from '../mesh/names.js';
import {printableLine} from '../printable.js';
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';

/**
 * Returns why install.yaml must not be applied; undefined if every running istiod has its cluster name. Under another name,
 * istiod rejects all proxies that run, which fail when their certificates expire, and the remote secrets of other clusters
 * have no effect (istio/istio security/pkg/server/ca/authenticate/kubeauth/kube_jwt.go). There is no override: a restart of
 * every workload belongs to a rename.
 */
export function refuseRename(
  {clusters}: Pick<Mesh, 'clusters'>,
  cluster: MeshCluster,
  clusterName: string,
  istiods: readonly Pick<DeploymentObject, 'metadata' | 'spec'>[],
): ErrorReport | undefined {
  const {name} = cluster;
  const other = istiods
    .map(({metadata, spec}) => ({istiod: metadata.name, running: istiodClusterID(spec.template.spec.containers)}))
    .find(({running}) => running !== clusterName);
  if (!other) return undefined;
  const {istiod, running} = other;
  const compare = advice`to compare the names of istiod and proxies: ${kubectlMesh('verify', words`${name} --only MESH404,MESH418`)}`;
  if (running === undefined) {
    const what = `${istiod} of ${name} takes its clusterName from another object: install.yaml could rename the cluster`;
    return problem('CLUSTER_RENAME', what, compare);
  }
  const what = `refusing to rename a running cluster: ${istiod} of ${name} has clusterName ${printableLine(running)}, install.yaml has ${clusterName}`;
  return problem('CLUSTER_RENAME', what, compare, ...declareHint(clusters, cluster, running));
}

/** How to declare the running name; nothing if mesh.yaml cannot have it. */
function declareHint(clusters: Mesh['clusters'], {name, istioName}: MeshCluster, running: string): readonly Hint[] {
  if (!istioNamePattern.test(running)) return [];
  const owner = ownerOfIstioName(clusters, running, name);
  if (owner) return [`cluster ${owner.name} has the same name: one of the two must be renamed with its installer`];
  if (istioName !== undefined) return [`correct istioName of ${name} in mesh.yaml`];
  return [advice`declare the running name: ${kubectlMesh('init', words`${name} --istio-name ${name}=${running}`)}`];
}
