/**
 * Clusters whose pods send real requests: a setting (mesh.ts) with networks, and nodes that run pods with Istio's proxy.
 *
 * Runs only in a process with a network of its own (own-network.ts): a test of the Vitest project `data-path`.
 */
import type {Cluster} from '../cluster.js';
import {controlPlanes, type ControlPlanes} from '../control-planes.js';
import {settingIn, type Setting} from '../mesh.js';
import {HarnessError, Sandbox} from '../processes.js';
import {Fabric, type Placement} from './fabric.js';
import {imageFiles} from './images.js';
import {Node} from './node.js';
import {requireDataPath} from './requirements.js';
import {ServiceRules} from './services.js';

/** Everything that runs; `sandbox.close()` ends it. */
export interface DataPath extends Setting {
  readonly placement: Placement;
  readonly fabric: Fabric;
  readonly nodes: readonly Node[];
  /** The node of a cluster. */
  node(cluster: Cluster): Node;
}

/** Starts empty clusters, each on the network that `placement` gives it, with its API server at the address of that network. */
export async function startDataPath(placement: Placement): Promise<DataPath> {
  const planes = await controlPlanes();
  const sandbox = new Sandbox();
  try {
    return await dataPathIn(sandbox, planes, placement);
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

/** The same in a sandbox that the caller closes, also after an error. */
export async function dataPathIn(sandbox: Sandbox, planes: ControlPlanes, placement: Placement): Promise<DataPath> {
  const {envoy} = await requireDataPath();
  const fabric = await Fabric.create(placement);
  const options = Object.keys(placement).map((name) => ({
    name,
    playProxies: true,
    address: fabric.hostAddress(name),
  }));
  const [setting, files] = await Promise.all([settingIn(sandbox, planes, options), imageFiles(planes, envoy)]);
  const nodes = setting.clusters.map((cluster) => new Node(cluster, fabric, files));
  const services = new ServiceRules(nodes, fabric);
  sandbox.onClose(async () => {
    await services.stop();
    await Promise.all(nodes.map((node) => node.stop()));
  });
  for (const node of nodes) node.start();
  await services.start();
  return {
    ...setting,
    placement,
    fabric,
    nodes,
    node: (cluster) => {
      const node = nodes.find((one) => one.cluster === cluster);
      if (node === undefined) throw new HarnessError(`${cluster.name} is not in this data path`);
      return node;
    },
  };
}
