/** The facts of one cluster: each is derived at most once, from the requests of its row. */
import {type ReadFactKey, type ReadFactValues, readsOf} from '../domain/facts/facts.js';
import {MeshError} from '../domain/errors.js';
import {memoizeAsync, memoizeByKey} from '../domain/memoize.js';
import type {ReadName} from '../domain/facts/requests.js';
import {inspectOptions, readCaSecret, readCaSources, readMountedCa, readWorkDirCa} from './ca-files.js';
import {ClusterReader} from './cluster-reader.js';
import type {ClusterFacts, Derivations, FactSources, ObservedCluster} from './fact-sources.js';
import {accessFacts} from './facts/access.js';
import {secretFacts} from './facts/cacerts.js';
import {controlPlaneFacts} from './facts/control-plane.js';
import {discoveryFacts} from './facts/discovery.js';
import {clusterDirectoryFacts} from './facts/cluster-directory.js';
import {deriveEndpointsAgain} from './facts/endpoints-again.js';
import {exposedKeyFacts} from './facts/exposed-keys.js';
import {deriveJournalHeads} from './facts/journal-heads.js';
import {istiodFacts} from './facts/istiod.js';
import {eastWestFacts} from './facts/east-west-gateways.js';
import {deriveNetworkGateways} from './facts/network-gateways.js';
import {deriveGatewayChains} from './facts/gateway-chains.js';
import {rootsFacts} from './facts/roots.js';
import {istiodPods} from './istiod-pods.js';

const derivations: Derivations<ReadFactKey> = {
  ...clusterDirectoryFacts,
  ...accessFacts,
  ...discoveryFacts,
  ...controlPlaneFacts,
  ...secretFacts,
  ...rootsFacts,
  ...exposedKeyFacts,
  ...istiodFacts,
  ...eastWestFacts,
  endpointsAgain: deriveEndpointsAgain,
  journalHeads: deriveJournalHeads,
  networkGateways: deriveNetworkGateways,
  gatewayChains: deriveGatewayChains,
};

/** Creates the facts of a cluster. Connects at the first fact that needs the cluster. */
export function clusterFacts(observed: ObservedCluster): ClusterFacts {
  const {deps, mesh, cluster, limits} = observed;
  const {namespace} = mesh.istio;
  const reader = new ClusterReader(deps.clusters, {cluster, istioNamespace: namespace, limits});
  const derive = memoizeByKey((key: ReadFactKey): Promise<unknown> => derivations[key](sourcesOf(key)));
  // Each key has its own derivation, so the types match.
  const fact = <Key extends ReadFactKey>(key: Key) => derive(key) as Promise<ReadFactValues[Key]>;
  const pods = istiodPods({
    signal: deps.signal,
    namespace,
    controlPlanes: () => fact('controlPlanes'),
    forward: (pod, ports) => reader.forward(pod, ports),
  });
  const options = () => inspectOptions(mesh, deps.now());
  const cacerts = memoizeAsync(() => readCaSecret(reader, 'cacerts', options()));
  const caSources = memoizeAsync(() => readCaSources(reader));
  const mountedCa = memoizeAsync(async () => readMountedCa(reader, await caSources(), options()));
  const workDirCa = memoizeAsync(() => readWorkDirCa(deps, mesh, cluster.name));
  const sourcesOf = (key: ReadFactKey): FactSources => {
    const permitted = new Set(readsOf(key));
    const checked = <T>(names: readonly ReadName[], read: () => T): T => {
      const other = names.find((name) => !permitted.has(name));
      if (other === undefined) return read();
      throw new MeshError('INTERNAL', `the row of fact ${key} does not list request ${other}`);
    };
    const ofIstiods = [...readsOf('controlPlanes'), 'forwardedPod', 'portForward'] as const;
    return {
      ...observed,
      reads: {
        read: async (name, given) => checked([name], () => reader.read(name, given)),
        prefetch: (name, given) => {
          checked([name], () => {
            reader.prefetch(name, given);
          });
        },
        reviewToken: async (token) => checked(['tokenReview'], () => reader.reviewToken(token)),
        allows: (name) => checked([name], () => reader.allows(name)),
      },
      workDirCa,
      fact: async (other) => checked(readsOf(other), () => fact(other)),
      cacerts: async () => checked(['cacerts'], cacerts),
      caSources: async () => checked(['deployments'], caSources),
      mountedCa: async () => checked(['deployments', 'cacerts', 'mountedCa'], mountedCa),
      queryIstiods: async (query) => checked(ofIstiods, () => pods.query(query)),
      summary: () => reader.summary(),
    };
  };
  return {fact, close: () => pods.close()};
}
