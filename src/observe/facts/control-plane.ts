/** Facts of control planes, gateways and namespaces. */
import type {NamespaceFacts} from '../../domain/facts/facts.js';
import {readControlPlanes, readGateways, type ControlPlaneObjects} from '../../domain/facts/read/control-plane.js';
import {podsOfSelector} from '../../domain/facts/read/pods.js';
import type {NamespaceObject} from '../../domain/kube/objects.js';
import type {Derivations} from '../fact-sources.js';
import type {Reads} from '../cluster-reader.js';

export const controlPlaneFacts: Derivations<'namespaces' | 'controlPlanes' | 'gateways' | 'ztunnelPods'> = {
  namespaces: async ({reads}) => (await reads.read('namespaces')).map(namespaceFacts),
  controlPlanes: async ({reads}) => {
    const [workloads, configMaps] = await Promise.all([readWorkloads(reads), reads.read('configMaps')]);
    return readControlPlanes({...workloads, configMaps});
  },
  gateways: async ({reads}) => readGateways(await readWorkloads(reads)),
  ztunnelPods: async ({reads}) =>
    (await reads.read('pods'))
      .filter(({metadata}) => metadata.labels?.app === 'ztunnel')
      .map(({metadata}) => metadata.name),
};

async function readWorkloads(reads: Reads): Promise<Omit<ControlPlaneObjects, 'configMaps'>> {
  const [deployments, pods] = await Promise.all([reads.read('deployments'), reads.read('pods')]);
  return {deployments, podsOf: ({spec}) => podsOfSelector(pods, spec.selector)};
}

/** A namespace as checks see it. */
function namespaceFacts({metadata}: NamespaceObject): NamespaceFacts {
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    terminating: metadata.deletionTimestamp !== undefined,
  };
}
