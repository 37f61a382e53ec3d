/** What to remove from one cluster so that it and another one no longer read each other. */
import {defined} from '../defined.js';
import type {ErrorReport} from '../errors.js';
import {istioNameOf} from '../mesh/istio-name.js';
import type {MeshCluster} from '../mesh/mesh.js';
import {isKnown, type Observed, unknownsOf, valueOr} from '../observed.js';
import {losingServices, type ClusterServices, type LosingService, servicesByCluster} from './lost-endpoints.js';
import {readerSecretNames, remoteSecretName} from './names.js';
import type {DiscoveryObservation, DiscoveryPod, StoredRemoteSecret, StoredSecret} from './observation.js';
import type {RemoteCredential} from './remote-secret.js';

/** A cluster whose discovery ends, and the clusters of the mesh. */
export interface UnlinkScope {
  readonly target: MeshCluster;
  readonly clusters: readonly MeshCluster[];
  /** Istio's namespace. */
  readonly namespace: string;
}

/** A remote secret of which all or some credentials are removed. */
export interface RemoteRemoval {
  readonly secret: StoredRemoteSecret;
  readonly credentials: readonly RemoteCredential[];
  /** Nothing else is in the Secret: it is deleted. */
  readonly isWhole: boolean;
}

/** A token that deleting the reader Secret does not revoke: another tool issued it. */
export interface LastingToken {
  /** The cluster that accepts it: its name in mesh.yaml, otherwise Istio's. */
  readonly peer: string;
  /** The remote secret with the token. */
  readonly secret: string;
  /** The Secret in the peer whose deletion revokes it, and that of every other reader that uses it. Absent: unknown. */
  readonly tokenSecret?: string;
  /** Absent: it does not expire, or its expiry is unknown. */
  readonly expiresAt?: Date;
}

/** What istiod must no longer list, and which clusters must keep endpoints. */
export interface UnlinkProof {
  /** Istio's names of the clusters that are no longer read. */
  readonly gone: readonly string[];
  readonly kept: readonly ClusterServices[];
  /** Whether this version of istiod lists the clusters that it reads. */
  readonly listsClusters: boolean;
}

/** The decision for one cluster. */
export interface UnlinkDecision {
  /** As a reader. */
  readonly remotes: readonly RemoteRemoval[];
  /** As a peer. */
  readonly readerSecrets: readonly StoredSecret[];
  /** Services that pods of this cluster reach in fewer clusters afterwards. Unknown: no istiod pod reports them. */
  readonly losing: Observed<readonly LosingService[]>;
  /** Absent: nothing is removed as a reader, or istiod cannot show it. */
  readonly proof?: UnlinkProof;
  /** Why istiod cannot show it. */
  readonly unproven?: string;
  readonly lasting: readonly LastingToken[];
  /** Why the cluster cannot be changed. */
  readonly errors: readonly ErrorReport[];
}

/** Decides for one cluster: for the target about every cluster that it reads or that reads it, for the others about the target. */
export function decideUnlink(
  {target, clusters, namespace}: UnlinkScope,
  cluster: MeshCluster,
  seen: DiscoveryObservation,
): UnlinkDecision {
  const isTarget = cluster.name === target.name;
  const remoteSecrets = [...seen.remoteSecrets.values()];
  const readerSecrets = [...seen.readerSecrets.values()];
  const targetName = istioNameOf(target);
  const others = clusters.filter(({name}) => name !== target.name).map(istioNameOf);
  const remotes = known(remoteSecrets).flatMap((secret): readonly RemoteRemoval[] => {
    // Under the target's Secret name, a wrong data key still leads to the target.
    const isNamed =
      secret.metadata.name === remoteSecretName(target) &&
      !secret.credentials.some((one) => one.cluster === targetName);
    const credentials = secret.credentials.filter(
      (one) => isTarget || one.cluster === targetName || (isNamed && !others.includes(one.cluster)),
    );
    const isWhole = credentials.length === secret.credentials.length;
    return credentials.length === 0 ? [] : [{secret, credentials, isWhole}];
  });
  const pods = isKnown(seen.istiods) ? seen.istiods.value.flatMap((istiod) => istiod.pods) : [];
  // An earlier run may have ended before istiod forgot a cluster.
  const listed = pods.flatMap((pod) => valueOr(pod.clusters, []) ?? []).filter(({secretName}) => secretName !== '');
  const held = listed.map(({id}) => id).filter((id) => isTarget || id === targetName);
  const gone = [...new Set([...remotes.flatMap(({credentials}) => credentials.map((one) => one.cluster)), ...held])];
  const services = pods.map((pod) => pod.services).find((one) => one && isKnown(one)) ?? pods[0]?.services;
  const shards = services && isKnown(services) ? services.value : [];
  const kept = servicesByCluster(shards).filter((one) => !gone.includes(one.cluster));
  const listsClusters = pods.every(({clusters: listed}) => !isKnown(listed) || listed.value !== undefined);
  const unproven = pods.length === 0 ? 'no istiod pod is running' : disabledEndpoint(pods);
  const losing = gone.flatMap((name) => losingServices(shards, name, namespace));
  return defined<UnlinkDecision>({
    remotes,
    readerSecrets: known(readerSecrets),
    losing: services && !isKnown(services) ? services : {value: merged(losing)},
    proof: gone.length === 0 || unproven !== undefined ? undefined : {gone, kept, listsClusters},
    unproven: gone.length === 0 ? undefined : unproven,
    lasting: remotes.flatMap((removal) => lastingTokens(removal, cluster, clusters)),
    errors: unknownsOf(seen.uid, seen.istiods, ...remoteSecrets, ...readerSecrets),
  });
}

function known<T>(facts: readonly Observed<T | undefined>[]): readonly T[] {
  return facts.flatMap((fact) => (isKnown(fact) && fact.value !== undefined ? [fact.value] : []));
}

/** Why an istiod pod cannot show what it reads. Other errors may be gone with the next request. */
function disabledEndpoint(pods: readonly DiscoveryPod[]): string | undefined {
  const errors = pods.flatMap(({clusters, services}) => unknownsOf(clusters, ...(services ? [services] : [])));
  return errors.find(({code}) => code === 'ENDPOINT_OFF')?.message;
}

/** A service that loses endpoints in several clusters is one service. */
function merged(losing: readonly LosingService[]): readonly LosingService[] {
  const byHost = new Map<string, LosingService>();
  for (const service of losing) {
    const before = byHost.get(service.host);
    // What is left was counted without the endpoints in one cluster only.
    const lost = service.lost + (before?.lost ?? 0);
    byHost.set(service.host, {...service, lost, left: before ? before.left - service.lost : service.left});
  }
  return [...byHost.values()];
}

function lastingTokens(
  {secret, credentials}: RemoteRemoval,
  reader: MeshCluster,
  clusters: readonly MeshCluster[],
): readonly LastingToken[] {
  return credentials.flatMap(({cluster, kubeconfig}): readonly LastingToken[] => {
    const claims = kubeconfig?.claims;
    const own = readerSecretNames(reader);
    if (claims && own.includes(claims.boundSecret?.name ?? claims.tokenSecret ?? '')) return [];
    return [
      defined<LastingToken>({
        peer: clusters.find((one) => istioNameOf(one) === cluster)?.name ?? cluster,
        secret: secret.metadata.name,
        tokenSecret: claims?.tokenSecret ?? claims?.boundSecret?.name,
        expiresAt: claims?.expiresAt,
      }),
    ];
  });
}
