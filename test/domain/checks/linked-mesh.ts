/** Evidence of any number of linked clusters on one network, and changes to break it. */
import {PerCluster, PerPod, type Evidence, type Fact} from '../../../src/domain/facts/facts.js';
import {known} from '../../../src/domain/observed.js';
import {
  apiServerOf,
  caOf,
  clusters,
  clusterValues,
  controlPlane,
  endpointsIn,
  evidence,
  istiodClusters,
  istiodMetrics,
  readCluster,
  readerUser,
  remoteSecret,
  services,
  type ClusterValues as AllValues,
} from './healthy.js';

/** The facts of one cluster about discovery. */
export type ClusterValues = Pick<
  AllValues,
  | 'remoteSecrets'
  | 'remoteCredentials'
  | 'acceptedTokens'
  | 'readerAccount'
  | 'apiServer'
  | 'controlPlanes'
  | 'istiodClusters'
  | 'istiodMetrics'
  | 'istiodDiscovery'
  | 'namespaces'
>;

/** Builds it. `change` returns the facts of a cluster that differ. */
export function linkedMesh(
  names: readonly string[],
  change: (name: string, healthy: ClusterValues) => Partial<ClusterValues> = () => ({}),
): Evidence {
  const [base] = clusters;
  if (!base) throw new Error('a cluster');
  const members = names.map((name) => ({
    ...base,
    name,
    context: `ctx-${name}`,
    uid: `uid-${name}`,
    network: 'network1',
  }));
  const ofTwo = evidence();
  return {
    ...ofTwo,
    mesh: {...ofTwo.mesh, clusters: members},
    clusters: members.map((cluster) => {
      const values = valuesOf(cluster.name, names);
      const facts = {...values, ...change(cluster.name, values)};
      return {
        cluster,
        facts: Object.fromEntries(
          Object.entries(facts).map(([key, value]): [string, Fact<unknown>] => [key, known(value)]),
        ),
      };
    }),
  };
}

function valuesOf(name: string, names: readonly string[]): ClusterValues {
  const others = names.filter((other) => other !== name);
  return {
    remoteSecrets: new PerCluster(
      names.map((other) => ({name: other, observed: known(other === name ? 'absent' : remoteSecret(other))})),
    ),
    remoteCredentials: [],
    acceptedTokens: new PerCluster(
      others.map((other) => ({name: other, observed: known({accepted: true, username: readerUser})})),
    ),
    readerAccount: true,
    apiServer: {kubeconfig: apiServerOf(name), rootCa: caOf(name)},
    controlPlanes: [controlPlane(name)],
    istiodClusters: new PerPod([
      {name: 'istiod-1', observed: known(istiodClusters(name, ...others.map((other) => readCluster(other))))},
    ]),
    istiodMetrics: new PerPod([{name: 'istiod-1', observed: known(istiodMetrics(name))}]),
    istiodDiscovery: new PerPod([
      {name: 'istiod-1', observed: known({endpoints: names.map((other) => endpointsIn(other, ...services))})},
    ]),
    namespaces: clusterValues('cluster1').namespaces,
  };
}
