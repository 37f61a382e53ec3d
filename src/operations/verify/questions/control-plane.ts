/** Facts of control planes, gateways and namespaces. */
import type {ClusterFactValues, ControlPlaneFacts, NamespaceFacts} from '../../../domain/checks/facts.js';
import {readControlPlanes, readGateways} from '../../../domain/checks/read/control-plane.js';
import type {ControlPlaneObjects} from '../../../domain/checks/read/control-plane.js';
import {podsOfSelector} from '../../../domain/checks/read/pods.js';
import type {KubeObject} from '../../../domain/kube/object.js';
import type {ClusterReads} from '../cluster-reads.js';
import type {Questions} from '../questions.js';
import type {ClusterQuestionOptions} from './cluster.js';
import {askNetworkGateways} from './network-gateways.js';

/** Every revision's istiod of one cluster. */
export async function askControlPlanes(reads: ClusterReads): Promise<readonly ControlPlaneFacts[]> {
  const [workloads, configMaps] = await Promise.all([objects(reads), reads.configMaps()]);
  return readControlPlanes({...workloads, configMaps});
}

/** The questions about what runs in Istio's namespace. */
export function controlPlaneQuestions(
  options: ClusterQuestionOptions,
): Questions<Pick<ClusterFactValues, 'namespaces' | 'controlPlanes' | 'gateways' | 'ztunnelPods' | 'networkGateways'>> {
  const {reads, controlPlanes} = options;
  return {
    namespaces: async () => (await reads.namespaces()).map(namespaceFacts),
    controlPlanes,
    gateways: async () => readGateways(await objects(reads)),
    ztunnelPods: async () =>
      (await reads.pods())
        .filter(({metadata}) => metadata.labels?.app === 'ztunnel')
        .map(({metadata}) => metadata.name),
    networkGateways: () => askNetworkGateways(options),
  };
}

async function objects(reads: ClusterReads): Promise<Omit<ControlPlaneObjects, 'configMaps'>> {
  const [deployments, pods] = await Promise.all([reads.deployments(), reads.pods()]);
  return {deployments, podsOf: ({spec}) => podsOfSelector(pods, spec.selector)};
}

/** A namespace as checks see it. */
export function namespaceFacts({metadata}: KubeObject): NamespaceFacts {
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    terminating: metadata.deletionTimestamp !== undefined,
  };
}
